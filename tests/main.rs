//! The tests of the whole program, one binary: the real `bridge` between a scripted client and a
//! scripted server.
//!
//! | module              | what its tests show                                                   |
//! |---------------------|-----------------------------------------------------------------------|
//! | `architecture`      | who may use whom                                                      |
//! | `arguments`         | what can be typed, mcp-remote's argument lists among it               |
//! | `browser`           | a page is opened by a program, and not by a shell                     |
//! | `cancellation`      | what is cancelled is not answered, and not sent if it can be helped   |
//! | `canaries`          | only the user's own origin sees the headers, and nothing written does |
//! | `completions`       | the program prints the scripts of `completions/`                      |
//! | `doctor`            | each cause is found by `bridge doctor`, and cured by its advice       |
//! | `eras`              | clients and servers of both eras of the protocol, in all four pairs   |
//! | `failures`          | every failure is one JSON-RPC error that says what, why and what next |
//! | `faults`            | each call answered once and none doubled, whatever breaks             |
//! | `fidelity`          | messages cross byte for byte, but for the few rewrites                |
//! | `filters`           | tools that are hidden and refused, and nothing else changed           |
//! | `headers`           | the user's own headers reach the server and nobody else               |
//! | `hostile`           | what servers that mean harm, and clients that flood, can't fill       |
//! | `hosted`            | five real products, a story each, with the commands that their users type |
//! | `large_messages`    | whole, in bounded memory, at the pace of the slowest side             |
//! | `loopback`          | the redirect listener among hostile visitors                          |
//! | `import`            | mcp-remote's entries become ours, and come back                       |
//! | `install`           | entries in clients' files, and everything else in them as it was      |
//! | `logs`              | what happened is written down, and shown                              |
//! | `messages`          | the words of the errors that people meet most, letter by letter       |
//! | `in_process`        | with an injected clock or fault: the machine's sleep, a panic         |
//! | `not_there_yet`     | a server that is down, slow or refuses at the start                   |
//! | `pages`             | the pages of a sign-in in a real browser (`scripts/pictures`)         |
//! | `pictures`          | what commands show in terminals of some widths (`scripts/pictures`)   |
//! | `pressure`          | bounds without deadlock, back-pressure, questions within calls        |
//! | `network`           | certificates, proxies, addresses, time-outs                           |
//! | `purge`             | all that was ever stored goes, and tokens are revoked                 |
//! | `redirects`         | followed within an origin, never across                               |
//! | `retries`           | what is sent twice and what is not                                    |
//! | `saved`             | servers by name: what counts, what is told, what stands on disk        |
//! | `sessions`          | a lost session is opened again, once, with all that was in it         |
//! | `shutdown`          | how it ends, and what it leaves                                       |
//! | `sign_in`           | the OAuth protocol from the refusal to the token, kind servers and hostile ones |
//! | `snapshots`         | all that commands print, whole, against committed files               |
//! | `stdio`             | lines, batches, sizes; only messages on stdout                        |
//! | `transports`        | the older HTTP+SSE transport, and which one a server speaks           |
//! | `using`             | a server used from a shell: tools, calls, resources, prompts          |
//! | `support`           | the fixtures: servers, the binary in a private home, gates            |
//! | `support_self_test` | each fixture does what it says, each misbehaviour really happens      |

#![expect(clippy::print_stderr, reason = "a failing test shows what both sides said")]
#![expect(clippy::unwrap_used, reason = "the exemption for tests does not reach their helpers")]

mod architecture;
mod arguments;
#[cfg(unix)]
mod browser;
#[cfg(unix)]
mod canaries;
mod cancellation;
mod completions;
#[cfg(unix)]
mod doctor;
mod eras;
mod failures;
mod faults;
mod fidelity;
mod filters;
#[cfg(unix)]
mod headers;
#[cfg(target_os = "linux")]
mod hosted;
mod hostile;
mod hostile_host;
#[cfg(target_os = "linux")]
mod import;
mod in_process;
#[cfg(target_os = "linux")]
mod install;
mod large_messages;
mod logs;
mod loopback;
mod messages;
mod network;
mod not_there_yet;
mod pages;
#[cfg(unix)]
mod pictures;
mod pressure;
mod purge;
mod redirects;
mod retries;
mod saved;
mod sessions;
mod shutdown;
mod sign_in;
#[cfg(target_os = "linux")]
mod snapshots;
mod stdio;
mod support;
mod support_self_test;
mod transports;
mod using;
