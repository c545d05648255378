//! What a browser does, as a program that `--browser` names: it notes the page and goes where it leads, and
//! the person at it approves.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::TcpStream;

use url::{Position, Url};

/// The first argument of such a process; then come the file in which it notes the page, and the page.
pub const NAME: &str = "browser";
/// How often one page may lead to another.
const MOST_PAGES: usize = 5;

/// Notes a page, and follows it to its end.
pub fn run(args: &[String]) {
    let [visits, page] = args else { panic!("what is {args:?}?") };
    let mut file = OpenOptions::new().create(true).append(true).open(visits).unwrap();
    writeln!(file, "{page}").unwrap();
    let mut next = Some(page.clone());
    for _ in 0..MOST_PAGES {
        let Some(page) = next else { return };
        next = next_of(&visit(&page));
    }
}

fn visit(page: &str) -> String {
    let url = Url::parse(page).unwrap();
    let authority = &url[Position::BeforeHost..Position::AfterPort];
    let mut socket = TcpStream::connect(authority).unwrap();
    let target = &url[Position::BeforePath..Position::AfterQuery];
    write!(socket, "GET {target} HTTP/1.1\r\nhost: {authority}\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

fn next_of(answer: &str) -> Option<String> {
    let location = answer.lines().find_map(|line| line.strip_prefix("location: "));
    let refresh = || answer.split_once("content=\"0; url=")?.1.split('"').next();
    location.or_else(refresh).map(|url| url.replace("&amp;", "&"))
}
