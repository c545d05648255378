//! `bridge logs`: what happened to the connections with servers.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::Gravity;
use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::order;
use crate::printable::printable;
use crate::ui;

/// How often it is looked whether there is more.
const PACE: Duration = Duration::from_millis(250);
/// Files that are read.
const MAX_FILES: usize = 1_000;
/// Bytes that are read of one at once. It is turned long before.
const MAX_READ: u64 = 9 * 1024 * 1024;
/// Requests whose answers are waited for, of one method.
const MAX_ASKED: usize = 100_000;
/// Characters of a line that are shown.
const MAX_LINE: usize = 4_000;

/// Which lines are shown.
#[derive(Debug)]
pub struct Logs {
    /// Where the files lie.
    pub folder: PathBuf,
    /// This one alone.
    pub only: Option<PathBuf>,
    /// In a file of several servers, this one alone: its address as a start tells it.
    pub server: Option<String>,
    /// Only what is as grave as that.
    pub least: Gravity,
    /// Only messages of this method, and their answers.
    pub method: Option<String>,
    /// Only lines of within this time.
    pub since: Option<Duration>,
    /// How many of them, the last ones; 0 for all.
    pub lines: usize,
    /// Go on as more is written.
    pub follow: bool,
}

/// One line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    /// As RFC 3339 has it, in UTC: sorts as it reads.
    at: String,
    host: String,
    process: String,
    severity: String,
    text: String,
}

impl Line {
    /// Reads `TIME bridge[PID] SEVERITY: TEXT`; what another program wrote there is none.
    fn parse(host: &str, line: &str) -> Option<Self> {
        let (at, rest) = line.split_once(' ')?;
        let (process, rest) = rest.strip_prefix("bridge[")?.split_once("] ")?;
        let (severity, text) = rest.split_once(": ")?;
        let [at, host, process, severity] = [at, host, process, severity].map(str::to_owned);
        Some(Self { at, host, process, severity, text: printable(text, MAX_LINE) })
    }

    fn gravity(&self) -> Gravity {
        match self.severity.as_str() {
            "error" => Gravity::Error,
            "warning" => Gravity::Warning,
            "info" => Gravity::Info,
            _ => Gravity::Debug,
        }
    }

    /// A field of a message's line, as it stands there. What the message holds comes behind all fields.
    fn field(&self, name: &str) -> Option<&str> {
        let fields = self.text.split_once(" body=").map_or(&*self.text, |(fields, _)| fields);
        let (_, rest) = fields.split_once(&format!(" {name}="))?;
        Some(rest.split(' ').next().unwrap_or(rest).trim_matches('"'))
    }

    fn is_since(&self, earliest: Option<SystemTime>) -> bool {
        let at = OffsetDateTime::parse(&self.at, &Rfc3339).map(SystemTime::from);
        earliest.is_none_or(|earliest| at.is_ok_and(|at| at >= earliest))
    }

    /// To the second, and with the server where there are several.
    fn shown(&self, with_host: bool) -> String {
        let Self { at, host, process, severity, text } = self;
        let at = at.split(['.', 'Z']).next().unwrap_or(at).replacen('T', " ", 1);
        let of = if with_host { format!("{host} ") } else { String::new() };
        format!("{at}Z {of}[{process}] {severity}: {text}\n")
    }
}

/// Shows them.
///
/// # Errors
/// stdout can't be written.
pub fn run(logs: &Logs) -> Result<(), Error> {
    let mut tails = Tails::default();
    let mut filter = Filter::default();
    let lines = order::by(tails.news(logs, true), |one, other| one.at.cmp(&other.at));
    let lines = filter.chosen(logs, lines);
    let first = lines.len().saturating_sub(logs.lines);
    let last = if logs.lines == 0 { &lines[..] } else { &lines[first..] };
    if last.is_empty() && !logs.follow {
        ui::say(
            "Nothing of that kind was written down. A server that is served leaves its first lines at its start.",
        );
    }
    let mut read_on = logs.print(last)?;
    while logs.follow && read_on {
        std::thread::sleep(PACE);
        let news = tails.news(logs, false);
        read_on = logs.print(&filter.chosen(logs, news))?;
    }
    Ok(())
}

/// Which lines are wanted, by what came before them.
#[derive(Default)]
struct Filter {
    /// The server of each process, as it said at its start.
    servers: HashMap<String, String>,
    /// Process and id of requests of the method that is wanted.
    asked: HashSet<(String, String)>,
}

impl Filter {
    fn chosen(&mut self, logs: &Logs, mut lines: Vec<Line>) -> Vec<Line> {
        let earliest = logs.since.and_then(|since| SystemClock.wall().checked_sub(since));
        lines.retain(|line| {
            let wanted = self.is_of_server(logs, line) && self.is_of_method(logs, line);
            wanted && line.is_since(earliest) && line.gravity() >= logs.least
        });
        lines
    }

    /// In a file of several servers; a process whose start is not in it any more may be of any.
    fn is_of_server(&mut self, logs: &Logs, line: &Line) -> bool {
        let Some(server) = &logs.server else { return true };
        if line.text.starts_with("started ")
            && let Some(started) = line.field("server")
        {
            self.servers.insert(line.process.clone(), started.to_owned());
        }
        self.servers.get(&line.process).is_none_or(|started| started == server)
    }

    /// A request of this method, or the answer to one.
    fn is_of_method(&mut self, logs: &Logs, line: &Line) -> bool {
        let Some(wanted) = &logs.method else { return true };
        let id = line.field("id").map(|id| (line.process.clone(), id.to_owned()));
        match (line.field("method"), id) {
            (Some(method), id) if method == wanted => {
                self.asked.extend(id.filter(|_| self.asked.len() < MAX_ASKED));
                true
            }
            (None, Some(id)) => self.asked.contains(&id),
            _ => false,
        }
    }
}

impl Logs {
    /// Whether anybody reads on.
    fn print(&self, lines: &[Line]) -> Result<bool, Error> {
        let with_host = self.only.is_none();
        let text: String = lines.iter().map(|line| line.shown(with_host)).collect();
        ui::print_on(ui::fit(&text).as_bytes())
    }

    fn files(&self) -> Vec<PathBuf> {
        if let Some(only) = &self.only {
            return vec![only.clone()];
        }
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let files = entries.flatten().map(|entry| entry.path());
        files
            .filter(|path| path.extension().is_some_and(|it| it == "log"))
            .take(MAX_FILES)
            .collect()
    }
}

/// How far each file was read.
#[derive(Default)]
struct Tails(Vec<(PathBuf, u64)>);

impl Tails {
    /// The lines that came since the last time; at first all, with those of the file before.
    fn news(&mut self, logs: &Logs, at_first: bool) -> Vec<Line> {
        let mut lines = Vec::new();
        for path in logs.files() {
            let host = host_of(&path);
            let of = |bytes: &[u8]| {
                let text = String::from_utf8_lossy(bytes);
                text.lines().filter_map(|line| Line::parse(&host, line)).collect::<Vec<_>>()
            };
            if at_first {
                lines
                    .extend(of(&read_from(&path.with_added_extension("1"), 0).unwrap_or_default()));
            }
            let from = self.read_to(&path);
            let mut bytes = read_from(&path, *from).unwrap_or_default();
            // A line that is being written is read whole the next time.
            bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
            *from += u64::try_from(bytes.len()).unwrap_or_default();
            lines.extend(of(&bytes));
        }
        lines
    }

    /// Where reading goes on; at the beginning where the file was turned.
    fn read_to(&mut self, path: &Path) -> &mut u64 {
        let at = self.0.iter().position(|(each, _)| each == path).unwrap_or_else(|| {
            self.0.push((path.to_owned(), 0));
            self.0.len() - 1
        });
        let read = &mut self.0[at].1;
        let length = std::fs::metadata(path).map_or(0, |file| file.len());
        if length < *read {
            *read = 0;
        }
        read
    }
}

fn read_from(path: &Path, from: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(MAX_READ).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The server's name, as the name of the file has it.
fn host_of(path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let host = name.rsplit_once('-').map_or(&*name, |(host, _)| host);
    printable(&host.replace('_', ":"), 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const LINES: &str = "2026-11-21T10:00:00.000001Z bridge[7] info: started server=\"https://a/\"\n\
        2026-11-21T10:00:02.5Z bridge[7] warning: a can't be reached\n\
        not a line of ours\n\
        2026-11-21T10:00:03Z bridge[7] info: ended\n\
        2026-11-21T10:00:04Z bridge[8] info: half wri";

    fn logs(folder: &Path) -> Logs {
        let folder = folder.to_owned();
        let (only, server, method, since) = (None, None, None, None);
        Logs { folder, only, server, least: Gravity::Debug, method, since, lines: 0, follow: false }
    }

    fn shown(logs: &Logs, lines: Vec<Line>) -> Vec<String> {
        Filter::default()
            .chosen(logs, lines)
            .iter()
            .map(|line| line.shown(true).trim_end().to_owned())
            .collect()
    }

    #[test]
    fn lines_of_all_servers_are_told_with_the_server_and_without_halves() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.example-12345678.log"), LINES).unwrap();
        let before = "2026-11-20T09:00:00Z bridge[1] info: started\n";
        fs::write(folder.path().join("a.example-12345678.log.1"), before).unwrap();
        let mut all = logs(folder.path());
        let mut tails = Tails::default();
        assert_eq!(
            shown(&all, tails.news(&all, true)),
            [
                "2026-11-20 09:00:00Z a.example [1] info: started",
                "2026-11-21 10:00:00Z a.example [7] info: started server=\"https://a/\"",
                "2026-11-21 10:00:02Z a.example [7] warning: a can't be reached",
                "2026-11-21 10:00:03Z a.example [7] info: ended",
            ]
        );
        all.least = Gravity::Warning;
        assert_eq!(shown(&all, Tails::default().news(&all, true)).len(), 1);
        all.since = Some(Duration::from_secs(1));
        assert_eq!(shown(&all, Tails::default().news(&all, true)).len(), 0);
    }

    #[test]
    fn what_comes_later_is_read_once_also_when_the_file_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a-1.log");
        fs::write(&file, LINES).unwrap();
        let all = logs(folder.path());
        let mut tails = Tails::default();
        assert_eq!(tails.news(&all, true).len(), 3);
        assert_eq!(tails.news(&all, false), []);
        fs::write(&file, format!("{LINES}tten\n")).unwrap();
        let news = tails.news(&all, false);
        assert_eq!(news.len(), 1);
        assert_eq!(news[0].text, "half written");
        let odd =
            [b"2026-11-21T10:00:05Z bridge[9] error: \xff\xff\xff\n", LINES.as_bytes(), b"tten\n"];
        fs::write(&file, odd.concat()).unwrap();
        assert_eq!(Tails::default().news(&all, true).len(), 5);
        let mut tails = Tails::default();
        tails.news(&all, true);
        fs::write(
            &file,
            [&odd.concat()[..], b"2026-11-21T10:00:06Z bridge[9] info: next\n"].concat(),
        )
        .unwrap();
        assert_eq!(tails.news(&all, false)[0].text, "next");
        fs::write(&file, "2026-11-21T10:00:05Z bridge[9] error: anew\n").unwrap();
        assert_eq!(tails.news(&all, false)[0].text, "anew");
    }
}
