//! Windows.

use std::fs::File;
use std::io;
use std::os::windows::io::AsHandle;

use tokio::signal::windows;

/// stdin, without the locks, buffers and translation of the standard library's.
///
/// # Errors
/// It is closed.
pub fn stdin() -> io::Result<File> {
    Ok(io::stdin().as_handle().try_clone_to_owned()?.into())
}

/// stdout, likewise.
///
/// # Errors
/// It is closed.
pub fn stdout() -> io::Result<File> {
    Ok(io::stdout().as_handle().try_clone_to_owned()?.into())
}

/// Windows has no such limit.
pub fn allow_many_files() {}

/// A closed stdout is found out by writing.
pub async fn stdout_hung_up() {
    std::future::pending().await
}

/// The end of stdin is the sign: Windows closes a process's pipes with it.
pub async fn parent_gone() {
    std::future::pending().await
}

/// Resolves at Ctrl-C, Ctrl-Break, or when the console or session ends.
pub async fn told_to_end() {
    let interrupt = async {
        match windows::ctrl_c() {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    let stop = async {
        match windows::ctrl_break() {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    let close = async {
        match windows::ctrl_close() {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = interrupt => {}
        _ = stop => {}
        _ = close => {}
    }
}
