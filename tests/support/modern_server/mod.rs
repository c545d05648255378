//! A strict, recording MCP server of the modern era (2026-07-28): no handshake, no session.
//!
//! ```ignore
//! let server = ModernServer::builder().run();
//! // … the client talks to `server.url()` …
//! let listen = server.listen(1);
//! server.change_tools(json!([]));                 // tells every stream that asked for it
//! assert_eq!(server.executions("echo"), 1);
//! ```
//!
//! It is an [`McpServer`] with another conduct, and can do whatever that can: scripts, gates,
//! records, connections. What contradicts the specification is answered with the specification's
//! error and fails the test when the handle is dropped; `allow` and `forgive` are for tests that
//! provoke that.
//!
//! Tools: `echo`, `fail`, `fill` {bytes}, `wait` {gate}, `progress` {steps}, `log` (one message of
//! each level), `route` (its arguments are `Mcp-Param-*` too, one of them nested) and `ask`
//! {rounds, stateless}, which asks what a test wants to be asked, see [`questions`]. The prompt `ask` and the
//! resource `memo:///guarded` ask too.

mod builder;
mod conduct;
mod headers;
mod judge;
mod listening;
mod offers;
pub mod questions;
mod rounds;
mod tools;

use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Value, json};

use self::conduct::Modern;
use super::McpServer;

pub use self::builder::{Builder, Quirk};
pub use self::judge::header_mismatch;
pub use self::listening::Listen;
pub use self::tools::{LEVELS, route, tools};

/// The revision that the server speaks.
pub const REVISION: &str = "2026-07-28";

/// A running server; it ends when this is dropped.
pub struct ModernServer {
    server: McpServer,
    conduct: Arc<Modern>,
}

impl ModernServer {
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// A good server.
    pub fn run() -> Self {
        Self::builder().run()
    }

    // --- what changes ---

    /// A legacy server for all requests from now on.
    pub fn turn_legacy(&self) {
        self.conduct.shared.update(|shared| shared.as_legacy = true);
    }

    /// A modern one from now on.
    pub fn turn_modern(&self) {
        self.conduct.shared.update(|shared| shared.as_legacy = false);
    }

    /// Other tools from now on; who listens is told.
    #[track_caller]
    pub fn change_tools(&self, tools: Value) {
        self.replace_tools(tools);
        self.tell("notifications/tools/list_changed", json!({}));
    }

    /// Other tools from now on; nobody is told.
    pub fn replace_tools(&self, tools: Value) {
        self.conduct.shared.update(|shared| shared.tools = tools);
    }

    /// A resource changed; who listens for it is told.
    #[track_caller]
    pub fn update_resource(&self, uri: &str) {
        self.tell("notifications/resources/updated", json!({"uri": uri}));
    }

    /// A notification to each open stream that asked for it.
    pub fn tell(&self, method: &str, params: Value) {
        let listens = self.conduct.shared.read().listens.clone();
        listens.iter().for_each(|listen| listen.tell_if_asked(method, &params));
    }

    // --- who listens ---

    /// The nth `subscriptions/listen` that was acknowledged, as soon as there is one; counts from 1.
    #[track_caller]
    pub fn listen(&self, nth: usize) -> Listen {
        self.find_listen(
            |listens| listens.get(nth - 1).cloned(),
            || format!("subscriptions/listen number {nth}"),
        )
    }

    /// Waits until an open stream listens for this: a member of the filter, or the URI of a
    /// resource.
    #[track_caller]
    pub fn wait_for_listener(&self, of: &str) -> Listen {
        self.find_listen(
            |listens| listens.iter().find(|listen| listen.is_open() && listen.has(of)).cloned(),
            || format!("somebody who listens for {of}"),
        )
    }

    /// Waits until the client has closed this stream, or the server has.
    #[track_caller]
    pub fn wait_until_over(&self, listen: &Listen) {
        let over = |_: &[Listen]| (!listen.is_open()).then_some(());
        self.find_listen(over, || format!("the end of subscriptions/listen {}", listen.id));
    }

    #[track_caller]
    fn find_listen<R>(
        &self,
        mut ask: impl FnMut(&[Listen]) -> Option<R>,
        what: impl FnOnce() -> String,
    ) -> R {
        self.server.wait(|_| ask(&self.conduct.shared.read().listens), what)
    }

    /// How many `subscriptions/listen` were acknowledged so far.
    pub fn listens(&self) -> usize {
        self.conduct.shared.read().listens.len()
    }
}

impl Deref for ModernServer {
    type Target = McpServer;

    fn deref(&self) -> &McpServer {
        &self.server
    }
}
