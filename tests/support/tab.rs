//! A browser that records which pages it is to show, and a person who follows them, when the test says so.

mod anyone;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use rustls::{ClientConnection, StreamOwned};
use tempfile::TempDir;
use url::Url;

use super::watched::Watched;
use super::{DEADLINE, Timeline};

/// The program that is run as the browser. It tells the test by a pipe, so that nobody has to look again and
/// again, and ends at once.
pub struct Browser {
    folder: TempDir,
    opened: Arc<Watched<Vec<String>>>,
}

impl Browser {
    pub fn recording() -> Self {
        Self::with_end("")
    }

    /// One whose program runs on for longer than it is watched, as a browser that was not open before.
    pub fn lingering() -> Self {
        Self::with_end("exec sleep 5\n")
    }

    fn with_end(end: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let (pipe, program) = (folder.path().join("pages"), folder.path().join("browser"));
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0)
            .expect("a pipe");
        // Held for writing too, so that it has no end while nobody writes.
        let held = File::options().read(true).write(true).open(&pipe).expect("the pipe");
        let (pipe, environment) = (pipe.display(), folder.path().join("environment"));
        let script = format!(
            "#!/bin/sh\nenv > '{}'\nprintf '%s\\n' \"$1\" > '{pipe}'\n{end}",
            environment.display()
        );
        fs::write(&program, script).expect("a program");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a program");
        let opened = Arc::<Watched<Vec<String>>>::default();
        let (into, timeline) = (Arc::clone(&opened), Timeline::of_this_test());
        std::thread::spawn(move || {
            for page in BufReader::new(held).lines().map_while(Result::ok) {
                timeline.log("browser", format!("is to show {page}"));
                into.update(|opened| opened.push(page));
            }
        });
        Self { folder, opened }
    }

    /// For `--browser`.
    pub fn command(&self) -> String {
        format!("'{}' %s", self.folder.path().join("browser").display())
    }

    /// The pages so far.
    pub fn pages(&self) -> Vec<String> {
        self.opened.read().clone()
    }

    /// The variables that it was started with the last time.
    pub fn environment(&self) -> String {
        fs::read_to_string(self.folder.path().join("environment")).expect("it was started")
    }

    /// Waits for a page; counts from 1.
    #[track_caller]
    pub fn page(&self, nth: usize) -> String {
        let opened = self.opened.wait(DEADLINE, |opened| opened.get(nth - 1).cloned());
        opened.unwrap_or_else(|| panic!("page {nth} did not open, after {:?}", self.pages()))
    }
}

/// What a server answered to a tab.
#[derive(Debug)]
pub struct Shown {
    pub status: u16,
    pub location: Option<String>,
    pub body: String,
}

/// Opens an address, and does not wait for the page.
pub fn begin(address: &str) -> TcpStream {
    asked(&Url::parse(address).expect("a URL")).expect("somebody listens")
}

/// Opens an address, without following where it leads.
pub fn get(address: &str) -> std::io::Result<Shown> {
    let url = Url::parse(address).expect("a URL");
    let answer = if url.scheme() == "https" { read_tls(&url)? } else { read(asked(&url)?)? };
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| std::io::Error::other("no answer"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let location = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("location").then(|| value.to_owned())
    });
    Ok(Shown { status, location, body: body.to_owned() })
}

fn asked(url: &Url) -> std::io::Result<TcpStream> {
    let mut socket = connected(url)?;
    ask(url, &mut socket)?;
    Ok(socket)
}

fn connected(url: &Url) -> std::io::Result<TcpStream> {
    let socket = TcpStream::connect(host(url))?;
    socket.set_read_timeout(Some(DEADLINE))?;
    Ok(socket)
}

fn host(url: &Url) -> String {
    format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"))
}

fn ask(url: &Url, socket: &mut impl Write) -> std::io::Result<()> {
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = host(url);
    write!(socket, "GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")
}

fn read(mut socket: impl Read) -> std::io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    match socket.read_to_end(&mut answer) {
        // Who closes a TLS connection without saying so has said all by the length of the body.
        Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(answer),
    }
}

fn read_tls(url: &Url) -> std::io::Result<Vec<u8>> {
    let name = url.host_str().expect("a host").to_owned().try_into().expect("a name");
    let config = anyone::trusted();
    let connection = ClientConnection::new(config, name).map_err(std::io::Error::other)?;
    let mut socket = StreamOwned::new(connection, connected(url)?);
    ask(url, &mut socket)?;
    read(socket)
}

/// Where our own page leads on to.
#[track_caller]
pub fn provider(page: &str) -> String {
    let shown = get(page).expect("our page");
    assert_eq!(shown.status, 200, "{shown:?}");
    onward(&shown).expect("a link that leads on")
}

/// Where a page leads on to, if it does.
fn onward(shown: &Shown) -> Option<String> {
    let link = shown.body.split("<a href=\"").nth(1).and_then(|rest| rest.split('"').next());
    link.map(|link| link.replace("&amp;", "&"))
}

/// The person approves as often as the tab leads on; the page that it ends at.
#[track_caller]
pub fn follow(page: &str) -> Shown {
    let mut back = approve(page);
    loop {
        let shown = get(&back).expect("a page of ours");
        let Some(next) = onward(&shown) else { return shown };
        back = get(&next).expect("the provider's page").location.expect("the way back");
    }
}

/// The person approves; gives the address to which the provider sends the tab back.
#[track_caller]
pub fn approve(page: &str) -> String {
    let shown = get(&provider(page)).expect("the provider's page");
    shown
        .location
        .unwrap_or_else(|| panic!("the provider keeps the tab: {} {}", shown.status, shown.body))
}

/// The person says no.
#[track_caller]
pub fn deny(page: &str) -> String {
    let back = Url::parse(&approve(page)).expect("a URL");
    let kept: Vec<_> = back.query_pairs().into_owned().filter(|(name, _)| name != "code").collect();
    let mut denied = back.clone();
    denied.query_pairs_mut().clear().extend_pairs(kept).append_pair("error", "access_denied");
    denied.to_string()
}

/// The person signs in: the whole way, to the page that says so.
#[track_caller]
pub fn sign_in(page: &str) {
    let shown = get(&approve(page)).expect("the last page");
    assert!(shown.status == 200 && shown.body.contains("signed in"), "{shown:?}");
}
