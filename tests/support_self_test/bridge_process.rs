use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::support::bridge_process::Streams;
use crate::support::{BridgeProcess, Gate};

/// A shell script in place of the bridge.
fn script(text: &str) -> crate::support::bridge_process::Builder {
    BridgeProcess::with_args(["-c", text]).program("/bin/sh")
}

const PONG: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;

#[test]
fn lines_go_in_and_come_out_on_pipes_and_on_sockets() {
    for streams in [Streams::Pipes, Streams::SocketPairs] {
        let mut process = script("cat").streams(streams).spawn();
        process.notify("hello", json!({}));
        assert_eq!(process.expect_message()["method"], "hello");
        process.send_raw(
            "{\"jsonrpc\":\"2.0\",\"method\":\"a\"}\n{\"jsonrpc\":\"2.0\",\"method\":\"b\"}\n",
        );
        assert_eq!(process.expect_method("b")["method"], "b");
        assert_eq!(process.expect_line(), r#"{"jsonrpc":"2.0","method":"a"}"#);
        process.close_stdin();
        assert!(process.wait_exit().success());
        process.wait_for_end_of_stdout();
        process.assert_stderr_empty();
    }
}

#[test]
fn a_response_is_found_behind_other_messages() {
    let mut process = script(r#"read x; echo '{"jsonrpc":"2.0","method":"n"}'; echo "$0"; cat"#)
        .arg(PONG)
        .spawn();
    assert_eq!(process.call(1, "ping", json!({}))["result"], json!({}));
    process.wait_until_all_are_answered();
    assert_eq!(process.unread(), [r#"{"jsonrpc":"2.0","method":"n"}"#]);
}

#[test]
fn what_must_not_be_on_stdout_fails_the_test() {
    let outputs = [
        ("hello", "no JSON object"),
        ("[]", "no JSON object"),
        (r#"{"id":1,"result":{}}"#, "no JSON-RPC message"),
        (r#"{"jsonrpc":"2.0","id":1}"#, "neither request, notification nor response"),
        (PONG, "a response that nobody is waiting for"),
    ];
    for (output, fault) in outputs {
        let mut process = script("echo \"$0\"; cat").arg(output).spawn();
        let said = catch_unwind(AssertUnwindSafe(|| process.expect_line())).expect_err("a fault");
        let said = said.downcast::<String>().expect("a message");
        assert!(said.contains(fault), "{said}");
    }
}

#[test]
fn a_second_response_fails_the_test() {
    let mut process = script(r#"read x; echo "$0"; echo "$0"; cat"#).arg(PONG).spawn();
    process.request(1, "ping", json!({}));
    let ended = catch_unwind(AssertUnwindSafe(|| {
        process.expect_response(1);
        process.expect_response(1);
    }));
    let said = ended.expect_err("a fault").downcast::<String>().expect("a message");
    assert!(said.contains("a second response"), "{said}");
}

#[test]
fn a_fault_that_nobody_looked_for_fails_the_test_at_its_end() {
    let mut process = script("echo nonsense").spawn();
    let end = catch_unwind(AssertUnwindSafe(|| process.wait_for_end_of_stdout()));
    assert!(end.is_err());
    let mut process = script("echo nonsense").unchecked().spawn();
    process.wait_for_end_of_stdout();
    assert_eq!(process.unread(), ["nonsense"]);
}

#[test]
fn the_environment_is_private() {
    let process = script("env >&2; cat").env("EXTRA", "1").spawn();
    process.wait_for_stderr("XDG_RUNTIME_DIR=");
    let mut process = script("env | cut -d= -f1 | grep -v -e PWD -e _ | sort | tr '\\n' ' ' >&2")
        .env("EXTRA", "1")
        .six_variables_only()
        .spawn();
    process.wait_exit();
    assert_eq!(process.stderr_text(), "EXTRA HOME LOGNAME PATH SHELL TERM USER ");
}

#[test]
fn a_home_can_be_shared() {
    let first = script("echo $HOME >&2; cat").spawn();
    let second = script("echo $HOME >&2; cat").home_of(&first).spawn();
    second.wait_for_stderr(&first.home().display().to_string());
}

#[test]
fn a_signal_ends_it() {
    let mut process = script("exec cat").spawn();
    assert!(process.is_running());
    process.signal(Signal::TERM);
    assert_eq!(process.wait_exit_within(Duration::from_secs(5)).code(), None);
    assert!(!process.is_running());
}

#[test]
fn a_closed_stdout_breaks_the_pipe() {
    let mut process = script("exec cat").spawn();
    process.close_stdout();
    process.notify("n", json!({}));
    assert!(!process.wait_exit().success());
}

#[test]
fn stdout_is_held_until_it_is_read() {
    let written = "head -c 1000000 /dev/zero | tr '\\0' x; echo; echo done >&2; cat";
    let mut process = script(written).hold_stdout().unchecked().spawn();
    let done = Gate::named("all is written");
    assert!(!done.wait_at_most(Duration::from_millis(200)), "time passes");
    process.assert_stderr_empty();
    process.read_stdout();
    assert_eq!(process.expect_line().len(), 1_000_000);
    process.wait_for_stderr("done");
}

#[test]
fn silence_lasts_until_a_gate_opens() {
    let mut process = script("exec cat").spawn();
    let gate = Gate::named("enough");
    gate.open();
    process.expect_silence_until(&gate);
}

#[test]
fn memory_is_measured() {
    let mut process = script("exec cat").spawn();
    process.notify("n", json!({}));
    process.expect_line();
    assert!(std::fs::exists(format!("/proc/{}", process.pid())).expect("a look at /proc"));
    let (now, peak) = process.memory();
    assert!(now > 100 && peak >= now);
    process.kill();
    assert!(!process.wait_exit().success());
}

#[test]
fn a_secret_that_is_written_down_fails_the_test() {
    let in_error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-31002,"message":"canary-1"}}"#;
    for (body, args) in [
        ("echo canary-1 >&2", &[][..]),
        ("echo canary-1 > file", &[]),
        ("mkdir -p xdg/a; echo 'x canary-1' > xdg/a/b", &[]),
        ("echo canary-1 >> \"$BRIDGE_LOG\"", &[]),
        ("echo sesame-7 >&2", &["--header", "X: Bearer sesame-7"]),
        ("echo sesame-7 >&2", &["--header=X=${KEY}"]),
        ("echo $BRIDGE_HEADER_X >&2", &[]),
        ("read x; echo \"$0\"", &[in_error]),
    ] {
        let process = script(body).args(args.iter().copied()).env("KEY", "sesame-7");
        let mut process = process.env("BRIDGE_HEADER_X", "open sesame").spawn();
        let ended = AssertUnwindSafe(|| {
            process.request(1, "ping", json!({}));
            process.wait_exit();
            process.wait_for_end_of_stdout();
            drop(process);
        });
        let said = catch_unwind(ended).expect_err(body);
        let said = said.downcast::<String>().expect("a message");
        assert!(said.contains("secret"), "{body}: {said}");
    }
    script("echo canary >&2; echo $KEY > file").env("KEY", "sesame-7").spawn().wait_exit();
}
