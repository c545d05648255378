//! What a person in a terminal sees. Only commands and `main` use it.

use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use terminal_size::terminal_size_of;

use crate::error::{Error, Exit};
use crate::printable::{escaped, escaped_json, wrapped};
use crate::secret::{Secret, without_credentials};

/// Draws an error on stderr; gives the exit code.
pub fn report(error: &Error) -> Exit {
    say(&error.to_string());
    error.exit
}

/// Tells a person something, on stderr, in lines that fit, without what would steer a terminal.
pub fn say(text: &str) {
    let out = io::stderr();
    let columns = out.is_terminal().then(|| or_usual(terminal_size_of(&out)));
    quote(&fitted(&shown(text), columns));
}

/// Shows something on stderr as it is, to be copied from there.
pub fn quote(text: &str) {
    // Where nobody reads stderr there is nobody to tell.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prose for stdout in lines that fit, without what would steer a terminal.
pub fn fit(text: &str) -> String {
    fitted(&shown(text), columns())
}

/// Prose as it may be shown: some of its words may be those of a peer.
fn shown(text: &str) -> String {
    escaped(&without_credentials(text))
}

fn fitted(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns else { return text.to_owned() };
    let line = |line: &str| {
        let words = line.trim_start_matches(' ');
        let lead = line.len() - words.len();
        let text = words.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(' ');
        // A sentence and what is numbered go on below their beginnings, `hint: …` behind that.
        let hang = match words.len() - text.len() {
            0 if words.starts_with(char::is_uppercase) => 0,
            0 => 2,
            number => number,
        };
        line[..lead].to_owned() + &wrapped(words, lead, lead + hang, columns)
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Prints help or version on stdout.
pub fn show(text: &clap::Error) -> Exit {
    match print(text.to_string().as_bytes()) {
        Ok(()) => Exit::Ok,
        Err(error) => report(&error),
    }
}

/// How a line that moves is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// It moves, in place.
    Moving,
    /// It stands still: `NO_COLOR` is set, or the terminal is a dumb one.
    Still,
}

/// A line on stderr while a person waits. Nothing is drawn where stderr is not a terminal; dropping it takes
/// the line away.
#[derive(Debug)]
pub struct Spinner {
    thread: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

impl Spinner {
    /// Draws what is waited for.
    pub fn start(waited_for: &str, motion: Motion) -> Self {
        if !io::stderr().is_terminal() {
            return Self { thread: None };
        }
        Self::draw(waited_for, motion, io::stderr())
    }

    fn draw(waited_for: &str, motion: Motion, mut out: impl Write + Send + 'static) -> Self {
        if motion == Motion::Still {
            let _ = writeln!(out, "{waited_for} …");
            return Self { thread: None };
        }
        let (end, ended) = mpsc::channel();
        let waited_for = waited_for.to_owned();
        let turn = move || turn(&waited_for, &ended, &mut out);
        let thread = std::thread::Builder::new().name("spinner".to_owned()).spawn(turn);
        Self { thread: thread.ok().map(|thread| (end, thread)) }
    }
}

/// Draws until whoever waits has the end, then takes the line away.
fn turn(waited_for: &str, ended: &mpsc::Receiver<()>, out: &mut impl Write) {
    const FRAMES: [&str; 4] = ["-", "\\", "|", "/"];
    const PACE: Duration = Duration::from_millis(120);
    for frame in FRAMES.iter().cycle() {
        let _ = write!(out, "\r\x1b[K{frame} {waited_for}").and_then(|()| out.flush());
        if ended.recv_timeout(PACE) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    let _ = write!(out, "\r\x1b[K").and_then(|()| out.flush());
}

impl Drop for Spinner {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.thread.take() {
            drop(end);
            let _ = thread.join();
        }
    }
}

/// A line on stderr that says how far something is: each text takes the place of the one before. Nothing is drawn
/// where stderr is not a terminal.
#[derive(Debug)]
pub struct Status {
    motion: Motion,
    seen: bool,
    shown: RefCell<String>,
}

impl Status {
    /// An empty line.
    pub fn new(motion: Motion) -> Self {
        Self { motion, seen: io::stderr().is_terminal(), shown: RefCell::default() }
    }

    /// Whether somebody sees it.
    pub fn is_seen(&self) -> bool {
        self.seen
    }

    /// Shows how far it is.
    pub fn show(&self, text: &str) {
        if !self.seen || *self.shown.borrow() == text {
            return;
        }
        text.clone_into(&mut self.shown.borrow_mut());
        let mut out = io::stderr();
        let _ = match self.motion {
            Motion::Still => writeln!(out, "{text}"),
            Motion::Moving => {
                // A line that is broken could not be taken away.
                let text: String =
                    text.chars().take(or_usual(terminal_size_of(&out)).max(2) - 1).collect();
                write!(out, "\r\x1b[K{text}").and_then(|()| out.flush())
            }
        };
    }

    /// Takes the line away, before anything else is said.
    pub fn clear(&self) {
        let shown = std::mem::take(&mut *self.shown.borrow_mut());
        if !shown.is_empty() && self.motion == Motion::Moving {
            let mut out = io::stderr();
            let _ = write!(out, "\r\x1b[K").and_then(|()| out.flush());
        }
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Columns where nobody knows how many there are.
const COLUMNS: usize = 80;

fn or_usual(size: Option<(terminal_size::Width, terminal_size::Height)>) -> usize {
    size.map_or(COLUMNS, |(width, _)| width.0.into())
}

/// How many columns there are to print on; none where stdout is no terminal.
pub fn columns() -> Option<usize> {
    let out = io::stdout();
    out.is_terminal().then(|| or_usual(terminal_size_of(&out)))
}

/// Prints JSON and ends its line: to a terminal with JSON's own escapes for what would steer that, to anything else
/// as it is.
///
/// # Errors
/// stdout can't be written to.
pub fn print_json(json: &str) -> Result<(), Error> {
    let mut shown = if columns().is_some() { escaped_json(json) } else { json.to_owned() };
    shown.push('\n');
    print(shown.as_bytes())
}

/// Prints on stdout. Whoever stopped reading has what they wanted.
///
/// # Errors
/// stdout can't be written to.
pub fn print(text: &[u8]) -> Result<(), Error> {
    print_on(text).map(drop)
}

/// The same; `false` where whoever read it stopped.
///
/// # Errors
/// stdout can't be written to.
pub fn print_on(text: &[u8]) -> Result<bool, Error> {
    let mut out = io::stdout();
    match out.write_all(text).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(why) => Err(Error::failed("stdout can't be written to").because(why)),
    }
}

/// Asks something, on stderr; the answer is typed behind it.
pub fn prompt(question: &str) {
    let mut out = io::stderr();
    let _ = write!(out, "{}", escaped(question)).and_then(|()| out.flush());
}

/// Asks for a line; none at the end of the input.
///
/// # Errors
/// stdin can't be read.
pub fn ask(question: &str) -> io::Result<Option<String>> {
    prompt(question);
    let mut line = String::new();
    let count = io::stdin().read_line(&mut line)?;
    Ok((count > 0).then(|| line.trim().to_owned()))
}

/// Asks for a secret, which is not shown while it is typed.
///
/// # Errors
/// There is no terminal to ask at, or it was closed.
pub fn ask_hidden(prompt: &str) -> io::Result<Secret<String>> {
    rpassword::prompt_password(escaped(prompt)).map(|typed| Secret::new(typed.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn drawn(motion: Motion) -> String {
        let screen = Screen::default();
        drop(Spinner::draw("waiting for the browser", motion, screen.clone()));
        String::from_utf8(screen.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_line_that_moves_is_taken_away_at_the_end() {
        let drawn = drawn(Motion::Moving);
        assert!(drawn.starts_with("\r\x1b[K- waiting for the browser"), "{drawn:?}");
        assert!(drawn.ends_with("\r\x1b[K"), "{drawn:?}");
    }

    #[test]
    fn what_is_said_fits_the_terminal_and_is_left_alone_where_there_is_none() {
        let error = "error: it failed\n  because: of this and that\nhint: run `bridge list`";
        assert_eq!(fitted(error, None), error);
        assert_eq!(
            fitted(error, Some(22)),
            "error: it failed\n  because: of this and\n    that\nhint: run\n  `bridge list`"
        );
        let choices = "  1  keep it in sealed files\n  12 Cursor in some small home";
        assert_eq!(
            fitted(choices, Some(25)),
            "  1  keep it in sealed\n     files\n  12 Cursor in some small\n     home"
        );
    }

    #[test]
    fn a_line_that_stands_still_has_nothing_that_steers_a_terminal() {
        assert_eq!(drawn(Motion::Still), "waiting for the browser …\n");
    }
}
