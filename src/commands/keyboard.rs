//! The lines that a person types. One reader for the whole process: of two, nobody knows which gets a line.

use std::io::BufRead;
use std::sync::Arc;

use tokio::sync::{Notify, mpsc};

/// Lines of stdin, read on a thread that ends with the process.
pub(super) struct Keyboard {
    lines: mpsc::Receiver<String>,
    over: Arc<Notify>,
}

impl Keyboard {
    /// Begins to read.
    pub(super) fn read() -> Self {
        let (sender, lines) = mpsc::channel(1);
        let over = Arc::new(Notify::new());
        let told = Arc::clone(&over);
        std::thread::spawn(move || {
            read_lines(&sender);
            told.notify_one();
        });
        Self { lines, over }
    }

    /// The next line, without its line break; none at the end of the input.
    pub(super) async fn line(&mut self) -> Option<String> {
        self.lines.recv().await
    }

    /// Told when the input is at its end.
    pub(super) fn over(&self) -> Arc<Notify> {
        Arc::clone(&self.over)
    }
}

fn read_lines(lines: &mpsc::Sender<String>) {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        if lines.blocking_send(line).is_err() {
            return;
        }
    }
}
