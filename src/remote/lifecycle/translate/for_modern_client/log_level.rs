//! Log levels, which a modern request asks for by itself and a legacy session has (RFC 5424 §6.2.1).

use crate::jsonrpc::edit::member;
use crate::jsonrpc::{Message, read};

/// How severe a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::remote::lifecycle) struct Level(usize);

const LEVELS: [&str; 8] =
    ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

impl Level {
    /// Reads a level from its JSON text.
    pub(in crate::remote::lifecycle) fn from_json(text: &str) -> Option<Self> {
        let name: String = serde_json::from_str(text).ok()?;
        LEVELS.iter().position(|level| *level == name).map(Self)
    }

    /// Its name.
    pub(in crate::remote::lifecycle) fn name(self) -> &'static str {
        LEVELS[self.0]
    }

    /// Whether a log message is for a request that asked for this level.
    pub(in crate::remote::lifecycle) fn lets_through(self, message: &Message) -> bool {
        let level = read::params(message).and_then(|params| member(params, "level"));
        level.and_then(Self::from_json).is_some_and(|level| level >= self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_passes_at_the_level_that_was_asked_for_or_above() {
        let asked = Level::from_json("\"warning\"").unwrap();
        let passes = |level: &str| {
            let params = format!("{{\"level\":{level},\"data\":1}}");
            asked.lets_through(&Message::notification("notifications/message", Some(&params)))
        };
        assert!(passes("\"warning\"") && passes("\"emergency\""));
        assert!(!passes("\"notice\"") && !passes("\"loud\"") && !passes("5"));
        assert_eq!(Level::from_json("\"loud\""), None);
        assert_eq!(asked.name(), "warning");
    }
}
