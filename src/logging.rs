//! What is written down: problems on stderr, and where asked for everything, there or in a file.
//!
//! Methods, ids, sizes and statuses are logged; bodies and headers are not, and secrets can't be
//! ([`crate::secret`]).

mod limit;

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::{Event, Level as Severity, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::DefaultFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, Layer, layer};
use tracing_subscriber::layer::{Layer as _, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::util::SubscriberInitExt;

use crate::printable::printable;
use limit::Limit;

/// Bytes after which the file begins anew; the one before is kept as `.1`.
const MAX_FILE: u64 = 8 * 1024 * 1024;
/// Characters of one line.
const MAX_LINE: usize = 4_000;

/// What is written down.
#[derive(Debug, Clone)]
pub struct Settings {
    /// On stderr.
    pub stderr: Level,
    /// In this file, everything.
    pub file: Option<PathBuf>,
}

/// How much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Nothing.
    Nothing,
    /// What went wrong.
    Problems,
    /// Everything.
    Everything,
}

/// Begins to write down.
///
/// # Errors
/// The file can't be written.
pub fn start(settings: &Settings) -> io::Result<()> {
    let filter = match settings.stderr {
        Level::Nothing => LevelFilter::OFF,
        Level::Problems => LevelFilter::WARN,
        Level::Everything => LevelFilter::DEBUG,
    };
    let limited = settings.stderr == Level::Problems;
    let stderr = lines(limited).with_writer(|| Stderr).with_filter(filter).boxed();
    let mut layers = vec![stderr];
    if let Some(path) = &settings.file {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = Mutex::new(LogFile::open(path)?);
        layers.push(lines(false).with_writer(file).with_filter(LevelFilter::DEBUG).boxed());
    }
    tracing_subscriber::registry().with(layers).init();
    std::panic::set_hook(Box::new(|panic| tracing::error!("a defect of bridge: {panic}")));
    Ok(())
}

/// Lines that wait for a stderr that nobody reads; more are dropped.
const WAITING_LINES: usize = 1_024;
/// How long the end of the process waits for them.
const LAST_LINES: Duration = Duration::from_millis(200);

static STDERR: OnceLock<SyncSender<Note>> = OnceLock::new();

/// What the thread that writes to stderr is told.
enum Note {
    Line(Vec<u8>),
    /// Say when all lines before this were written.
    Flush(SyncSender<()>),
}

/// stderr behind a thread of its own, begun with the first line: a client that does not read it must
/// not stop the program.
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _ = STDERR.get_or_init(write_to_stderr).try_send(Note::Line(line.to_vec()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_to_stderr() -> SyncSender<Note> {
    let (sender, notes) = sync_channel(WAITING_LINES);
    std::thread::spawn(move || {
        for note in notes {
            match note {
                Note::Line(line) => drop(io::stderr().write_all(&line)),
                Note::Flush(done) => drop(done.send(())),
            }
        }
    });
    sender
}

/// Waits for a moment until the last lines were written.
pub fn finish() {
    let left_out = TOLD.lock().unwrap_or_else(PoisonError::into_inner).take_left_out();
    if left_out > 0 {
        let line =
            format!("bridge[{}] {left_out} more warnings were left out\n", std::process::id());
        let _ = Stderr.write(line.as_bytes());
    }
    let Some(sender) = STDERR.get() else { return };
    let (done, written) = sync_channel(1);
    if sender.try_send(Note::Flush(done)).is_ok() {
        let _ = written.recv_timeout(LAST_LINES);
    }
}

fn lines(limited: bool) -> Layer<Registry, DefaultFields, Line> {
    layer().with_ansi(false).log_internal_errors(false).event_format(Line { limited })
}

/// What was told on stderr, by where in the program it is told.
static TOLD: LazyLock<Mutex<Limit<Identifier>>> = LazyLock::new(Mutex::default);

/// One line an event: when, which process, how grave, what.
struct Line {
    /// Whether a problem that comes again and again is left out.
    limited: bool,
}

impl Line {
    /// Whether an event is told; if so, how many like it were left out before it.
    fn admits(&self, event: &Event<'_>) -> Option<u64> {
        if !self.limited {
            return Some(0);
        }
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        told.admit(event.metadata().callsite(), Instant::now())
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let left_out = self.admits(event).ok_or(fmt::Error)?;
        SystemTime.format_time(&mut writer)?;
        let grave = match *event.metadata().level() {
            Severity::ERROR => "error",
            Severity::WARN => "warning",
            Severity::INFO => "info",
            _ => "debug",
        };
        write!(writer, " bridge[{}] {grave}: ", std::process::id())?;
        let mut fields = String::new();
        context.format_fields(Writer::new(&mut fields), event)?;
        // A server must not be able to write lines of its own into the log.
        writer.write_str(&printable(&fields, MAX_LINE))?;
        if left_out > 0 {
            write!(writer, " ({left_out} more like this were left out)")?;
        }
        writeln!(writer)
    }
}

/// A file that many processes append to, a line at a time, and that does not grow without bound.
struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: append(path)? })
    }

    /// Begins anew. Of several processes that find the file full one renames it; the others find
    /// another file under its name and go on with that.
    fn turn(&mut self) -> io::Result<()> {
        let lock = append(&self.path.with_added_extension("lock"))?;
        // Whoever holds it is turning the file, or was stopped in the middle: this line need not wait.
        if lock.try_lock().is_err() {
            return Ok(());
        }
        if std::fs::metadata(&self.path).is_ok_and(|file| file.len() >= MAX_FILE) {
            std::fs::rename(&self.path, self.path.with_added_extension("1"))?;
        }
        self.file = append(&self.path)?;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.file.metadata()?.len() >= MAX_FILE {
            self.turn()?;
        }
        self.file.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_log_is_bounded_and_loses_no_line_of_the_last_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bridge.log");
        let line = format!("{}\n", "x".repeat(1023));
        let writers: Vec<_> = (0..3).map(|_| Mutex::new(LogFile::open(&path).unwrap())).collect();
        for _ in 0..10_000 {
            for writer in &writers {
                writer.lock().unwrap().write_all(line.as_bytes()).unwrap();
            }
        }
        let size = |path: &Path| std::fs::metadata(path).unwrap().len();
        assert!(size(&path) <= MAX_FILE + 3 * 1024);
        assert!(size(&path.with_added_extension("1")) <= MAX_FILE + 3 * 1024);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.lines().all(|each| each.len() == 1023));
    }
}
