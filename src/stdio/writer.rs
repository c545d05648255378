//! Messages → stdout. The only owner of stdout; nothing else in the program may write to it.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::os::WriteNow;

/// Bytes of answers that wait for a slow reader before their streams are left unread.
const MAX_WAITING: usize = 4 * 1024 * 1024;
/// Bytes of this program's own messages that wait before the client is not read any further.
const MAX_OWN: usize = 4 * 1024 * 1024;
/// Frames below this are gathered into one write.
const GATHERED: usize = 16 * 1024;
/// What one gathered write holds at most.
const BATCH: usize = 64 * 1024;
/// What is written at once at most: as much as a pipe takes in one piece.
const AT_ONCE: usize = 4 * 1024;

/// A reservation of space in the queue, given back when the message was written or dropped.
#[derive(Debug)]
pub struct Room(OwnedSemaphorePermit);

impl Room {
    /// Both as one, so that many are given back at once.
    fn with(mut self, other: Option<Self>) -> Self {
        if let Some(Self(other)) = other {
            self.0.merge(other);
        }
        self
    }
}

/// One message on its way out.
#[derive(Debug)]
pub struct Frame {
    bytes: Bytes,
    room: Option<Room>,
}

impl Frame {
    /// A message that waits for nobody: a small one of this program's own.
    pub fn new(bytes: Bytes) -> Self {
        Self { bytes, room: None }
    }

    /// A message for which room was reserved.
    pub fn with_room(bytes: Bytes, room: Option<Room>) -> Self {
        Self { bytes, room }
    }

    fn own_bytes(&self) -> usize {
        if self.room.is_none() { self.bytes.len() } else { 0 }
    }
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Frame>,
    /// The thread is writing what it took.
    writing: bool,
    /// A way that never waits, to the same output; gone with the last message, so that the output closes.
    now: Option<WriteNow>,
    /// No more will come.
    finished: bool,
    /// Everything was written, or nothing can be any more.
    ended: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    closed: Notify,
    drained: Notify,
    room: Arc<Semaphore>,
    /// Bytes of messages without room that wait.
    own: AtomicUsize,
    relieved: Notify,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handle by which messages reach stdout.
#[derive(Clone)]
pub struct Writer {
    shared: Arc<Shared>,
}

impl Writer {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn spawn(output: impl Write + Send + 'static) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            filled: Condvar::new(),
            closed: Notify::new(),
            drained: Notify::new(),
            room: Arc::new(Semaphore::new(MAX_WAITING)),
            own: AtomicUsize::new(0),
            relieved: Notify::new(),
        });
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("stdout".into())
            .stack_size(128 * 1024)
            .spawn(move || write_all(output, &theirs))?;
        Ok(Self { shared })
    }

    /// The same with a way to the same output that never waits, where there is one.
    #[must_use]
    pub fn writing_now(self, now: Option<WriteNow>) -> Self {
        self.shared.queue().now = now;
        self
    }

    /// Writes messages in order, at once if the output takes them all and nothing waits before them: waking the
    /// thread costs a client that waits for one answer a third of the way. Never waits.
    pub fn write_now(&self, frames: Vec<Frame>) {
        let size: usize = frames.iter().map(|frame| frame.bytes.len() + 1).sum();
        // Held, so that nobody writes in between.
        let mut queue = self.shared.queue();
        let idle = !queue.finished && !queue.writing && queue.frames.is_empty();
        let Some(now) = queue.now.as_ref().filter(|_| idle && size <= AT_ONCE) else {
            drop(queue);
            return self.write(frames);
        };
        let mut lines = Vec::with_capacity(size);
        for frame in &frames {
            lines.extend_from_slice(&frame.bytes);
            lines.push(b'\n');
        }
        match now(&lines) {
            Ok(written) if written == size => {}
            Ok(written) if written > 0 => {
                lines.truncate(size - 1);
                let rest = Frame::new(Bytes::from(lines).split_off(written));
                self.shared.own.fetch_add(rest.own_bytes(), Ordering::Relaxed);
                queue.frames.push_back(rest);
                drop(queue);
                self.shared.filled.notify_one();
            }
            // What is wrong with it is found out by the thread.
            Ok(_) | Err(_) => {
                drop(queue);
                self.write(frames);
            }
        }
    }

    /// Queues messages in order. Never waits.
    pub fn write(&self, frames: impl IntoIterator<Item = Frame>) {
        let mut queue = self.shared.queue();
        if queue.ended || queue.finished {
            return;
        }
        let before = queue.frames.len();
        queue.frames.extend(frames);
        let own = queue.frames.iter().skip(before).map(Frame::own_bytes).sum();
        self.shared.own.fetch_add(own, Ordering::Relaxed);
        drop(queue);
        self.shared.filled.notify_one();
    }

    /// Waits until there is room for a message of this size. This is the back-pressure: whoever reads
    /// from the server does not read on before it.
    pub async fn room(&self, size: usize) -> Option<Room> {
        let room = Arc::clone(&self.shared.room);
        room.acquire_many_owned(permits(size)).await.ok().map(Room)
    }

    /// The same where it is there at once.
    pub fn room_now(&self, size: usize) -> Option<Room> {
        let room = Arc::clone(&self.shared.room);
        room.try_acquire_many_owned(permits(size)).ok().map(Room)
    }

    /// Whether so many of this program's own messages wait that no more should be caused.
    pub fn is_pressed(&self) -> bool {
        self.shared.own.load(Ordering::Relaxed) > MAX_OWN
    }

    /// Resolves when that is over.
    pub async fn relieved(&self) {
        loop {
            let notified = self.shared.relieved.notified();
            if !self.is_pressed() {
                return;
            }
            notified.await;
        }
    }

    /// Resolves when stdout was found closed.
    pub async fn closed(&self) {
        loop {
            let notified = self.shared.closed.notified();
            if self.shared.queue().ended {
                return;
            }
            notified.await;
        }
    }

    /// Takes no more messages; resolves when the last one was written.
    pub async fn finish(&self) {
        {
            let mut queue = self.shared.queue();
            (queue.finished, queue.now) = (true, None);
        }
        self.shared.filled.notify_one();
        loop {
            let notified = self.shared.drained.notified();
            if self.shared.queue().ended {
                return;
            }
            notified.await;
        }
    }
}

/// What a message of this size takes of the room: no more than there is.
fn permits(size: usize) -> u32 {
    u32::try_from(size.min(MAX_WAITING)).unwrap_or(u32::MAX)
}

fn write_all(mut output: impl Write, shared: &Shared) {
    let mut buffer = Vec::with_capacity(BATCH);
    let mut taken = VecDeque::new();
    while take(shared, &mut taken) {
        let own: usize = taken.iter().map(Frame::own_bytes).sum();
        if let Err(error) = write_frames(&mut output, &mut taken, &mut buffer) {
            tracing::debug!(%error, "stdout is closed");
            break;
        }
        if own > 0 {
            shared.own.fetch_sub(own, Ordering::Relaxed);
            shared.relieved.notify_waiters();
        }
    }
    let mut queue = shared.queue();
    (queue.ended, queue.now) = (true, None);
    queue.frames.clear();
    drop(queue);
    // Whoever waits for room has nobody left to write for.
    shared.room.close();
    shared.closed.notify_waiters();
    shared.drained.notify_waiters();
}

/// Waits for frames; `false` when there will be none.
fn take(shared: &Shared, into: &mut VecDeque<Frame>) -> bool {
    let mut queue = shared.queue();
    queue.writing = false;
    while queue.frames.is_empty() {
        if queue.finished {
            return false;
        }
        queue = shared.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
    std::mem::swap(&mut queue.frames, into);
    queue.writing = true;
    true
}

fn write_frames(
    output: &mut impl Write,
    frames: &mut VecDeque<Frame>,
    buffer: &mut Vec<u8>,
) -> std::io::Result<()> {
    let mut held: Option<Room> = None;
    while let Some(frame) = frames.pop_front() {
        let (bytes, room) = (frame.bytes, frame.room);
        let large = bytes.len() > GATHERED;
        if buffer.len() + bytes.len() >= BATCH || large {
            output.write_all(buffer)?;
            buffer.clear();
            held = None;
        }
        if large {
            output.write_all(&bytes)?;
        } else {
            buffer.extend_from_slice(&bytes);
        }
        buffer.push(b'\n');
        held = match room {
            Some(room) => Some(room.with(held)),
            None => held,
        };
    }
    output.write_all(buffer)?;
    buffer.clear();
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// An output that shows each write, and takes the next only when told to.
    struct Gated {
        writes: mpsc::Sender<Vec<u8>>,
        go: mpsc::Receiver<std::io::Result<()>>,
    }

    impl Write for Gated {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.go.recv().unwrap_or(Ok(()))?;
            let _ = self.writes.send(bytes.to_vec());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn frame(text: &str) -> Frame {
        Frame::new(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn gated() -> (Writer, mpsc::Receiver<Vec<u8>>, mpsc::Sender<std::io::Result<()>>) {
        let (writes, seen) = mpsc::channel();
        let (allow, go) = mpsc::channel();
        (Writer::spawn(Gated { writes, go }).unwrap(), seen, allow)
    }

    #[tokio::test]
    async fn what_is_ready_goes_out_in_one_write_in_order() {
        let (writer, seen, allow) = gated();
        writer.write([frame("1"), frame("2"), frame("3")]);
        allow.send(Ok(())).unwrap();
        assert_eq!(seen.recv().unwrap(), b"1\n2\n3\n");
        drop(allow);
        writer.finish().await;
    }

    #[tokio::test]
    async fn a_large_message_is_not_gathered_and_keeps_its_place() {
        let (writer, seen, allow) = gated();
        let large = "x".repeat(GATHERED + 1);
        writer.write([frame("1"), frame(&large), frame("2")]);
        drop(allow);
        writer.finish().await;
        let written: Vec<u8> = seen.try_iter().flatten().collect();
        assert_eq!(String::from_utf8(written).unwrap(), format!("1\n{large}\n2\n"));
    }

    /// Takes so many bytes at once each time, and shows them.
    fn taking(takes: usize) -> (WriteNow, mpsc::Receiver<Vec<u8>>) {
        let (shown, seen) = mpsc::sync_channel(9);
        let now = move |bytes: &[u8]| {
            let taken = bytes.len().min(takes);
            shown.send(bytes[..taken].to_vec()).unwrap();
            Ok(taken)
        };
        (Box::new(now), seen)
    }

    #[tokio::test]
    async fn what_the_output_takes_at_once_needs_no_thread() {
        let (writer, by_thread, allow) = gated();
        let (now, at_once) = taking(usize::MAX);
        let writer = writer.writing_now(Some(now));
        writer.write_now(vec![frame("1"), frame("2")]);
        assert_eq!(at_once.recv().unwrap(), b"1\n2\n");
        writer.write_now(vec![frame(&"x".repeat(AT_ONCE))]);
        drop(allow);
        writer.finish().await;
        assert_eq!(by_thread.try_iter().flatten().count(), AT_ONCE + 1, "too long for one piece");
        assert!(at_once.try_recv().is_err());
    }

    #[tokio::test]
    async fn what_the_output_does_not_take_at_once_is_written_by_the_thread_in_order() {
        for takes in [0, 1, 3, 5] {
            let (writer, by_thread, allow) = gated();
            let (now, at_once) = taking(takes);
            let writer = writer.writing_now(Some(now));
            writer.write_now(vec![frame("12"), frame("34")]);
            // The thread has something to write: what comes after it waits its turn.
            writer.write_now(vec![frame("5")]);
            drop(allow);
            writer.finish().await;
            let written: Vec<u8> =
                at_once.try_iter().chain(by_thread.try_iter()).flatten().collect();
            assert_eq!(written, b"12\n34\n5\n", "{takes}");
        }
    }

    #[tokio::test]
    async fn a_slow_reader_leaves_no_room() {
        let (writer, _seen, allow) = gated();
        let room = writer.room(MAX_WAITING).await;
        assert!(room.is_some());
        writer.write([Frame::with_room(Bytes::from_static(b"{}"), room)]);
        let second = writer.room(1);
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(allow);
        assert!(second.await.is_some());
    }

    #[tokio::test]
    async fn messages_of_our_own_that_nobody_reads_press_until_they_are_written() {
        let (writer, _seen, allow) = gated();
        let large = "x".repeat(MAX_OWN / 4);
        for _ in 0..4 {
            assert!(!writer.is_pressed());
            writer.write([frame(&large), frame("{}")]);
        }
        assert!(writer.is_pressed());
        let relieved = writer.relieved();
        tokio::pin!(relieved);
        assert!(futures_util::poll!(&mut relieved).is_pending());
        drop(allow);
        relieved.await;
        assert!(!writer.is_pressed());
    }

    #[tokio::test]
    async fn a_closed_stdout_is_noticed_and_frees_whoever_waits() {
        let (writer, _seen, allow) = gated();
        let held = writer.room(MAX_WAITING).await;
        writer.write([frame("1")]);
        allow.send(Err(std::io::ErrorKind::BrokenPipe.into())).unwrap();
        writer.closed().await;
        assert!(writer.room(1).await.is_none());
        writer.finish().await;
        drop(held);
    }
}
