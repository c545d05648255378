//! A server that can't be served as it was typed or saved: the client is told why.

use std::time::Duration;

use tokio::time::timeout;

use crate::error::Error;
use crate::jsonrpc::{Kind, Message, split_batch};
use crate::relay::{ServerName, failure};
use crate::remote::Failure;
use crate::stdio::{Line, reader};
use crate::{os, ui};

/// How long a client may take from one message to the next.
const QUIET: Duration = Duration::from_secs(2);
/// Longest message that is read, in bytes.
const LONGEST: usize = 1024 * 1024;

/// Answers the client's requests with the error by which this process ends, until it leaves: many clients show
/// nothing else.
pub fn answer(error: &Error) {
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stdin());
    let input = os::stdin().ok().filter(|_| !is_terminal);
    let Some(Ok(mut lines)) = input.map(|input| reader::spawn(input, LONGEST)) else { return };
    let Ok(runtime) = super::runtime() else { return };
    runtime.block_on(async {
        while let Ok(Some(lines)) = timeout(QUIET, lines.recv()).await {
            for line in lines {
                let Line::Text(bytes) = line else { continue };
                for bytes in split_batch(bytes).unwrap_or_default() {
                    if Message::parse(bytes).is_ok_and(|asked| !answered(&asked, error)) {
                        return;
                    }
                }
            }
        }
    });
    runtime.shutdown_background();
}

/// Whether the client still reads.
fn answered(asked: &Message, error: &Error) -> bool {
    let Kind::Request { id, .. } = asked.kind() else { return true };
    let Error { what, because, hint, .. } = error;
    let failure = Failure::of_configuration(what, &because.join(": "), hint.as_deref());
    let login = "bridge login".to_owned();
    let nowhere = ServerName { host: String::new(), url: String::new(), login };
    let answer = failure::response(id, &failure, &nowhere, true);
    ui::print_on(&[answer.bytes(), &b"\n"[..]].concat()).unwrap_or(false)
}
