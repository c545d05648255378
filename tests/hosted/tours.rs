//! The tours of the demo, typed line by line in a terminal as they are printed.

use super::PRODUCTS;
use crate::support::program;
use crate::support::tab::{self, Browser};

#[track_caller]
fn walk(name: &str) {
    let product = PRODUCTS.iter().find(|product| product.name == name).expect("a product");
    let open = (product.open)();
    let browser = Browser::recording();
    let user = open.user.with_browser(&browser);
    let mut pages = 0;
    for line in &open.lines {
        let typed = line.printed();
        assert!(typed.lines().all(|line| line.len() <= 76), "{typed}");
        let mut terminal = user.in_a_shell(&program(), &typed);
        if line.opens_a_page {
            pages += 1;
            tab::sign_in(&browser.page(pages));
        }
        let shown = terminal.all();
        eprintln!("$ {typed}\n{shown}");
        assert!(shown.contains(line.shows), "no {:?} after {typed}:\n{shown}", line.shows);
        assert_eq!(terminal.ends().code(), Some(line.code), "{typed}:\n{shown}");
        assert_eq!(browser.pages().len(), pages, "{typed}:\n{shown}");
    }
}

#[test]
fn callcamp() {
    walk("callcamp");
}

#[test]
fn vauchflow() {
    walk("vauchflow");
}

#[test]
fn statisfy() {
    walk("statisfy");
}

#[test]
fn stampix() {
    walk("stampix");
}

#[test]
fn maestra() {
    walk("maestra");
}
