//! Tools hidden and refused by the user's options.
//!
//! What a filter hides is spliced out of lists, and a call of it is answered here and goes nowhere.
//! Where only tools that read are let through, the server's own list says which do; a call of a tool
//! that no list named yet waits for one that we ask for.

use std::collections::HashMap;
use std::time::Instant;

use super::in_flight::CallState;
use super::machine::{ExchangeId, Machine, OWN_TIME, Purpose};
use super::modern::meta_of_ours;
use super::remembered::Memory;
use crate::jsonrpc::edit::{Unreadable, retain_elements};
use crate::jsonrpc::{Id, Kind, Message, read};
use crate::printable::printable;
use crate::remote::{Failure, Outcome};

/// Pages of a list of our own; whoever has more tools has them listed by the client.
const MAX_PAGES: usize = 50;
/// Tools of which it is known whether they only read.
const MAX_KNOWN: usize = 10_000;
/// Characters of a tool's name that go into an error.
const MAX_NAME: usize = 100;

/// A pattern for names of tools: `*` is any text, `?` any character, and case does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    folded: Vec<char>,
}

impl Pattern {
    /// Reads a pattern; every text is one.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), folded: fold(text) }
    }

    /// Whether a name is one of those that are meant.
    pub fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (&self.folded, fold(name));
        let (mut p, mut n) = (0, 0);
        // Where to go on when the text that the last `*` stands for has to be longer.
        let mut back: Option<(usize, usize)> = None;
        while n < name.len() {
            match pattern.get(p) {
                Some('*') => {
                    back = Some((p + 1, n));
                    p += 1;
                }
                Some(c) if *c == '?' || *c == name[n] => {
                    p += 1;
                    n += 1;
                }
                _ => {
                    let Some((after, from)) = back else { return false };
                    back = Some((after, from + 1));
                    (p, n) = (after, from + 1);
                }
            }
        }
        pattern[p..].iter().all(|c| *c == '*')
    }
}

fn fold(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// What the user set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Names that are hidden.
    pub deny: Vec<Pattern>,
    /// If there are any: no other names are shown.
    pub allow: Vec<Pattern>,
    /// Only tools that say that they only read.
    pub read_only: bool,
}

impl Filter {
    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.deny.is_empty() && self.allow.is_empty() && !self.read_only
    }

    /// The option that stands against a name.
    fn against(&self, name: &str) -> Option<String> {
        if let Some(pattern) = self.deny.iter().find(|pattern| pattern.matches(name)) {
            return Some(format!("`--deny-tool {}`", pattern.text));
        }
        let allowed = self.allow.is_empty() || self.allow.iter().any(|each| each.matches(name));
        (!allowed).then(|| "`--allow-tool`, which names others".to_owned())
    }

    /// Whether an element of a list of tools is shown.
    fn shows(&self, element: &str) -> bool {
        let facts = read::tool_facts(element);
        // Without a name it can't be called: only what shows nothing but what it knows hides it.
        let named = !facts.names.is_empty() || self.allow.is_empty();
        named
            && facts.names.iter().all(|name| self.against(name).is_none())
            && (facts.read_only || !self.read_only)
    }

    /// A list without what is hidden; `None` where nothing is. `path` leads to the array.
    fn list(&self, text: &str, path: &[&str]) -> Result<Option<String>, Unreadable> {
        if self.is_empty() {
            return Ok(None);
        }
        retain_elements(text, path, |element| self.shows(element))
    }
}

/// The filter at work.
#[derive(Debug, Default)]
pub(super) struct Filtering {
    filter: Filter,
    /// Tools that a list named, and whether they say that they only read.
    known: HashMap<String, bool>,
    lookup: Option<Lookup>,
}

/// A list of our own that is under way, and the calls that wait for it.
#[derive(Debug, Default)]
struct Lookup {
    exchange: ExchangeId,
    /// The `_meta` of what is asked, where the client speaks without a handshake.
    meta: Option<String>,
    waiting: Vec<ExchangeId>,
    page: usize,
    answer: Option<Page>,
}

/// What came for one page.
#[derive(Debug)]
enum Page {
    Last,
    More(String),
    Refused(String),
}

impl Filtering {
    pub(super) fn new(filter: Filter) -> Self {
        Self { filter, ..Self::default() }
    }

    /// Why a call is not let through, as far as the name tells.
    pub(super) fn refuses(&self, call: &Message) -> Option<Failure> {
        if self.filter.is_empty() {
            return None;
        }
        let names = read::tool_names(call);
        if names.is_empty() {
            return Some(Failure::blocked(
                "the call names no tool, so that no filter can allow it",
            ));
        }
        let (name, option) =
            names.iter().find_map(|name| Some((name, self.filter.against(name)?)))?;
        Some(Failure::blocked(format!("the tool `{}` is blocked by {option}", shown(name))))
    }

    /// A `tools/list` answer as the client shall see it.
    pub(super) fn answer(&self, answer: &Message) -> Result<Option<Message>, Unreadable> {
        let Ok(text) = std::str::from_utf8(answer.bytes()) else { return Ok(None) };
        let filtered = self.filter.list(text, &["result", "tools"])?;
        Ok(filtered.map(|text| answer.with_bytes(text.into())))
    }

    /// A remembered `tools/list` result as the client shall see it; none where it can't be read.
    pub(super) fn remembered(&self, result: String) -> Option<String> {
        match self.filter.list(&result, &["tools"]) {
            Ok(filtered) => Some(filtered.unwrap_or(result)),
            Err(Unreadable) => None,
        }
    }

    /// Learns from the server's own list which tools only read.
    pub(super) fn learn(&mut self, result: &str) {
        if !self.filter.read_only {
            return;
        }
        let mut listed = HashMap::new();
        for tool in read::listed_tools(result) {
            for name in tool.names {
                // Of two tools with one name, nobody knows which one a call would run.
                *listed.entry(name).or_insert(true) &= tool.read_only;
            }
        }
        for (name, read_only) in listed {
            if self.known.len() < MAX_KNOWN || self.known.contains_key(&name) {
                self.known.insert(name, read_only);
            }
        }
    }

    /// The tools changed: what was known of them counts no more.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }
}

fn shown(name: &str) -> String {
    printable(name, MAX_NAME)
}

impl<M: Memory> Machine<M> {
    /// Whether a call may not be sent now: it is blocked, or it waits for a list of ours.
    pub(super) fn is_held(&mut self, exchange: ExchangeId, now: Instant) -> bool {
        if !self.filtering.filter.read_only {
            return false;
        }
        let Some(call) = self.in_flight.get(exchange) else { return false };
        if call.method() != "tools/call" {
            return false;
        }
        let names = read::tool_names(&call.message);
        let known: Vec<_> =
            names.iter().map(|name| self.filtering.known.get(name).copied()).collect();
        if known.iter().all(|known| *known == Some(true)) {
            return false;
        }
        if known.contains(&Some(false)) || call.checked {
            let name = names.first().map(|name| shown(name)).unwrap_or_default();
            let why = format!(
                "the tool `{name}` is blocked by `--read-only`: the server's list does not say that \
                 it only reads"
            );
            self.fail(exchange, &Failure::blocked(why));
            return true;
        }
        let meta = call.modern.is_some().then(|| meta_of_ours(&call.message));
        let lookup = self.filtering.lookup.get_or_insert_default();
        lookup.waiting.push(exchange);
        if lookup.page == 0 {
            lookup.meta = meta;
            self.ask_for_page(None, now);
        }
        true
    }

    fn ask_for_page(&mut self, cursor: Option<&str>, now: Instant) {
        let lookup = self.filtering.lookup.as_ref();
        let meta = lookup.and_then(|lookup| lookup.meta.as_deref());
        let fields = [("_meta", meta), ("cursor", cursor)];
        let fields =
            fields.iter().filter_map(|(key, value)| Some(format!("\"{key}\":{}", (*value)?)));
        let params = format!("{{{}}}", fields.collect::<Vec<_>>().join(","));
        let (id, message) = self.restore.request("tools/list", &params);
        let exchange = self.begin(Purpose::Lookup(id), OWN_TIME, now);
        if let Some(lookup) = &mut self.filtering.lookup {
            lookup.exchange = exchange;
            lookup.page += 1;
            lookup.answer = None;
        }
        let modern = self.filtering.lookup.as_ref().is_some_and(|lookup| lookup.meta.is_some());
        let session = self.session().filter(|_| !modern);
        self.send(exchange, message, session, true);
    }

    /// A response came to the list that we asked for.
    pub(super) fn lookup_answered(&mut self, answer: &Message) {
        let failed = matches!(answer.kind(), Kind::Response { failed: true, .. });
        let page = match read::result(answer) {
            Some(result) if !failed => {
                let page = read::next_cursor(result).map_or(Page::Last, |c| Page::More(c.into()));
                self.filtering.learn(result);
                page
            }
            _ => Page::Refused(read::error_message(answer)),
        };
        if let Some(lookup) = &mut self.filtering.lookup {
            lookup.answer = Some(page);
        }
    }

    /// The exchange of the list that we asked for ended.
    pub(super) fn lookup_ended(&mut self, exchange: ExchangeId, outcome: Outcome, now: Instant) {
        let Some(lookup) = self.filtering.lookup.take_if(|lookup| lookup.exchange == exchange)
        else {
            return;
        };
        match (outcome, &lookup.answer) {
            (Outcome::SessionLost(failure), _) => self.lookup_lost(&lookup, &failure, now),
            (Outcome::Failed(failure), None) if failure.wants_person() => {
                for held in &lookup.waiting {
                    self.sign_in_met(*held, &failure, now);
                }
            }
            (Outcome::Failed(failure), None) => self.fail_held(&lookup, &failure.what),
            (_, Some(Page::Refused(why))) => self.fail_held(&lookup, why),
            (_, Some(Page::More(cursor))) if lookup.page < MAX_PAGES => {
                let cursor = cursor.clone();
                self.filtering.lookup = Some(lookup);
                self.ask_for_page(Some(&cursor), now);
            }
            (_, Some(_)) => self.release(&lookup.waiting, now),
            (_, None) => self.fail_held(&lookup, "it was not answered"),
        }
    }

    /// The calls go on, each with the answer to its question.
    fn release(&mut self, waiting: &[ExchangeId], now: Instant) {
        for exchange in waiting.iter().rev() {
            let Some(call) = self.in_flight.get_mut(*exchange) else { continue };
            call.checked = true;
            self.in_flight.wait_again(*exchange);
            self.wait_for_connection(*exchange, now);
        }
    }

    fn fail_held(&mut self, lookup: &Lookup, why: &str) {
        for exchange in &lookup.waiting {
            let what = format!(
                "the call was not sent: `--read-only` needs the server's list of tools, and {why}"
            );
            self.fail(*exchange, &Failure::blocked(what));
        }
    }

    /// The session was lost under the list: once more in the next one.
    fn lookup_lost(&mut self, lookup: &Lookup, failure: &Failure, now: Instant) {
        for exchange in lookup.waiting.iter().rev() {
            let Some(call) = self.in_flight.get_mut(*exchange) else { continue };
            let again = !std::mem::replace(&mut call.recovered, true);
            if let CallState::Sent(generation) = call.state {
                self.session_lost(generation, now);
            }
            if again {
                self.in_flight.wait_again(*exchange);
                self.wait_for_connection(*exchange, now);
            } else {
                self.fail(*exchange, failure);
            }
        }
    }

    /// Whether an id is that of the list that we asked for. The exchange that brings an answer does not
    /// tell: with HTTP+SSE all come by one stream.
    pub(super) fn answers_lookup(&self, id: Option<&Id>) -> bool {
        let Some(lookup) = &self.filtering.lookup else { return false };
        let purpose = self.exchanges.get(&lookup.exchange).map(|(purpose, _)| purpose);
        matches!((purpose, id), (Some(Purpose::Lookup(own)), Some(id)) if own == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts.iter().map(|text| Pattern::new(text)).collect()
    }

    #[test]
    fn a_pattern_is_the_whole_name_and_case_does_not_matter() {
        for (pattern, name, expected) in [
            ("delete*", "deleteTask", true),
            ("delete*", "DELETE", true),
            ("delete*", "undelete", false),
            ("*account", "getAccount", true),
            ("exactTool", "exactTool", true),
            ("exactTool", "exactTool2", false),
            ("a*b*c", "axxbyybzzc", true),
            ("a*b*c", "axxbyybzz", false),
            ("get_?", "get_a", true),
            ("get_?", "get_", false),
            ("get_?", "get_?", true),
            ("a.b", "axb", false),
            ("[a]", "a", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("**a**", "bab", true),
            ("ä*", "Äx", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let pattern = Pattern::new(&"*a".repeat(200));
        assert!(!pattern.matches(&"a".repeat(199)));
        assert!(!pattern.matches(&format!("{}b", "a".repeat(2_000))));
    }

    #[test]
    fn what_is_denied_stays_so_whatever_is_allowed() {
        let filter =
            Filter { deny: patterns(&["*_secret"]), allow: patterns(&["get_*"]), read_only: true };
        let shows = |name: &str, annotations: &str| {
            filter.shows(&format!("{{\"name\":\"{name}\",\"annotations\":{annotations}}}"))
        };
        let reads = r#"{"readOnlyHint":true}"#;
        assert!(shows("get_note", reads));
        assert!(!shows("get_note", "{}"));
        assert!(!shows("get_secret", reads));
        assert!(!shows("set_note", reads));
        assert!(!filter.shows("5") && !filter.shows(r#"{"annotations":{"readOnlyHint":true}}"#));
        let deny = Filter { deny: patterns(&["x"]), ..Filter::default() };
        assert!(deny.shows("5") && deny.shows(r#"{"name":7}"#));
        assert!(!deny.shows(r#"{"name":"a","name":"x"}"#));
    }
}
