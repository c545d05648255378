//! One ordered log of all that the fixtures of a test saw.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How much of one entry is kept, and how many of the last entries are printed.
const SHOWN: usize = 400;
const PRINTED: usize = 100;
/// More entries than this are not kept: the older half goes.
const KEPT: usize = 20_000;

thread_local! {
    static OF_THIS_TEST: RefCell<Option<Timeline>> = const { RefCell::new(None) };
}

/// Clones are the same timeline.
#[derive(Clone)]
pub struct Timeline(Arc<Inner>);

struct Inner {
    start: Instant,
    entries: Mutex<Vec<Entry>>,
    printed: AtomicBool,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub at: Duration,
    pub who: &'static str,
    pub what: String,
}

impl Timeline {
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            start: Instant::now(),
            entries: Mutex::default(),
            printed: AtomicBool::new(false),
        }))
    }

    /// The one that all fixtures built on this thread share; a test has a thread of its own.
    pub fn of_this_test() -> Self {
        OF_THIS_TEST.with_borrow_mut(|current| current.get_or_insert_with(Self::new).clone())
    }

    pub fn log(&self, who: &'static str, what: impl Into<String>) {
        let mut what: String = what.into();
        if what.len() > SHOWN {
            let end = what.floor_char_boundary(SHOWN);
            let rest = what.len() - end;
            what.truncate(end);
            let _ = write!(what, "… and {rest} bytes more");
        }
        // The time is read under the lock, so that the entries stand in the order of their times.
        let mut entries = self.lock();
        if entries.len() == KEPT {
            entries.drain(..KEPT / 2);
        }
        entries.push(Entry { at: self.0.start.elapsed(), who, what });
    }

    pub fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    /// Where the first entry stands that contains the text.
    pub fn position(&self, text: &str) -> Option<usize> {
        self.lock().iter().position(|entry| entry.what.contains(text))
    }

    /// Prints everything, once, if the test is failing: each fixture calls this when it is dropped.
    pub fn print_if_failing(&self) {
        if !std::thread::panicking() || self.0.printed.swap(true, Ordering::Relaxed) {
            return;
        }
        eprintln!("--- what happened ---");
        let entries = self.lock();
        let skipped = entries.len().saturating_sub(PRINTED);
        if skipped > 0 {
            eprintln!("… {skipped} earlier entries");
        }
        for Entry { at, who, what } in &entries[skipped..] {
            eprintln!("{:>9.3} ms  {who:<7} {what}", at.as_secs_f64() * 1e3);
        }
        eprintln!("---------------------");
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
