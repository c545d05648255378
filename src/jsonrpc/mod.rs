//! JSON-RPC envelopes: what kind of message a line is, its id and its method, and the bytes as they came.
//!
//! Bodies are never re-encoded (ADR 0001). What is read of one stands in [`read`], what is spliced into
//! one in [`edit`] and [`object`]; everything else is carried from side to side untouched.

pub mod edit;
mod envelope;
mod id;
pub mod object;
pub mod read;
pub mod scan;

pub use envelope::{Malformed, is_batch, split_batch};
pub use id::Id;

use bytes::Bytes;

/// JSON-RPC 2.0: the text is not JSON.
pub const PARSE_ERROR: i32 = -32700;
/// JSON-RPC 2.0: JSON, but not a request.
pub const INVALID_REQUEST: i32 = -32600;
/// JSON-RPC 2.0: the method does not exist.
pub const METHOD_NOT_FOUND: i32 = -32601;

/// JSON-RPC 2.0: the parameters are not those of the method.
pub const INVALID_PARAMS: i32 = -32602;
/// JSON-RPC 2.0: the receiver broke down.
pub const INTERNAL_ERROR: i32 = -32603;

/// One JSON-RPC message: its envelope read, its bytes kept. The bytes hold no line break.
#[derive(Debug, Clone)]
pub struct Message {
    bytes: Bytes,
    kind: Kind,
}

/// What a message is, by its envelope (JSON-RPC 2.0 §4, §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Has a method and an id: an answer is owed.
    Request {
        /// The id the answer has to carry.
        id: Id,
        /// The method, unescaped.
        method: Box<str>,
    },
    /// Has a method and no id.
    Notification {
        /// The method, unescaped.
        method: Box<str>,
    },
    /// Has no method but a result or an error.
    Response {
        /// `None` where the id is absent or `null`, which only an error may have.
        id: Option<Id>,
        /// Whether it reports an error.
        failed: bool,
    },
}

impl Message {
    /// Reads the envelope of one message.
    ///
    /// # Errors
    /// [`Malformed`] says why it is none, with the id where one can be read.
    pub fn parse(bytes: Bytes) -> Result<Self, Malformed> {
        let kind = envelope::read(&bytes)?;
        Ok(Self { bytes, kind })
    }

    /// Joins bytes that this program composed with the kind that it knows them to be.
    pub(crate) fn composed(text: String, kind: Kind) -> Self {
        debug_assert!(!text.contains('\n'), "a message is one line");
        Self { bytes: Bytes::from(text), kind }
    }

    /// A notification of this program's own; `params` is JSON text.
    pub fn notification(method: &str, params: Option<&str>) -> Self {
        let params = params.map(|p| format!(",\"params\":{p}")).unwrap_or_default();
        Self::composed(
            format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\"{params}}}"),
            Kind::Notification { method: method.into() },
        )
    }

    /// A request of this program's own; `params` is JSON text.
    pub fn request(id: &Id, method: &str, params: &str) -> Self {
        Self::composed(
            format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{method}\",\"params\":{params}}}"
            ),
            Kind::Request { id: id.clone(), method: method.into() },
        )
    }

    /// A successful response; `result` is JSON text.
    pub fn result(id: &Id, result: &str) -> Self {
        Self::composed(
            format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}"),
            Kind::Response { id: Some(id.clone()), failed: false },
        )
    }

    /// An error response; `error` is the JSON text of the error object. Without an id it carries `null`.
    pub fn error(id: Option<&Id>, error: &str) -> Self {
        let id_text = id.map_or("null".to_owned(), Id::to_string);
        Self::composed(
            format!("{{\"jsonrpc\":\"2.0\",\"id\":{id_text},\"error\":{error}}}"),
            Kind::Response { id: id.cloned(), failed: true },
        )
    }

    /// The message as it came.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The same where nothing else is needed of it any more.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// What it is.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The method of a request or notification.
    pub fn method(&self) -> Option<&str> {
        match &self.kind {
            Kind::Request { method, .. } | Kind::Notification { method } => Some(method),
            Kind::Response { .. } => None,
        }
    }

    /// The id of a request, or the one that a response carries.
    pub fn id(&self) -> Option<&Id> {
        match &self.kind {
            Kind::Request { id, .. } => Some(id),
            Kind::Response { id, .. } => id.as_ref(),
            Kind::Notification { .. } => None,
        }
    }

    /// The id of a response.
    pub fn response_id(&self) -> Option<&Id> {
        match &self.kind {
            Kind::Response { id, .. } => id.as_ref(),
            Kind::Request { .. } | Kind::Notification { .. } => None,
        }
    }

    /// Whether this is the response to the request with this id.
    pub fn answers(&self, request: &Id) -> bool {
        matches!(&self.kind, Kind::Response { id: Some(id), .. } if id == request)
    }

    /// Whether this is the response to that request.
    pub fn answers_to(&self, request: &Self) -> bool {
        request.id().is_some_and(|id| self.answers(id))
    }

    /// The same message under another id.
    #[must_use]
    pub fn with_id(&self, id: &Id) -> Self {
        let bytes = edit::replace_id(&self.bytes, id);
        let mut kind = self.kind.clone();
        match &mut kind {
            Kind::Request { id: own, .. } => *own = id.clone(),
            Kind::Response { id: own, .. } => *own = Some(id.clone()),
            Kind::Notification { .. } => {}
        }
        Self { bytes, kind }
    }

    /// The same message with other bytes, of which the caller knows that the envelope is the same.
    pub(crate) fn with_bytes(&self, bytes: Bytes) -> Self {
        Self { bytes, kind: self.kind.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Message, Malformed> {
        Message::parse(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn kind(text: &str) -> Kind {
        parse(text).unwrap_or_else(|e| panic!("{text}: {}", e.why)).kind
    }

    fn id(raw: &str) -> Id {
        Id::from_json(raw).unwrap()
    }

    #[test]
    fn a_method_with_an_id_is_a_request_and_without_one_a_notification() {
        assert_eq!(
            kind(r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"id":9}}"#),
            Kind::Request { id: id("7"), method: "tools/call".into() }
        );
        assert_eq!(
            kind(r#"{"method":"notifications\/initialized"}"#),
            Kind::Notification { method: "notifications/initialized".into() }
        );
    }

    #[test]
    fn an_id_of_null_is_told_from_no_id() {
        assert!(parse(r#"{"id":null,"method":"ping"}"#).is_err());
        assert_eq!(
            kind(r#"{"id":null,"error":{"code":1,"message":"x"}}"#),
            Kind::Response { id: None, failed: true }
        );
        assert_eq!(kind(r#"{"error":{}}"#), Kind::Response { id: None, failed: true });
    }

    #[test]
    fn a_result_of_null_is_a_result() {
        assert_eq!(
            kind(r#"{"id":1,"result":null}"#),
            Kind::Response { id: Some(id("1")), failed: false }
        );
        assert_eq!(
            kind(r#"{"id":1,"result":{},"error":null}"#),
            Kind::Response { id: Some(id("1")), failed: false }
        );
    }

    #[test]
    fn of_duplicate_keys_the_last_counts_as_in_other_json_readers() {
        assert_eq!(
            kind(r#"{"id":1,"id":2,"method":"a","method":"b"}"#),
            Kind::Request { id: id("2"), method: "b".into() }
        );
    }

    #[test]
    fn ids_of_every_spelling_keep_it() {
        for raw in ["0", "-1", "1.0", "1e3", "9223372036854775808", "\"a\\u0062\"", "\"\""] {
            let message = parse(&format!("{{\"id\":{raw},\"method\":\"x\"}}")).unwrap();
            assert_eq!(message.id().unwrap().to_string(), raw);
        }
    }

    #[test]
    fn what_is_not_a_message_is_refused_with_the_id_it_shows() {
        let malformed = |text: &str| parse(text).unwrap_err();
        for text in ["", "42", "\"x\"", "null", "{", "{}", r#"{"jsonrpc":"2.0"}"#, "[]x"] {
            assert_eq!(malformed(text).id, None, "{text}");
        }
        assert_eq!(malformed(r#"{"id":5}"#).id, Some(id("5")));
        assert_eq!(malformed(r#"{"id":5,"method":6}"#).id, Some(id("5")));
        assert_eq!(malformed(r#"{"id":5,"method":"x""#).id, Some(id("5")));
        assert_eq!(malformed(r#"{"id":{},"method":"x"}"#).id, None);
        assert_eq!(malformed("{\"id\":5,\"method\":\"\u{fffd}\"").code, PARSE_ERROR);
        assert_eq!(malformed(r#"{"id":5,"method":6}"#).code, INVALID_REQUEST);
    }

    #[test]
    fn another_id_is_put_in_place_and_nothing_else_changes() {
        let message = parse(r#"{ "result": {"id": 4}, "id" : 4 , "x":1}"#).unwrap();
        let renamed = message.with_id(&id("\"b-1\""));
        assert_eq!(&renamed.bytes()[..], br#"{ "result": {"id": 4}, "id" : "b-1" , "x":1}"#);
        assert!(renamed.answers(&id("\"b-1\"")));
    }

    #[test]
    fn an_error_without_an_id_gets_one() {
        for (from, to) in [
            (r#"{"jsonrpc":"2.0","error":{}}"#, r#"{"id":3,"jsonrpc":"2.0","error":{}}"#),
            (r#"{"id":null,"error":{}}"#, r#"{"id":3,"error":{}}"#),
        ] {
            let renamed = parse(from).unwrap().with_id(&id("3"));
            assert_eq!(std::str::from_utf8(renamed.bytes()).unwrap(), to);
        }
    }
}
