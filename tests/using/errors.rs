//! What is told, letter by letter, and what it ends with.

use super::{Run, command, each_era, typed_tools};
use crate::support::mcp_server::matcher::tool;
use crate::support::{Answer, ClosedPort, Guarded, McpServer};

#[test]
fn mistakes_are_told_and_nothing_is_called() {
    each_era(&typed_tools(), |server| {
        let url = server.url();
        let shows = format!("`bridge tools {url} echo` shows what it takes");
        for (words, told) in [
            (
                &["ehco", "text=x"][..],
                format!(
                    "error: the server has no tool `ehco`\nhint: did you mean `echo`? `bridge tools {url}` lists what there is\n"
                ),
            ),
            (
                &["echo", "text=x", "tiems=2"],
                format!(
                    "error: the tool `echo` has no argument `tiems`\nhint: did you mean `times`? {shows}\n"
                ),
            ),
            (
                &["echo"],
                format!(
                    "error: the argument `text` is missing\n  because: the tool `echo` needs it: What to say.\nhint: add `text=…`; {shows}\n"
                ),
            ),
            (
                &["echo", "text=x", "times=two"],
                format!(
                    "error: the argument `times` can't be used\n  because: it is not a whole number\nhint: {shows}\n"
                ),
            ),
            (
                &["echo", "text=x", "level=mid"],
                format!(
                    "error: the argument `level` can't be used\n  because: it is not one of: low, high\nhint: {shows}\n"
                ),
            ),
            (
                &["echo", "--args", "{\"text\": 7}"],
                format!(
                    "error: the argument `text` can't be used\n  because: it is not a text\nhint: {shows}\n"
                ),
            ),
        ] {
            assert_eq!(Run::of("call", &url, words).failed(2), told);
        }
        assert_eq!(server.count("tools/call"), 0);
    });
}

#[test]
fn what_the_server_refuses_is_told_in_its_words() {
    let server = McpServer::legacy()
        .always(tool("echo"), Answer::error(-32602, "no\u{1b}[31m such\nthing").not_executed())
        .run();
    assert_eq!(
        Run::of("call", &server.url(), &["echo", "text=x"]).failed(4),
        format!(
            "error: {} refused to call `echo`\n  because: no[31m such thing (-32602)\n",
            server.host()
        )
    );
}

#[test]
fn a_server_that_is_not_there_is_told_at_once() {
    let port = ClosedPort::reserve();
    let url = format!("http://{}/mcp", port.address());
    let told = Run::of("tools", &url, &[]).failed(5);
    assert!(
        told.starts_with(&format!(
            "error: {} can't be reached\n  because: connection refused\nhint: ",
            port.address()
        )),
        "{told}"
    );
    assert!(told.contains("\nhint: "), "{told}");
}

#[test]
fn without_a_terminal_a_sign_in_is_an_error_at_once() {
    let server = Guarded::run();
    for (command, why) in [
        (server.command("tools"), "there is no terminal to ask anybody at"),
        (server.command("tools").env("CI", "true"), "`CI` is set, so that nobody is asked"),
    ] {
        let told = Run::to_end(command).failed(3);
        assert!(told.starts_with("error: 127.0.0.1:"), "{told}");
        assert!(
            told.contains(&format!(
                "wants a sign-in\n  because: {why}\nhint: run `bridge login http://"
            )),
            "{told}"
        );
        assert!(told.contains("--client-credentials"), "{told}");
    }
    assert_eq!(server.asked("/authorize"), 0);
}

#[test]
fn words_are_missing() {
    for (words, told) in [
        (&["call", "https://h/mcp"][..], "error: the tool is missing"),
        (&["call"], "error: the server's address is missing"),
        (&["tools"], "error: the server's address is missing"),
        (&["read", "https://h/mcp"], "error: the resource is missing"),
        (&["prompt", "https://h/mcp"], "error: the prompt is missing"),
    ] {
        let told_is =
            Run::to_end(crate::support::BridgeProcess::with_args(words.iter().copied())).failed(2);
        assert!(told_is.starts_with(told), "{words:?}: {told_is}");
        assert!(told_is.contains("\nhint: write "), "{told_is}");
    }
    let both = command("call", "https://h/mcp", &["t", "a=1", "--args", "{}"]);
    assert!(Run::to_end(both).failed(2).contains("the arguments are given twice"));
}
