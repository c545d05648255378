//! A file of lines that does not grow without bound.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::os;

/// A file that many processes append to, a line at a time, and that does not grow without bound.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// Bytes after which it begins anew.
    max: u64,
}

impl LogFile {
    pub(super) fn open(path: &Path, max: u64) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: append(path)?, max })
    }

    /// The same in a folder of its own, that is made; a link in its place is not followed.
    pub(super) fn open_private(path: &Path, max: u64) -> io::Result<Self> {
        os::own_folder(path.parent().unwrap_or(path))?;
        Ok(Self { path: path.to_owned(), file: os::open_lock_file(path)?, max })
    }

    /// Takes it from everybody else: it may be older than this program, and made by another.
    pub(super) fn make_private(&self) -> io::Result<()> {
        #[cfg(unix)]
        self.file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(())
    }

    /// Begins anew. Of several processes that find the file full one renames it; the others find
    /// another file under its name and go on with that.
    fn turn(&mut self) -> io::Result<()> {
        let lock = append(&self.path.with_added_extension("lock"))?;
        // Whoever holds it is turning the file, or was stopped in the middle: this line need not wait.
        if lock.try_lock().is_err() {
            return Ok(());
        }
        if std::fs::metadata(&self.path).is_ok_and(|file| file.len() >= self.max) {
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
        if self.file.metadata()?.len() >= self.max {
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
    use std::sync::Mutex;

    const MAX_FILE: u64 = 1024 * 1024;

    #[test]
    fn a_shared_log_is_bounded_and_loses_no_line_of_the_last_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bridge.log");
        let line = format!("{}\n", "x".repeat(1023));
        let writers: Vec<_> =
            (0..3).map(|_| Mutex::new(LogFile::open(&path, MAX_FILE).unwrap())).collect();
        for _ in 0..1_500 {
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
