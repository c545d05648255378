//! What answers at the address.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use mcp_bridge::clock::{Clock, SystemClock};
use serde_json::json;

use super::{Cause, Sick, all_are_found_and_cured, doctor, seen};
use crate::support::mcp_server::Builder as Server;
use crate::support::mcp_server::matcher::{anything, delete, post, when};
use crate::support::sse_server::SseServer;
use crate::support::{Answer, McpServer, ModernServer, Proxy, RawServer};

/// A server that answers everything so, until whoever runs it mends it.
fn answering(answer: Answer) -> Sick {
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = Arc::clone(&broken);
    let until_mended = when("it is broken", move |_| is_broken.load(Ordering::Relaxed));
    let server = McpServer::legacy().allow(anything()).always(until_mended, answer).run();
    let url = server.url();
    Sick::new(doctor([url.clone()]), server).cured_by(move || {
        broken.store(false, Ordering::Relaxed);
        doctor([url])
    })
}

pub(super) const CAUSES: usize = OF_ADDRESS.len() + OF_USER.len() + 2;

const OF_ADDRESS: &[Cause] = &[
    Cause {
        name: "a wrong path",
        sick: || {
            let server = McpServer::legacy().allow(anything()).run();
            let (wrong, right) = (server.url_of("/wrong"), server.url());
            Sick::new(doctor([wrong]), server).cured_by(move || doctor([right]))
        },
        check: "endpoint",
        says: "HTTP 404",
        advises: "check the path of http://127.0.0.1",
        code: 1,
    },
    Cause {
        name: "an endpoint that is turned off",
        sick: || answering(Answer::text("MCP is not enabled").with_status(404)),
        check: "endpoint",
        says: "MCP is not enabled",
        advises: "whether MCP is turned on for it",
        code: 1,
    },
    Cause {
        name: "a web page",
        sick: || answering(Answer::html("<html><title>Welcome</title></html>")),
        check: "endpoint",
        says: "is not an MCP answer but a web page: Welcome",
        advises: "check that the address is that of an MCP endpoint",
        code: 1,
    },
    Cause {
        name: "a server of the older transport alone",
        sick: || {
            let server = SseServer::builder().run();
            let url = server.url();
            let sick = doctor([url.clone(), "--transport".into(), "http-only".into()]);
            Sick::new(sick, server).cured_by(move || doctor([url]))
        },
        check: "endpoint",
        says: "HTTP 405",
        advises: "that `--transport`, if given, fits it",
        code: 1,
    },
    Cause {
        name: "a server that is broken",
        sick: || answering(Answer::text("the database is away").with_status(500)),
        check: "endpoint",
        says: "HTTP 500",
        advises: "tell whoever runs 127.0.0.1",
        code: 1,
    },
    Cause {
        name: "a server that is busy",
        sick: || answering(Answer::status(429).retry_after(7)),
        check: "endpoint",
        says: "HTTP 429",
        advises: "try again in 7 s",
        code: 5,
    },
    Cause {
        name: "an account that may not",
        sick: || answering(Answer::text("ask your administrator").with_status(403)),
        check: "endpoint",
        says: "ask your administrator",
        advises: "check that your account or key may use this",
        code: 4,
    },
    Cause {
        name: "a redirect to another origin",
        sick: || {
            let server = Rc::new(McpServer::legacy().run());
            let away = Answer::redirect(308, &server.url());
            let moved = McpServer::legacy().always(anything(), away).run();
            let url = server.url();
            Sick::new(doctor([moved.url()]), (server, moved)).cured_by(move || doctor([url]))
        },
        check: "endpoint",
        says: "redirects (HTTP 308) to http://127.0.0.1",
        advises: "use it in the configuration",
        code: 1,
    },
    Cause {
        name: "a silent server",
        sick: || {
            let server = RawServer::listen();
            let args = [server.url(), "--headers-timeout".into(), "0.5".into()];
            let awake = McpServer::legacy().run();
            let cured = doctor([awake.url()]);
            Sick::new(doctor(args), (server, awake)).cured_by(|| cured)
        },
        check: "endpoint",
        says: "did not answer in time",
        advises: "try again",
        code: 5,
    },
    Cause {
        name: "something that does not speak HTTP",
        sick: || {
            let server = RawServer::always("220 mail.example ESMTP\r\n");
            let right = McpServer::legacy().run();
            let cured = doctor([right.url()]);
            Sick::new(doctor([server.url()]), (server, right)).cured_by(|| cured)
        },
        check: "endpoint",
        says: "does not answer in HTTP",
        advises: "is an MCP endpoint",
        code: 1,
    },
];

#[test]
fn what_is_wrong_with_the_address_is_found() {
    all_are_found_and_cured(OF_ADDRESS);
}

/// A server that wants this header.
fn wants_header() -> Server {
    let lacks = |request: &crate::support::mcp_server::Request| {
        request.header("authorization") != Some("Bearer good-token")
    };
    McpServer::legacy().allow(anything()).always(when("a wrong key", lacks), Answer::status(401))
}

const OF_USER: &[Cause] = &[
    Cause {
        name: "a header that is refused",
        sick: || {
            let server = wants_header().run();
            let with = |token: &str| {
                doctor([server.url(), "--header".into(), format!("Authorization=Bearer {token}")])
            };
            let (sick, cured) = (with("canary-stale"), with("good-token"));
            Sick::new(sick, server).cured_by(move || cured)
        },
        check: "endpoint",
        says: "your `Authorization` header was refused",
        advises: "replace it with a valid value (it comes from `--header`)",
        code: 4,
    },
    Cause {
        name: "a key that is refused without a challenge",
        sick: || {
            let lacks = |request: &crate::support::mcp_server::Request| {
                request.header("x-api-key") != Some("good-key")
            };
            let refusal = Answer::text("invalid key").with_status(401);
            let server = McpServer::legacy().allow(anything());
            let server = server.always(when("a wrong key", lacks), refusal).run();
            let with =
                |key: &str| doctor([server.url()]).arg("--header").arg(format!("X-Api-Key={key}"));
            let (sick, cured) = (with("canary-stale"), with("good-key"));
            Sick::new(sick, server).cured_by(move || cured)
        },
        check: "endpoint",
        says: "your `x-api-key` header was refused",
        advises: "replace it with a valid value (it comes from `--header`)",
        code: 4,
    },
    Cause {
        name: "a header command that fails",
        sick: || {
            let server = wants_header().run();
            let with = |command: &str| {
                doctor([server.url(), "--header-command".into(), command.to_owned()])
            };
            let (sick, cured) = (with("false"), with("echo Bearer good-token"));
            Sick::new(sick, server).cured_by(move || cured)
        },
        check: "endpoint",
        says: "the header command `false`",
        advises: "run it in a terminal",
        code: 1,
    },
    Cause {
        name: "a server without encryption",
        sick: || {
            let server = McpServer::legacy().run();
            let proxy = Proxy::http(&server).run();
            let url = server.url_at("mcp.test");
            let way = format!("http://{}", proxy.host());
            let cured = doctor([url.clone()]).env("http_proxy", &way);
            Sick::new(doctor([url]).env("http_proxy", &way), (server, proxy))
                .advised(move |it| cured.args(it.option("--allow-http")))
        },
        check: "configuration",
        says: "would be reached without encryption",
        advises: "add `--allow-http`",
        code: 2,
    },
    Cause {
        name: "a certificate file that is not there",
        sick: || {
            let server = McpServer::legacy().run();
            let url = server.url();
            let sick = doctor([url.clone(), "--ca-cert".into(), "/nowhere/ca.pem".into()]);
            Sick::new(sick, server).cured_by(move || doctor([url]))
        },
        check: "configuration",
        says: "/nowhere/ca.pem, named by `--ca-cert`, can't be read",
        advises: "check the path that `--ca-cert` gives",
        code: 2,
    },
    Cause {
        name: "an address that is none",
        sick: || {
            let server = McpServer::legacy().run();
            let url = server.url();
            let sick = doctor([url.strip_prefix("http://").unwrap()]);
            // As the advice has it, with the doctor's own program in its place.
            Sick::new(sick, server).advised(move |it| {
                let [verb, whole] = it.command().try_into().expect("a command and an address");
                assert_eq!((verb.as_str(), &whole), ("doctor", &url));
                doctor([whole])
            })
        },
        check: "configuration",
        says: "is not a URL",
        advises: "write the whole address: `bridge doctor http://127.0.0.1",
        code: 2,
    },
];

#[test]
fn what_is_wrong_with_the_users_own_words_is_found() {
    all_are_found_and_cured(OF_USER);
}

/// A server with another clock.
fn with_clock(shift: impl Fn(SystemTime) -> SystemTime) -> Sick {
    let date = httpdate::fmt_http_date(shift(SystemClock.wall()));
    let hello = json_of_hello();
    let answer = Answer::json(hello).header("date", &date);
    let server = McpServer::legacy().without_sessions().once(post(), answer).run();
    // From its second answer on its clock is right.
    let cured = doctor([server.url()]);
    Sick::new(doctor([server.url()]), server).cured_by(move || cured)
}

fn json_of_hello() -> &'static str {
    r#"{"jsonrpc":"2.0","id":"bridge-entry","result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}"#
}

#[test]
fn a_clock_that_is_wrong_is_found() {
    const APART: Duration = Duration::from_secs(3 * 60 * 60);
    all_are_found_and_cured(&[
        Cause {
            name: "a clock that is ahead",
            sick: || with_clock(|now| now - APART),
            check: "clock",
            says: "the clock of this machine is 3 h ahead of the server's",
            advises: "let this machine set its clock by the network",
            code: 1,
        },
        Cause {
            name: "a clock that is behind",
            sick: || with_clock(|now| now + APART),
            check: "clock",
            says: "the clock of this machine is 3 h behind the server's",
            advises: "let this machine set its clock by the network",
            code: 1,
        },
    ]);
}

#[test]
fn servers_of_both_eras_and_both_transports_are_well() {
    let (legacy, sse) = (McpServer::legacy().run(), SseServer::builder().run());
    let modern = ModernServer::builder().run();
    for (url, spoken) in [
        (legacy.url(), "legacy (to 2025-11-25), Streamable HTTP"),
        (sse.url(), "legacy (to 2025-11-25), HTTP+SSE"),
        (modern.url(), "modern (2026-07-28), Streamable HTTP"),
    ] {
        let told = seen(doctor([url]));
        assert_eq!((told.failed(), told.code), (Vec::new(), 0), "{told:#?}");
        assert_eq!(told.text("protocol", "detail"), spoken, "{told:#?}");
    }
    assert_eq!(legacy.count(delete()), legacy.sessions(), "each session was ended");
}

#[test]
fn what_a_server_offers_is_counted() {
    let tool =
        |number: u32| json!({"name": format!("t{number}"), "inputSchema": {"type": "object"}});
    let tools = (0..7).map(tool).collect::<Vec<_>>();
    let server = McpServer::legacy().tools(json!(tools)).run();
    let seen = seen(doctor([server.url()]));
    assert_eq!(seen.check("tools")["detail"], "7", "{seen:#?}");
    assert_eq!(seen.check("tools")["data"]["count"], 7, "{seen:#?}");
}
