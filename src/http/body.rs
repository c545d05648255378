//! A response body, chunk by chunk, decoded.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_ENCODING, HeaderMap};

use super::decode::Decoder;
use super::fault::{Fault, FaultKind, Sent};
use super::pool::{Http1, Pool};

/// The body of one response. Reading it to its end gives an HTTP/1.1 connection back; dropping it
/// before closes the connection, or resets the HTTP/2 stream.
pub struct Body {
    from: From,
    lease: Option<(Http1, Arc<Pool>)>,
    decoder: Option<Decoder>,
    started: bool,
    /// Longest pause between two chunks.
    idle: Option<Duration>,
}

/// Where the pieces come from.
enum From {
    Connection(Incoming),
    /// It was read already.
    Memory(Option<Bytes>),
}

impl Body {
    /// A body that was read already, and decoded.
    pub fn whole(content: Vec<u8>) -> Self {
        let from = From::Memory(Some(content.into()));
        Self { from, lease: None, decoder: None, started: true, idle: None }
    }

    pub(super) fn http1(
        incoming: Incoming,
        connection: Http1,
        pool: Arc<Pool>,
        idle: Option<Duration>,
    ) -> Self {
        Self { lease: Some((connection, pool)), ..Self::http2(incoming, idle) }
    }

    pub(super) fn http2(incoming: Incoming, idle: Option<Duration>) -> Self {
        let from = From::Connection(incoming);
        Self { from, lease: None, decoder: None, started: false, idle }
    }

    /// Decodes what the headers say is encoded.
    ///
    /// # Errors
    /// An encoding that was not asked for and is not known.
    pub fn decoded(mut self, headers: &HeaderMap) -> Result<Self, Fault> {
        let Some(encoding) = headers.get(CONTENT_ENCODING) else { return Ok(self) };
        let name = encoding.to_str().unwrap_or("?").trim().to_ascii_lowercase();
        self.decoder = match &*name {
            "" | "identity" => None,
            "gzip" | "x-gzip" => Some(Decoder::gzip()),
            "deflate" => Some(Decoder::deflate()),
            other => {
                let cause = format!("the body is encoded as `{other}`, which was not asked for");
                return Err(Fault::words(FaultKind::Encoding, Sent::Maybe, cause));
            }
        };
        Ok(self)
    }

    /// The next piece; `None` at the end. Cancelling it loses nothing.
    ///
    /// # Errors
    /// The connection broke, or the encoding did.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            if let Some(piece) = self.decoder.as_mut().and_then(Decoder::next_piece) {
                return piece.map(Some);
            }
            let Some(data) = self.raw_chunk().await? else {
                return match self.decoder.as_mut().map(Decoder::finish) {
                    Some(Err(fault)) => Err(fault),
                    _ => Ok(None),
                };
            };
            // Some proxies take the header off and leave the encoding on.
            if !std::mem::replace(&mut self.started, true)
                && self.decoder.is_none()
                && data.starts_with(&[0x1f, 0x8b])
            {
                self.decoder = Some(Decoder::gzip());
            }
            match &mut self.decoder {
                Some(decoder) => decoder.feed(data),
                None => return Ok(Some(data)),
            }
        }
    }

    async fn raw_chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        while let Some(frame) = self.frame().await? {
            let frame =
                frame.map_err(|error| Fault { sent: Sent::Maybe, ..Fault::exchange(&error) })?;
            match frame.into_data() {
                Ok(data) if !data.is_empty() => return Ok(Some(data)),
                _ => {}
            }
        }
        if let Some((connection, pool)) = self.lease.take() {
            pool.check_in(connection);
        }
        Ok(None)
    }

    async fn frame(&mut self) -> Result<Option<hyper::Result<Frame<Bytes>>>, Fault> {
        let incoming = match &mut self.from {
            From::Connection(incoming) => incoming,
            From::Memory(content) => return Ok(content.take().map(|all| Ok(Frame::data(all)))),
        };
        let Some(limit) = self.idle else { return Ok(incoming.frame().await) };
        tokio::time::timeout(limit, incoming.frame()).await.map_err(|_| {
            let limit = limit.as_secs_f64();
            Fault::late(format!("nothing more came within {limit} s (`--body-timeout`)"))
        })
    }

    /// The length that the server announced, if it did and the body is not encoded.
    pub fn announced_length(&self) -> Option<u64> {
        use hyper::body::Body as _;
        match &self.from {
            From::Connection(incoming) if self.decoder.is_none() => incoming.size_hint().exact(),
            _ => None,
        }
    }
}
