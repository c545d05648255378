//! Five hosted products, each as its own documentation describes it on the wire, and what a story about
//! one of them stands on.
//!
//! ```text
//! story ─▶ Tale ── step: what happens ─▶ passed, with what the servers saw as `tests/fixtures/hosted` says
//!   │
//!   ├─ User ── types ─▶ the real `bridge` in a private home ─┐
//!   ├─ Clients ── the official SDK ─▶ `bridge` × 1 or 3 ─────┼─ HTTPS ─▶ a product
//!   └─ Browser ── a person who approves ─────────────────────┘
//! ```
//!
//! - [`callcamp`], [`vauchflow`], [`statisfy`], [`stampix`], [`maestra`]: the products.
//! - [`tale`]: steps, and the ways in which a story is told: alone, with three copies of the bridge, with
//!   the server restarted in the middle.
//! - [`expectation`]: what the servers have to see in each step, as it is committed.
//! - [`record`]: a request in one line, with nothing in it that differs from run to run.
//! - [`user`]: who types commands; [`client`]: what a desktop client launches and sees.
//! - [`front`]: HTTPS before a fixture that speaks plain HTTP.

pub mod callcamp;
pub mod client;
pub mod expectation;
pub mod front;
pub mod maestra;
pub mod record;
pub mod stampix;
pub mod statisfy;
pub mod tale;
pub mod user;
pub mod vauchflow;

pub use client::{Client, Clients, Entry};
pub use front::Front;
pub use record::Record;
pub use tale::{Tale, Way};
pub use user::User;
