//! Which requests a rule is for.

use std::sync::Arc;

use hyper::Method;

use super::request::Request;

/// A text is the name of a JSON-RPC method; the functions of this module give the others.
#[derive(Clone)]
pub struct Matcher {
    name: String,
    matches: Arc<dyn Fn(&Request) -> bool + Send + Sync>,
}

impl Matcher {
    pub fn matches(&self, request: &Request) -> bool {
        (self.matches)(request)
    }

    /// What the test said; for messages.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl From<&str> for Matcher {
    fn from(method: &str) -> Self {
        let wanted = method.to_owned();
        when(method, move |request| request.rpc_method() == Some(&wanted))
    }
}

pub fn when(name: &str, matches: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Matcher {
    Matcher { name: name.to_owned(), matches: Arc::new(matches) }
}

pub fn anything() -> Matcher {
    when("anything", |_| true)
}

/// A GET: the stream for what the server says unasked, or a resumption.
pub fn get() -> Matcher {
    when("GET", |request| request.method == Method::GET)
}

/// A GET that asks for what comes after an event.
pub fn resumption() -> Matcher {
    when("GET with Last-Event-ID", |request| {
        request.method == Method::GET && request.last_event_id().is_some()
    })
}

pub fn delete() -> Matcher {
    when("DELETE", |request| request.method == Method::DELETE)
}

/// Any JSON-RPC request, notification or response.
pub fn post() -> Matcher {
    when("POST", |request| request.method == Method::POST)
}

/// The client's answer to a request of the server.
pub fn response() -> Matcher {
    when("a response", Request::is_response)
}

/// A call of this tool.
pub fn tool(name: &str) -> Matcher {
    let wanted = name.to_owned();
    when(&format!("tools/call of {name}"), move |request| {
        request.tool().as_deref() == Some(wanted.as_str())
    })
}

/// A JSON-RPC request with this id.
pub fn id(id: impl ToString) -> Matcher {
    let wanted = id.to_string();
    when(&format!("request {wanted}"), move |request| {
        !request.is_response() && request.rpc_id() == Some(&wanted)
    })
}

/// A path other than the endpoint's own, without its query.
pub fn path(path: &str) -> Matcher {
    let wanted = path.to_owned();
    when(path, move |request| request.path.split('?').next() == Some(&wanted))
}
