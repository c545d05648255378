//! What a server says to whoever has no token yet, or a new one: asked by the commands that sign in, before and
//! after.

use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};

use super::Remote;
use super::failure::Failure;
use super::request::Ask;
use crate::auth::{Bearer, Challenge};
use crate::http::{Delivery, Reuse};

/// How long the server may take to answer.
const TIME: Duration = Duration::from_secs(10);
/// A message that is harmless in every revision, and needs no session to be refused for want of a token.
const PING: &[u8] = br#"{"jsonrpc":"2.0","id":"bridge-entry","method":"ping"}"#;

/// What came of knocking.
#[derive(Debug)]
pub enum Entry {
    /// The server took the request, or spoke JSON to it.
    Open,
    /// It was refused for something else.
    Unclear,
    /// HTTP 401, and what it says of how to get in.
    Closed(Option<Challenge>),
}

impl Remote {
    /// Asks whether this token is taken, or whether it goes without one.
    ///
    /// # Errors
    /// There was no answer in 10 s.
    pub async fn entry(&self, bearer: Option<&Bearer>) -> Result<Entry, Failure> {
        let ping = Bytes::from_static(PING);
        let ask = Ask::Post(&ping, None);
        let how = Delivery { reuse: Reuse::Any, handed_over: None };
        let asking = self.ask_carrying(bearer, &ask, None, how);
        let answer = tokio::time::timeout(TIME, asking)
            .await
            .map_err(|_| Failure::timeout(&self.endpoint().host(), TIME))??;
        if answer.status != StatusCode::UNAUTHORIZED {
            let kind = answer.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            let json = kind.is_some_and(|kind| kind.starts_with("application/json"));
            let open = answer.status.is_success() || (json && answer.status.is_client_error());
            return Ok(if open { Entry::Open } else { Entry::Unclear });
        }
        let lines = answer.headers.get_all(WWW_AUTHENTICATE).iter().map(HeaderValue::as_bytes);
        Ok(Entry::Closed(Challenge::from_headers(lines)))
    }
}
