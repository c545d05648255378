//! The tests of the whole program, one binary: the real `bridge` between a scripted client and a
//! scripted server.
//!
//! | module              | what its tests show                                                   |
//! |---------------------|-----------------------------------------------------------------------|
//! | `architecture`      | who may use whom                                                      |
//! | `cancellation`      | what is cancelled is not answered, and not sent if it can be helped   |
//! | `completions`       | generated files are fresh                                             |
//! | `failures`          | every failure is one JSON-RPC error that says what, why and what next |
//! | `fidelity`          | messages cross byte for byte, but for the few rewrites                |
//! | `large_messages`    | whole, in bounded memory, at the pace of the slowest side             |
//! | `pressure`          | bounds without deadlock, back-pressure, questions within calls        |
//! | `network`           | certificates, proxies, addresses, time-outs                           |
//! | `redirects`         | followed within an origin, never across                               |
//! | `retries`           | what is sent twice and what is not                                    |
//! | `sessions`          | a lost session is opened again, once, with all that was in it         |
//! | `shutdown`          | how it ends, and what it leaves                                       |
//! | `stdio`             | lines, batches, sizes; only messages on stdout                        |
//! | `transports`        | the older HTTP+SSE transport, and which one a server speaks           |
//! | `support`           | the fixtures: servers, the binary in a private home, gates            |
//! | `support_self_test` | each fixture does what it says, each misbehaviour really happens      |

#![expect(clippy::print_stderr, reason = "a failing test shows what both sides said")]
#![expect(clippy::unwrap_used, reason = "the exemption for tests does not reach their helpers")]

mod architecture;
mod cancellation;
mod completions;
mod failures;
mod fidelity;
mod large_messages;
mod network;
mod pressure;
mod redirects;
mod retries;
mod sessions;
mod shutdown;
mod stdio;
mod support;
mod support_self_test;
mod transports;
