//! The few members of a body that steer the relay. Nothing here changes a message.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::edit::{Unreadable, member, member_at, members};
use super::{Id, Message};

/// Longest protocol revision that is taken for one, in bytes: it is sent as a header.
const MAX_VERSION: usize = 64;
/// Tools of a list that are looked at, and the longest name of one, in bytes, that is kept.
const MAX_TOOLS: usize = 10_000;
const MAX_TOOL_NAME: usize = 1_024;
/// Longest description of a server that is compared as it is, in bytes; of a longer one a digest.
const MAX_IDENTITY: usize = 16 * 1024;

fn text(message: &Message) -> &str {
    // Checked when the envelope was read.
    std::str::from_utf8(message.bytes()).unwrap_or_default()
}

fn string_at<'a>(message: &'a Message, path: &[&str]) -> Option<Cow<'a, str>> {
    serde_json::from_str(member_at(text(message), path)?).ok()
}

/// What a client says of itself in `initialize` (MCP lifecycle).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The protocol revision that it asks for.
    pub protocol_version: String,
    /// Its capabilities, as JSON text.
    pub capabilities: String,
    /// What it calls itself.
    pub name: String,
}

impl ClientHello {
    /// Whether it opens pages for its user when it is asked to (MCP 2025-11-25, URL mode elicitation).
    pub fn elicits_by_url(&self) -> bool {
        member_at(&self.capabilities, &["elicitation", "url"])
            .is_some_and(|value| value.starts_with('{'))
    }
}

/// Reads `initialize` parameters; what is missing or odd is left empty.
pub fn client_hello(request: &Message) -> ClientHello {
    ClientHello {
        protocol_version: string_at(request, &["params", "protocolVersion"])
            .unwrap_or_default()
            .into_owned(),
        capabilities: member_at(text(request), &["params", "capabilities"])
            .unwrap_or_default()
            .to_owned(),
        name: string_at(request, &["params", "clientInfo", "name"])
            .unwrap_or_default()
            .into_owned(),
    }
}

/// What a server says of itself in its `initialize` result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHello {
    /// The protocol revision that it chose.
    pub protocol_version: String,
    /// What it offers.
    pub capabilities: ServerCapabilities,
    /// `capabilities` and `serverInfo` as JSON text: another one means another server, or other tools.
    pub identity: String,
}

/// The capabilities of a server that the relay asks about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServerCapabilities {
    /// Offers tools.
    pub tools: bool,
    /// Offers prompts.
    pub prompts: bool,
    /// Offers resources.
    pub resources: bool,
    /// Sends log messages.
    pub logging: bool,
}

/// Reads an `initialize` response; `None` where it holds no usable result.
pub fn server_hello(response: &Message) -> Option<ServerHello> {
    let result = member(text(response), "result")?;
    let version =
        member(result, "protocolVersion").filter(|version| version.len() <= MAX_VERSION)?;
    let version: Cow<'_, str> = serde_json::from_str(version).ok()?;
    let capabilities = member(result, "capabilities").unwrap_or("{}");
    let offers = |kind| member(capabilities, kind).is_some_and(|value| value != "null");
    Some(ServerHello {
        protocol_version: version.into_owned(),
        capabilities: ServerCapabilities {
            tools: offers("tools"),
            prompts: offers("prompts"),
            resources: offers("resources"),
            logging: offers("logging"),
        },
        identity: identity(capabilities, member(result, "serverInfo").unwrap_or_default()),
    })
}

fn identity(capabilities: &str, info: &str) -> String {
    if capabilities.len() + info.len() <= MAX_IDENTITY {
        return format!("{capabilities}{info}");
    }
    let mut digest = DefaultHasher::new();
    (capabilities, info).hash(&mut digest);
    digest.finish().to_string()
}

/// The result of a response, as JSON text.
pub fn result(response: &Message) -> Option<&str> {
    member(text(response), "result")
}

/// Whether a list request asks for a later page.
pub fn has_cursor(request: &Message) -> bool {
    member_at(text(request), &["params", "cursor"]).is_some_and(|cursor| cursor != "null")
}

/// The tool that a `tools/call` names.
pub fn tool_name(request: &Message) -> Option<Cow<'_, str>> {
    string_at(request, &["params", "name"])
}

/// Every name that a reader could take for that of the tool that a `tools/call` names; none where there is
/// none, or where it can't be read.
pub fn tool_names(request: &Message) -> Vec<String> {
    let params = members(text(request), "params").unwrap_or_default();
    strings(params.into_iter().map(|params| members(params, "name")))
}

/// All strings among the members that were found; none where one can't be read.
fn strings<'a>(found: impl Iterator<Item = Result<Vec<&'a str>, Unreadable>>) -> Vec<String> {
    let values: Result<Vec<_>, _> = found.collect();
    let values = values.unwrap_or_default().concat();
    let strings: Result<Vec<String>, _> = values.into_iter().map(serde_json::from_str).collect();
    strings.unwrap_or_default()
}

/// What one element of a list of tools says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolFacts {
    /// Its names: one, unless the element is odd.
    pub names: Vec<String>,
    /// Whether it says that it only reads.
    pub read_only: bool,
}

/// Reads an element of a list of tools. A hint is believed only where nothing else in it says otherwise.
pub fn tool_facts(element: &str) -> ToolFacts {
    let hints = |annotations| members(annotations, "readOnlyHint");
    let annotations = members(element, "annotations").unwrap_or_default();
    let hints: Result<Vec<_>, _> = annotations.iter().map(|each| hints(each)).collect();
    let hints = hints.unwrap_or_default();
    ToolFacts {
        names: strings([members(element, "name")].into_iter()),
        read_only: !hints.is_empty()
            && hints.iter().all(|each| !each.is_empty() && each.iter().all(|hint| *hint == "true")),
    }
}

/// The elements of the list of tools in a `tools/list` result.
pub fn listed_tools(result: &str) -> Vec<ToolFacts> {
    let arrays = members(result, "tools").unwrap_or_default();
    let elements = arrays
        .into_iter()
        .filter_map(|array| serde_json::from_str::<Bounded<&RawValue>>(array).ok());
    let facts = elements.flat_map(|each| each.0).map(|element| tool_facts(element.get()));
    facts.filter(|facts| facts.names.iter().all(|name| name.len() <= MAX_TOOL_NAME)).collect()
}

/// The code of an error response.
pub fn error_code(response: &Message) -> Option<i32> {
    member_at(text(response), &["error", "code"])?.parse().ok()
}

/// The words of an error response.
pub fn error_message(response: &Message) -> String {
    let words = string_at(response, &["error", "message"]);
    words.map_or_else(|| "no reason was given".to_owned(), Cow::into_owned)
}

/// The cursor of the next page, as JSON text.
pub fn next_cursor(result: &str) -> Option<&str> {
    member(result, "nextCursor").filter(|cursor| cursor.starts_with('"'))
}

/// The resource that a `resources/subscribe` or `unsubscribe` names.
pub fn resource_uri(request: &Message) -> Option<Cow<'_, str>> {
    string_at(request, &["params", "uri"])
}

/// The parameters of a request or notification, as JSON text.
pub fn params(message: &Message) -> Option<&str> {
    member(text(message), "params")
}

/// The token by which a request asks to hear of its progress, as JSON text.
pub fn progress_token(request: &Message) -> Option<&str> {
    let token = member_at(text(request), &["params", "_meta", "progressToken"])?;
    token.starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit()).then_some(token)
}

/// The request that a `notifications/cancelled` names.
pub fn cancelled_request(notification: &Message) -> Option<Id> {
    Id::from_json(member_at(text(notification), &["params", "requestId"])?)
}

/// The names of the tools in a `tools/list` response that say of themselves that calling them again
/// does no harm (`readOnlyHint` or `idempotentHint`), and of those that do not.
pub fn tools_by_repeatability(response: &Message) -> Option<(HashSet<String>, HashSet<String>)> {
    let listed: Tools<'_> = serde_json::from_str(result(response)?).ok()?;
    let tools = listed.tools.0.into_iter().filter(|tool| tool.name.len() <= MAX_TOOL_NAME);
    let (repeatable, others): (Vec<_>, Vec<_>) = tools.partition(Tool::is_repeatable);
    let names = |tools: Vec<Tool<'_>>| tools.into_iter().map(|t| t.name.into_owned()).collect();
    Some((names(repeatable), names(others)))
}

#[derive(serde::Deserialize)]
struct Tools<'a> {
    #[serde(borrow)]
    tools: Bounded<Tool<'a>>,
}

#[derive(serde::Deserialize)]
struct Tool<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    annotations: Option<&'a RawValue>,
}

impl Tool<'_> {
    /// An odd annotation of one tool must not hide the others, so that anything but `true` is `false`.
    fn is_repeatable(&self) -> bool {
        let annotations = self.annotations.map_or("", RawValue::get);
        let hint = |name| member(annotations, name) == Some("true");
        hint("readOnlyHint") || hint("idempotentHint")
    }
}

/// The elements of a list as far as they are looked at: a body of tiny ones would multiply in memory.
struct Bounded<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(BoundedVisitor(PhantomData))
    }
}

struct BoundedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for BoundedVisitor<T> {
    type Value = Bounded<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < MAX_TOOLS
            && let Some(element) = seq.next_element()?
        {
            elements.push(element);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Bounded(elements))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn message(text: &str) -> Message {
        Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    #[test]
    fn hints_are_believed_only_where_they_are_true() {
        let response = message(
            r#"{"id":1,"result":{"tools":[
                {"name":"a","annotations":{"readOnlyHint":true}},
                {"name":"b","annotations":{"idempotentHint":true,"x":[1]}},
                {"name":"c","annotations":{"readOnlyHint":"true"}},
                {"name":"d","annotations":null},{"name":"e","inputSchema":{"a":1E400}}]}}"#,
        );
        let (repeatable, others) = tools_by_repeatability(&response).unwrap();
        assert_eq!(repeatable, ["a", "b"].map(str::to_owned).into());
        assert_eq!(others, ["c", "d", "e"].map(str::to_owned).into());
    }

    #[test]
    fn of_a_list_of_very_many_tools_the_first_are_looked_at() {
        let many = vec!["{\"name\":\"a\"}"; 2 * MAX_TOOLS].join(",");
        assert_eq!(listed_tools(&format!("{{\"tools\":[{many}]}}")).len(), MAX_TOOLS);
        let named = |name: &str| {
            message(&format!("{{\"id\":1,\"result\":{{\"tools\":[{{\"name\":\"{name}\"}}]}}}}"))
        };
        let (_, others) = tools_by_repeatability(&named(&"x".repeat(MAX_TOOL_NAME + 1))).unwrap();
        assert!(others.is_empty());
    }

    #[test]
    fn a_server_that_describes_itself_at_length_is_told_from_another_all_the_same() {
        let long = format!("{{\"x\":\"{}\"}}", "y".repeat(MAX_IDENTITY));
        assert!(identity("{}", &long).len() < 100);
        assert_eq!(identity("{}", &long), identity("{}", &long));
        assert_ne!(identity("{}", &long), identity("{ }", &long));
    }

    #[test]
    fn a_tool_only_reads_where_nothing_says_otherwise() {
        let facts = |text: &str| tool_facts(text);
        let reads = |text: &str| facts(text).read_only;
        assert!(reads(r#"{"name":"a","annotations":{"x":1E400,"readOnlyHint": true }}"#));
        for odd in [
            r#"{"name":"a"}"#,
            r#"{"name":"a","annotations":null}"#,
            r#"{"name":"a","annotations":{"readOnlyHint":"true"}}"#,
            r#"{"name":"a","annotations":{"readOnlyHint":true,"readOnlyHint":false}}"#,
            r#"{"name":"a","annotations":{"readOnlyHint":true},"annotations":{}}"#,
            "5",
        ] {
            assert!(!reads(odd), "{odd}");
        }
        assert_eq!(facts(r#"{"name":"a","n\u0061me":"b"}"#).names, ["a", "b"]);
        assert!(facts(r#"{"name":5}"#).names.is_empty());
        let call = message(r#"{"id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#);
        assert_eq!(tool_names(&call), ["a", "b"]);
        assert_eq!(listed_tools(r#"{"tools":[{"name":"a"},7]}"#).len(), 2);
        assert_eq!(next_cursor(r#"{"nextCursor":"x\n"}"#), Some(r#""x\n""#));
        assert_eq!(next_cursor(r#"{"nextCursor":null}"#), None);
    }

    #[test]
    fn a_server_hello_tells_capabilities_and_identity() {
        let hello = server_hello(&message(
            r#"{"id":0,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{},"prompts":null},"serverInfo":{"name":"s"}}}"#,
        ))
        .unwrap();
        assert_eq!(hello.protocol_version, "2025-06-18");
        assert!(hello.capabilities.tools && !hello.capabilities.prompts);
        assert_eq!(hello.identity, r#"{"tools":{},"prompts":null}{"name":"s"}"#);
        assert_eq!(server_hello(&message(r#"{"id":0,"result":{}}"#)), None);
    }
}
