//! The black-box tests: the real binary between a scripted client and a scripted server.
//!
//! | module              | what its tests show                                                   |
//! |---------------------|-----------------------------------------------------------------------|
//! | `support`           | the fixtures: servers, the binary in a private home, gates, a timeline |
//! | `support_self_test` | each fixture does what it says, each misbehaviour really happens       |
//! | `failures`          | every failure is one JSON-RPC error that says what, why and what next |
//! | `redirects`         | followed within an origin, never across                               |
//! | `sessions`          | a lost session is opened again, once, with all that was in it         |

#![expect(clippy::print_stderr, reason = "a failing test shows what both sides said")]

mod failures;
mod support;
mod support_self_test;
