//! Calls: the arguments on the wire, the answer on stdout and on disk.

use std::process::{Command, Stdio};

use serde_json::json;

use super::{Run, command, each_era, sent, typed_tools};
use crate::support::mcp_server::matcher::tool;
use crate::support::{Answer, McpServer, ModernServer};

#[test]
fn what_is_typed_arrives_typed_and_spelt_as_it_was() {
    each_era(&typed_tools(), |server| {
        let words = [
            "loud=true",
            "text=7",
            "times=2e0",
            "tags=a",
            "tags=b c",
            "at.zone=3",
            "level=high",
            "ratio=0.10",
        ];
        assert_eq!(
            Run::of("call", &server.url(), &[&["echo"], &words[..]].concat()).printed(),
            "7\n"
        );
        assert_eq!(
            sent(server, "echo"),
            r#"{"loud":true,"text":"7","times":2e0,"tags":["a","b c"],"at":{"zone":3},"level":"high","ratio":0.10}"#
        );
    });
}

#[test]
fn arguments_given_as_json_arrive_letter_by_letter() {
    let odd = r#"{ "text": "é", "ratio": 1.50, "times": 1e2 }"#;
    each_era(&typed_tools(), |server| {
        assert_eq!(Run::of("call", &server.url(), &["echo", "--args", odd]).printed(), "é\n");
        assert_eq!(sent(server, "echo"), odd);
    });
    for words in [&["echo", "-"][..], &["echo", "--args", "-"]] {
        let server = McpServer::legacy().tools(typed_tools()).run();
        let mut process = command("call", &server.url(), words).unchecked().spawn();
        process.send_raw(format!("{odd}\n"));
        process.close_stdin();
        assert!(process.wait_exit().success(), "{}", process.stderr_text());
        assert_eq!(
            (process.rest_of_stdout().as_str(), sent(&server, "echo").as_str()),
            ("é\n", odd)
        );
    }
}

#[test]
fn json_is_the_servers_own_bytes_on_one_line() {
    let server = McpServer::legacy().unvalidated().run();
    let result = r#"{"z":1.0,"content":[{"type":"text","text":"a\nb"}],"big":12345678901234567890123,"a":null}"#;
    server.once(
        tool("echo"),
        Answer::response(move |request| {
            format!(
                "{{\"jsonrpc\":\"2.0\",\n\"id\":{},\"result\":{result}}}",
                request.rpc_id().unwrap()
            )
        }),
    );
    let printed = Run::of("call", &server.url(), &["echo", "text=x", "--json"]).printed();
    assert_eq!(printed, format!("{result}\n"));
}

#[test]
fn a_tool_that_fails_ends_with_a_code_of_its_own() {
    each_era(&typed_tools(), |server| {
        for (words, stdout) in
            [(&["fail"][..], "it failed\n".to_owned()), (&["fail", "--json"], String::new())]
        {
            let run = Run::of("call", &server.url(), words);
            assert_eq!(run.code, Some(6));
            assert_eq!(run.stderr, "error: the tool `fail` says that it failed\n");
            let json = run.stdout.contains("\"isError\":true") && run.stdout.lines().count() == 1;
            assert!(run.stdout == stdout || json, "{}", run.stdout);
        }
    });
}

/// A PNG, in name.
const PICTURE: &str = "iVBORw0KGgo=";

#[test]
fn what_is_no_text_is_saved_beside_what_is_there() {
    let result = json!({"content": [
        {"type": "text", "text": "two pictures"},
        {"type": "image", "data": PICTURE, "mimeType": "image/png"},
        {"type": "audio", "data": "AAEC", "mimeType": "audio/wav"},
        {"type": "image", "data": PICTURE, "mimeType": "image/png"},
        {"type": "resource", "resource": {"uri": "memo:///1", "text": "a memo"}},
        {"type": "resource_link", "uri": "memo:///2", "name": "second"},
    ]});
    let server = McpServer::legacy().always(tool("echo"), Answer::result(result)).run();
    let run = Run::of("call", &server.url(), &["echo", "text=x"]);
    assert_eq!((run.code, &*run.stdout), (Some(0), "two pictures\na memo\nmemo:///2  second\n"));
    assert_eq!(
        run.stderr,
        "saved echo.png (image/png, 8 bytes)\nsaved echo.wav (audio/wav, 3 bytes)\nsaved echo-2.png (image/png, 8 bytes)\n"
    );
    assert_eq!(run.file("echo-2.png"), b"\x89PNG\r\n\x1a\n");
    assert_eq!(run.file("echo.wav"), [0, 1, 2]);

    // Once more in the same place: nothing is written over.
    let again = command("call", &server.url(), &["echo", "text=x"]).home_of(&run.process);
    assert!(Run::to_end(again).stderr.starts_with("saved echo-3.png"));
    let named =
        command("call", &server.url(), &["echo", "text=x", "-o", "mine.png"]).home_of(&run.process);
    assert_eq!(
        Run::to_end(named).stderr.lines().next(),
        Some("saved mine.png (image/png, 8 bytes)")
    );
    let json = command("call", &server.url(), &["echo", "text=x", "--json"]);
    assert!(Run::to_end(json).printed().contains(PICTURE));
}

#[test]
fn what_is_structured_is_laid_out_and_not_said_twice() {
    let text = |text: &str| json!({"type": "text", "text": text});
    for (content, printed) in [
        (json!([text(r#"{"b": 1.0, "a": [true]}"#)]), ""),
        (json!([text("in words")]), "in words\n"),
        (json!([]), ""),
    ] {
        let result = json!({"content": content, "structuredContent": {"a": [true], "b": 1.0}});
        let server = McpServer::legacy().always(tool("echo"), Answer::result(result)).run();
        let laid_out = "{\n  \"a\": [\n    true\n  ],\n  \"b\": 1.0\n}\n";
        assert_eq!(
            Run::of("call", &server.url(), &["echo", "text=x"]).printed(),
            format!("{printed}{laid_out}")
        );
    }
}

#[test]
fn a_result_of_20_mb_arrives_whole() {
    let size = 20 * 1024 * 1024;
    let words = ["fill", &format!("bytes={size}")];
    let server = McpServer::legacy().run();
    let printed = Run::of("call", &server.url(), &words).printed();
    assert_eq!(printed.len(), size + 1);
    assert!(printed.trim_end().bytes().all(|byte| byte == b'x'));
    let modern = ModernServer::run();
    assert_eq!(Run::of("call", &modern.url(), &words).printed().len(), size + 1);
}

#[test]
fn a_resource_is_printed_or_saved() {
    let (legacy, modern) = (McpServer::legacy().run(), ModernServer::run());
    for url in [legacy.url(), modern.url()] {
        assert_eq!(Run::of("read", &url, &["memo:///1"]).printed(), "a memo\n");
        let run = Run::of("read", &url, &["memo:///1", "--output", "memo.txt"]);
        assert_eq!((run.code, &*run.stdout), (Some(0), ""));
        assert_eq!(run.stderr, "saved memo.txt (text/plain, 6 bytes)\n");
        assert_eq!(run.file("memo.txt"), b"a memo");
    }
    let run = Run::of("read", &modern.url(), &["memo:///blob"]);
    assert_eq!(run.stderr, "saved blob.bin (application/octet-stream, 4 bytes)\n");
    assert_eq!(run.file("blob.bin"), [0, 1, 2, 255]);
}

/// The bytes that a command wrote to stdout, and what it said, in a folder of its own.
#[track_caller]
fn bytes(verb: &str, url: &str, words: &[&str]) -> (Vec<u8>, String) {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
    command.args([verb, url]).args(words).stdin(Stdio::null());
    command.env_clear().env("HOME", home.path()).env("CI", "1").current_dir(home.path());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    (output.stdout, said)
}

#[test]
fn a_file_goes_to_stdout_as_it_is_and_words_beside_it_to_stderr() {
    let modern = ModernServer::run();
    let run = bytes("read", &modern.url(), &["memo:///blob", "--output", "-"]);
    assert_eq!(run, (vec![0, 1, 2, 255], String::new()));
    let run = bytes("read", &modern.url(), &["memo:///1", "--output", "-"]);
    assert_eq!(run, (b"a memo".to_vec(), String::new()));

    let content = json!([
        {"type": "text", "text": "two pictures"},
        {"type": "image", "data": PICTURE, "mimeType": "image/png"},
        {"type": "image", "data": PICTURE, "mimeType": "image/png"},
    ]);
    let answer = Answer::result(json!({"content": content}));
    let server = McpServer::legacy().always(tool("echo"), answer).run();
    let run = bytes("call", &server.url(), &["echo", "text=x", "-o", "-"]);
    let said = "two pictures\nsaved echo.png (image/png, 8 bytes)\n".to_owned();
    assert_eq!(run, (b"\x89PNG\r\n\x1a\n".to_vec(), said));

    // Words alone are what the person wants.
    let server = McpServer::legacy().run();
    let words = ["echo", "text=hello", "--output", "-"];
    assert_eq!(Run::of("call", &server.url(), &words).printed(), "hello\n");
}

#[test]
fn a_prompt_is_printed_with_who_says_what() {
    let modern = ModernServer::run();
    assert_eq!(
        Run::of("prompt", &modern.url(), &["greet", "whom=you"]).printed(),
        "user:\nSay hello to \"you\"\n"
    );
    let legacy = McpServer::legacy().run();
    assert_eq!(
        Run::of("prompt", &legacy.url(), &["greet", "whom=7"]).printed(),
        "user:\nSay hello\n"
    );
    let got = legacy.requests_of("prompts/get");
    assert_eq!(got[0].params()["arguments"], json!({"whom": "7"}));
    let printed = Run::of("prompt", &legacy.url(), &["greet", "whom=7", "--json"]).printed();
    assert_eq!(printed.lines().count(), 1);
}
