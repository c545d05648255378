//! Requests of the client, with what each modern request says of itself.

use std::borrow::Cow;

use bytes::Bytes;

use crate::jsonrpc::edit::member;
use crate::jsonrpc::object::{changed_at, entries, is_empty, with_first, without};
use crate::jsonrpc::{Message, read};
use crate::remote::lifecycle::modern::{
    CLIENT_CAPABILITIES, CLIENT_INFO, LOG_LEVEL, PROTOCOL_VERSION,
};
use crate::remote::lifecycle::translate::unambiguous;

/// The keys of `_meta` that are ours to say.
const OURS: [&str; 4] = [PROTOCOL_VERSION, CLIENT_INFO, CLIENT_CAPABILITIES, LOG_LEVEL];
/// What any key of the specification's begins with.
const PREFIX: &str = "io.modelcontextprotocol";
/// Log levels, the least first (RFC 5424, MCP logging).
const LEVELS: [&str; 8] =
    ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// What answers the server's questions, as JSON text.
#[derive(Debug, Clone, Default)]
pub(in crate::remote) struct Answers {
    /// `inputResponses`, if it asked something.
    pub(in crate::remote) responses: Option<String>,
    /// `requestState`, as it came.
    pub(in crate::remote) state: Option<String>,
}

impl Answers {
    /// Bytes of all of it.
    pub(in crate::remote) fn len(&self) -> usize {
        [&self.responses, &self.state].into_iter().flatten().map(String::len).sum()
    }
}

/// A request with our `_meta`, whose members are `declaration`, and with what answers the server's questions.
/// `None` where its parameters are no object.
pub(in crate::remote) fn modern(
    request: &Message,
    declaration: &str,
    answers: &Answers,
) -> Option<Message> {
    let text = &*unambiguous(std::str::from_utf8(request.bytes()).ok()?);
    let bytes = match read::params(request) {
        None => with_first(text, "params", &format!("{{\"_meta\":{{{declaration}}}}}"))?,
        Some("null") => {
            changed_at(text, &["params"], |_| Some(format!("{{\"_meta\":{{{declaration}}}}}")))?
        }
        Some(_) => changed_at(text, &["params"], |params| declaring(params, declaration))?,
    };
    let bytes = answering(bytes, answers)?;
    Some(request.with_bytes(Bytes::from(bytes)))
}

fn declaring(params: &str, declaration: &str) -> Option<String> {
    let said = format!("{{{declaration}}}");
    if member(params, "_meta").is_none() {
        return with_first(params, "_meta", &said);
    }
    let with = |meta: &str| {
        if !meta.starts_with('{') || is_empty(meta) {
            return Some(said);
        }
        let own = meta.contains(PREFIX).then(|| without(meta, &OURS)).flatten();
        let own = own.as_deref().unwrap_or(meta);
        let comma = if is_empty(own) { "" } else { "," };
        Some(format!("{{{declaration}{comma}{}", &own[1..]))
    };
    changed_at(params, &["_meta"], with)
}

fn answering(text: String, answers: &Answers) -> Option<String> {
    let Answers { responses, state } = answers;
    let mut text = text;
    for (key, value) in [("inputResponses", responses), ("requestState", state)] {
        let Some(value) = value else { continue };
        text = changed_at(&text, &["params"], |params| {
            let own = without(params, &[key]);
            with_first(own.as_deref().unwrap_or(params), key, value)
        })?;
    }
    Some(text)
}

/// The log level that `logging/setLevel` names, as JSON text; `None` where it names none.
pub(in crate::remote) fn log_level(request: &Message) -> Option<&str> {
    let level = read::params(request).and_then(|params| member(params, "level"))?;
    LEVELS.contains(&level.trim_matches('"')).then_some(level)
}

/// The resource that `resources/subscribe` or `unsubscribe` names.
pub(in crate::remote) fn resource(request: &Message) -> Option<Cow<'_, str>> {
    read::resource_uri(request)
}

/// Whether a call wants to be a task of the legacy era.
pub(in crate::remote) fn wants_task(request: &Message) -> bool {
    read::params(request)
        .and_then(|params| member(params, "task"))
        .is_some_and(|task| task != "null")
}

/// The filter of `subscriptions/listen`, as JSON text.
pub(in crate::remote) fn filter(kinds: &[&str], resources: &[String]) -> String {
    let mut members: Vec<_> = kinds.iter().map(|kind| format!("\"{kind}\":true")).collect();
    if !resources.is_empty() {
        members.push(format!("\"resourceSubscriptions\":{}", serde_json::json!(resources)));
    }
    format!("{{{}}}", members.join(","))
}

/// The kinds of lists and the resources of an acknowledged filter.
pub(in crate::remote) fn granted(acknowledged: &Message) -> (Vec<String>, Vec<String>) {
    let filter = read::params(acknowledged).and_then(|params| member(params, "notifications"));
    let filter = filter.unwrap_or_default();
    let kinds = entries(filter).into_iter().filter(|(_, value)| *value == "true");
    let uris = member(filter, "resourceSubscriptions").unwrap_or_default();
    (kinds.map(|(key, _)| key).collect(), serde_json::from_str(uris).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#;

    fn message(text: &str) -> Message {
        Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    fn modernized(text: &str, answers: &Answers) -> Option<String> {
        let modern = modern(&message(text), SAID, answers)?;
        Some(String::from_utf8(modern.bytes().to_vec()).unwrap())
    }

    #[test]
    fn a_request_says_who_asks_and_stays_byte_for_byte_otherwise() {
        for (from, to) in [
            (
                r#"{"id":1,"method":"tools/list"}"#,
                r#"{"params":{"_meta":{SAID}},"id":1,"method":"tools/list"}"#,
            ),
            (
                r#"{"id":1,"method":"tools/list","params":null}"#,
                r#"{"id":1,"method":"tools/list","params":{"_meta":{SAID}}}"#,
            ),
            (
                r#"{"id":1, "params" : { "n":1.0,"n":2 } ,"method":"x"}"#,
                r#"{"id":1, "params" : {"_meta":{SAID}, "n":1.0,"n":2 } ,"method":"x"}"#,
            ),
            (
                r#"{"id":1,"method":"x","params":{"a":"_meta","_meta":{ "progressToken":1e0}}}"#,
                r#"{"id":1,"method":"x","params":{"a":"_meta","_meta":{SAID, "progressToken":1e0}}}"#,
            ),
            (
                r#"{"id":1,"method":"x","params":{"_m\u0065ta":{}}}"#,
                r#"{"id":1,"method":"x","params":{"_m\u0065ta":{SAID}}}"#,
            ),
            (
                r#"{"id":1,"method":"x","params":{"_meta":null}}"#,
                r#"{"id":1,"method":"x","params":{"_meta":{SAID}}}"#,
            ),
            (
                r#"{"id":1,"method":"x","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"1","a":2}}}"#,
                r#"{"id":1,"method":"x","params":{"_meta":{SAID,"a":2}}}"#,
            ),
            (
                r#"{"id":1,"method":"x","params":{"_meta":{"io.modelcontextprotocol/logLevel":"info"}}}"#,
                r#"{"id":1,"method":"x","params":{"_meta":{SAID}}}"#,
            ),
        ] {
            let expected = to.replace("SAID", SAID);
            assert_eq!(modernized(from, &Answers::default()).unwrap(), expected);
        }
        assert_eq!(modernized(r#"{"id":1,"method":"x","params":[1]}"#, &Answers::default()), None);
    }

    #[test]
    fn a_server_that_takes_the_first_of_duplicates_sees_what_one_does_that_takes_the_last() {
        let forged = r#""io.modelcontextprotocol/clientInfo":{"name":"root"}"#;
        let twice = format!(
            r#"{{"method":"tools/call","id":1,"params":{{"name":"a"}},"method":"x","params":{{"_meta":{{{forged}}},"a":1,"_meta":{{"t":1,{forged},"t":2}},"\u0061":2}}}}"#
        );
        let expected =
            r#"{"id":1,"method":"x","params":{"a":1,"_meta":{SAID,"t":1,"t":2},"\u0061":2}}"#;
        assert_eq!(
            modernized(&twice, &Answers::default()).unwrap(),
            expected.replace("SAID", SAID)
        );
    }

    #[test]
    fn answers_go_with_the_request_and_the_state_as_it_came() {
        let answers = Answers {
            responses: Some(r#"{"a":{"action":"accept"}}"#.into()),
            state: Some(r#""st\u00e4te""#.into()),
        };
        let sent = modernized(r#"{"id":1,"method":"x","params":{"name":"n"}}"#, &answers).unwrap();
        let expected = r#"{"id":1,"method":"x","params":{"requestState":"st\u00e4te","inputResponses":{"a":{"action":"accept"}},"_meta":{SAID},"name":"n"}}"#;
        assert_eq!(sent, expected.replace("SAID", SAID));
    }

    #[test]
    fn only_a_level_of_the_specification_is_one() {
        let level = |params: &str| {
            let text = format!(r#"{{"id":1,"method":"logging/setLevel","params":{params}}}"#);
            log_level(&message(&text)).map(str::to_owned)
        };
        assert_eq!(level(r#"{"level":"warning"}"#).as_deref(), Some("\"warning\""));
        assert_eq!(level(r#"{"level":"loud"}"#), None);
        assert_eq!(level(r#"{"level":5}"#), None);
        assert_eq!(level("{}"), None);
    }

    #[test]
    fn a_filter_names_kinds_and_resources() {
        assert_eq!(
            filter(&["toolsListChanged"], &["a:\"1".into()]),
            r#"{"toolsListChanged":true,"resourceSubscriptions":["a:\"1"]}"#
        );
        let acknowledged = message(
            r#"{"method":"notifications/subscriptions/acknowledged","params":{"notifications":{"toolsListChanged":true,"promptsListChanged":false,"resourceSubscriptions":["a"]}}}"#,
        );
        let granted_of = (vec!["toolsListChanged".to_owned()], vec!["a".to_owned()]);
        assert_eq!(granted(&acknowledged), granted_of);
    }
}
