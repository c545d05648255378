//! Each row of `docs/eras.md` that says "yes" in "and back": what was translated and is translated back is the
//! same message.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;

use super::for_legacy_client::handshake::Hello;
use super::for_legacy_client::input::Question;
use super::for_legacy_client::request::Answers;
use super::for_legacy_client::{notification, request as with_declarations};
use super::for_modern_client::question::{Asked, to_input};
use super::for_modern_client::{change, progress, request as without_declarations};
use crate::jsonrpc::edit::member;
use crate::jsonrpc::{Id, Message, read};

/// What our own requests say of their client.
const DECLARED: &str = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{}}"#;
const EVERYTHING: &str =
    r#"{"roots":{},"sampling":{"tools":{}},"elicitation":{"form":{},"url":{}}}"#;

/// The rows of a section that go there and back: message and who says it.
fn rows(section: &str) -> Vec<(String, String)> {
    let document = include_str!("../../../../docs/eras.md");
    let section = document.split("\n## ").find(|text| text.starts_with(section));
    let lines = section.expect("the section").lines().filter(|line| line.ends_with("| yes |"));
    let cells = lines.map(|line| line.split(" | ").collect::<Vec<_>>());
    let row = |cells: Vec<&str>| {
        (cells[0].trim_start_matches("| ").trim_matches('`').to_owned(), cells[1].to_owned())
    };
    cells.map(row).collect()
}

/// A value in any spelling that JSON has.
fn spelling() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "null",
        "true",
        "0",
        "-0",
        "1.0",
        "1e3",
        "0.10",
        "1E400",
        "12345678901234567890123",
        r#""""#,
        r#""a""#,
        r#""\u00e9""#,
        "\"\u{e9}\u{1f600}\"",
        r#""\ud83d\ude00""#,
        r#""a\/b\\\"""#,
        "[ ]",
        "{ }",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|all| format!("[{}]", all.join(" ,"))),
            prop::collection::vec(inner, 0..3).prop_map(|all| {
                let members = all.iter().enumerate();
                let members: Vec<_> =
                    members.map(|(n, value)| format!("\"k\\u00e9{n}\" : {value}")).collect();
                format!("{{{}}}", members.join(", "))
            }),
        ]
    })
}

/// Members of an object that nobody here knows.
fn members() -> impl Strategy<Value = Vec<String>> {
    let one = |n: usize, value: &String| format!("\"own {n}\":{value}");
    prop::collection::vec(spelling(), 1..4)
        .prop_map(move |all| all.iter().enumerate().map(|(n, value)| one(n, value)).collect())
}

fn message(text: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(text.as_bytes()))
        .unwrap_or_else(|why| panic!("{why:?}: {text}"))
}

fn text(message: &Message) -> &str {
    std::str::from_utf8(message.bytes()).unwrap()
}

fn request(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":"i\u00e9", "method":"{method}","params":{params}}}"#)
}

fn told(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"{method}", "params":{params}}}"#)
}

fn declaring(request: &Message) -> Message {
    with_declarations::modern(request, DECLARED, &Answers::default()).expect("parameters")
}

/// A legacy client's request, with and without a `_meta` of its own.
fn request_of_legacy(method: &str, own: &[String]) {
    let (first, rest) = own.split_first().unwrap();
    for params in [
        format!("{{{}}}", own.join(", ")),
        format!(
            "{{\"_meta\":{{{first}}}{}}}",
            rest.iter().fold(String::new(), |all, one| all + "," + one)
        ),
    ] {
        let original = message(&request(method, &params));
        let modern = declaring(&original);
        assert!(read::params(&modern).unwrap().contains(DECLARED), "{}", text(&modern));
        let back = without_declarations::to_legacy(&modern);
        assert_eq!(text(&back), text(&original));
    }
}

/// A modern client's request.
fn request_of_modern(method: &str, own: &[String]) {
    let (first, rest) = own.split_first().unwrap();
    let rest = rest.iter().fold(String::new(), |all, one| all + "," + one);
    for meta in [DECLARED.to_owned(), format!("{DECLARED},{first}")] {
        let original = message(&request(method, &format!("{{\"_meta\":{{{meta}}}{rest}}}")));
        let legacy = without_declarations::to_legacy(&original);
        assert!(!text(&legacy).contains("io.modelcontextprotocol"), "{}", text(&legacy));
        let back = declaring(&legacy);
        assert_eq!(text(&back), text(&original));
    }
}

/// A notification of a subscription loses the subscription's id and gets it again, and the other way round.
fn change_of(method: &str, own: &[String], modern: bool) {
    let id = Id::from_json("\"s1\"").unwrap();
    let legacy = message(&told(method, &format!("{{\"uri\":\"memo:///1\",{}}}", own.join(","))));
    let tagged = change::tagged(&legacy, &id);
    assert_ne!(text(&tagged), text(&legacy));
    let back = notification::legacy(tagged.clone());
    assert_eq!(text(&back), text(&legacy));
    if modern {
        assert_eq!(text(&change::tagged(&back, &id)), text(&tagged));
    }
}

fn progress_of(own: &[String]) {
    for token in ["7", r#""\u00e9""#] {
        let params = format!("{{\"progressToken\":{token},\"progress\":0.50,{}}}", own.join(","));
        let original = message(&told("notifications/progress", &params));
        let renamed = progress::with_token(&original, "\"ours\"");
        assert_eq!(progress::token(&renamed), Some("\"ours\""));
        assert_eq!(text(&progress::with_token(&renamed, token)), text(&original));
    }
}

/// What crosses as it is.
fn as_it_is(method: &str, own: &[String]) {
    let original = message(&told(method, &format!("{{{}}}", own.join(","))));
    assert_eq!(text(&notification::legacy(original.clone())), text(&original));
}

fn client() -> Hello {
    let params = format!(r#"{{"protocolVersion":"2025-11-25","capabilities":{EVERYTHING}}}"#);
    Hello::of(&message(&request("initialize", &params)))
}

/// A question of either era, through the other one.
fn question(method: &str, own: &[String], modern: bool) {
    let own = own.join(",");
    for params in match method {
        "elicitation/create" => vec![
            format!("{{\"mode\":\"form\",{own}}}"),
            format!("{{{own}}}"),
            format!("{{\"mode\":\"url\",\"url\":\"u\",{own}}}"),
        ],
        _ => vec![format!("{{{own}}}")],
    } {
        let input = format!("{{\"method\":\"{method}\",\"params\":{params}}}");
        let asked = if modern { input.clone() } else { asked(&message(&request(method, &params))) };
        let question = Question::of("k".to_owned(), &asked, &client()).unwrap();
        let to_client = question.request(&Id::from_json("1").unwrap());
        if modern {
            assert_eq!(self::asked(&to_client), input);
            continue;
        }
        // The id of an elicitation by URL is another one: it is the bridge's.
        let left = read::params(&to_client).map(|params| {
            crate::jsonrpc::object::without(params, &["elicitationId"]).unwrap_or(params.to_owned())
        });
        assert_eq!(left.as_deref(), Some(&*params));
        let by_url = member(&params, "mode") == Some("\"url\"");
        assert_eq!(text(&to_client).contains("elicitationId"), by_url);
    }
}

fn asked(request: &Message) -> String {
    match to_input(request, EVERYTHING) {
        Asked::Input(input) => input,
        other => panic!("{other:?}"),
    }
}

/// Plays a row; `modern` says that its message is one of the modern era.
fn plays(row: &(String, String), modern: bool, own: &[String]) {
    match (row.0.as_str(), row.1.as_str()) {
        ("any other request", "client") if modern => request_of_modern("acme/own", own),
        ("any other request", "client") => request_of_legacy("acme/own", own),
        ("any other notification", _) => as_it_is("notifications/acme", own),
        ("notifications/message", "server") => as_it_is("notifications/message", own),
        ("notifications/progress", "server") => {
            as_it_is("notifications/progress", own);
            progress_of(own);
        }
        (method, "server") if change::is_change(method) => change_of(method, own, modern),
        (method @ ("elicitation/create" | "sampling/createMessage" | "roots/list"), "server") => {
            question(method, own, modern);
        }
        (method, "client") if !method.starts_with("notifications/") && method.contains('/') => {
            if modern {
                request_of_modern(method, own)
            } else {
                request_of_legacy(method, own)
            }
        }
        other => panic!("nobody knows how {other:?} goes there and back"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_row_that_says_so_goes_there_and_back(own in members()) {
        let parsed: Option<Value> = serde_json::from_str(&format!("{{{}}}", own.join(","))).ok();
        prop_assert!(parsed.is_some() || own.iter().any(|one| one.contains("1E400")));
        for (section, client_is_modern) in
            [("A legacy client and a modern server", false), ("A modern client and a legacy server", true)]
        {
            let rows = rows(section);
            prop_assert!(rows.len() > 10, "rows of {section}");
            for row in &rows {
                let modern = (row.1 == "client") == client_is_modern;
                plays(row, modern, &own);
            }
        }
    }
}
