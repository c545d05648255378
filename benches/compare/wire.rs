//! What stdin and stdout of a relay are made of.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

/// Most hosts give pipes; those on Node give socketpairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wire {
    Pipes,
    Socketpairs,
}

/// Both sides of stdin and stdout.
pub struct Ends {
    /// The child's.
    pub stdin: Stdio,
    /// The child's.
    pub stdout: Stdio,
    /// Ours, to its stdin.
    pub input: File,
    /// Ours, from its stdout.
    pub output: File,
}

impl Wire {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Pipes, Self::Socketpairs];

    /// The name in headings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pipes => "pipes",
            Self::Socketpairs => "socketpairs",
        }
    }

    /// A new pair for each direction, as hosts make them.
    pub fn open(self) -> io::Result<Ends> {
        let (child_in, input) = self.pair()?;
        let (output, child_out) = self.pair()?;
        Ok(Ends {
            stdin: child_in.into(),
            stdout: child_out.into(),
            input: input.into(),
            output: output.into(),
        })
    }

    /// The end to read from and the end to write to.
    fn pair(self) -> io::Result<(OwnedFd, OwnedFd)> {
        Ok(match self {
            Self::Pipes => {
                let (read, write) = io::pipe()?;
                (read.into(), write.into())
            }
            Self::Socketpairs => {
                let (read, write) = UnixStream::pair()?;
                (read.into(), write.into())
            }
        })
    }
}
