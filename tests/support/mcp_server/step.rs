//! The steps of an answer that is sent in pieces.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::answer::response;
use crate::support::Gate;

#[derive(Clone)]
pub enum Step {
    /// Anything at all: half an event, an odd line ending, a chunk of JSON.
    Bytes(Bytes),
    Event(Event),
    /// Waits until the client has answered the server's request with this id.
    AwaitAnswer(String),
    Wait(Gate),
    /// Tells the test that all steps before this one were handed to the socket.
    Open(Gate),
    /// Real time, for a test that measures; to order two sides, `Wait`.
    Pause(Duration),
    /// Resets the connection.
    Cut,
    /// Closes the connection in the middle of the body.
    Close,
    /// Ends the body in good form, whatever is missing.
    End,
    /// Never ends the body.
    Never,
}

#[derive(Clone, Default)]
pub struct Event {
    pub(super) id: Option<String>,
    name: Option<String>,
    retry: Option<u64>,
    comment: Option<String>,
    data: Option<Data>,
}

/// Makes the result of a response from the client's answers, by id.
pub type FromAnswers = Arc<dyn Fn(&dyn Fn(&str) -> Value) -> Value + Send + Sync>;

#[derive(Clone)]
enum Data {
    Text(String),
    Result(Value),
    Error(Value),
    ResultFrom(FromAnswers),
}

impl Step {
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::Bytes(bytes.into())
    }

    /// An event with this data; each of its lines becomes a `data` line.
    pub fn event(data: impl Into<String>) -> Self {
        Self::Event(Event { data: Some(Data::Text(data.into())), ..Event::default() })
    }

    pub fn message(message: &Value) -> Self {
        Self::event(message.to_string())
    }

    pub fn notification(method: &str, params: Value) -> Self {
        Self::message(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
    }

    /// A request of the server to the client.
    pub fn ask(id: impl Into<Value>, method: &str, params: Value) -> Self {
        let id: Value = id.into();
        Self::message(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
    }

    pub fn await_answer(id: impl Into<Value>) -> Self {
        let id: Value = id.into();
        Self::AwaitAnswer(id.to_string())
    }

    /// The response to the request that this stream answers.
    pub fn result(result: Value) -> Self {
        Self::Event(Event { data: Some(Data::Result(result)), ..Event::default() })
    }

    /// The response, made from what the client answered: the argument gives the whole message
    /// that answered a request of the server, by its id.
    pub fn result_from(
        make: impl Fn(&dyn Fn(&str) -> Value) -> Value + Send + Sync + 'static,
    ) -> Self {
        let data = Some(Data::ResultFrom(Arc::new(make)));
        Self::Event(Event { data, ..Event::default() })
    }

    pub fn error(code: i64, message: &str) -> Self {
        let data = Some(Data::Error(json!({"code": code, "message": message})));
        Self::Event(Event { data, ..Event::default() })
    }

    /// An event with an id and empty data: it only says from where to resume.
    pub fn priming(id: &str) -> Self {
        Self::event("").with_id(id)
    }

    pub fn retry(milliseconds: u64) -> Self {
        Self::Event(Event { retry: Some(milliseconds), ..Event::default() })
    }

    pub fn comment(text: &str) -> Self {
        Self::Event(Event { comment: Some(text.to_owned()), ..Event::default() })
    }

    #[must_use]
    pub fn with_id(self, id: &str) -> Self {
        self.changed(|event| event.id = Some(id.to_owned()))
    }

    #[must_use]
    pub fn named(self, name: &str) -> Self {
        self.changed(|event| event.name = Some(name.to_owned()))
    }

    #[must_use]
    pub fn with_retry(self, milliseconds: u64) -> Self {
        self.changed(|event| event.retry = Some(milliseconds))
    }

    fn changed(mut self, change: impl FnOnce(&mut Event)) -> Self {
        match &mut self {
            Self::Event(event) => change(event),
            _ => panic!("only an event has an id, a name or a retry"),
        }
        self
    }
}

impl Event {
    /// The event as it stands on the wire, when it answers no request.
    pub(super) fn write_plain(&self) -> String {
        self.write("null", &|_| Value::Null)
    }

    /// The event as it stands on the wire; the id is that of the request it may answer.
    pub(super) fn write(&self, id: &str, answers: &dyn Fn(&str) -> Value) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(text, "{name}: {value}");
        };
        if let Some(comment) = &self.comment {
            line("", comment);
        }
        if let Some(name) = &self.name {
            line("event", name);
        }
        if let Some(id) = &self.id {
            line("id", id);
        }
        if let Some(retry) = self.retry {
            line("retry", &retry.to_string());
        }
        if let Some(data) = &self.data {
            let data = data.write(id, answers);
            data.split('\n').for_each(|part| line("data", part));
        }
        text.push('\n');
        text
    }
}

impl Data {
    fn write(&self, id: &str, answers: &dyn Fn(&str) -> Value) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Result(result) => response(id, "result", result),
            Self::Error(error) => response(id, "error", error),
            Self::ResultFrom(make) => response(id, "result", &make(answers)),
        }
    }
}
