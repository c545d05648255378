//! Life and death: whatever ends the bridge, it closes its session, owes nobody an answer and leaves
//! nothing behind.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde_json::{Value, json};

use crate::support::bridge_process::{Streams, initialize_params};
use crate::support::mcp_server::matcher::{delete, get, tool};
use crate::support::mcp_server::text;
use crate::support::{Answer, BlackHole, BridgeProcess, Gate, McpServer, Step};

/// The bridge is gone this long after its client is.
const TWO_SECONDS: Duration = Duration::from_secs(2);

const SIGNALS: [Signal; 3] = [Signal::TERM, Signal::INT, Signal::HUP];

/// A bridge with an open session before the server.
fn open(server: &McpServer) -> BridgeProcess {
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize();
    bridge
}

/// Checks that it ends by itself, in time and in good form; gives how long that took.
#[track_caller]
fn assert_ends(bridge: &mut BridgeProcess) -> Duration {
    let since = Instant::now();
    let status = bridge.wait_exit_within(TWO_SECONDS);
    assert_eq!(status.code(), Some(0), "the bridge ended with {status}");
    bridge.assert_stderr_empty();
    since.elapsed()
}

/// Checks that the server was told of the end of its session, once.
#[track_caller]
fn assert_deleted(server: &McpServer) {
    let session = server.wait_for(delete()).session().map(str::to_owned);
    assert_eq!((session.as_deref(), server.count(delete())), (Some("canary-session-1"), 1));
}

// --- with nothing in flight ---

#[test]
fn the_end_of_input_ends_it_at_once_and_its_session_too() {
    for streams in [Streams::Pipes, Streams::SocketPairs] {
        let server = McpServer::legacy().run();
        let mut bridge = BridgeProcess::to(server.url()).streams(streams).spawn();
        bridge.initialize();
        bridge.call_tool(1, "echo", json!({}));
        bridge.close_stdin();
        // Far below the second that answers in flight would have got.
        assert!(assert_ends(&mut bridge) < Duration::from_millis(800));
        assert_deleted(&server);
    }
}

#[test]
fn a_signal_ends_it_at_once_and_its_session_too() {
    for signal in SIGNALS {
        let server = McpServer::legacy().run();
        let mut bridge = open(&server);
        server.wait_for_get_stream();
        bridge.signal(signal);
        assert!(assert_ends(&mut bridge) < Duration::from_millis(800), "{signal:?}");
        assert_deleted(&server);
    }
}

#[test]
fn a_closed_stdout_ends_it_although_it_has_nothing_to_say() {
    for streams in [Streams::Pipes, Streams::SocketPairs] {
        let server = McpServer::legacy().run();
        let mut bridge = BridgeProcess::to(server.url()).streams(streams).spawn();
        bridge.initialize();
        server.wait_for_get_stream();
        bridge.close_stdout();
        assert_ends(&mut bridge);
        assert_deleted(&server);
    }
}

#[test]
fn the_end_of_input_before_any_message_ends_it() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.close_stdin();
    assert_ends(&mut bridge);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn what_was_written_before_the_end_of_input_is_still_served() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.request("initialize", "initialize", initialize_params(json!({})));
    bridge.notify("notifications/initialized", json!({}));
    bridge.request(1, "tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}));
    bridge.notify("notifications/roots/list_changed", json!({}));
    bridge.close_stdin();
    assert_eq!(bridge.expect_response(1)["result"], text("hi"));
    assert_ends(&mut bridge);
    assert_eq!(server.count("notifications/roots/list_changed"), 1);
    assert_deleted(&server);
}

// --- with answers in flight ---

#[test]
fn an_answer_in_flight_is_waited_for_and_ends_the_wait() {
    let server = McpServer::legacy().run();
    let mut bridge = open(&server);
    bridge.request(1, "tools/call", json!({"name": "wait", "arguments": {"gate": "late"}}));
    server.wait_for(tool("wait"));
    bridge.close_stdin();
    server.gate("late").open();
    assert_eq!(bridge.expect_response(1)["result"], text("waited"));
    assert_ends(&mut bridge);
    assert_deleted(&server);
}

/// Leaves two calls unanswered, ends the bridge, and gives the errors that they got.
fn errors_at_the_end(arg: &str, end: impl FnOnce(&mut BridgeProcess)) -> (Vec<Value>, Duration) {
    let server = McpServer::legacy().always(tool("wait"), Answer::stall()).run();
    let mut bridge = BridgeProcess::to(server.url()).arg(arg).spawn();
    bridge.initialize();
    for id in 1..=2 {
        bridge.request(id, "tools/call", json!({"name": "wait", "arguments": {}}));
    }
    server.wait_for_nth(2, tool("wait"));
    end(&mut bridge);
    let took = assert_ends(&mut bridge);
    assert_deleted(&server);
    let errors = (1..=2).map(|id| bridge.expect_response(id)["error"].take()).collect();
    (errors, took)
}

#[test]
fn answers_that_do_not_come_in_a_second_are_errors_that_say_so() {
    let (errors, took) = errors_at_the_end("--drain=1s", BridgeProcess::close_stdin);
    assert!(took >= Duration::from_millis(900), "only {took:?}");
    for error in errors {
        assert_eq!(error["data"]["kind"], "ending", "{error}");
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains("unknown") && message.contains("check what was done"), "{error}");
    }
}

#[test]
fn a_signal_gives_answers_in_flight_the_same_time() {
    for signal in SIGNALS {
        let (errors, _) = errors_at_the_end("--drain=100ms", |bridge| bridge.signal(signal));
        assert!(errors.iter().all(|error| error["data"]["kind"] == "ending"), "{errors:?}");
    }
}

#[test]
fn the_time_that_answers_get_can_be_set() {
    let (errors, took) = errors_at_the_end("--drain=0s", BridgeProcess::close_stdin);
    assert_eq!(errors.len(), 2);
    assert!(took < Duration::from_millis(900), "{took:?}");
}

#[test]
fn an_initialize_in_flight_gets_its_error_too() {
    let server = McpServer::legacy().always("initialize", Answer::stall()).run();
    let mut bridge = BridgeProcess::to(server.url()).arg("--drain=100ms").spawn();
    bridge.request(0, "initialize", initialize_params(json!({})));
    server.wait_for("initialize");
    bridge.close_stdin();
    assert_eq!(bridge.expect_response(0)["error"]["data"]["kind"], "ending");
    assert_ends(&mut bridge);
}

#[test]
fn a_closed_stdout_ends_it_while_answers_are_in_flight() {
    let server = McpServer::legacy().always(tool("wait"), Answer::stall()).run();
    let mut bridge = open(&server);
    bridge.request(1, "tools/call", json!({"name": "wait", "arguments": {}}));
    server.wait_for(tool("wait"));
    bridge.close_stdout();
    assert_ends(&mut bridge);
    assert_deleted(&server);
}

#[test]
fn a_client_that_reads_nothing_does_not_hold_it() {
    let answer = Answer::stream((0..100).map(|n| {
        Step::notification("notifications/message", json!({"n": n, "data": "x".repeat(10_000)}))
    }));
    let server = McpServer::legacy().once(tool("echo"), answer).run();
    let mut bridge = BridgeProcess::to(server.url()).hold_stdout().spawn();
    bridge.request(0, "initialize", initialize_params(json!({})));
    bridge.notify("notifications/initialized", json!({}));
    bridge.request(1, "tools/call", json!({"name": "echo", "arguments": {}}));
    server.wait_for(tool("echo"));
    bridge.close_stdin();
    assert_ends(&mut bridge);
}

// --- servers that do not play along ---

#[test]
fn a_server_that_never_answers_the_delete_does_not_hold_it() {
    let server = McpServer::legacy().always(delete(), Answer::stall()).run();
    let mut bridge = open(&server);
    bridge.close_stdin();
    assert_ends(&mut bridge);
    assert_deleted(&server);
}

#[test]
fn a_server_that_is_gone_does_not_hold_it() {
    let server = McpServer::legacy().run();
    let mut bridge = open(&server);
    server.wait_for_get_stream();
    server.stop();
    bridge.close_stdin();
    assert_ends(&mut bridge);
}

#[test]
fn a_black_hole_does_not_hold_it() {
    for end in [None, Some(Signal::TERM)] {
        let hole = BlackHole::dig();
        let mut bridge = BridgeProcess::to(hole.url()).spawn();
        bridge.request(0, "initialize", initialize_params(json!({})));
        match end {
            None => bridge.close_stdin(),
            Some(signal) => {
                bridge.send("no message, answered at once: now it reads");
                bridge.next_message_where("the error", |message| message["id"].is_null());
                bridge.signal(signal);
            }
        }
        assert_ends(&mut bridge);
        assert_eq!(bridge.expect_response(0)["error"]["data"]["kind"], "ending");
    }
}

// --- the process that launched it ---

#[test]
fn the_death_of_a_launcher_alone_does_not_end_it() {
    let server = McpServer::legacy().run();
    // A shell without job control gives what it starts beside itself no stdin, unless told so.
    let launch =
        r#"exec 3<&0; "$0" "$1" <&3 2>/dev/null & echo $! > pid; exec 3<&- >&- 2>&-; wait"#;
    let mut launcher = BridgeProcess::with_args(["-c", launch, env!("CARGO_BIN_EXE_bridge")])
        .arg(server.url())
        .program("/bin/sh")
        .spawn();
    launcher.initialize();
    launcher.kill();
    assert!(!launcher.wait_exit().success());
    assert_eq!(
        launcher.call_tool(1, "echo", json!({"text": "still here"}))["result"],
        text("still here")
    );
    launcher.close_stdin();
    launcher.wait_for_end_of_stdout();
    assert_deleted(&server);
    wait_until_gone(pid_in(&launcher.home().join("pid")));
}

fn pid_in(file: &Path) -> Pid {
    let text = std::fs::read_to_string(file).expect("the launcher wrote it");
    Pid::from_raw(text.trim().parse().expect("a number")).expect("an id")
}

/// Waits until a process that is no child of ours is gone, or a child that nobody waited for is dead.
#[track_caller]
fn wait_until_gone(pid: Pid) {
    let since = Instant::now();
    while rustix::process::test_kill_process(pid).is_ok() && !is_zombie(pid) {
        assert!(since.elapsed() < TWO_SECONDS, "process {pid:?} is still there");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn is_zombie(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
}

#[test]
fn one_socket_for_both_directions_may_be_closed_in_one_of_them() {
    use std::io::{BufRead, BufReader, Write};
    use std::os::fd::OwnedFd;

    let server = McpServer::legacy().without_sessions().run();
    for _ in 0..20 {
        // As `socat EXEC:` and inetd do it.
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect("a pair of sockets");
        let theirs: OwnedFd = theirs.into();
        let home = tempfile::tempdir().expect("a home");
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_bridge"))
            .arg(server.url())
            .env_clear()
            .env("HOME", home.path())
            .stdin(theirs.try_clone().expect("a second name for it"))
            .stdout(theirs)
            .spawn()
            .expect("the bridge runs");
        (&ours)
            .write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n")
            .expect("it reads");
        ours.shutdown(std::net::Shutdown::Write).expect("an open socket");
        let lines: Vec<String> = BufReader::new(&ours).lines().map_while(Result::ok).collect();
        let status = child.wait().expect("its end");
        assert_eq!(lines, [r#"{"jsonrpc":"2.0","id":1,"result":{}}"#]);
        assert!(status.success());
    }
}

// --- what is left ---

#[test]
fn fifty_lives_leave_no_process_no_lock_and_no_temporary_file() {
    let server = McpServer::legacy().allow_unused_script().run();
    let mut first = open(&server);
    first.call("list", "tools/list", json!({}));
    first.close_stdin();
    first.wait_exit();
    let remembered = files_in(first.home());
    assert_eq!(remembered.len(), 3, "for answers, for facts, for events: {remembered:?}");
    let leftover = remembered[0].with_file_name(".new-killed");
    std::fs::write(leftover, "half").expect("what a killed process may leave");
    for life in 0..50 {
        let mut bridge = BridgeProcess::to(server.url()).home_of(&first).spawn();
        // Some end before they begin, some at once, some in the middle of a request.
        if life % 4 > 0 {
            bridge.initialize();
        }
        if life % 4 > 1 {
            bridge.request(1, "tools/list", json!({}));
        }
        if life % 4 > 2 {
            bridge.expect_response(1);
        }
        match life % 3 {
            // Before its first message it may not listen to signals yet.
            0 if life % 4 > 0 => bridge.signal(Signal::TERM),
            0 | 1 => bridge.close_stdin(),
            _ => bridge.kill(),
        }
        let killed = bridge.wait_exit_within(TWO_SECONDS).code().is_none();
        assert_eq!(killed, life % 3 == 2);
        bridge.assert_stderr_empty();
    }
    let mut last = BridgeProcess::to(server.url()).home_of(&first).spawn();
    last.initialize();
    last.close_stdin();
    assert_ends(&mut last);
    assert_eq!(files_in(first.home()), remembered);
    server.wait_until_left();
}

/// All files below a folder.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files.extend(files_in(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

#[test]
fn what_is_remembered_is_written_before_it_ends() {
    for _ in 0..10 {
        let server = McpServer::legacy().run();
        let mut bridge = BridgeProcess::to(server.url()).spawn();
        bridge.initialize();
        bridge.request(1, "tools/list", json!({}));
        bridge.close_stdin();
        bridge.expect_response(1);
        assert_ends(&mut bridge);
        let files = files_in(bridge.home());
        let answers = files.iter().find(|file| file.extension().is_some_and(|kind| kind == "json"));
        let text = std::fs::read_to_string(answers.expect("a file of answers")).expect("text");
        assert!(text.contains("delete_note") && text.contains("Anything goes."), "{text}");
    }
}

// --- stdout and the environment ---

#[test]
fn it_starts_without_any_environment() {
    let server = McpServer::legacy().without_sessions().run();
    let mut bridge = BridgeProcess::with_args(["-i", env!("CARGO_BIN_EXE_bridge")])
        .arg(server.url())
        .program("/usr/bin/env")
        .spawn();
    // No handshake: there is no home that could be this test's own, and what is learnt in one would be
    // remembered in somebody else's.
    assert_eq!(bridge.call(1, "ping", json!({}))["result"], json!({}));
    bridge.close_stdin();
    assert_ends(&mut bridge);
}

#[test]
fn a_place_that_can_not_be_written_is_no_reason_not_to_serve() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url())
        .env("HOME", "/dev/null")
        .env("XDG_CACHE_HOME", "/dev/null/cache")
        .spawn();
    bridge.initialize();
    bridge.call("list", "tools/list", json!({}));
    bridge.close_stdin();
    assert_ends(&mut bridge);
}

#[test]
fn a_stream_that_is_open_is_left_at_the_end() {
    let server = McpServer::legacy().run();
    let mut bridge = open(&server);
    server.wait_for_get_stream();
    bridge.signal(Signal::TERM);
    assert_ends(&mut bridge);
    server.wait_until_left();
    assert_eq!(server.count(get()), 1);
    let gate = Gate::named("nothing more");
    gate.open();
    bridge.expect_silence_until(&gate);
}
