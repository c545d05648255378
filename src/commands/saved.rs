//! Files that a server's answer is saved to, or stdout in the place of one.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::printable::escaped;
use crate::ui;

/// Longest name that is made of a server's word, in characters, and numbers that are tried behind it.
const MAX_NAME: usize = 60;
const MAX_NUMBER: u32 = 10_000;

/// The usual ending of each kind; of any other none is guessed.
const ENDINGS: [(&str, &str); 20] = [
    ("image/png", "png"),
    ("image/jpeg", "jpg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("image/svg+xml", "svg"),
    ("audio/wav", "wav"),
    ("audio/x-wav", "wav"),
    ("audio/mpeg", "mp3"),
    ("audio/ogg", "ogg"),
    ("audio/flac", "flac"),
    ("video/mp4", "mp4"),
    ("application/pdf", "pdf"),
    ("application/json", "json"),
    ("application/zip", "zip"),
    ("application/gzip", "gz"),
    ("application/xml", "xml"),
    ("text/plain", "txt"),
    ("text/html", "html"),
    ("text/csv", "csv"),
    ("text/markdown", "md"),
];

/// Where files go.
pub(super) struct Place<'a> {
    /// What the person named.
    named: Option<&'a Path>,
    /// What they are called after.
    word: &'a str,
    /// The named file was written.
    used: bool,
}

/// What `--output` has for stdout. A file of that name is `./-`.
const STDOUT: &str = "-";

/// Where something went.
pub(super) enum Went {
    ToFile(PathBuf),
    ToStdout,
}

/// Refuses stdout as the place of a file where it is a terminal, before anything is sent: what was done then could
/// not be done again.
pub(super) fn check(named: Option<&Path>) -> Result<(), Error> {
    let is_stdout = named.is_some_and(|path| path == Path::new(STDOUT));
    if is_stdout && ui::columns().is_some() { Err(on_a_terminal()) } else { Ok(()) }
}

fn on_a_terminal() -> Error {
    Error::usage("nothing is written to stdout")
        .because("it is a terminal, and a file would go there as it is")
        .hint("save it with `--output FILE`, or pass it on: `… --output - | PROGRAM`")
}

impl<'a> Place<'a> {
    /// Where the person said, else the current folder. `word` is the server's: a tool's name or an address.
    pub(super) fn new(named: Option<&'a Path>, word: &'a str) -> Self {
        Self { named, word, used: false }
    }

    /// Whether a file of its own was named.
    pub(super) fn is_named(&self) -> bool {
        self.named.is_some()
    }

    /// Whether the next file goes to stdout.
    pub(super) fn is_stdout(&self) -> bool {
        !self.used && self.named.is_some_and(|path| path == Path::new(STDOUT))
    }

    /// Saves something. The file that the person named is written over by the first; nothing else ever is.
    pub(super) fn save(&mut self, bytes: &[u8], kind: &str) -> Result<Went, Error> {
        if self.is_stdout() {
            self.used = true;
            self.named = None;
            return give(bytes).map(|()| Went::ToStdout);
        }
        self.keep(bytes, kind).map(Went::ToFile)
    }

    fn keep(&mut self, bytes: &[u8], kind: &str) -> Result<PathBuf, Error> {
        match self.named {
            Some(path) if path.is_dir() => {
                self.beside(path, &stem(self.word), ending(self.word, kind), bytes)
            }
            Some(path) if !std::mem::replace(&mut self.used, true) => {
                fs::write(path, bytes).map_err(|why| unwritable(path, &why))?;
                Ok(path.to_owned())
            }
            Some(path) => {
                let text = |part: Option<&std::ffi::OsStr>| {
                    part.map(|it| it.to_string_lossy().into_owned())
                };
                let folder = path.parent().unwrap_or_else(|| Path::new(""));
                let stem = text(path.file_stem()).unwrap_or_else(|| "output".to_owned());
                self.beside(folder, &stem, text(path.extension()), bytes)
            }
            None => self.beside(Path::new(""), &stem(self.word), ending(self.word, kind), bytes),
        }
    }

    /// A new file in a folder: with a number, where there is one of that name.
    fn beside(
        &self,
        folder: &Path,
        stem: &str,
        ending: Option<String>,
        bytes: &[u8],
    ) -> Result<PathBuf, Error> {
        let ending = ending.map(|ending| format!(".{ending}")).unwrap_or_default();
        for number in 1..MAX_NUMBER {
            let number = if number == 1 { String::new() } else { format!("-{number}") };
            let path = folder.join(format!("{stem}{number}{ending}"));
            match File::create_new(&path) {
                Ok(mut file) => {
                    return file
                        .write_all(bytes)
                        .map(|()| path.clone())
                        .map_err(|why| unwritable(&path, &why));
                }
                Err(why) if why.kind() == ErrorKind::AlreadyExists => {}
                Err(why) => return Err(unwritable(&path, &why)),
            }
        }
        Err(Error::failed("there are too many files of that name")
            .hint("name another one with `--output`"))
    }
}

/// A terminal gets a text, without what would steer it.
fn give(bytes: &[u8]) -> Result<(), Error> {
    match (ui::columns(), std::str::from_utf8(bytes)) {
        (None, _) => ui::print(bytes),
        (Some(_), Ok(text)) => ui::print(escaped(text).as_bytes()),
        (Some(_), Err(_)) => Err(on_a_terminal()),
    }
}

fn unwritable(path: &Path, why: &std::io::Error) -> Error {
    Error::failed(format!("{} can't be written", path.display()))
        .because(why)
        .hint("name a file or a folder that you may write to with `--output`")
}

/// The last part of a tool's name or an address, with letters, digits and a few signs only.
fn stem(word: &str) -> String {
    let name = last_part(word);
    let name = match name.rsplit_once('.') {
        Some((stem, ending)) if is_ending(ending) && !stem.is_empty() => stem,
        _ => name,
    };
    let kept = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.chars().take(MAX_NAME).map(kept).collect();
    let name = name.trim_matches(['-', '.', '_']);
    // Names that are devices on Windows, whatever their ending.
    let device = ["con", "prn", "aux", "nul", "com", "lpt"].iter().any(|device| {
        let rest = name.to_ascii_lowercase();
        rest.strip_prefix(device).is_some_and(|rest| {
            rest.is_empty() || (rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
        })
    });
    match name {
        "" => "output".to_owned(),
        _ if device => format!("{name}-file"),
        _ => name.to_owned(),
    }
}

fn last_part(word: &str) -> &str {
    let path = word.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    path.rsplit(['/', '\\', ':']).next().unwrap_or_default()
}

fn is_ending(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The ending by the kind, else that of the address.
fn ending(word: &str, kind: &str) -> Option<String> {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if let Some((_, ending)) = ENDINGS.iter().find(|(known, _)| *known == kind) {
        return Some((*ending).to_owned());
    }
    let own = last_part(word).rsplit_once('.').map(|(_, ending)| ending);
    own.filter(|ending| is_ending(ending)).map(str::to_owned).or_else(|| Some("bin".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_of_the_servers_word_and_leads_nowhere() {
        for (word, kind, name) in [
            ("chart", "image/png", "chart.png"),
            ("photo://album/7.jpeg?size=2", "image/jpeg; q=1", "7.jpg"),
            ("file:///etc/../../passwd", "application/x-odd", "passwd.bin"),
            ("..", "image/png", "output.png"),
            ("memo:///", "text/plain", "output.txt"),
            (".bashrc", "application/x-sh", "bashrc.bin"),
            ("a b\u{1b}[2J$(x)", "audio/mpeg", "a-b--2J--x.mp3"),
            ("nul", "image/png", "nul-file.png"),
            ("C:\\x\\data.tar", "application/octet-stream", "data.tar"),
        ] {
            let ending = ending(word, kind).unwrap_or_default();
            assert_eq!(format!("{}.{ending}", stem(word)), name, "{word}");
        }
    }

    #[test]
    fn what_is_there_is_not_written_over_unless_it_was_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut place = Place::new(Some(folder.path()), "chart");
        for name in ["chart.png", "chart-2.png"] {
            assert_eq!(place.keep(b"x", "image/png").unwrap(), folder.path().join(name));
        }
        let named = folder.path().join("chart.png");
        let mut place = Place::new(Some(&named), "chart");
        assert_eq!(place.keep(b"new", "image/png").unwrap(), named);
        assert_eq!(place.keep(b"more", "image/png").unwrap(), folder.path().join("chart-3.png"));
        assert_eq!(fs::read(&named).unwrap(), b"new");
        let nowhere = folder.path().join("no/such/file");
        let error = Place::new(Some(&nowhere), "x").keep(b"x", "image/png").unwrap_err();
        assert!(error.to_string().contains("`--output`"), "{error}");
    }
}
