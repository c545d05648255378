//! The tests of the whole program, one binary: the real `bridge` between a scripted client and a
//! scripted server.
//!
//! | module              | what its tests show                                                   |
//! |---------------------|-----------------------------------------------------------------------|
//! | `architecture`      | who may use whom                                                      |
//! | `completions`       | generated files are fresh                                             |
//! | `failures`          | every failure is one JSON-RPC error that says what, why and what next |
//! | `redirects`         | followed within an origin, never across                               |
//! | `sessions`          | a lost session is opened again, once, with all that was in it         |
//! | `support`           | the fixtures: servers, the binary in a private home, gates            |
//! | `support_self_test` | each fixture does what it says, each misbehaviour really happens      |

#![expect(clippy::print_stderr, reason = "a failing test shows what both sides said")]

mod architecture;
mod completions;
mod failures;
mod redirects;
mod sessions;
mod support;
mod support_self_test;
