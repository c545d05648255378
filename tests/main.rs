//! The tests of the whole program, one binary: the real `bridge` between a scripted client and a
//! scripted server.
//!
//! | module              | what its tests show                                              |
//! |---------------------|------------------------------------------------------------------|
//! | `architecture`      | who may use whom                                                 |
//! | `cancellation`      | what is cancelled ends on both sides, and the session goes on      |
//! | `completions`       | generated files are fresh                                        |
//! | `in_process`        | with an injected clock or fault: the machine's sleep, a panic      |
//! | `not_there_yet`     | a server that is down, slow or refuses at the start                |
//! | `pressure`          | much at once: bounds in flight, back-pressure, no deadlock         |
//! | `shutdown`          | whatever ends it: in time, its session closed, nothing left        |
//! | `support`           | the fixtures: servers, the binary in a private home, gates       |
//! | `support_self_test` | each fixture does what it says, each misbehaviour really happens |

#![expect(clippy::print_stderr, reason = "a failing test shows what both sides said")]

mod architecture;
mod cancellation;
mod completions;
mod in_process;
mod not_there_yet;
mod pressure;
mod shutdown;
mod support;
mod support_self_test;
