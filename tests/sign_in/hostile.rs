//! What a hostile or broken server, page or network can do to a sign-in, each with what comes of it.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use mcp_bridge::auth::{Failure, FailureKind};
use serde_json::{Value, json};

use super::{Login, run, unchanged};
use crate::support::auth_server::{Answer, Plan};
#[cfg(target_os = "linux")]
use {
    crate::support::auth_server::visit,
    crate::support::{BridgeProcess, DEADLINE},
    std::time::{Duration, Instant},
};

const RESOURCE: &str = "/.well-known/oauth-protected-resource/mcp";
const METADATA: &str = "/.well-known/oauth-authorization-server";
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";

/// One way to be wrong.
struct Row {
    name: &'static str,
    plan: Plan,
    on_the_way: fn(String) -> String,
    expected: Result<(), FailureKind>,
}

fn row(name: &'static str, plan: Plan, expected: Result<(), FailureKind>) -> Row {
    Row { name, plan: plan.expects_refusals(), on_the_way: unchanged, expected }
}

fn fails(name: &'static str, kind: FailureKind, plan: Plan) -> Row {
    row(name, plan, Err(kind))
}

/// A probe that comes to nothing and ends no other.
fn survives(name: &'static str, plan: Plan) -> Row {
    row(name, plan, Ok(()))
}

fn on_the_way(name: &'static str, kind: FailureKind, change: fn(String) -> String) -> Row {
    Row { on_the_way: change, ..fails(name, kind, Plan::default()) }
}

fn at(path: &'static str, answer: Answer) -> Plan {
    Plan::default().always(path, answer)
}

fn metadata(member: &'static str, value: Value) -> Plan {
    Plan::default().metadata(move |document| document[member] = value.clone())
}

fn resource(member: &'static str, value: Value) -> Plan {
    Plan::default().resource(move |document| document[member] = value.clone())
}

fn grants(member: &'static str, value: Value) -> Plan {
    Plan::default().grants(move |answer| answer[member] = value.clone())
}

fn registers(member: &'static str, value: Value) -> Plan {
    Plan::default().registers(move |answer| answer[member] = value.clone())
}

fn endless() -> Answer {
    Answer::Endless(HEAD, b' ')
}

fn bot_protection() -> Answer {
    Answer::http(403, &[("cf-mitigated", "challenge"), ("content-type", "text/html")], "client")
}

fn bomb() -> Answer {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let piece = vec![b' '; 1024 * 1024];
    for _ in 0..8 {
        encoder.write_all(&piece).unwrap();
    }
    Answer::http(200, &[("content-encoding", "gzip")], encoder.finish().unwrap())
}

fn error(code: &str) -> Value {
    json!({"error": code, "error_description": "no"})
}

fn of_the_resources_document() -> Vec<Row> {
    use FailureKind::{NoMetadata, ResourceMismatch, UnsafeUrl};
    let nested = "[".repeat(200_000);
    let many: Vec<String> = (0..5000).map(|n| format!("http://127.0.0.1:1/{n}")).collect();
    vec![
        survives("a document without end", at(RESOURCE, endless())),
        survives("a document that drips", at(RESOURCE, Answer::Drip(HEAD))),
        survives("a head that never comes", at(RESOURCE, Answer::Silence)),
        survives(
            "a head without end",
            at(RESOURCE, Answer::Endless("HTTP/1.1 200 OK\r\nx: ", b'x')),
        ),
        survives("a compressed bomb", at(RESOURCE, bomb())),
        survives(
            "an unknown encoding",
            at(RESOURCE, Answer::http(200, &[("content-encoding", "br")], "x")),
        ),
        survives("nested without end", at(RESOURCE, Answer::http(200, &[], nested))),
        survives("away", at(RESOURCE, Answer::redirect(302, "https://evil.example/x"))),
        survives("in a circle", at(RESOURCE, Answer::redirect(302, RESOURCE))),
        survives("to a file", at(RESOURCE, Answer::redirect(302, "file:///etc/passwd"))),
        fails(
            "another server's",
            ResourceMismatch,
            resource("resource", json!("https://h.example/mcp")),
        ),
        fails("no URL", ResourceMismatch, resource("resource", json!("\u{1b}[2J"))),
        fails("no TLS", UnsafeUrl, resource("authorization_servers", json!(["http://as.example"]))),
        fails(
            "a file",
            UnsafeUrl,
            resource("authorization_servers", json!(["file:///etc/passwd"])),
        ),
        fails(
            "a password",
            UnsafeUrl,
            resource("authorization_servers", json!(["https://me:canary@as.example"])),
        ),
        fails(
            "thousands of issuers that are not there",
            FailureKind::Unreachable,
            resource("authorization_servers", json!(many)),
        ),
        fails(
            "an issuer without a document",
            NoMetadata,
            Plan { metadata_at: vec![], ..Plan::default() },
        ),
    ]
}

fn of_the_servers_document() -> Vec<Row> {
    use FailureKind::*;
    let long = format!("https://as.example/{}", "x".repeat(10_000));
    let tenant = || Plan {
        issuer_path: "/tenant",
        metadata_at: vec!["/.well-known/oauth-authorization-server/tenant"],
        ..Plan::default()
    };
    let slash = tenant().metadata(|document| {
        document["issuer"] = json!(format!("{}/", document["issuer"].as_str().unwrap()));
    });
    vec![
        fails("another issuer", IssuerMismatch, metadata("issuer", json!("https://h.example"))),
        fails("a slash too many", IssuerMismatch, slash),
        fails("no issuer", IssuerMismatch, metadata("issuer", json!(null))),
        fails("no PKCE", NoPkce, metadata("code_challenge_methods_supported", json!(null))),
        fails("plain PKCE", NoPkce, metadata("code_challenge_methods_supported", json!(["plain"]))),
        fails(
            "a script",
            UnsafeUrl,
            metadata("authorization_endpoint", json!("javascript:alert(1)")),
        ),
        fails(
            "a command",
            UnsafeUrl,
            metadata("authorization_endpoint", json!("file:/c:/calc.exe")),
        ),
        fails(
            "tokens without TLS",
            UnsafeUrl,
            metadata("token_endpoint", json!("http://as.example/")),
        ),
        fails("a password", UnsafeUrl, metadata("token_endpoint", json!("https://u:canary@h/"))),
        fails("a URL without end", UnsafeUrl, metadata("authorization_endpoint", json!(long))),
        fails("no page", GrantNotOffered, metadata("authorization_endpoint", json!(null))),
        fails("a number for a URL", GrantNotOffered, metadata("token_endpoint", json!(7))),
        fails("without end", NoMetadata, at(METADATA, endless())),
        fails("a web page", NoMetadata, at(METADATA, Answer::page(200, "<html>welcome"))),
        fails("broken", Busy, at(METADATA, Answer::page(500, "<h1>Oops</h1>"))),
        fails("for browsers only", BotProtection, at(METADATA, bot_protection())),
    ]
}

fn of_registration() -> Vec<Row> {
    use FailureKind::*;
    const PATH: &str = "/register";
    let refused = |code: &str| Answer::json(400, &error(code));
    vec![
        fails("refused", RegistrationRefused, at(PATH, refused("invalid_client_metadata"))),
        fails("redirect refused", RegistrationRefused, at(PATH, refused("invalid_redirect_uri"))),
        fails("not allowed", RegistrationRefused, at(PATH, Answer::page(403, "<h1>No</h1>"))),
        fails("for browsers only", BotProtection, at(PATH, bot_protection())),
        fails("too often", Busy, at(PATH, Answer::http(429, &[("retry-after", "60")], ""))),
        fails("no id", BadAnswer, registers("client_id", json!(null))),
        fails("an id of two lines", BadAnswer, registers("client_id", json!("a\r\nb: canary"))),
        fails(
            "wants a key",
            BadAnswer,
            registers("token_endpoint_auth_method", json!("private_key_jwt")),
        ),
        fails(
            "wants a secret",
            BadAnswer,
            registers("token_endpoint_auth_method", json!("client_secret_post")),
        ),
        fails(
            "a secret that is over",
            BadAnswer,
            Plan::default().registers(|answer| {
                answer["client_secret"] = json!("canary");
                answer["client_secret_expires_at"] = json!(1);
            }),
        ),
        fails("without end", BadAnswer, at(PATH, endless())),
        fails("away", Redirected, at(PATH, Answer::redirect(307, "https://evil.example/"))),
        fails("no answer", Unreachable, at(PATH, Answer::Silence)),
    ]
}

fn of_the_browsers_way_back() -> Vec<Row> {
    use FailureKind::*;
    fn set(query: &str, name: &str, value: Option<&str>) -> String {
        let mut pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        pairs.retain(|(given, _)| given != name);
        pairs.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }
    fn error(query: &str, code: &str, description: &str) -> String {
        let query = set(&set(query, "code", None), "error", Some(code));
        set(&query, "error_description", Some(description))
    }
    vec![
        on_the_way("another state", Expired, |q| set(&q, "state", Some("x"))),
        on_the_way("no state", Expired, |q| set(&q, "state", None)),
        on_the_way("a state that is longer", Expired, |q| q.replace("state=", "state=x")),
        on_the_way("another issuer", IssuerMismatch, |q| set(&q, "iss", Some("https://h.example"))),
        on_the_way("a slash too many", IssuerMismatch, |q| q + "%2F"),
        on_the_way("no issuer", IssuerMismatch, |q| set(&q, "iss", None)),
        on_the_way("an error of another issuer", IssuerMismatch, |q| {
            error(&set(&q, "iss", Some("https://h.example")), "access_denied", "canary")
        }),
        on_the_way("denied", Denied, |q| error(&q, "access_denied", "no")),
        on_the_way("a terminal's orders", Denied, |q| {
            error(&q, "access_denied", "\u{1b}]0;x\u{7}\u{202e}")
        }),
        on_the_way("an error without end", Denied, |q| {
            error(&q, "access_denied", &"x".repeat(5000))
        }),
        on_the_way("scopes refused", InvalidScope, |q| error(&q, "invalid_scope", "")),
        on_the_way("resource refused", InvalidTarget, |q| {
            error(&q, "invalid_request", "AADSTS9010010")
        }),
        on_the_way("later", Busy, |q| error(&q, "temporarily_unavailable", "")),
        on_the_way("a code twice", BadAnswer, |q| q + "&code=x"),
        on_the_way("a code and an error", BadAnswer, |q| set(&q, "error", Some("x"))),
        on_the_way("a code of two lines", BadAnswer, |q| set(&q, "code", Some("a\r\nb"))),
        on_the_way("nothing", BadAnswer, |q| set(&q, "code", None)),
        on_the_way("a stranger's code", InvalidGrant, |q| set(&q, "code", Some("stolen"))),
    ]
}

fn of_the_token_endpoint() -> Vec<Row> {
    use FailureKind::*;
    const PATH: &str = "/token";
    let echo = Plan::default().rule(PATH, |asked| {
        let said = json!({"error": "invalid_grant", "error_description": asked.body});
        Some(Answer::json(400, &said))
    });
    vec![
        fails(
            "an error with 200",
            InvalidGrant,
            at(PATH, Answer::json(200, &error("invalid_grant"))),
        ),
        fails("what was sent", InvalidGrant, echo),
        fails("a web page", BadAnswer, at(PATH, Answer::page(200, "<html>"))),
        fails("nothing", BadAnswer, at(PATH, Answer::http(200, &[], ""))),
        fails("no token", BadAnswer, grants("access_token", json!(null))),
        fails("a token of two lines", BadAnswer, grants("access_token", json!("a\r\nx: canary"))),
        fails("a token with a null", BadAnswer, grants("refresh_token", json!("canary\u{0}"))),
        fails("a token of another kind", BadAnswer, grants("token_type", json!("DPoP"))),
        fails("without end", BadAnswer, at(PATH, endless())),
        fails("a bomb", BadAnswer, at(PATH, bomb())),
        fails("no answer", Unreachable, at(PATH, Answer::Silence)),
        fails("a drip", Unreachable, at(PATH, Answer::Drip(HEAD))),
        fails("hangs up", Unreachable, at(PATH, Answer::Raw(Vec::new()))),
        fails(
            "half an answer",
            Unreachable,
            at(PATH, Answer::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_vec())),
        ),
        fails(
            "no HTTP",
            Unreachable,
            at(PATH, Answer::Raw(b"220 smtp.example ESMTP\r\n".to_vec())),
        ),
        fails("away", Redirected, at(PATH, Answer::redirect(307, "https://evil.example/"))),
        fails("to a page", Redirected, at(PATH, Answer::redirect(302, "/login"))),
        fails("in a circle", Redirected, at(PATH, Answer::redirect(308, PATH))),
        fails("down", Busy, at(PATH, Answer::page(503, "<h1>Down</h1>"))),
        fails("for browsers only", BotProtection, at(PATH, bot_protection())),
        fails("not found", BadAnswer, at(PATH, Answer::page(404, "<h1>Not Found</h1>"))),
        fails(
            "a dead client",
            InvalidClient,
            at(PATH, Answer::json(401, &error("invalid_client"))),
        ),
        survives("a lifetime as text", grants("expires_in", json!("3600"))),
        survives("a lifetime without end", grants("expires_in", json!(1e300))),
        survives("scopes as a list", grants("scope", json!(["read"]))),
        survives("no token type", grants("token_type", json!(null))),
    ]
}

fn all_rows() -> Vec<Row> {
    let tables = [
        of_the_resources_document(),
        of_the_servers_document(),
        of_registration(),
        of_the_browsers_way_back(),
        of_the_token_endpoint(),
    ];
    let rows: Vec<Row> = tables.into_iter().flatten().collect();
    assert!(rows.len() >= 40, "{} rows", rows.len());
    rows
}

#[test]
fn every_misbehaviour_has_its_outcome() {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let rows = all_rows().into_iter();
        let running: Vec<_> = rows.map(|row| scope.spawn(|| check(row))).collect();
        running.into_iter().filter_map(|row| row.join().expect("no panic")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the outcome of a row.
fn check(row: Row) -> Option<String> {
    let server = row.plan.run();
    let outcome = run(Login::to(&server).sign_in(None, row.on_the_way));
    let kind = outcome.as_ref().map(|_| ()).map_err(|failure| failure.kind);
    let poured = server.poured();
    // What lies in the buffers of a socket on this machine is not what was read.
    let bounded = poured < 16 * 1024 * 1024 && server.paths().len() < 20;
    let told = outcome.as_ref().err().and_then(unfit);
    if kind == row.expected && bounded && told.is_none() {
        return None;
    }
    let outcome = outcome.map(|signed_in| signed_in.scopes);
    Some(format!("{}: {outcome:?}, {poured} bytes poured, {told:?}", row.name))
}

/// What of a failure must not be shown to anybody.
fn unfit(failure: &Failure) -> Option<String> {
    let text = format!("{failure} {}", failure.hint.as_deref().unwrap_or_default());
    let odd = |c: char| c.is_control() || c == '\u{202e}';
    (text.contains("canary") || text.contains(odd) || text.len() > 1500).then_some(text)
}

/// In KiB.
#[cfg(target_os = "linux")]
const MOST_MEMORY: u64 = 64 * 1024;
/// Processes at once.
#[cfg(target_os = "linux")]
const AT_ONCE: usize = 8;

#[cfg(target_os = "linux")]
#[test]
fn no_misbehaviour_makes_a_process_large() {
    let rows = std::sync::Mutex::new(all_rows());
    let next = || rows.lock().unwrap().pop();
    let large: Vec<String> = std::thread::scope(|scope| {
        let work = || std::iter::from_fn(next).filter_map(|row| grown(row).err()).collect();
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, Vec<_>>| worker.join().unwrap();
        workers.into_iter().flat_map(join).collect()
    });
    assert!(large.is_empty(), "{}", large.join("\n"));
}

/// A login of the real program, until it ends or waits for what does not come; its peak in KiB.
#[cfg(target_os = "linux")]
fn grown(row: Row) -> Result<u64, String> {
    let Row { name, plan, on_the_way, .. } = row;
    let server = plan.run();
    let login = ["login".to_owned(), server.mcp_url(), "--no-browser".to_owned()];
    let mut process = BridgeProcess::with_args(login).unchecked().spawn();
    let (mut peak, mut pasted) = (0, String::new());
    let until = Instant::now() + 4 * DEADLINE;
    while process.is_running() && !process.stderr_text().contains("That can't be used") {
        // It may end between the two looks.
        peak = process.peak_memory().unwrap_or(0).max(peak);
        let told = process.stderr_text();
        if let Some(page) = page_of(&told).filter(|page| *page != pasted) {
            let Ok(query) = visit(&page) else { break };
            pasted = page;
            process.send(on_the_way(query));
        }
        if Instant::now() > until {
            return Err(format!("{name}: it does not end: {}", process.stderr_text()));
        }
        // Whatever comes first: what it says next, or the time for another look at its memory.
        process.wait_for_more_stderr(told.len(), Duration::from_millis(10));
    }
    let fits = peak > 0 && peak < MOST_MEMORY;
    fits.then_some(peak).ok_or_else(|| format!("{name}: {peak} KiB"))
}

/// The address of the last sign-in, once all of it is told: a parameter that is refused begins another.
#[cfg(target_os = "linux")]
fn page_of(told: &str) -> Option<String> {
    let (_, rest) = told.rsplit_once("Open this page to sign in:\n\n  ")?;
    rest.split_once('\n').map(|(page, _)| page.to_owned())
}
