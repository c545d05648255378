//! stdin read when the system says that something came, which needs no thread.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{FileType, fstat};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Where a stream is, which has no places.
const ANYWHERE: u64 = u64::MAX;

/// stdin that is a pipe or a socket. Reading it never waits: neither does it change the descriptor, which
/// others may share, nor can another reader leave it hanging.
pub struct ReadyStdin(AsyncFd<OwnedFd>);

/// What a read came to.
pub enum Ready {
    /// So many bytes; none at the end.
    Bytes(usize),
    /// The system can't read this descriptor without waiting.
    Unfit,
}

/// stdin, where it can be read so.
pub fn ready_stdin() -> Option<ReadyStdin> {
    let input = io::stdin().as_fd().try_clone_to_owned().ok()?;
    let kind = FileType::from_raw_mode(fstat(&input).ok()?.st_mode);
    if !matches!(kind, FileType::Fifo | FileType::Socket) {
        return None;
    }
    super::unix::watch(input, Interest::READABLE).ok().map(ReadyStdin)
}

impl ReadyStdin {
    /// Reads what has come, or waits for it.
    ///
    /// # Errors
    /// stdin can't be read.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<Ready> {
        loop {
            let mut ready = self.0.readable().await?;
            let whole = buffer.len();
            let mut into = [IoSliceMut::new(buffer)];
            match preadv2(self.0.get_ref(), &mut into, ANYWHERE, ReadWriteFlags::NOWAIT) {
                Ok(read) => {
                    if read > 0 && read < whole {
                        // All there was: the next wait is for more.
                        ready.clear_ready();
                    }
                    return Ok(Ready::Bytes(read));
                }
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(Errno::INTR) => {}
                Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => return Ok(Ready::Unfit),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
