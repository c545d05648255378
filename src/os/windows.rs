//! Windows.

use std::fs::File;
use std::io;
use std::os::windows::io::AsHandle;

use tokio::signal::windows;

use super::WriteNow;

/// stdin, without the locks, buffers and translation of the standard library's.
///
/// # Errors
/// It is closed.
pub fn stdin() -> io::Result<File> {
    Ok(io::stdin().as_handle().try_clone_to_owned()?.into())
}

/// A way to stdout that never waits: there is none.
pub fn stdout_at_once() -> Option<WriteNow> {
    None
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

/// Its handles stay open to the end of the process.
pub fn leave_stdio() {}

/// A closed stdout is found out by writing.
pub async fn stdout_hung_up() {
    std::future::pending().await
}

/// The end of stdin is the sign: Windows closes a process's pipes with it.
pub async fn parent_gone() {
    std::future::pending().await
}

/// Resolves at Ctrl-C, Ctrl-Break, or when the console ends, which are listened for from the moment of
/// the call.
pub fn told_to_end() -> impl Future<Output = ()> {
    let (mut interrupt, mut stop, mut close) =
        (windows::ctrl_c().ok(), windows::ctrl_break().ok(), windows::ctrl_close().ok());
    async move {
        tokio::select! {
            () = received(interrupt.as_mut().map(windows::CtrlC::recv)) => {}
            () = received(stop.as_mut().map(windows::CtrlBreak::recv)) => {}
            () = received(close.as_mut().map(windows::CtrlClose::recv)) => {}
        }
    }
}

/// How the process's console is set. It belongs to all its processes, and each new one sets it anew.
pub struct Terminal;

impl Terminal {
    /// As it is now, if there is one.
    pub fn of_process() -> Option<Self> {
        std::fs::File::open("CONIN$").ok().map(|_| Self)
    }

    /// Sets it as it was.
    pub fn restore(&self) {}
}

async fn received(signal: Option<impl Future<Output = Option<()>>>) {
    match signal {
        Some(signal) => {
            signal.await;
        }
        None => std::future::pending().await,
    }
}

/// Sets a program up to run unseen: without a console window.
pub fn run_hidden(command: &mut tokio::process::Command) {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NO_WINDOW);
}

/// A program is ended by its handle; what it began ends by itself.
pub fn kill_group(_process: u32) {}

/// Splits a command line at white space; quotes hold a part together. A backslash is a backslash, as in
/// every path, so that it is doubled for the splitter.
pub fn split_command(line: &str) -> Option<Vec<String>> {
    shlex::split(&line.replace('\\', "\\\\"))
}

/// Makes a folder. What lies below a user's local application data is the user's alone by inheritance.
///
/// # Errors
/// It can't be made.
pub fn own_folder(path: &std::path::Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Opens a file to read it.
///
/// # Errors
/// It can't be opened, or is no file.
pub fn open_own_file(path: &std::path::Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a file")) }
}

/// Opens a file that is there to be locked; writing adds to its end.
///
/// # Errors
/// It can't be opened or made.
pub fn open_lock_file(path: &std::path::Path) -> io::Result<File> {
    File::options().read(true).append(true).create(true).open(path)
}

/// Whether a shell would run this file.
pub fn is_program(path: &std::path::Path) -> bool {
    path.is_file()
}

/// Windows tells a file's number by an open handle only; times and lengths have to do.
pub fn file_number(_file: &std::fs::Metadata) -> u64 {
    0
}

/// There are no sessions of this kind here.
pub fn leave_session() {}

/// Lets a process that is started outlive this one: out of its console and, where that is allowed, of its job.
pub fn run_detached(command: &mut tokio::process::Command) {
    const DETACHED_PROCESS: u32 = 0x0000_0008;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP).kill_on_drop(false);
}

/// What this machine calls itself.
pub fn machine_name() -> Option<String> {
    None
}
