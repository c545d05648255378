//! What is known of a server: its transport and its era. Facts only, each from a clear answer; what a client
//! and a server make of them together is decided anew each time.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::clock::{Clock, Moment, SystemClock};
use crate::remote::transport::Transport;

/// How long a fact is remembered.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest file that is read: a line for each fact.
const MAX_FILE: u64 = 1024;

/// What is known of a server; `None` is not asked yet, or so long ago that it is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// The transport that a session was opened by.
    pub transport: Option<Transport>,
    /// What it makes of `initialize`.
    pub legacy: Option<Legacy>,
    /// Whether it speaks a modern revision that this program speaks too.
    pub modern: Option<bool>,
}

/// What a server makes of `initialize`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Legacy {
    /// It opens a session, by an id or by a stream.
    Session,
    /// It answers, and gives no session.
    NoSession,
    /// It is modern only.
    Refused,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::remote) enum Fact {
    Transport(Transport),
    Legacy(Legacy),
    Modern(bool),
}

impl Fact {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Transport(Transport::Streamable), "transport http"),
        (Self::Transport(Transport::Sse), "transport sse"),
        (Self::Legacy(Legacy::Session), "legacy session"),
        (Self::Legacy(Legacy::NoSession), "legacy no-session"),
        (Self::Legacy(Legacy::Refused), "legacy refused"),
        (Self::Modern(true), "modern yes"),
        (Self::Modern(false), "modern no"),
    ];

    fn text(self) -> &'static str {
        Self::ALL.iter().find(|(fact, _)| *fact == self).map_or("", |(_, text)| text)
    }
}

impl Facts {
    /// The facts of a file that are not too old.
    pub fn read(file: &Path) -> Self {
        let now = Moment::from(SystemClock.wall());
        Dated::read(file).facts(now)
    }

    /// The eras that it speaks: `legacy`, `modern` or `both`.
    pub fn era(self) -> Option<&'static str> {
        match (self.legacy, self.modern) {
            (Some(Legacy::Session | Legacy::NoSession), Some(true)) => Some("both"),
            (_, Some(true)) => Some("modern"),
            (Some(Legacy::Session | Legacy::NoSession), _) | (None, Some(false)) => Some("legacy"),
            (Some(Legacy::Refused) | None, _) => None,
        }
    }

    /// The transport for programs: `streamable-http` or `sse`.
    pub fn transport_name(self) -> Option<&'static str> {
        self.transport.map(|transport| match transport {
            Transport::Streamable => "streamable-http",
            Transport::Sse => "sse",
        })
    }

    /// How the server is spoken to, in words; empty where nothing is known.
    pub fn spoken(self) -> String {
        Self::spoken_of(self.era().unwrap_or_default(), self.transport_name().unwrap_or_default())
    }

    /// The same of the words for programs.
    pub fn spoken_of(era: &str, transport: &str) -> String {
        let era = match era {
            "both" => "of both eras",
            "modern" => "modern (2026-07-28)",
            "legacy" => "legacy (to 2025-11-25)",
            _ => "",
        };
        let transport = match transport {
            "sse" => "HTTP+SSE",
            "streamable-http" => "Streamable HTTP",
            _ => "",
        };
        let words: Vec<_> = [era, transport].into_iter().filter(|word| !word.is_empty()).collect();
        words.join(", ")
    }

    fn set(&mut self, fact: Fact) {
        match fact {
            Fact::Transport(transport) => self.transport = Some(transport),
            Fact::Legacy(legacy) => self.legacy = Some(legacy),
            Fact::Modern(modern) => self.modern = Some(modern),
        }
    }

    fn holds(self, fact: Fact) -> bool {
        let mut with = self;
        with.set(fact);
        with == self
    }
}

/// Facts with the time of each.
#[derive(Debug, Default)]
struct Dated(Vec<(Fact, Moment)>);

impl Dated {
    /// What can't be read is nothing.
    fn read(file: &Path) -> Self {
        let text = crate::paths::read_private(file, MAX_FILE).unwrap_or_default();
        let text = String::from_utf8(text).unwrap_or_default();
        Self(text.lines().filter_map(Self::line).collect())
    }

    fn line(line: &str) -> Option<(Fact, Moment)> {
        let (fact, seconds) = line.rsplit_once(' ')?;
        let (fact, _) = Fact::ALL.into_iter().find(|(_, text)| *text == fact)?;
        Some((fact, Moment::from_unix_seconds(seconds.parse().ok()?)))
    }

    fn facts(&self, now: Moment) -> Facts {
        let mut facts = Facts::default();
        for (fact, at) in &self.0 {
            // One of the future, as a wrong clock leaves it, is not believed.
            if *at <= now && now.since(*at) < REMEMBERED {
                facts.set(*fact);
            }
        }
        facts
    }

    /// Takes a fact in the place of the one that it contradicts or confirms.
    fn take(&mut self, fact: Fact, now: Moment) {
        self.0.retain(|(each, _)| std::mem::discriminant(each) != std::mem::discriminant(&fact));
        self.0.push((fact, now));
    }

    fn text(&self) -> String {
        let lines = self.0.iter();
        lines.map(|(fact, at)| format!("{} {}\n", fact.text(), at.unix_seconds())).collect()
    }
}

/// What is known of the server of this process, and the file where it is remembered. Losing the file costs a
/// request, so that no failure of it matters.
#[derive(Debug)]
pub(in crate::remote) struct Known {
    file: Option<PathBuf>,
    now: Mutex<Option<Facts>>,
    /// This process had a legacy session with it, and nothing contradicted that since.
    seen_legacy: AtomicBool,
    /// This process heard by itself whether it is a modern one, and nothing contradicted that since.
    heard_era: AtomicBool,
    /// Facts that are being written down.
    writes: Mutex<Vec<JoinHandle<()>>>,
}

impl Known {
    pub(in crate::remote) fn new(file: Option<PathBuf>) -> Self {
        let (seen_legacy, heard_era) = (AtomicBool::default(), AtomicBool::default());
        Self { file, now: Mutex::default(), seen_legacy, heard_era, writes: Mutex::default() }
    }

    /// What is known; the file is read when this is first asked.
    pub(in crate::remote) fn facts(&self) -> Facts {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now.get_or_insert_with(|| self.file.as_deref().map(Facts::read).unwrap_or_default())
    }

    /// The server answered `initialize`.
    pub(in crate::remote) fn saw_legacy(&self, legacy: Legacy) {
        self.seen_legacy.store(true, Ordering::Relaxed);
        self.learn(Fact::Legacy(legacy));
    }

    /// Whether this process knows by itself that the server is a legacy one.
    pub(in crate::remote) fn has_seen_legacy(&self) -> bool {
        self.seen_legacy.load(Ordering::Relaxed)
    }

    /// Whether this process heard by itself whether the server is a modern one, and does not only remember it.
    pub(in crate::remote) fn has_heard_era(&self) -> bool {
        self.heard_era.load(Ordering::Relaxed)
    }

    /// Learns a fact; one that is known already changes nothing, also not how old it is.
    pub(in crate::remote) fn learn(&self, fact: Fact) {
        self.heard_era.fetch_or(matches!(fact, Fact::Modern(_)), Ordering::Relaxed);
        if self.facts().holds(fact) {
            return;
        }
        tracing::debug!(fact = fact.text(), "learnt of the server");
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.get_or_insert_default().set(fact);
        drop(now);
        let Some(file) = self.file.clone() else { return };
        // Where there is no runtime nothing is served either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let write = runtime.spawn_blocking(move || remember(&file, fact));
            let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
            writes.retain(|write| !write.is_finished());
            writes.push(write);
        }
    }

    /// Waits until all that was learnt is written down.
    pub(in crate::remote) async fn written(&self) {
        let writes =
            std::mem::take(&mut *self.writes.lock().unwrap_or_else(PoisonError::into_inner));
        for write in writes {
            let _ = write.await;
        }
    }

    /// An answer contradicted what was known of the era: it is asked about again.
    pub(in crate::remote) fn doubt(&self) {
        self.seen_legacy.store(false, Ordering::Relaxed);
        self.heard_era.store(false, Ordering::Relaxed);
        let transport = self.facts().transport;
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = Some(Facts { transport, ..Facts::default() });
    }
}

/// One fact is written after the other.
static WRITING: Mutex<()> = Mutex::new(());

/// Adds to the file as it is now: another process may have written it meanwhile.
fn remember(file: &Path, fact: Fact) {
    let _turn = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut dated = Dated::read(file);
    dated.take(fact, Moment::from(SystemClock.wall()));
    if let Err(error) = crate::paths::replace_private(file, dated.text().as_bytes()) {
        tracing::debug!(%error, "what the server is was not remembered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_found_again_by_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("server.facts");
        remember(&file, Fact::Transport(Transport::Sse));
        remember(&file, Fact::Legacy(Legacy::NoSession));
        remember(&file, Fact::Modern(true));
        remember(&file, Fact::Transport(Transport::Streamable));
        let known = Known::new(Some(file)).facts();
        assert_eq!(known.transport, Some(Transport::Streamable));
        assert_eq!(known.legacy, Some(Legacy::NoSession));
        assert_eq!(known.modern, Some(true));
    }

    #[tokio::test]
    async fn what_is_learnt_last_is_written_down_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("server.facts");
        let known = Known::new(Some(file.clone()));
        known.learn(Fact::Modern(true));
        known.learn(Fact::Legacy(Legacy::Refused));
        known.learn(Fact::Transport(Transport::Streamable));
        known.written().await;
        assert_eq!(Facts::read(&file), known.facts());
    }

    #[test]
    fn a_fact_is_asked_again_after_a_day_and_none_of_the_future_is_believed() {
        let at = Moment::from_unix_seconds(1_000_000);
        let dated = Dated(vec![(Fact::Modern(true), at)]);
        assert_eq!(dated.facts(at.plus(REMEMBERED - Duration::from_secs(1))).modern, Some(true));
        assert_eq!(dated.facts(at.plus(REMEMBERED)), Facts::default());
        assert_eq!(dated.facts(Moment::from_unix_seconds(999_999)), Facts::default());
    }

    #[test]
    fn what_is_no_fact_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("server.facts");
        crate::paths::replace_private(&file, "modern perhaps 1\nmodern yes x\nyes\n\u{0}".as_ref())
            .unwrap();
        assert_eq!(Facts::read(&file), Facts::default());
        crate::paths::replace_private(&file, "x".repeat(5_000).as_ref()).unwrap();
        assert_eq!(Facts::read(&file), Facts::default());
        assert_eq!(Facts::read(folder.path()), Facts::default());
    }

    #[test]
    fn every_fact_reads_as_it_is_written() {
        let at = Moment::from_unix_seconds(7);
        for (fact, _) in Fact::ALL {
            let written = Dated(vec![(fact, at)]).text();
            assert_eq!(Dated::line(written.trim_end()), Some((fact, at)));
        }
    }

    #[test]
    fn what_is_contradicted_is_not_known_any_more() {
        let known = Known::new(None);
        known.learn(Fact::Transport(Transport::Sse));
        known.learn(Fact::Modern(true));
        known.doubt();
        let transport = Some(Transport::Sse);
        assert_eq!(known.facts(), Facts { transport, ..Facts::default() });
    }
}
