//! Five hosted products, a story each, with the commands that a user of that product types.
//!
//! Each sentence of a story is a step (`support::hosted::tale`). The same stories are played by
//! `cargo run --release --example demo -- all`.
//!
//! | module      | the product                                                     |
//! |-------------|------------------------------------------------------------------|
//! | `callcamp`  | a bearer token, a session                                        |
//! | `maestra`   | a feature that is off until someone turns it on                  |
//! | `vauchflow` | an API key, stateless, an error envelope of its own              |
//! | `statisfy`  | a sign-in with registration, a key that can't be renewed         |
//! | `stampix`   | a registered client, two layers of scopes, tokens that rotate    |

mod callcamp;
mod maestra;
#[cfg(test)]
mod page;
mod stampix;
mod statisfy;
mod vauchflow;

use crate::support::hosted::{Tale, User};

/// A product with its story.
#[cfg_attr(test, expect(dead_code, reason = "some of it is for the tour"))]
pub struct Product {
    pub name: &'static str,
    /// What kind of server it is.
    pub about: &'static str,
    pub story: fn(&mut Tale),
    /// Starts it for people to try.
    pub open: fn() -> Open,
}

/// A product that runs, for somebody to try; it ends when this is dropped.
#[cfg_attr(test, expect(dead_code, reason = "for the tour"))]
pub struct Open {
    /// With a home of its own and the trust that the product's certificate needs.
    pub user: User,
    /// What to type, in order; a line with `#` is said.
    pub commands: Vec<String>,
    /// The fixture.
    pub _running: Box<dyn std::any::Any>,
}

pub const PRODUCTS: [Product; 5] =
    [callcamp::PRODUCT, vauchflow::PRODUCT, statisfy::PRODUCT, stampix::PRODUCT, maestra::PRODUCT];

/// Tests of each product's story, told in each way.
#[cfg(test)]
macro_rules! stories {
    ($($product:ident),*) => { $(
        mod $product {
            use crate::support::hosted::Way;

            #[test]
            fn alone() {
                super::super::tell(stringify!($product), Way::Alone);
            }

            #[test]
            fn three_at_once() {
                super::super::tell(stringify!($product), Way::ThreeAtOnce);
            }

            #[test]
            fn restarted() {
                super::super::tell(stringify!($product), Way::Restarted);
            }
        }
    )* };
}

#[cfg(test)]
#[track_caller]
fn tell(name: &str, way: crate::support::hosted::Way) {
    use crate::support::Timeline;
    use crate::support::hosted::tale::Step;

    let product = PRODUCTS.iter().find(|product| product.name == name).expect("a product");
    let hears = Box::new(|step: &Step| {
        if let Step::Begun(sentence) = step {
            eprintln!("── {sentence}");
            Timeline::of_this_test().log("story", sentence);
        }
    });
    let mut tale = Tale::new(product.name, way, hears);
    (product.story)(&mut tale);
    tale.ends();
}

#[cfg(test)]
mod stories {
    stories!(callcamp, maestra, stampix, statisfy, vauchflow);
}
