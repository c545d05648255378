//! Whoever is at the terminal of a command that uses a server: sees how far it is, and is asked.

use std::cell::Cell;
use std::io::IsTerminal;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

use super::form;
use super::keyboard::Keyboard;
use super::login::motion;
use crate::client::Host;
use crate::config;
use crate::printable::one_line;
use crate::ui;

/// Characters of a line of the server that are shown.
const MAX_LINE: usize = 1_000;

/// Whoever is at the terminal, if somebody is.
pub(super) struct Person<'a> {
    pub(super) config: &'a config::Serve,
    pub(super) status: ui::Status,
    keyboard: Mutex<Option<Keyboard>>,
    asked: Cell<bool>,
}

/// Nothing moves on the terminal while a person is asked.
pub(super) struct Asking<'a>(&'a Cell<bool>);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl<'a> Person<'a> {
    pub(super) fn new(config: &'a config::Serve) -> Self {
        let status = ui::Status::new(motion(config));
        Self { config, status, keyboard: Mutex::default(), asked: Cell::default() }
    }

    /// Whether somebody can be asked: nobody is in a job, whatever its terminal.
    pub(super) fn is_there(&self) -> bool {
        let terminals = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        terminals && !self.config.unattended
    }

    /// The server, as it is named to them.
    pub(super) fn host(&self) -> String {
        self.config.endpoint.host()
    }

    /// What they type, read from the first call on.
    pub(super) async fn keyboard(&self) -> MappedMutexGuard<'_, Keyboard> {
        MutexGuard::map(self.keyboard.lock().await, |keyboard| {
            keyboard.get_or_insert_with(Keyboard::read)
        })
    }

    /// Says something, on a line of its own.
    pub(super) fn say(&self, line: &str) {
        self.status.clear();
        ui::say(line);
    }

    /// A line of them; none at the end of the input.
    pub(super) async fn line(&self, question: &str) -> Option<String> {
        self.status.clear();
        ui::prompt(question);
        self.keyboard().await.line().await
    }

    /// They are asked something, until what is given is dropped.
    pub(super) fn begins_to_ask(&self) -> Asking<'_> {
        self.status.clear();
        self.asked.set(true);
        Asking(&self.asked)
    }
}

impl Host for Person<'_> {
    fn can_ask(&self) -> bool {
        self.is_there()
    }

    fn shows_progress(&self) -> bool {
        self.status.is_seen()
    }

    fn progress(&self, params: &Value) {
        if !self.asked.get() {
            self.status.show(&progress(params));
        }
    }

    fn log(&self, params: &Value) {
        self.say(&log_line(params));
    }

    fn elicit(&self, params: String) -> LocalBoxFuture<'_, String> {
        async move { form::ask(self, &params).await }.boxed_local()
    }
}

/// How far it is, in a line.
fn progress(params: &Value) -> String {
    let message = params["message"].as_str().map(|text| one_line(text, MAX_LINE));
    let (done, total) = (&params["progress"], &params["total"]);
    let count = match (done.as_f64(), total.as_f64()) {
        (Some(_), Some(_)) => format!("{done}/{total}"),
        (Some(_), None) => done.to_string(),
        (None, _) => String::new(),
    };
    let words = [count, message.unwrap_or_default()];
    let words: Vec<_> = words.into_iter().filter(|words| !words.is_empty()).collect();
    words.join("  ")
}

/// A message of the server's log, in a line.
fn log_line(params: &Value) -> String {
    let level = params["level"].as_str().unwrap_or("info");
    let logger = params["logger"].as_str().map(|name| format!(" {name}")).unwrap_or_default();
    let data = match &params["data"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    one_line(&format!("[{level}{logger}] {data}"), MAX_LINE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn progress_is_a_line_of_numbers_and_words() {
        for (params, line) in [
            (
                json!({"progress": 3, "total": 10, "message": "half\u{1b}[2J way"}),
                "3/10  half[2J way",
            ),
            (json!({"progress": 0.5}), "0.5"),
            (json!({"message": "working"}), "working"),
            (json!({}), ""),
        ] {
            assert_eq!(progress(&params), line);
        }
    }

    #[test]
    fn a_log_message_is_one_line() {
        let params = json!({"level": "warning", "logger": "db", "data": "two\nlines\u{1b}[0m"});
        assert_eq!(log_line(&params), "[warning db] two lines[0m");
        assert_eq!(log_line(&json!({"data": {"a": 1}})), "[info] {\"a\":1}");
    }
}
