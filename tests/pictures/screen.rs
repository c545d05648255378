//! What a terminal shows once everything was written to it.

use std::fmt::Write;
use std::num::NonZeroU16;

use vt100::{Callbacks, Cell, Color, Parser};

/// Rows of the longest help, and then some.
const ROWS: u16 = 1000;
/// Colours that can be read on dark and on light: red, green, magenta, cyan. Yellow is lost on white, blue on black.
const READABLE: [u8; 4] = [1, 2, 5, 6];
/// What is left where something steers a terminal and is not understood.
const LEFTOVERS: [&str; 5] = ["[0m", "[1m", "\u{fffd}", "\\u{1b}", "\\x1b"];

/// What no terminal has to understand.
#[derive(Default)]
struct Odd(Vec<String>);

impl Callbacks for Odd {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.0.push("a bell".to_owned());
    }

    fn unhandled_char(&mut self, _: &mut vt100::Screen, c: char) {
        self.0.push(format!("the character {c:?}"));
    }

    fn unhandled_control(&mut self, _: &mut vt100::Screen, b: u8) {
        self.0.push(format!("the control character {b}"));
    }

    fn unhandled_escape(&mut self, _: &mut vt100::Screen, _: Option<u8>, _: Option<u8>, b: u8) {
        self.0.push(format!("an escape sequence that ends with {b}"));
    }

    fn unhandled_csi(
        &mut self,
        _: &mut vt100::Screen,
        _: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        c: char,
    ) {
        self.0.push(format!("the control sequence {parameters:?} {c:?}"));
    }

    fn unhandled_osc(&mut self, _: &mut vt100::Screen, _: &[&[u8]]) {
        self.0.push("a command for the terminal".to_owned());
    }
}

pub struct Screen {
    parser: Parser<Odd>,
    columns: u16,
    rows: u16,
}

impl Screen {
    pub fn of(text: &str, columns: u16) -> Self {
        let size = |count| NonZeroU16::new(count).unwrap();
        let mut parser = Parser::new_with_callbacks(size(ROWS), size(columns), 0, Odd::default());
        parser.process(text.as_bytes());
        let rows = parser.screen().cursor_position().0.max(1);
        assert!(rows < ROWS - 1, "more than {ROWS} rows");
        Self { parser, columns, rows }
    }

    pub fn has_colours(&self) -> bool {
        self.cells().any(|cell| !is_plain(cell))
    }

    /// What nobody should see; nothing where all is well.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.parser.callbacks().0.clone();
        faults.extend(self.broken_lines());
        let text = self.parser.screen().contents();
        let left = LEFTOVERS.iter().filter(|left| text.contains(**left));
        faults.extend(left.map(|left| format!("{left:?} is left")));
        if self.cells().any(|cell| !is_readable(cell)) {
            faults.push("a colour that can't be read everywhere".to_owned());
        }
        if self.parser.screen().cursor_position().1 != 0 {
            faults.push("the last line has no end".to_owned());
        }
        let empty = |row| self.line(row).trim().is_empty();
        let gaps = (1..self.rows).filter(|row| empty(row - 1) && empty(*row));
        faults.extend(gaps.map(|row| format!("two empty lines at {row}")));
        faults
    }

    /// Lines that the terminal had to break, where they could have been broken between two words. Changes of files,
    /// JSON and commands to be copied are shown as they are.
    fn broken_lines(&self) -> impl Iterator<Item = String> {
        let wrapped = |row: &u16| self.parser.screen().row_wrapped(*row);
        let data = move |row: u16| {
            let first = (0..=row).rev().find(|row| *row == 0 || !wrapped(&(row - 1)));
            let line = self.line(first.unwrap_or_default());
            line.starts_with(['+', '-', '{']) || line.starts_with("  bridge ")
        };
        (0..self.rows).filter(wrapped).filter(move |row| !data(*row)).filter_map(|row| {
            let (line, next) = (self.line(row), self.line(row + 1));
            let word = line.rsplit(' ').next().unwrap_or_default();
            let rest = next.split(' ').next().unwrap_or_default();
            let indent = line.len() - line.trim_start().len();
            // An address, or a command in backticks, is one word.
            let whole = line.matches('`').count() % 2 != 0
                || indent + word.chars().count() + rest.chars().count() > self.columns.into();
            (!whole).then(|| format!("too long: {line}|{next}"))
        })
    }

    fn line(&self, row: u16) -> String {
        self.row(row).map(text_of).collect()
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        (0..self.rows).flat_map(|row| self.row(row))
    }

    /// Its rows, each a line of HTML.
    pub fn html(&self) -> Vec<String> {
        (0..self.rows).map(|row| self.row(row).map(html_of).collect()).collect()
    }

    fn row(&self, row: u16) -> impl Iterator<Item = &Cell> {
        let cells = (0..self.columns).filter_map(move |at| self.parser.screen().cell(row, at));
        cells.filter(|cell| !cell.is_wide_continuation())
    }
}

fn text_of(cell: &Cell) -> &str {
    if cell.has_contents() { cell.contents() } else { " " }
}

fn html_of(cell: &Cell) -> String {
    let text = text_of(cell).replace('&', "&amp;").replace('<', "&lt;");
    if is_plain(cell) { text } else { format!("<b class='{}'>{text}</b>", classes(cell)) }
}

fn is_plain(cell: &Cell) -> bool {
    let plain = cell.fgcolor() == Color::Default && cell.bgcolor() == Color::Default;
    plain && !(cell.bold() || cell.dim() || cell.underline() || cell.inverse() || cell.italic())
}

fn is_readable(cell: &Cell) -> bool {
    let readable = match cell.fgcolor() {
        Color::Default => true,
        Color::Idx(colour) => READABLE.contains(&colour),
        Color::Rgb(..) => false,
    };
    readable && cell.bgcolor() == Color::Default
}

fn classes(cell: &Cell) -> String {
    let mut classes = String::new();
    if let Color::Idx(colour) = cell.fgcolor() {
        write!(classes, "c{colour} ").unwrap();
    }
    for (is, name) in
        [(cell.bold(), "bold "), (cell.dim(), "dim "), (cell.underline(), "underline ")]
    {
        classes.push_str(if is { name } else { "" });
    }
    classes
}

#[test]
fn what_a_terminal_must_not_show_is_found() {
    assert_eq!(Screen::of("all \u{1b}[32mis\u{1b}[0m well\r\n", 20).faults(), [""; 0]);
    for (text, fault) in [
        ("a line that is longer than that\r\n", "too long"),
        ("\u{1b}[33myellow\u{1b}[0m\r\n", "a colour"),
        ("\u{1b}[9999q\r\n", "control sequence"),
        ("[0mplain\r\n", "is left"),
        ("one\r\n\r\n\r\ntwo\r\n", "two empty lines"),
        ("no end", "no end"),
    ] {
        let faults = Screen::of(text, 20).faults();
        assert!(faults.len() == 1 && faults[0].contains(fault), "{text:?}: {faults:?}");
    }
    let address = "https://mcp.example.com/mcp\r\n";
    assert_eq!(Screen::of(address, 20).faults(), [""; 0], "nobody can break an address");
}
