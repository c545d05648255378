//! The redirect listener among hostile visitors: only the browser's own way back ends the wait.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mcp_bridge::auth::{
    BindError, Callback, Expected, Hit, Listener, Names, Outcome, RedirectAddress,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;

use crate::support::DEADLINE;

const STATE: &str = "state-of-this-sign-in";
const CODE: &str = "canary-code";

fn expected() -> Expected {
    Expected {
        authorization_url: Url::parse("https://as.example/authorize?state=s&x=%22").unwrap(),
        foreign_to: None,
        state: STATE.into(),
        names: Names {
            server: "mcp.example.com".into(),
            client: Some("Zed".into()),
            command: "bridge login https://mcp.example.com/mcp".into(),
        },
        success_url: None,
    }
}

fn is_ours(callback: &Callback) -> bool {
    callback.state.as_ref().is_some_and(|state| state.expose() == STATE)
}

/// A server that no other test has.
fn seed() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{} {}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn listener() -> Listener {
    listener_at(&RedirectAddress::default())
}

fn listener_at(address: &RedirectAddress) -> Listener {
    Listener::bind(address, &seed()).unwrap()
}

fn port_of(listener: &Listener) -> u16 {
    Url::parse(listener.redirect_uri()).unwrap().port().unwrap()
}

/// A port that was a listener's until now.
async fn free_port() -> u16 {
    let listener = listener();
    let port = port_of(&listener);
    listener.close().await;
    port
}

/// A listener that waits, and how it is visited.
struct Waiting {
    port: u16,
    start: Url,
    wait: JoinHandle<(Listener, Hit)>,
}

impl Waiting {
    fn new(mut listener: Listener, expected: Expected) -> Self {
        let port = port_of(&listener);
        let start = listener.start_url(STATE);
        let wait = tokio::spawn(async move {
            let hit = listener.wait(expected, is_ours).await;
            (listener, hit)
        });
        Self { port, start, wait }
    }

    async fn send(&self, request: &str) -> String {
        converse(self.port, request.as_bytes()).await
    }

    async fn get(&self, path: &str) -> String {
        self.send(&get(self.port, path)).await
    }

    /// The right hit, whose page is still owed.
    async fn visit(&self) -> Visit {
        let request = get(self.port, &good());
        let port = self.port;
        Visit(tokio::spawn(async move { converse(port, request.as_bytes()).await }))
    }

    async fn hit(self) -> (Listener, Hit) {
        timeout(DEADLINE, self.wait).await.expect("the wait ends").unwrap()
    }
}

struct Visit(JoinHandle<String>);

impl Visit {
    async fn page(self) -> String {
        timeout(DEADLINE, self.0).await.expect("the page comes").unwrap()
    }
}

fn good() -> String {
    format!("/oauth/callback?code={CODE}&state={STATE}")
}

fn get(port: u16, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n")
}

async fn converse(port: u16, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    // It may be turned away before it has said everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("the answer ends");
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

/// Hits that are not ours: what is sent (`PORT` stands for the port), and the status of the answer.
const HOSTILE: [(&str, &str); 40] = [
    ("GET /favicon.ico HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("GET /oauth/callback HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("GET /oauth/callback? HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("GET /oauth/callback/?GOOD HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("GET /oauth%2fcallback?GOOD HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("GET //oauth/callback?GOOD HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("GET /OAUTH/CALLBACK?GOOD HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("GET /oauth/callback?code=x&state=wrong HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("GET /oauth/callback?code=x HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("GET /oauth/callback?code=x&state= HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("GET /oauth/callback?error=access_denied HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("GET /oauth/callback?error=x&state=wrong HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("GET /oauth/callback?state=STATE HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "400"),
    ("GET /oauth/callback?GOOD&code=2 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "400"),
    ("GET /oauth/callback?GOOD&state=2 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "400"),
    ("GET /oauth/callback?GOOD&error=x HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "400"),
    ("GET /oauth/callback?GOOD%00 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "400"),
    ("GET /oauth/callback?GOOD&iss=%ff HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "400"),
    ("POST /oauth/callback?GOOD HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "405"),
    (
        "POST /oauth/callback HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 4\r\n\r\nGOOD",
        "405",
    ),
    ("HEAD /oauth/callback?GOOD HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "405"),
    ("PUT /oauth/callback?GOOD HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "405"),
    ("OPTIONS /oauth/callback?GOOD HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "405"),
    ("OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("CONNECT 127.0.0.1:PORT HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("GET /oauth/callback?GOOD HTTP/1.1\r\nHost: evil.example:PORT\r\n\r\n", "404"),
    ("GET /oauth/callback?GOOD HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "404"),
    ("GET /oauth/callback?GOOD HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", "404"),
    ("GET /oauth/callback?GOOD HTTP/1.1\r\nHost: localhost.evil.example:PORT\r\n\r\n", "404"),
    ("GET /oauth/callback?GOOD HTTP/1.1\r\n\r\n", "404"),
    (
        "GET /oauth/callback?GOOD HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nHost: evil.example\r\n\r\n",
        "404",
    ),
    ("GET http://evil.example/oauth/callback?GOOD HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    (
        "GET /oauth/callback?GOOD HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nSec-Purpose: prefetch;prerender\r\n\r\n",
        "503",
    ),
    (
        "GET /oauth/callback?GOOD HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nX-Purpose: preview\r\n\r\n",
        "503",
    ),
    ("GET /sign-in/AAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", "404"),
    ("GET /oauth/callback?GOOD HTTP/2.0\r\nHost: 127.0.0.1:PORT\r\n\r\n", "400"),
    ("\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03 a TLS client hello", "400"),
    ("nonsense\r\n\r\n", "400"),
    ("GET /oauth/callback?GOOD HTTP/1.1\r\nHost 127.0.0.1:PORT\r\n\r\n", "400"),
];

#[tokio::test]
async fn what_is_not_ours_is_turned_away_and_does_not_end_the_wait() {
    let waiting = Waiting::new(listener(), expected());
    for (request, wanted) in HOSTILE {
        let query = good().split('?').nth(1).unwrap().to_owned();
        let request = request.replace("GOOD", &query).replace("PORT", &waiting.port.to_string());
        let answer = waiting.send(&request.replace("STATE", STATE)).await;
        assert_eq!(status(&answer), wanted, "{request}\n{answer}");
        assert!(!answer.contains(CODE) && !answer.contains(STATE), "{request}\n{answer}");
        assert!(!waiting.wait.is_finished(), "{request}");
    }
    let visit = waiting.visit().await;
    let (_listener, hit) = waiting.hit().await;
    assert_eq!(hit.callback().code.as_ref().unwrap().expose(), CODE);
    hit.respond(Outcome::SignedIn).await;
    assert_eq!(status(&visit.page().await), "200");
}

#[tokio::test]
async fn the_page_comes_when_the_outcome_is_known() {
    for (outcome, wanted, words) in [
        (Outcome::SignedIn, "200", "go back to Zed"),
        (Outcome::Denied { said: Some("<b>no".into()) }, "400", "&lt;b&gt;no"),
        (Outcome::Failed { why: "it broke".into(), said: None }, "400", "it broke"),
        (Outcome::Expired, "410", "too long"),
    ] {
        let waiting = Waiting::new(listener(), expected());
        let visit = waiting.visit().await;
        let (listener, hit) = waiting.hit().await;
        assert!(!visit.0.is_finished(), "the page came before the outcome");
        hit.respond(outcome).await;
        // Whoever responded may end at once.
        drop(listener);
        let page = visit.page().await;
        assert_eq!(status(&page), wanted, "{page}");
        assert!(page.contains(words) && page.trim_end().ends_with("</html>"), "{page}");
        for header in [
            "content-security-policy: default-src 'none'; style-src 'sha256-",
            "frame-ancestors 'none'",
            "cache-control: no-store",
            "referrer-policy: no-referrer",
            "x-content-type-options: nosniff",
        ] {
            assert!(page.contains(header), "no {header} in {page}");
        }
        assert!(!page.contains(CODE) && !page.contains(STATE), "{page}");
    }
}

#[tokio::test]
async fn a_success_can_lead_to_a_page_of_the_users() {
    let success_url = Some(Url::parse("https://app.example.com/done").unwrap());
    let wanted = Expected { success_url, ..expected() };
    for (outcome, status_wanted) in [(Outcome::SignedIn, "303"), (Outcome::Expired, "410")] {
        let waiting = Waiting::new(listener(), wanted.clone());
        let visit = waiting.visit().await;
        let (_listener, hit) = waiting.hit().await;
        hit.respond(outcome).await;
        let page = visit.page().await;
        assert_eq!(status(&page), status_wanted, "{page}");
        let led = page.contains("location: https://app.example.com/done\r\n");
        assert_eq!(led, status_wanted == "303", "{page}");
    }
}

#[tokio::test]
async fn a_reload_waits_for_the_same_outcome_and_another_code_does_not() {
    let waiting = Waiting::new(listener(), expected());
    let (port, first, second) = (waiting.port, waiting.visit().await, waiting.visit().await);
    let (_listener, hit) = waiting.hit().await;
    let third = tokio::spawn(async move { converse(port, get(port, &good()).as_bytes()).await });
    let other = converse(port, get(port, &format!("{}2", good())).as_bytes()).await;
    assert_eq!(status(&other), "404", "another state: {other}");
    let path = format!("/oauth/callback?code=2&state={STATE}");
    let other = converse(port, get(port, &path).as_bytes()).await;
    assert_eq!(status(&other), "409", "another code: {other}");
    hit.respond(Outcome::SignedIn).await;
    for visit in [first, second, Visit(third)] {
        assert_eq!(status(&visit.page().await), "200");
    }
}

#[tokio::test]
async fn copies_of_the_tab_are_bounded() {
    let waiting = Waiting::new(listener(), expected());
    let mut visits = Vec::new();
    for _ in 0..20 {
        visits.push(waiting.visit().await);
    }
    let (_listener, hit) = waiting.hit().await;
    // Those beyond the bound have their answer without the outcome.
    while visits.iter().filter(|visit| visit.0.is_finished()).count() < 12 {
        tokio::task::yield_now().await;
    }
    hit.respond(Outcome::SignedIn).await;
    let mut ends = Vec::new();
    for visit in visits {
        ends.push(status(&visit.page().await).to_owned());
    }
    assert_eq!(ends.iter().filter(|end| *end == "200").count(), 8, "{ends:?}");
    assert_eq!(ends.iter().filter(|end| *end == "409").count(), 12, "{ends:?}");
}

#[tokio::test]
async fn a_hit_that_is_dropped_is_told_so() {
    let waiting = Waiting::new(listener(), expected());
    let visit = waiting.visit().await;
    let (_listener, hit) = waiting.hit().await;
    drop(hit);
    let page = visit.page().await;
    assert!(page.contains("gave up"), "{page}");
}

#[tokio::test]
async fn a_process_that_ends_leaves_no_page() {
    let waiting = Waiting::new(listener(), expected());
    let visit = waiting.visit().await;
    let (listener, hit) = waiting.hit().await;
    drop(listener);
    assert_eq!(visit.page().await, "");
    drop(hit);
}

#[tokio::test]
async fn connections_that_say_nothing_do_not_keep_the_browser_out() {
    let waiting = Waiting::new(listener(), expected());
    let mut silent = Vec::new();
    for at in 0..200 {
        let mut stream = TcpStream::connect(("127.0.0.1", waiting.port)).await.unwrap();
        if at % 2 == 0 {
            let _ = stream.write_all(b"GET /oauth/callback?code=x HTTP/1.1\r\nX: ").await;
        }
        silent.push(stream);
    }
    let visit = waiting.visit().await;
    let (listener, hit) = waiting.hit().await;
    // Nor do they push it out while it waits.
    for _ in 0..200 {
        let port = port_of(&listener);
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    hit.respond(Outcome::SignedIn).await;
    assert_eq!(status(&visit.page().await), "200");
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let waiting = Waiting::new(listener(), expected());
    let mut ends = Vec::new();
    for begun in ["", "GET /oauth/callback?code=", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"] {
        let port = waiting.port;
        ends.push(tokio::spawn(async move { converse(port, begun.as_bytes()).await }));
    }
    for end in ends {
        let end = timeout(Duration::from_secs(10), end).await.expect("it is closed").unwrap();
        assert!(matches!(status(&end), "none" | "404" | "408"), "{end}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let waiting = Waiting::new(listener(), expected());
    let long = "x".repeat(9_000);
    let fields = "X: 1\r\n".repeat(200);
    for request in [
        get(waiting.port, &format!("{}&x={long}", good())),
        format!("GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nX: {long}\r\n\r\n", good(), waiting.port),
        format!("GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{fields}\r\n", good(), waiting.port),
        long,
    ] {
        let answer = waiting.send(&request).await;
        assert!(matches!(status(&answer), "none" | "400" | "414" | "431"), "{answer}");
        assert!(!waiting.wait.is_finished());
    }
}

#[tokio::test]
async fn http_1_0_and_other_names_of_this_machine_are_fine() {
    for (version, host) in [
        ("1.0", ""),
        ("1.0", "Host: 127.0.0.1:PORT\r\n"),
        ("1.1", "Host: localhost:PORT\r\n"),
        ("1.1", "Host: LOCALHOST:PORT\r\n"),
        ("1.1", "Host: [::1]:PORT\r\n"),
    ] {
        let waiting = Waiting::new(listener(), expected());
        let host = host.replace("PORT", &waiting.port.to_string());
        let request = format!("GET {} HTTP/{version}\r\n{host}\r\n", good());
        let port = waiting.port;
        let visit = tokio::spawn(async move { converse(port, request.as_bytes()).await });
        let (_listener, hit) = waiting.hit().await;
        hit.respond(Outcome::SignedIn).await;
        assert_eq!(status(&visit.await.unwrap()), "200");
    }
}

#[tokio::test]
async fn the_start_page_leads_on_and_its_address_is_a_secret_of_the_sign_in() {
    let waiting = Waiting::new(listener(), expected());
    let path = waiting.start.path().to_owned();
    assert!(!path.contains(STATE) && path.len() > 25, "{path}");
    assert_eq!(waiting.start.port(), Some(waiting.port));
    let page = waiting.get(&path).await;
    assert_eq!(status(&page), "200");
    let address = "https://as.example/authorize?state=s&amp;x=%22";
    assert!(page.contains(&format!("url={address}\">")), "{page}");
    assert!(page.contains(&format!("href=\"{address}\"")), "{page}");
    assert!(!waiting.wait.is_finished());
    assert_ne!(listener().start_url("other state").path(), path);
}

/// What another user of this machine is answered, where this process may become one.
#[cfg(target_os = "linux")]
async fn as_another_user(port: u16, path: &str) -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not root: nobody else can be tried");
        return None;
    }
    let request = get(port, path).replace("\r\n", "\\r\\n").replace('%', "%%");
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; printf '{request}' >&3; cat <&3");
    let mut command = tokio::process::Command::new("setpriv");
    command.args(["--reuid", "12345", "--regid", "12345", "--clear-groups", "bash", "-c", &script]);
    let output = timeout(DEADLINE, command.output()).await.expect("an answer").unwrap();
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn another_user_of_the_machine_gets_no_page_and_can_bring_no_answer() {
    let waiting = Waiting::new(listener(), expected());
    for path in [waiting.start.path().to_owned(), good()] {
        let Some(answer) = as_another_user(waiting.port, &path).await else { return };
        assert_eq!(status(&answer), "403", "{answer}");
        for secret in ["mcp.example.com", "as.example", STATE, CODE, "Zed"] {
            assert!(!answer.contains(secret), "{secret}: {answer}");
        }
    }
    let page = waiting.visit().await;
    let (_listener, hit) = waiting.hit().await;
    hit.respond(Outcome::SignedIn).await;
    assert_eq!(status(&page.page().await), "200");
}

#[tokio::test]
async fn before_anybody_waits_and_after_a_failure_nothing_is_lost() {
    let mut listener = listener();
    let port = port_of(&listener);
    assert_eq!(status(&converse(port, get(port, &good()).as_bytes()).await), "404");

    let cancelled = timeout(Duration::ZERO, listener.wait(expected(), is_ours)).await;
    assert!(cancelled.is_err());
    for code in ["1", "2"] {
        let path = format!("/oauth/callback?code={code}&state={STATE}");
        let visit = tokio::spawn(async move { converse(port, get(port, &path).as_bytes()).await });
        let hit = timeout(DEADLINE, listener.wait(expected(), is_ours)).await.unwrap();
        assert_eq!(hit.callback().code.as_ref().unwrap().expose(), code);
        hit.respond(Outcome::Failed { why: "again".into(), said: None }).await;
        assert_eq!(status(&visit.await.unwrap()), "400");
    }
}

#[tokio::test]
async fn both_loopback_addresses_lead_to_it() {
    let listener = listener_at(&RedirectAddress {
        host: Some("localhost".into()),
        ..RedirectAddress::default()
    });
    let port = port_of(&listener);
    assert_eq!(listener.redirect_uri(), format!("http://localhost:{port}/oauth/callback"));
    for address in ["127.0.0.1", "::1"] {
        let has = std::net::TcpListener::bind((address, 0)).is_ok();
        assert_eq!(TcpStream::connect((address, port)).await.is_ok(), has, "{address}");
    }
}

#[tokio::test]
async fn a_servers_port_is_stable_and_gives_way_to_whoever_has_it() {
    let address = RedirectAddress::default();
    let seed = seed();
    let first = Listener::bind(&address, &seed).unwrap();
    let second = Listener::bind(&address, &seed).unwrap();
    assert_ne!(first.redirect_uri(), second.redirect_uri());
    let uri = first.redirect_uri().to_owned();
    first.close().await;
    let third = Listener::bind(&address, &seed).unwrap();
    assert_eq!(third.redirect_uri(), uri);
}

#[tokio::test]
async fn another_process_takes_over_by_the_redirect_uri() {
    let first = listener();
    let uri = first.redirect_uri().to_owned();
    let start = first.start_url(STATE);
    let again = RedirectAddress { uri: Some(uri.clone()), ..RedirectAddress::default() };
    let error = Listener::bind(&again, "other seed").unwrap_err();
    assert!(matches!(error, BindError::Taken { .. }), "{error}");
    first.close().await;
    let second = Listener::bind(&again, "other seed").unwrap();
    assert_eq!(second.redirect_uri(), uri);
    assert_eq!(second.start_url(STATE), start);
}

/// A port that is held on this address, and on the other one by nobody; none where the system lacks this one.
fn held_on_one(address: &str, other: &str) -> Option<std::net::TcpListener> {
    loop {
        let holder = std::net::TcpListener::bind((address, 0)).ok()?;
        let port = holder.local_addr().unwrap().port();
        let taken = std::net::TcpListener::bind((other, port));
        if !taken.is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse) {
            return Some(holder);
        }
    }
}

#[tokio::test]
async fn a_port_that_has_to_be_this_one_is_an_error_when_it_is_taken() {
    for (held, other) in [("127.0.0.1", "::1"), ("::1", "127.0.0.1")] {
        let Some(holder) = held_on_one(held, other) else { continue };
        let port = holder.local_addr().unwrap().port();
        let address = RedirectAddress { port: Some(port), ..RedirectAddress::default() };
        let error = Listener::bind(&address, "seed").unwrap_err();
        assert!(error.to_string().starts_with(&format!("port {port} is taken")), "{error}");
        if cfg!(target_os = "linux") {
            let by = format!("(process {})", std::process::id());
            assert!(error.to_string().ends_with(&by), "{error}");
        }
        assert!(error.hint().contains("another port"));
    }
}

#[tokio::test]
async fn a_redirect_uri_of_the_users_is_kept_as_it_is_written() {
    let port = free_port().await;
    for (uri, path) in [
        (format!("http://localhost:{port}"), "/"),
        (format!("HTTP://LocalHost:{port}/Cb/"), "/Cb/"),
        (format!("http://127.0.0.1:{port}/cb?fixed=1"), "/cb"),
    ] {
        let listener = listener_at(&RedirectAddress {
            uri: Some(uri.clone()),
            path: "/not/used".into(),
            ..RedirectAddress::default()
        });
        assert_eq!(listener.redirect_uri(), uri);
        let waiting = Waiting::new(listener, expected());
        let request = get(port, &format!("{path}?fixed=1&code={CODE}&state={STATE}"));
        let visit = tokio::spawn(async move { converse(port, request.as_bytes()).await });
        let (listener, hit) = waiting.hit().await;
        hit.respond(Outcome::SignedIn).await;
        assert_eq!(status(&visit.await.unwrap()), "200");
        listener.close().await;
    }
}
