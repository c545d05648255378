//! What the server can answer, well or badly.

use std::io::Write;
use std::sync::Arc;
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::request::Request;
use super::step::Step;
use super::stream_log::StreamLog;
use crate::support::Gate;

/// One answer: a constructor says what, the methods after it say what differs.
#[derive(Clone)]
pub struct Answer {
    pub(super) how: How,
    pub(super) status: Option<u16>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) encoding: Encoding,
    pub(super) after: Option<Gate>,
    pub(super) executes: Option<bool>,
}

#[derive(Clone)]
pub(super) enum How {
    /// What the server would have answered without a script.
    WellBehaved,
    Whole(Arc<dyn Fn(&Request) -> Bytes + Send + Sync>),
    Steps {
        steps: Vec<Step>,
        /// Goes on without its connection, and is given again from an event on.
        resumable: bool,
    },
    /// What a handle pushes.
    Fed(Arc<StreamLog>),
    /// The default for a GET with a session: what the handle pushes.
    Unasked,
    /// What a stream still holds after an event.
    Replay,
    Close,
    Reset,
    Stall,
    RefuseStream,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip { labelled: bool },
}

impl Answer {
    fn new(how: How) -> Self {
        Self {
            how,
            status: None,
            headers: Vec::new(),
            encoding: Encoding::Identity,
            after: None,
            executes: None,
        }
    }

    /// What the server would have answered without a script; for the methods that change it.
    pub fn well_behaved() -> Self {
        Self::new(How::WellBehaved)
    }

    // --- whole bodies ---

    /// These bytes, with status 200.
    pub fn bytes(content_type: &str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self::new(How::Whole(Arc::new(move |_| body.clone()))).content_type(content_type)
    }

    /// This text as `application/json`, byte for byte.
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self::bytes("application/json", body)
    }

    /// A JSON-RPC response with the request's own id, spelled as it came.
    pub fn result(result: Value) -> Self {
        Self::response(move |request| response(id_of(request), "result", &result))
    }

    /// A JSON-RPC error with the request's own id.
    pub fn error(code: i64, message: &str) -> Self {
        let error = json!({"code": code, "message": message});
        Self::response(move |request| response(id_of(request), "error", &error))
    }

    /// As `error`, with `data`.
    pub fn error_with(code: i64, message: &str, data: &Value) -> Self {
        let error = json!({"code": code, "message": message, "data": data});
        Self::response(move |request| response(id_of(request), "error", &error))
    }

    /// A JSON-RPC error that does not say which request it is for.
    pub fn error_with_null_id(code: i64, message: &str) -> Self {
        let error = json!({"code": code, "message": message});
        Self::json(json!({"jsonrpc": "2.0", "id": null, "error": error}).to_string())
    }

    /// `application/json` made from the request.
    pub fn response(make: impl Fn(&Request) -> String + Send + Sync + 'static) -> Self {
        Self::new(How::Whole(Arc::new(move |request| make(request).into())))
            .content_type("application/json")
    }

    pub fn html(body: &str) -> Self {
        Self::bytes("text/html; charset=utf-8", body.to_owned())
    }

    pub fn text(body: &str) -> Self {
        Self::bytes("text/plain", body.to_owned())
    }

    /// A status and nothing else.
    pub fn status(status: u16) -> Self {
        Self::new(How::Whole(Arc::new(|_| Bytes::new()))).with_status(status)
    }

    pub fn accepted() -> Self {
        Self::status(202)
    }

    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("location", location)
    }

    // --- streams ---

    /// An event stream; it ends after the last step.
    pub fn stream(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::pieces("text/event-stream", steps)
    }

    /// An event stream that goes on when its connection is cut: a GET with the id of one of its
    /// events gets what came after that.
    pub fn resumable_stream(steps: impl IntoIterator<Item = Step>) -> Self {
        let steps = steps.into_iter().collect();
        Self::new(How::Steps { steps, resumable: true }).content_type("text/event-stream")
    }

    /// Any body in pieces, chunked unless a `content-length` is given.
    pub fn pieces(content_type: &str, steps: impl IntoIterator<Item = Step>) -> Self {
        let steps = steps.into_iter().collect();
        Self::new(How::Steps { steps, resumable: false }).content_type(content_type)
    }

    /// JSON that promises more than it gives before the connection is closed.
    pub fn truncated_json(body: impl Into<Bytes>, given: usize) -> Self {
        let body = body.into();
        let length = body.len().to_string();
        let piece = Step::bytes(body.slice(..given));
        Self::pieces("application/json", [piece, Step::Close]).header("content-length", &length)
    }

    // --- gzip ---

    /// Labelled gzip that unpacks to this many bytes.
    pub fn gzip_bomb(unpacked: usize) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let block = vec![b' '; 1 << 20];
        for start in (0..unpacked).step_by(block.len()) {
            let length = block.len().min(unpacked - start);
            encoder.write_all(&block[..length]).expect("writing to memory");
        }
        let packed = encoder.finish().expect("writing to memory");
        Self::json(packed).header("content-encoding", "gzip")
    }

    /// Labelled gzip, but the packed bytes are damaged in the middle.
    pub fn broken_gzip(body: &str) -> Self {
        let mut packed = gzip(body.as_bytes());
        let middle = packed.len() / 2;
        packed[middle] ^= 0xff;
        packed.truncate(middle + 1);
        Self::json(packed).header("content-encoding", "gzip")
    }

    // --- no answer ---

    /// Closes the connection before the first byte of an answer.
    pub fn close() -> Self {
        Self::new(How::Close)
    }

    /// Resets the connection before the first byte of an answer.
    pub fn reset() -> Self {
        Self::new(How::Reset)
    }

    /// Says nothing for as long as the client stays.
    pub fn stall() -> Self {
        Self::new(How::Stall)
    }

    /// HTTP/2 only: resets the stream with `REFUSED_STREAM`, "not executed".
    pub fn refuse_stream() -> Self {
        Self::new(How::RefuseStream).not_executed()
    }

    /// An event stream of what is pushed into the log.
    pub fn fed(log: Arc<StreamLog>) -> Self {
        Self::new(How::Fed(log)).content_type("text/event-stream")
    }

    pub(super) fn unasked() -> Self {
        Self::new(How::Unasked).content_type("text/event-stream")
    }

    pub(super) fn replay() -> Self {
        Self::new(How::Replay).content_type("text/event-stream")
    }

    // --- what differs ---

    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Replaces what the answer had under this name; only `set-cookie` is added.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if name != "set-cookie" {
            self.headers.retain(|(known, _)| known != name);
        }
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn content_type(self, value: &str) -> Self {
        self.header("content-type", value)
    }

    #[must_use]
    pub fn without_content_type(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "content-type");
        self
    }

    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header("retry-after", &seconds.to_string())
    }

    #[must_use]
    pub fn retry_after_date(self, date: SystemTime) -> Self {
        self.header("retry-after", &httpdate::fmt_http_date(date))
    }

    #[must_use]
    pub fn gzip(mut self) -> Self {
        self.encoding = Encoding::Gzip { labelled: true };
        self
    }

    /// Packed, but without the header that says so.
    #[must_use]
    pub fn gzip_unlabelled(mut self) -> Self {
        self.encoding = Encoding::Gzip { labelled: false };
        self
    }

    /// The request is executed and its answer held back until the gate is open.
    #[must_use]
    pub fn after(mut self, gate: &Gate) -> Self {
        self.after = Some(gate.clone());
        self
    }

    /// Counts as an execution of its tool, whatever the status.
    #[must_use]
    pub fn executed(mut self) -> Self {
        self.executes = Some(true);
        self
    }

    #[must_use]
    pub fn not_executed(mut self) -> Self {
        self.executes = Some(false);
        self
    }

    /// A well-behaved answer becomes the one that is made now; all others stay as they are.
    pub(super) fn filled_in(self, make: impl FnOnce() -> Self) -> Self {
        if !matches!(self.how, How::WellBehaved) {
            return self;
        }
        let mut filled = make();
        filled.status = self.status.or(filled.status);
        filled.encoding = self.encoding;
        filled.after = self.after.or(filled.after);
        filled.executes = self.executes.or(filled.executes);
        self.headers.iter().fold(filled, |filled, (name, value)| filled.header(name, value))
    }

    /// Unless it was said: a call that was answered with 300 and above was not executed.
    pub(super) fn executes(&self) -> bool {
        self.executes.unwrap_or(self.status.unwrap_or(200) < 300)
    }
}

impl Encoding {
    pub(super) fn apply(self, body: Bytes) -> Bytes {
        match self {
            Self::Identity => body,
            Self::Gzip { .. } => gzip(&body).into(),
        }
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

fn id_of(request: &Request) -> &str {
    request.rpc_id().unwrap_or("null")
}

/// A response whose id is spelled as in the request.
pub(super) fn response(id: &str, field: &str, value: &Value) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"{field}":{value}}}"#)
}
