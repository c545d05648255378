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
#[cfg(test)]
mod tours;
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

/// A line of a tour.
pub struct Line {
    /// What to know before it is typed.
    #[cfg_attr(test, expect(dead_code, reason = "only people read it"))]
    pub note: &'static str,
    pub command: String,
    /// Among what is shown then.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the test"))]
    pub shows: &'static str,
    #[cfg_attr(not(test), expect(dead_code, reason = "for the test"))]
    pub code: i32,
    /// Somebody has to sign in while it runs.
    pub opens_a_page: bool,
}

impl Line {
    /// A command, and what is seen when it was good.
    pub fn new(note: &'static str, command: impl Into<String>, shows: &'static str) -> Self {
        Self { note, command: command.into(), shows, code: 0, opens_a_page: false }
    }

    /// It ends with this exit code.
    #[must_use]
    pub fn fails(self, code: i32) -> Self {
        Self { code, ..self }
    }

    #[must_use]
    pub fn opens_a_page(self) -> Self {
        Self { opens_a_page: true, ..self }
    }

    /// As it is shown in a terminal of 80 columns; a shell reads it the same.
    pub fn printed(&self) -> String {
        // An option stays with its value.
        let parts = self.command.replace(" --", "\0--").replace(" | ", "\0| ");
        let (mut text, mut column) = (String::new(), 0);
        for part in parts.split('\0') {
            if column > 0 && column + 1 + part.len() > 70 {
                text.push_str(" \\\n  ");
                column = 2;
            } else if column > 0 {
                text.push(' ');
                column += 1;
            }
            text.push_str(part);
            column += part.len();
        }
        text
    }
}

/// A product that runs, for somebody to try; it ends when this is dropped.
pub struct Open {
    /// With a home of its own and the trust that the product's certificate needs.
    pub user: User,
    /// What to type, in order.
    pub lines: Vec<Line>,
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
