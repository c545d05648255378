//! A relay that runs, as its client sees it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::Result;
use crate::contestant::Contestant;
use crate::messages::{self, Answer};
use crate::wire::Wire;

/// The slowest honest answer takes a second or two; what is silent for this long hangs.
const PATIENCE: Timespec = Timespec { tv_sec: 30, tv_nsec: 0 };

/// Makes the line of a call from its id, the tool and the arguments.
pub type MakeCall = fn(u64, &str, &str) -> String;

/// A running process and our ends of its stdio.
pub struct Relay {
    child: Child,
    started: Instant,
    /// `None` once the input has ended.
    input: Option<File>,
    output: Lines,
    next_id: u64,
}

impl Relay {
    /// Starts a contestant for the server at `url`.
    pub fn start(
        contestant: &Contestant,
        url: &str,
        wire: Wire,
        home: &Path,
        environment: &[(&str, &OsStr)],
    ) -> Result<Self> {
        let ends = wire.open()?;
        let log = File::create(contestant.log(home))?;
        let mut command = contestant.command(url, home);
        command.envs(environment.iter().copied());
        command.stdin(ends.stdin).stdout(ends.stdout).stderr(Stdio::from(log));
        let started = Instant::now();
        let child = command.spawn()?;
        Ok(Self {
            child,
            started,
            input: Some(ends.input),
            output: Lines::new(ends.output),
            next_id: 1,
        })
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Initializes; returns the time from the start of the process to the answer.
    pub fn initialize(&mut self) -> Result<Duration> {
        self.send(messages::INITIALIZE)?;
        self.answer_to(0)?;
        let taken = self.started.elapsed();
        self.send(messages::INITIALIZED)?;
        Ok(taken)
    }

    /// An id that was not used before.
    pub fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// Writes one message, by itself, as clients do.
    pub fn send(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().ok_or("the input has ended")?;
        Ok(input.write_all(line.as_bytes())?)
    }

    /// Calls a tool and waits for its answer.
    pub fn call(&mut self, tool: &str, arguments: &str) -> Result<Duration> {
        self.call_by(messages::call, tool, arguments)
    }

    /// The same with a line that is made by this.
    pub fn call_by(&mut self, line: MakeCall, tool: &str, arguments: &str) -> Result<Duration> {
        let id = self.new_id();
        let line = line(id, tool, arguments);
        let sent = Instant::now();
        self.send(&line)?;
        self.answer_to(id)?;
        Ok(sent.elapsed())
    }

    /// Lists the tools and waits for the answer.
    pub fn list(&mut self) -> Result<()> {
        let id = self.new_id();
        self.send(&messages::list(id))?;
        self.answer_to(id).map(drop)
    }

    /// Waits for one answer; returns how many notifications came before it.
    pub fn answer_to(&mut self, id: u64) -> Result<usize> {
        let mut notifications = 0;
        loop {
            match self.next()? {
                None => notifications += 1,
                Some(answered) if answered == id => return Ok(notifications),
                Some(other) => return Err(format!("answer to {other} in place of {id}").into()),
            }
        }
    }

    /// Reads a message: the id of an answer, or `None` for a notification.
    pub fn next(&mut self) -> Result<Option<u64>> {
        let line = self.output.next()?;
        let answer: Answer<'_> = serde_json::from_slice(line)?;
        match (answer.id, answer.result) {
            (Some(id), Some(_)) => Ok(Some(id)),
            (None, None) => Ok(None),
            _ => {
                let start = String::from_utf8_lossy(&line[..line.len().min(300)]);
                Err(format!("not a result: {start}").into())
            }
        }
    }

    /// Ends the input; returns how long the process lives on.
    pub fn end(&mut self) -> Result<Duration> {
        let ended = Instant::now();
        self.input = None;
        self.child.wait()?;
        Ok(ended.elapsed())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads lines, and gives up on a stream that stays silent.
struct Lines {
    stream: File,
    buffer: Vec<u8>,
    /// Where the next line starts, and where what was read ends.
    start: usize,
    end: usize,
}

impl Lines {
    fn new(stream: File) -> Self {
        Self { stream, buffer: vec![0; 64 * 1024], start: 0, end: 0 }
    }

    fn next(&mut self) -> io::Result<&[u8]> {
        let mut searched = self.start;
        loop {
            let fresh = &self.buffer[searched..self.end];
            if let Some(at) = fresh.iter().position(|&byte| byte == b'\n') {
                let line = self.start..searched + at;
                self.start = line.end + 1;
                return Ok(&self.buffer[line]);
            }
            self.make_room();
            searched = self.end;
            self.read()?;
        }
    }

    /// Moves the begun line to the front, and grows when it fills the buffer.
    fn make_room(&mut self) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize(self.end * 2, 0);
        }
    }

    fn read(&mut self) -> io::Result<()> {
        let mut ready = [PollFd::new(&self.stream, PollFlags::IN)];
        if poll(&mut ready, Some(&PATIENCE))? == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match self.stream.read(&mut self.buffer[self.end..])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                self.end += length;
                Ok(())
            }
        }
    }
}
