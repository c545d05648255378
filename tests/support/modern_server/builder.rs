//! How a server is set up before it runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::conduct::{Modern, Shared};
use super::{ModernServer, REVISION, tools};
use crate::support::mcp_server::{self, Answer, McpServer};
use crate::support::watched::Watched;

/// What the server does badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quirk {
    /// The list has tools besides the good ones whose `x-mcp-header` are not valid.
    InvalidHeaderTools,
    /// `server/discover` is answered well, all else as a legacy server does: no `resultType`, no
    /// caching, no identity.
    AnswersLegacy,
    /// `server/discover` lists legacy revisions only.
    LegacyVersionsOnly,
    /// Each answer to a call is one more question.
    AsksForEver,
    /// Results of calls have a `resultType` that no specification knows.
    UnknownResultType,
    /// `subscriptions/listen` is a method that it does not have.
    RefusesListen,
    /// A `subscriptions/listen` is acknowledged without the resources that it asked for.
    KeepsResourcesQuiet,
}

/// A server that is not running yet.
pub struct Builder {
    server: mcp_server::Builder,
    conduct: Modern,
}

impl Builder {
    pub(super) fn new() -> Self {
        let conduct = Modern {
            versions: vec![REVISION.to_owned()],
            quirks: BTreeSet::new(),
            page_size: None,
            legacy_too: false,
            initialize: None,
            shared: Watched::new(Shared { tools: tools::tools(), ..Shared::default() }),
        };
        Self { server: McpServer::legacy().without_sessions(), conduct }
    }

    /// Changes what any server has: scripts, TLS, addresses.
    #[must_use]
    pub fn server(
        mut self,
        change: impl FnOnce(mcp_server::Builder) -> mcp_server::Builder,
    ) -> Self {
        self.server = change(self.server);
        self
    }

    #[must_use]
    pub fn quirk(mut self, quirk: Quirk) -> Self {
        self.conduct.quirks.insert(quirk);
        self
    }

    /// The revisions that it speaks; any other is refused with -32022.
    #[must_use]
    pub fn versions(mut self, versions: &[&str]) -> Self {
        self.conduct.versions = versions.iter().map(ToString::to_string).collect();
        self
    }

    /// Lists come in pages of so many; the first cursor is an empty text.
    #[must_use]
    pub fn page_size(mut self, size: usize) -> Self {
        self.conduct.page_size = Some(size);
        self
    }

    /// What an `initialize` gets, in place of 400 with -32022.
    #[must_use]
    pub fn answers_initialize(mut self, answer: Answer) -> Self {
        self.conduct.initialize = Some(answer);
        self
    }

    /// Serves legacy clients too, without sessions: it can ask them nothing.
    #[must_use]
    pub fn dual_without_sessions(mut self) -> Self {
        self.conduct.legacy_too = true;
        self.conduct.versions.push("2025-11-25".to_owned());
        self
    }

    /// Serves legacy clients too, with sessions.
    #[must_use]
    pub fn dual_with_sessions(mut self) -> Self {
        self.server = self.server.with_sessions();
        self.dual_without_sessions()
    }

    /// It is a legacy server, until [`ModernServer::turn_modern`].
    #[must_use]
    pub fn legacy_at_first(self) -> Self {
        self.conduct.shared.update(|shared| shared.as_legacy = true);
        self
    }

    /// Its tools, in place of the default ones.
    #[must_use]
    pub fn tools(self, tools: Value) -> Self {
        self.conduct.shared.update(|shared| shared.tools = tools);
        self
    }

    #[must_use]
    pub fn run(self) -> ModernServer {
        let server = self.run_stopped();
        server.start();
        server
    }

    /// Has its port, but refuses connections until it is started.
    #[must_use]
    pub fn run_stopped(self) -> ModernServer {
        let conduct = Arc::new(self.conduct);
        let server = self.server.conduct(Arc::clone(&conduct) as _).run_stopped();
        ModernServer { server, conduct }
    }
}
