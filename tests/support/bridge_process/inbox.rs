//! What came from stdout, and what is owed.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use serde_json::value::RawValue;

use super::dialogue::Dialogue;
use crate::support::canary::is_in_own_error;

#[derive(Default)]
pub struct Inbox {
    pub lines: VecDeque<Line>,
    pub faults: Vec<String>,
    pub ended: bool,
    check: bool,
    dialogue: Option<Dialogue>,
    /// By id, spelled as it was sent: how many responses are owed.
    owed: HashMap<String, usize>,
}

/// One line of stdout, with what is asked for most.
pub struct Line {
    pub text: String,
    /// Of a request or notification.
    pub method: Option<String>,
    /// Of a response, spelled as it came.
    pub response_id: Option<String>,
}

impl Line {
    fn new(text: String) -> Self {
        let fields: Fields<'_> = serde_json::from_str(&text).unwrap_or_default();
        let raw = |name: &str| fields.get(name).map(|value| value.get());
        let method = raw("method").and_then(|raw| serde_json::from_str(raw).ok());
        let response_id = raw("id").filter(|_| raw("method").is_none()).map(str::to_owned);
        Self { method, response_id, text }
    }
}

type Fields<'a> = HashMap<Cow<'a, str>, &'a RawValue>;

impl Inbox {
    pub fn new(check: bool) -> Self {
        let dialogue = check.then(Dialogue::default);
        Self { check, dialogue, ..Self::default() }
    }

    /// From now on only the frame of a message is checked.
    pub fn allow_invalid(&mut self) {
        self.dialogue = None;
    }

    /// The requests among the lines are owed a response each.
    pub fn note_sent(&mut self, bytes: &[u8]) {
        for line in bytes.split(|byte| *byte == b'\n') {
            let batch: Option<Vec<&RawValue>> = serde_json::from_slice(line).ok();
            match batch {
                Some(batch) => batch.iter().for_each(|one| self.note_request(one.get().as_bytes())),
                None => self.note_request(line),
            }
        }
    }

    fn note_request(&mut self, message: &[u8]) {
        if let Some(dialogue) = &mut self.dialogue {
            dialogue.note_sent(message);
        }
        // A line that is no UTF-8 is owed an answer too.
        let message = String::from_utf8_lossy(message);
        let Ok(fields) = serde_json::from_str::<Fields<'_>>(&message) else { return };
        if let (Some(id), true) = (fields.get("id"), fields.contains_key("method")) {
            *self.owed.entry(id.get().to_owned()).or_default() += 1;
        }
    }

    /// The ids that are owed a response.
    pub fn owed(&self) -> Vec<String> {
        let owed = self.owed.iter().filter(|(_, count)| **count > 0);
        owed.map(|(id, _)| id.clone()).collect()
    }

    pub fn receive(&mut self, line: Vec<u8>) {
        let line = match String::from_utf8(line) {
            Ok(line) => line,
            Err(bad) => {
                self.faults.push(format!("no UTF-8: {bad}"));
                String::from_utf8_lossy(bad.as_bytes()).into_owned()
            }
        };
        if self.check
            && let Err(fault) = self.judge(&line)
        {
            self.faults.push(format!("{fault}: {line}"));
        }
        if let Some(fault) = self.dialogue.as_mut().and_then(|dialogue| dialogue.receive(&line)) {
            self.faults.push(format!("{fault} (see `allow_invalid`): {line}"));
        }
        if is_in_own_error(&line) {
            self.faults.push(format!("a secret in an error: {line}"));
        }
        self.lines.push_back(Line::new(line));
    }

    fn judge(&mut self, line: &str) -> Result<(), &'static str> {
        let fields: Fields<'_> = serde_json::from_str(line).map_err(|_| "no JSON object")?;
        if fields.get("jsonrpc").map(|version| version.get()) != Some(r#""2.0""#) {
            return Err("no JSON-RPC message");
        }
        let has = |name| fields.contains_key(name);
        match (has("method"), has("result"), has("error"), fields.get("id")) {
            (true, false, false, _) => Ok(()),
            (false, false, true, Some(id)) if id.get() == "null" => Ok(()),
            (false, true, false, Some(id)) | (false, false, true, Some(id)) => {
                match self.owed.get_mut(id.get()) {
                    Some(owed @ 1..) => *owed -= 1,
                    Some(_) => return Err("a second response"),
                    None => return Err("a response that nobody is waiting for"),
                }
                Ok(())
            }
            _ => Err("neither request, notification nor response"),
        }
    }

    /// Takes the first line that passes; `Some(None)` if none can come any more, or if there is
    /// a fault to report first.
    pub fn take(&mut self, passes: impl Fn(&Line) -> bool) -> Option<Option<String>> {
        if !self.faults.is_empty() {
            return Some(None);
        }
        match self.lines.iter().position(passes) {
            Some(at) => Some(self.lines.remove(at).map(|line| line.text)),
            None => self.ended.then_some(None),
        }
    }
}
