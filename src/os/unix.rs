//! Linux, macOS and their relatives.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::pipe::PIPE_BUF;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::WriteNow;

/// stdin, without the locks and buffers of the standard library's.
///
/// # Errors
/// It is closed.
pub fn stdin() -> io::Result<impl io::Read> {
    Ok(Patient(io::stdin().as_fd().try_clone_to_owned()?.into()))
}

/// stdout, likewise.
///
/// # Errors
/// It is closed.
pub fn stdout() -> io::Result<impl io::Write> {
    Ok(Patient(io::stdout().as_fd().try_clone_to_owned()?.into()))
}

/// A way to stdout that never waits, which a pipe or a socket has: how much was written is told.
pub fn stdout_at_once() -> Option<WriteNow> {
    use rustix::fs::{FileType, fstat};
    use rustix::net::{SendFlags, send};

    let output = io::stdout().as_fd().try_clone_to_owned().ok()?;
    match FileType::from_raw_mode(fstat(&output).ok()?.st_mode) {
        FileType::Socket => {
            Some(Box::new(move |bytes| Ok(send(&output, bytes, SendFlags::DONTWAIT)?)))
        }
        // A pipe with room takes that much without waiting (POSIX, `write`).
        FileType::Fifo => Some(Box::new(move |bytes| {
            let mut asked = [PollFd::new(&output, PollFlags::OUT)];
            poll(&mut asked, Some(&Timespec::default()))?;
            if bytes.len() > PIPE_BUF || !asked[0].revents().contains(PollFlags::OUT) {
                return Ok(0);
            }
            Ok(rustix::io::write(&output, bytes)?)
        })),
        _ => None,
    }
}

/// Leaves stdin, stdout and stderr, whose other ends see them closed; the process goes on without them.
pub fn leave_stdio() {
    use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

    let Ok(nothing) = File::options().read(true).write(true).open("/dev/null") else { return };
    let left = dup2_stdin(&nothing).and_then(|()| dup2_stdout(&nothing));
    if let Err(error) = left.and_then(|()| dup2_stderr(&nothing)) {
        tracing::debug!(%error, "stdio could not be left");
    }
}

/// A file that is waited for also where whoever shares it has made it non-blocking.
struct Patient(File);

impl Patient {
    fn wait(&self, for_what: PollFlags) -> io::Result<()> {
        poll(&mut [PollFd::new(&self.0, for_what)], None)?;
        Ok(())
    }
}

impl io::Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(PollFlags::IN)?;
                }
                read => return read,
            }
        }
    }
}

impl io::Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(PollFlags::OUT)?;
                }
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Lets the process open as many files as the requests in flight need connections, and their answers as
/// many again: systems give 1,024, and those that desktops start on macOS 256.
pub fn allow_many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    const WANTED: u64 = 4096;

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(WANTED, |maximum| maximum.min(WANTED));
    if current.is_some_and(|current| current < wanted) {
        let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
        tracing::debug!(wanted, ?raised, "open files allowed");
    }
}

/// Watches a descriptor by readiness, which costs no thread and wakes nobody.
#[expect(unsafe_code, reason = "tokio asks for the promise below since 1.54")]
pub(super) fn watch(descriptor: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open until it is dropped, and names the same descriptor all the while.
    let watched = unsafe { AsyncFd::register_with_interest(descriptor, interest) };
    watched.map_err(|error| error.into_parts().1)
}

/// Resolves when nobody can read stdout any more. What can't be watched, a file or a terminal, is found
/// out by writing.
///
/// stdout may be one socket with stdin (`socat EXEC:`, inetd), whose other end may close its writing
/// half and read on. Linux tells that from a closed socket, and then there is nothing left to watch for;
/// the other systems do not.
pub async fn stdout_hung_up() {
    let interest = Interest::READABLE.add(Interest::ERROR);
    let watched = io::stdout().as_fd().try_clone_to_owned().and_then(|out| watch(out, interest));
    if let Ok(watched) = watched {
        while let Ok(mut ready) = watched.ready(interest).await {
            let state = ready.ready();
            if state.is_error() || state.is_read_closed() {
                if is_half_closed(watched.get_ref()) {
                    break;
                }
                return;
            }
            ready.clear_ready();
        }
    }
    std::future::pending().await
}

/// Whether a socket's other end takes more, although it sends no more. Readiness does not tell.
#[cfg(target_os = "linux")]
fn is_half_closed(descriptor: &OwnedFd) -> bool {
    let mut asked = [PollFd::new(descriptor, PollFlags::empty())];
    let answered = poll(&mut asked, Some(&Timespec::default()));
    answered.is_ok() && asked[0].revents().is_empty()
}

#[cfg(not(target_os = "linux"))]
fn is_half_closed(_descriptor: &OwnedFd) -> bool {
    false
}

/// Resolves when the process that launched us is gone.
pub async fn parent_gone() {
    #[cfg(target_os = "linux")]
    if let Some(parent) = rustix::process::getppid() {
        use rustix::process::{PidfdFlags, pidfd_open};
        let watched = pidfd_open(parent, PidfdFlags::empty())
            .map_err(io::Error::from)
            .and_then(|pidfd| watch(pidfd, Interest::READABLE));
        if let Ok(watched) = watched
            && watched.readable().await.is_ok()
        {
            return;
        }
    }
    std::future::pending().await
}

/// Resolves at SIGTERM, SIGINT or SIGHUP, which are listened for from the moment of the call.
pub fn told_to_end() -> impl Future<Output = ()> {
    let listen = |kind| signal(kind).ok();
    let mut terminate = listen(SignalKind::terminate());
    let mut interrupt = listen(SignalKind::interrupt());
    let mut hang_up = listen(SignalKind::hangup());
    async move {
        tokio::select! {
            () = received(&mut terminate) => {}
            () = received(&mut interrupt) => {}
            () = received(&mut hang_up) => {}
        }
    }
}

async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// How the process's terminal is set, as whether it shows what is typed. It may be another file than stdin.
pub struct Terminal(std::fs::File, rustix::termios::Termios);

impl Terminal {
    /// As it is now, if there is one.
    pub fn of_process() -> Option<Self> {
        let file = std::fs::File::open("/dev/tty").ok()?;
        let state = rustix::termios::tcgetattr(&file).ok()?;
        Some(Self(file, state))
    }

    /// Sets it as it was.
    pub fn restore(&self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        let _ = tcsetattr(&self.0, OptionalActions::Now, &self.1);
    }
}

/// Sets a program up to run unseen: in a process group of its own, so that all of it can be ended.
pub fn run_hidden(command: &mut tokio::process::Command) {
    command.process_group(0);
    #[cfg(not(target_os = "macos"))]
    super::session_bus::tell(command);
}

/// Ends a program that was run so, and what it began.
pub fn kill_group(process: u32) {
    let group = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

/// Splits a command line by the rules of a POSIX shell, without any of its expansions; `None` where a
/// quote is not closed.
pub fn split_command(line: &str) -> Option<Vec<String>> {
    shlex::split(line)
}

/// Makes a folder that is the user's alone, or makes sure that it is.
///
/// # Errors
/// It can't be made, belongs to somebody else, or is no folder.
pub fn own_folder(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // Not followed: a link could lead into a folder of somebody else's.
    let folder = std::fs::symlink_metadata(path)?;
    if !folder.is_dir() {
        return Err(io::Error::other("it is not a folder, or a link to one"));
    }
    check_owner(&folder)?;
    if folder.mode() & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Opens a file that only the user can read or write, to read it.
///
/// # Errors
/// It is not there, is not such a file, or is a link.
pub fn open_own_file(path: &Path) -> io::Result<File> {
    // A pipe in its place must not be waited for.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let file = opened.map_err(link_named)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    check_owner(&about)?;
    if about.mode() & 0o077 != 0 {
        return Err(io::Error::other("others may read or write it"));
    }
    Ok(file)
}

/// Opens a file that is there to be locked; writing adds to its end.
///
/// # Errors
/// It can't be opened or made, or is a link.
pub fn open_lock_file(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = File::options();
    options.read(true).append(true).create(true).mode(0o600);
    options.custom_flags(flags.bits().cast_signed()).open(path).map_err(link_named)
}

/// Whether a shell would run this file.
pub fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path)
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// The number of a file in its file system.
pub fn file_number(file: &std::fs::Metadata) -> u64 {
    file.ino()
}

fn check_owner(file: &std::fs::Metadata) -> io::Result<()> {
    if file.uid() == rustix::process::geteuid().as_raw() {
        Ok(())
    } else {
        Err(io::Error::other("it belongs to another user"))
    }
}

fn link_named(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => {
            io::Error::other("it is a link")
        }
        _ => error,
    }
}

/// Takes a process out of the session of the one that started it, so that what ends that does not end this.
pub fn leave_session() {
    // It fails for the leader of a group, which has a session of its own already.
    let _ = rustix::process::setsid();
}

/// Lets a process that is started outlive this one.
pub fn run_detached(command: &mut tokio::process::Command) {
    command.kill_on_drop(false);
}

/// What this machine calls itself.
pub fn machine_name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Some(name).filter(|name| !name.is_empty())
}
