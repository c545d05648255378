//! What is written down: problems on stderr, and where asked for everything, there or in a file.
//!
//! Methods, ids and statuses are logged, headers are not, and secrets can't be ([`crate::secret`]). What messages
//! hold stands in a file alone, and only where the user asked for both ([`body`]).

mod body;
mod file;
mod limit;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
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
pub use body::{body, know_secret, writes_bodies};
use file::LogFile;
use limit::Limit;

/// Bytes after which a file of everything begins anew; the one before is kept as `.1`.
const MAX_FILE: u64 = 8 * 1024 * 1024;
/// The same for the file of a server's events, of which there is always one.
const MAX_EVENTS: u64 = 256 * 1024;
/// Characters of one line.
const MAX_LINE: usize = 4_000;

/// What is written down.
#[derive(Debug, Clone)]
pub struct Settings {
    /// On stderr.
    pub stderr: Level,
    /// In this file, everything.
    pub file: Option<PathBuf>,
    /// In that file, what messages hold too.
    pub bodies: bool,
    /// In this file, what happens to one server's connection: its start, its sign-ins, its problems, its end.
    pub events: Option<PathBuf>,
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
        let file = LogFile::open(path, MAX_FILE)?;
        if settings.bodies {
            file.make_private()?;
            body::begin();
        }
        let line = Line { limited: false, with_bodies: settings.bodies };
        let layer = layer_of(line).with_writer(Mutex::new(file));
        layers.push(layer.with_filter(LevelFilter::DEBUG).boxed());
    }
    // Nobody asked for this one: where it can't be kept, it is not.
    let events =
        settings.events.as_ref().and_then(|path| LogFile::open_private(path, MAX_EVENTS).ok());
    if let Some(file) = events.map(Mutex::new) {
        layers.push(lines(false).with_writer(file).with_filter(LevelFilter::INFO).boxed());
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
    layer_of(Line { limited, with_bodies: false })
}

fn layer_of(line: Line) -> Layer<Registry, DefaultFields, Line> {
    layer().with_ansi(false).log_internal_errors(false).event_format(line)
}

/// The target of lines that hold what a message holds.
pub const BODIES: &str = "bodies";

/// What was told on stderr, by where in the program it is told.
static TOLD: LazyLock<Mutex<Limit<Identifier>>> = LazyLock::new(Mutex::default);

/// One line an event: when, which process, how grave, what.
struct Line {
    /// Whether a problem that comes again and again is left out.
    limited: bool,
    /// Whether what messages hold is written.
    with_bodies: bool,
}

impl Line {
    /// Whether an event is told; if so, how many like it were left out before it.
    fn admits(&self, event: &Event<'_>) -> Option<u64> {
        if !self.with_bodies && event.metadata().target() == BODIES {
            return None;
        }
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
