//! A program that gives headers: run without a shell, within a time, and believed only as far as its
//! output is what it should be.

use std::process::{ExitStatus, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::failure::{Failure, FailureKind};
use super::headers::{Header, Source};
use crate::clock::{Clock, SystemClock};
use crate::os;
use crate::printable::printable;

/// Longest output, in bytes.
const MAX_OUTPUT: usize = 64 * 1024;
/// What is kept of stderr, in bytes; of it the last line is told.
const MAX_STDERR: usize = 4 * 1024;
/// Characters of the last line of stderr that go into an error.
const MAX_LINE: usize = 200;
/// How long its pipes are read on after it ended: something that it left behind may hold them open.
const GRACE: Duration = Duration::from_millis(250);
/// What is renewed this long before it expires, at most.
const MARGIN: Duration = Duration::from_secs(60);

/// The program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderCommand {
    /// What is run, found as the system finds programs.
    pub program: String,
    /// Its arguments, each as it is.
    pub arguments: Vec<String>,
    /// How long it may take.
    pub time_limit: Duration,
    /// Names of the variables that it is not given: secrets of ours are in them.
    pub hidden: Vec<String>,
}

/// What it gave.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) headers: Vec<Header>,
    expires_at: Option<SystemTime>,
}

impl Output {
    /// When it has to be run again: a little before the expiry that it named, else not by itself.
    pub(super) fn renew_at(&self, now: SystemTime) -> Option<SystemTime> {
        let expires_at = self.expires_at?;
        let lifetime = expires_at.duration_since(now).unwrap_or_default();
        expires_at.checked_sub(MARGIN.min(lifetime / 5))
    }
}

/// What it wrote and how it ended.
struct Ended {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl HeaderCommand {
    /// Runs it once.
    pub(super) async fn run(&self) -> Result<Output, Failure> {
        tracing::debug!(program = self.program, "running the header command");
        let ended = self.ended().await.map_err(|(why, hint)| self.failure(&why, hint, None))?;
        let stderr = last_line(&ended.stderr);
        let failed = |why: &str, hint| self.failure(why, hint, stderr.clone());
        if !ended.status.success() {
            return Err(failed(&format!("it failed ({})", ended.status), FAILED));
        }
        if ended.stdout.len() > MAX_OUTPUT {
            return Err(failed(&format!("it wrote more than {MAX_OUTPUT} bytes"), ODD_OUTPUT));
        }
        read(&ended.stdout, SystemClock.wall()).map_err(|why| failed(&why, ODD_OUTPUT))
    }

    fn failure(&self, why: &str, hint: &'static str, stderr: Option<String>) -> Failure {
        let said = stderr.map(|line| format!(": {line}")).unwrap_or_default();
        let what = format!("the header command `{}` gave no headers: {why}{said}", self.program);
        Failure {
            hint: Some(hint.into()),
            ..Failure::settled(FailureKind::HeaderCommand, None, what)
        }
    }

    /// Runs it to its end; else why not, and what to do.
    async fn ended(&self) -> Result<Ended, (String, &'static str)> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in &self.hidden {
            command.env_remove(name);
        }
        os::run_hidden(&mut command);
        let mut child = command.spawn().map_err(|error| not_run(&error))?;
        // Dropped before the child, whose number is then still its own.
        let mut group = Group(child.id());
        match tokio::time::timeout(self.time_limit, watch(&mut child)).await {
            Ok(Ok(ended)) => {
                group.0 = None;
                Ok(ended)
            }
            Ok(Err(error)) => Err((error.to_string(), FAILED)),
            Err(_) => Err((format!("it took longer than {:?}", self.time_limit), TOO_SLOW)),
        }
    }
}

const NOT_FOUND: &str = "write the program's whole path: an MCP client may have another PATH than your \
     shell, and no shell expands ~ or aliases here";
const NOT_EXECUTABLE: &str = "make the file executable (`chmod +x FILE`); a script needs a first line such \
     as `#!/bin/sh`";
const FAILED: &str = "run it in a terminal to see why it fails; an MCP client may start it with fewer \
     variables than your shell has";
const TOO_SLOW: &str = "run it in a terminal: it gets no input and must not wait for any; allow more time \
     with `--header-command-timeout`";
const ODD_OUTPUT: &str = "run it in a terminal: it has to print one value, or a JSON object of headers, and \
     nothing else on stdout";

/// Why a program could not be started, and what to do.
fn not_run(error: &std::io::Error) -> (String, &'static str) {
    use std::io::ErrorKind::{NotFound, PermissionDenied};
    match error.kind() {
        NotFound => ("the program was not found".to_owned(), NOT_FOUND),
        // No first line that names an interpreter (ENOEXEC) has no kind of its own.
        PermissionDenied => ("the file is not executable".to_owned(), NOT_EXECUTABLE),
        _ => (format!("it can't be run ({error})"), NOT_EXECUTABLE),
    }
}

/// Ends the program when nobody waits for it any more, and its own children too: a script that hangs does so
/// in one of them.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        self.0.into_iter().for_each(os::kill_group);
    }
}

async fn watch(child: &mut Child) -> std::io::Result<Ended> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let status = {
        let reading = async {
            tokio::join!(read_head(out, &mut stdout), read_tail(err, &mut stderr));
        };
        tokio::pin!(reading);
        tokio::select! {
            () = &mut reading => child.wait().await?,
            status = child.wait() => {
                let _ = tokio::time::timeout(GRACE, &mut reading).await;
                status?
            }
        }
    };
    Ok(Ended { status, stdout, stderr })
}

/// Reads to the end and keeps the beginning, one byte more than may be there.
async fn read_head(from: Option<impl AsyncRead + Unpin>, head: &mut Vec<u8>) {
    read_chunks(from, |chunk| {
        let room = (MAX_OUTPUT + 1).saturating_sub(head.len());
        head.extend_from_slice(&chunk[..chunk.len().min(room)]);
    })
    .await;
}

/// Reads to the end and keeps the end.
async fn read_tail(from: Option<impl AsyncRead + Unpin>, tail: &mut Vec<u8>) {
    read_chunks(from, |chunk| {
        tail.extend_from_slice(chunk);
        let surplus = tail.len().saturating_sub(MAX_STDERR);
        tail.drain(..surplus);
    })
    .await;
}

async fn read_chunks(from: Option<impl AsyncRead + Unpin>, mut take: impl FnMut(&[u8])) {
    let Some(mut from) = from else { return };
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        take(&buffer[..count]);
    }
}

fn last_line(stderr: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(printable(line, MAX_LINE))
}

/// Reads the output: a JSON map of headers, or the value of `Authorization`. An error never quotes it.
fn read(stdout: &[u8], now: SystemTime) -> Result<Output, String> {
    let text = std::str::from_utf8(stdout).map_err(|_| "its output is not UTF-8")?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err("it wrote nothing".into());
    }
    if text.starts_with('{') {
        return map(text, now);
    }
    if text.lines().count() > 1 {
        return Err("it wrote more than one line, and not a JSON object".into());
    }
    let value = match text.split_once(' ') {
        Some((first, _)) if first.ends_with(':') => {
            return Err(
                "it wrote `Name: value`; a JSON object is wanted, or the value alone".into()
            );
        }
        // A token has no spaces, so that this is `scheme credentials` (RFC 9110 §11.4).
        Some(_) => text.to_owned(),
        None => format!("Bearer {text}"),
    };
    Ok(Output { headers: vec![header("Authorization", &value)?], expires_at: None })
}

fn header(name: &str, value: &str) -> Result<Header, String> {
    Header::new(name, value, Source::Command).map_err(|error| error.to_string())
}

fn map(text: &str, now: SystemTime) -> Result<Output, String> {
    // The parser's own words could quote the text.
    let members: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| "its output is not a JSON object")?;
    let mut output = Output { headers: Vec::new(), expires_at: None };
    for (name, value) in &members {
        match (name.as_str(), value) {
            ("expires_at" | "expires_in", Value::Null) => {}
            ("expires_at", value) => {
                output.expires_at =
                    Some(expires_at(value).ok_or(
                        "`expires_at` is neither a time by RFC 3339 nor seconds since 1970",
                    )?);
            }
            ("expires_in", value) => {
                let seconds = seconds(value).ok_or("`expires_in` is not a number of seconds")?;
                output.expires_at = now.checked_add(seconds);
            }
            (_, Value::String(value)) => output.headers.push(header(name, value)?),
            _ => return Err(format!("the value of `{}` is not a string", name.escape_debug())),
        }
    }
    if output.headers.is_empty() {
        return Err("its output names no header".into());
    }
    Ok(output)
}

fn expires_at(value: &Value) -> Option<SystemTime> {
    let date = value.as_str().and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    match date {
        Some(date) => Some(date.into()),
        None => SystemTime::UNIX_EPOCH.checked_add(seconds(value)?),
    }
}

/// A number, or one in a string, as some programs write it.
fn seconds(value: &Value) -> Option<Duration> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    Duration::try_from_secs_f64(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn given(text: &str) -> Vec<String> {
        let output = read(text.as_bytes(), NOW).unwrap();
        output.headers.iter().map(|header| header.name().to_owned()).collect()
    }

    fn renewed_after(text: &str) -> Option<u64> {
        let at = read(text.as_bytes(), NOW).unwrap().renew_at(NOW)?;
        Some(at.duration_since(NOW).unwrap().as_secs())
    }

    #[test]
    fn a_map_or_a_value_is_taken() {
        assert_eq!(given("canary\n"), ["authorization"]);
        assert_eq!(given("Basic Y2FuYXJ5"), ["authorization"]);
        assert_eq!(given(r#"{"Authorization":"Bearer c","X-Tenant":"7"}"#).len(), 2);
        assert_eq!(given("\u{feff} {\"X-A\": \"b\", \"expires_in\": null}\r\n"), ["x-a"]);
    }

    #[test]
    fn an_expiry_is_believed_in_every_usual_spelling() {
        assert_eq!(renewed_after(r#"{"X":"y"}"#), None);
        assert_eq!(renewed_after(r#"{"X":"y","expires_in":3600}"#), Some(3540));
        assert_eq!(renewed_after(r#"{"X":"y","expires_in":"100"}"#), Some(80));
        assert_eq!(renewed_after(r#"{"X":"y","expires_at":1000}"#), Some(940));
        let date = r#"{"X":"y","expires_at":"1970-01-01T01:00:00+00:30"}"#;
        assert_eq!(renewed_after(date), Some(1740));
        for odd in ["\"soon\"", "-1", "1e300", "[]", "true"] {
            let text = format!(r#"{{"X":"y","expires_in":{odd}}}"#);
            assert!(read(text.as_bytes(), NOW).is_err(), "{odd}");
        }
    }

    #[test]
    fn an_odd_output_is_refused_and_never_quoted() {
        for text in [
            "",
            " \n",
            "canary\ncanary",
            "{\"X\": canary}",
            "{\"X\": \"canary\"",
            r#"{"X":["canary"]}"#,
            r#"{"expires_in":60}"#,
            r#"{"Host":"canary"}"#,
            r#"{"X":"canary\r\nY: z"}"#,
            "Authorization: Bearer canary",
        ] {
            let why = read(text.as_bytes(), NOW).unwrap_err();
            assert!(!why.contains("canary"), "{why}");
        }
        assert_eq!(read(b"\xff\xfe", NOW).unwrap_err(), "its output is not UTF-8");
    }

    #[test]
    fn of_stderr_the_last_line_that_says_something_is_told() {
        assert_eq!(last_line(b"one\ntwo\x1b[0m\n \n").as_deref(), Some("two [0m"));
        assert_eq!(last_line(b" \n"), None);
        assert_eq!(last_line("x".repeat(9999).as_bytes()).unwrap().len(), MAX_LINE);
    }
}
