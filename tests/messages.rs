//! The words of the errors that people meet most often while a server is served, letter by letter; those
//! of the way to a server are in `network`.

use serde_json::json;

use crate::support::mcp_server::matcher::tool;
use crate::support::{Answer, BridgeProcess, McpServer, Step};

/// What a tool call says whose fate is unknown.
const UNKNOWN: &str = "the outcome is unknown: the server may have carried it out";
const OVERLOADED: &str = "if it keeps failing, tell whoever runs HOST";

/// What the server does with a call, and the message; `HOST` and `URL` in it are the server's, `UNKNOWN`
/// and `OVERLOADED` the words above.
#[expect(clippy::too_many_lines, reason = "a table")]
fn table() -> Vec<(Answer, &'static str)> {
    let page = |status| Answer::html("<html><title>Acme Portal</title></html>").with_status(status);
    let error =
        |status, words| Answer::json(json!({ "error": words }).to_string()).with_status(status);
    vec![
        (
            error(400, "missing tenant"),
            "HTTP 400 from HOST: missing tenant; check URL, or ask whoever runs HOST what it expects",
        ),
        (
            error(403, "needs the scope write"),
            "HTTP 403 from HOST: needs the scope write; check that your account or key may use this, or \
             ask who administers it at HOST; signing in again does not help",
        ),
        (
            Answer::text("Cannot POST /mcp").with_status(404),
            "HTTP 404 from HOST: Cannot POST /mcp; check the path of URL; if it is right, ask who \
             administers your account there whether MCP is turned on for it; DOCTOR",
        ),
        (
            Answer::status(405),
            "HTTP 405 from HOST: Method Not Allowed; check that URL is the address of an MCP endpoint, \
             and that `--transport`, if given, fits it; DOCTOR",
        ),
        (
            Answer::status(406),
            "HTTP 406 from HOST: Not Acceptable; check that URL is the address of an MCP endpoint, and \
             that `--transport`, if given, fits it; DOCTOR",
        ),
        (
            Answer::text("Moved to v2.").with_status(410),
            "HTTP 410 from HOST: Moved to v2; check the path of URL; if it is right, ask who administers \
             your account there whether MCP is turned on for it; DOCTOR",
        ),
        (page(413), "HTTP 413 from HOST: Acme Portal; send less at once"),
        (
            error(422, "no such tenant"),
            "HTTP 422 from HOST: no such tenant; check URL, or ask whoever runs HOST what it expects",
        ),
        (
            Answer::text("slow down").with_status(429).retry_after(120),
            "HTTP 429 from HOST: slow down; try again in 120 s",
        ),
        (
            Answer::text("Traceback (most recent call last):\nboom").with_status(500),
            "HTTP 500 from HOST: Traceback (most recent call last); check whether it was carried out \
             before you try again; OVERLOADED",
        ),
        (
            Answer::html("<html><title>502 Bad Gateway</title></html>").with_status(502),
            "HTTP 502 from HOST: Bad Gateway; UNKNOWN; check that before you try again; OVERLOADED",
        ),
        (
            Answer::status(503).retry_after(300),
            "HTTP 503 from HOST: Service Unavailable; try again in 300 s",
        ),
        (
            Answer::status(504),
            "HTTP 504 from HOST: Gateway Timeout; UNKNOWN; check that before you try again; OVERLOADED",
        ),
        (
            page(200),
            "HTTP 200 from HOST is not an MCP answer but a web page: Acme Portal; UNKNOWN; check that \
             the address is that of an MCP endpoint, and that no sign-in page of the network answers \
             in its place; DOCTOR",
        ),
        (
            Answer::json(r#"{"status":"ok"}"#),
            "HTTP 200 from HOST is not an MCP answer (application/json): neither a method nor a result \
             nor an error; UNKNOWN; check that URL is an MCP endpoint; DOCTOR",
        ),
        (
            Answer::json(r#"{"jsonrpc":"#),
            "HTTP 200 from HOST is not an MCP answer (application/json): it ends too early at column \
             11; UNKNOWN; check that URL is an MCP endpoint; DOCTOR",
        ),
        (
            Answer::text("hello"),
            "HTTP 200 from HOST is not an MCP answer (text/plain): hello; UNKNOWN; check that URL is an \
             MCP endpoint; DOCTOR",
        ),
        (
            Answer::accepted(),
            "HTTP 202 from HOST is not an MCP answer: it is empty; UNKNOWN; check that URL is an MCP \
             endpoint; DOCTOR",
        ),
        (
            Answer::json(r#"{"jsonrpc":"2.0","id":99,"result":{}}"#),
            "HOST answered with the id of another request; UNKNOWN; check that URL is an MCP endpoint; DOCTOR",
        ),
        (
            Answer::redirect(307, "/mcp"),
            "HOST redirects in a circle; check the server's address, or tell whoever runs the server",
        ),
        (
            Answer::redirect(307, "https://other.example/mcp?key=1"),
            "HOST redirects (HTTP 307) to https://other.example/mcp?…: it leads to another origin, to \
             which nothing of yours is sent; if you trust that address, use it in the configuration",
        ),
        (
            Answer::redirect(302, "/login"),
            "HOST redirects (HTTP 302) to ORIGIN/login: it would turn the POST into a GET; check the \
             path of the server's address: it may be that of a web page",
        ),
        (
            Answer::redirect(301, "mailto:me@example.com"),
            "HOST redirects (HTTP 301) to an address that can't be used: it is not an http(s) URL; \
             check the server's address, or tell whoever runs the server",
        ),
        (
            Answer::close(),
            "the connection to HOST was lost before the answer; UNKNOWN; check what it did before you \
             try again",
        ),
        (
            Answer::reset(),
            "the connection to HOST was lost before the answer: connection reset by peer; UNKNOWN; \
             check what it did before you try again",
        ),
        (
            Answer::truncated_json(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#, 20),
            "the connection to HOST was lost before the answer; UNKNOWN; check what it did before you \
             try again",
        ),
        (
            Answer::stream([Step::comment("working"), Step::Cut]),
            "the connection to HOST was lost before the answer: connection reset by peer; UNKNOWN; \
             check what it did before you try again",
        ),
        (
            Answer::stream([]),
            "HOST ended its answer without a response; UNKNOWN; check what it did before you try again",
        ),
        (
            Answer::stall(),
            "no answer from HOST within 1 s; UNKNOWN; check what it did before you try again",
        ),
        (
            Answer::json(vec![b'['; (1 << 20) + 1]),
            "the answer of HOST is larger than 1 MiB; raise `--max-message-size`, or ask for less at \
             once",
        ),
        (
            Answer::text("x").header("content-encoding", "br"),
            "the answer of HOST can't be decoded: the body is encoded as `br`, which was not asked \
             for; UNKNOWN; tell whoever runs the server, and whoever looks after this network",
        ),
    ]
}

#[test]
fn what_goes_wrong_in_a_call_is_told_in_these_words() {
    for (answer, expected) in table() {
        let server = McpServer::legacy().without_sessions().always(tool("echo"), answer).run();
        let args = ["--tool-timeout", "1s", "--max-message-size", "1M"];
        let mut bridge = BridgeProcess::to(server.url()).args(args).spawn();
        bridge.initialize();
        let response = bridge.call_tool(7, "echo", json!({}));
        let expected = expected
            .replace("UNKNOWN", UNKNOWN)
            .replace("DOCTOR", "`bridge doctor URL` looks at each step")
            .replace("OVERLOADED", OVERLOADED)
            .replace("URL,", &format!("{},", server.url()))
            .replace("of URL;", &format!("of {};", server.url()))
            .replace("URL ", &format!("{} ", server.url()))
            .replace("URL`", &format!("{}`", server.url()))
            .replace("ORIGIN", &format!("http://{}", server.host()))
            .replace("HOST", &server.host());
        assert_eq!(response["error"]["message"], expected);
        bridge.finish();
    }
}

/// The arguments, and what is said of them to a server that answers 401.
const OF_THE_USER: [(&[&str], &str); 4] = [
    (
        &["--header", "Authorization=Bearer ${KEY}"],
        "your `Authorization` header was refused: HTTP 401 from HOST: invalid_token; replace it with a \
         valid value (it comes from `--header`); a client takes it when it starts again",
    ),
    (
        &["--header-command", "no-such-program"],
        "the header command `no-such-program` gave no headers: the program was not found; write the \
         program's whole path: an MCP client may have another PATH than your shell, and no shell \
         expands ~ or aliases here",
    ),
    (
        &["--header-command", "sh -c 'echo not logged in >&2; exit 3'"],
        "the header command `sh` gave no headers: it failed (exit status: 3): not logged in; run it in \
         a terminal to see why it fails; an MCP client may start it with fewer variables than your \
         shell has",
    ),
    (
        &["--deny-tool", "ec*"],
        "the tool `echo` is blocked by `--deny-tool ec*`; change the filters of this server if you \
         want it called",
    ),
];

#[cfg(unix)]
#[test]
fn what_is_wrong_with_what_the_user_gave_is_told_in_these_words() {
    for (args, expected) in OF_THE_USER {
        let refused = Answer::json(r#"{"error":"invalid_token"}"#).with_status(401);
        let server = McpServer::legacy().without_sessions().always(tool("echo"), refused).run();
        let mut bridge =
            BridgeProcess::to(server.url()).args(args.iter().copied()).env("KEY", "k").spawn();
        bridge.request(
            0,
            "initialize",
            crate::support::bridge_process::initialize_params(json!({})),
        );
        bridge.expect_response(0);
        bridge.notify("notifications/initialized", json!({}));
        let response = bridge.call_tool(7, "echo", json!({}));
        let expected = expected.replace("HOST", &server.host());
        assert_eq!(response["error"]["message"], expected);
    }
}
