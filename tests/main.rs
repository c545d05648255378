//! The black-box tests: the real binary between a scripted client and a scripted server.
//!
//! | module              | what its tests show                                                   |
//! |---------------------|-----------------------------------------------------------------------|
//! | `support`           | the fixtures: servers, the binary in a private home, gates, a timeline |
//! | `support_self_test` | each fixture does what it says, each misbehaviour really happens      |

#![expect(clippy::print_stderr, reason = "a failing test shows what both sides said")]

mod support;
mod support_self_test;
