//! What there is: tools, resources, prompts.

use serde_json::{Value, json};

use super::{Run, each_era, typed_tools};
use crate::support::mcp_server::matcher::delete;
use crate::support::{Answer, McpServer, ModernServer};

#[test]
fn tools_are_a_table_whatever_the_era() {
    each_era(&typed_tools(), |server| {
        assert_eq!(
            Run::of("tools", &server.url(), &[]).printed(),
            "echo  Says it again.\nfail  Is an error.\nwait  Until a gate of the handle opens.\n"
        );
    });
}

#[test]
fn a_session_is_ended_when_the_command_is_done() {
    let server = McpServer::legacy().run();
    Run::of("tools", &server.url(), &[]).printed();
    assert_eq!((server.sessions(), server.count(delete())), (1, 1));
}

#[test]
fn a_tool_is_shown_with_all_that_it_takes() {
    each_era(&typed_tools(), |server| {
        let url = server.url();
        assert_eq!(
            Run::of("tools", &url, &["echo"]).printed(),
            format!(
                "echo\n\nSays it again.\n\nArguments:\n\
                 \x20 text   a text, required: What to say.\n\
                 \x20 at     a JSON object\n\
                 \x20 level  low | high\n\
                 \x20 loud   `true` or `false`\n\
                 \x20 ratio  a number or `null`\n\
                 \x20 tags   a list\n\
                 \x20 times  a whole number, else 1\n\
                 \nCall it:\n  bridge call {url} echo text=…\n"
            )
        );
    });
}

#[test]
fn the_line_that_calls_a_tool_runs_nothing_else_when_it_is_pasted() {
    let tools = json!([{"name": "t", "inputSchema": {
        "type": "object",
        "properties": {"a; touch pwned #": {"type": "string"}},
        "required": ["a; touch pwned #", "b$(id)"],
    }}]);
    let server = McpServer::legacy().tools(tools).run();
    let printed = Run::of("tools", &server.url(), &["t"]).printed();
    let call = printed.lines().last().unwrap_or_default();
    let end = " t 'a; touch pwned #'=… 'b$(id)'=…";
    assert!(call.starts_with("  bridge call ") && call.ends_with(end), "{printed}");
}

#[test]
fn the_json_of_a_list_is_the_servers_own_a_line_for_each_page() {
    let server = ModernServer::builder().page_size(3).run();
    let printed = Run::of("tools", &server.url(), &["--json"]).printed();
    let pages: Vec<Value> =
        printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let names = pages.iter().flat_map(|page| page["tools"].as_array().unwrap());
    assert_eq!((pages.len(), names.count()), (3, 8));
    let legacy = McpServer::legacy()
        .tools(json!([{"name": "odd", "inputSchema": {"type": "object", "x": 1.50}}]))
        .run();
    let printed = Run::of("tools", &legacy.url(), &["odd", "--json"]).printed();
    assert_eq!(printed, "{\"inputSchema\":{\"type\":\"object\",\"x\":1.5},\"name\":\"odd\"}\n");
}

#[test]
fn resources_and_templates_are_listed() {
    let legacy = McpServer::legacy().run();
    assert_eq!(
        Run::of("resources", &legacy.url(), &[]).printed(),
        "memo:///1  memo, text/plain\n\nTemplates, with what stands in braces filled in:\nmemo:///{number}  memo\n"
    );
    let modern = ModernServer::run();
    let printed = Run::of("resources", &modern.url(), &[]).printed();
    assert!(
        printed.starts_with("memo:///1        memo, text/plain\nmemo:///blob     blob, "),
        "{printed}"
    );
    assert_eq!(Run::of("resources", &modern.url(), &["--json"]).printed().lines().count(), 2);
}

#[test]
fn prompts_are_listed_with_their_arguments() {
    let legacy = McpServer::legacy().run();
    assert_eq!(Run::of("prompts", &legacy.url(), &[]).printed(), "greet whom=…\n");
    let modern = ModernServer::run();
    let printed = Run::of("prompts", &modern.url(), &[]).printed();
    assert_eq!(printed, "greet whom=…\nask           Asks first.\n");
}

#[test]
fn what_a_server_does_not_offer_is_an_empty_list() {
    for (verb, methods) in [
        ("tools", &["tools/list"][..]),
        ("resources", &["resources/list", "resources/templates/list"]),
        ("prompts", &["prompts/list"]),
    ] {
        let unknown = Answer::error(-32601, "Method not found");
        let server = methods
            .iter()
            .fold(McpServer::legacy(), |server, method| server.always(*method, unknown.clone()))
            .run();
        let run = Run::of(verb, &server.url(), &[]);
        assert_eq!((run.code, &*run.stdout), (Some(0), ""), "{}", run.stderr);
        assert_eq!(run.stderr, format!("The server has no {verb}.\n"));
        assert_eq!(Run::of(verb, &server.url(), &["--json"]).printed(), "");
    }
}

#[test]
fn a_header_command_that_is_not_there_ends_as_what_was_typed_wrongly() {
    let server = McpServer::legacy().run();
    let said = Run::of("tools", &server.url(), &["--header-command", "no-such-program"]).failed(2);
    assert!(said.contains("the program was not found"), "{said}");
    assert_eq!(server.requests().len(), 0);
}
