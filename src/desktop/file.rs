//! A client's configuration on the disk: read whole, replaced in one step, with a backup beside it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// More than any configuration has; Claude Code keeps its history in one.
const LARGEST: u64 = 64 << 20;

/// A file as it was read.
#[derive(Debug)]
pub struct File {
    /// Where it was looked for.
    pub path: PathBuf,
    /// What a link leads to.
    target: PathBuf,
    /// What was in it; nothing if it is not there.
    text: Option<String>,
}

/// Why a file can't be read or replaced.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system said no.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is marked as read-only.
    #[error("it is read-only")]
    ReadOnly,
    /// It is not UTF-8.
    #[error("it is not written in UTF-8")]
    NotText,
    /// It is larger than any configuration.
    #[error("it is larger than 64 MiB")]
    TooLarge,
    /// Somebody else changed it in the meantime.
    #[error("another program changed it at this moment")]
    Changed,
}

impl File {
    /// Reads a file, which may be missing.
    ///
    /// # Errors
    /// It can't be read, or is none of ours to read.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let target = target(path)?;
        Ok(Self { path: path.to_owned(), text: content(&target)?, target })
    }

    /// What was in it; empty where there is no file.
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// Whether it was there.
    pub fn exists(&self) -> bool {
        self.text.is_some()
    }

    /// Where the backup with this ending lies.
    pub fn backup(&self, ending: &str) -> PathBuf {
        let mut name = self.target.file_name().unwrap_or_default().to_owned();
        name.push(ending);
        self.target.with_file_name(name)
    }

    /// Replaces what was read, in one step, and keeps it beside under the same name with this ending. The file keeps
    /// its mode; a link stays one.
    ///
    /// # Errors
    /// It can't be replaced; then it is as it was.
    pub fn replace(&self, text: &str, ending: &str) -> Result<(), FileError> {
        let folder = self.target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let permissions = match fs::metadata(&self.target) {
            Ok(found) if found.permissions().readonly() => return Err(FileError::ReadOnly),
            Ok(found) => Some(found.permissions()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let backup = self.backup(ending);
        let kept = |old: &String| write(&backup, old, permissions.clone());
        let kept = self.text.as_ref().map(kept).transpose()?;
        let new = write(&self.target, text, permissions.clone())?;
        // The clients write it too, some of them all the time.
        if content(&self.target)? != self.text {
            return Err(FileError::Changed);
        }
        if let Some(kept) = kept {
            kept.persist(&backup).map_err(|error| error.error)?;
        }
        new.persist(&self.target).map_err(|error| error.error)?;
        Ok(())
    }
}

fn write(
    path: &Path,
    text: &str,
    permissions: Option<fs::Permissions>,
) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".bridge-");
    // A new file is as readable as any that the user makes.
    #[cfg(unix)]
    let everybodys = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    if permissions.is_none() {
        builder.permissions(everybodys);
    }
    let mut file = builder.tempfile_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    Ok(file)
}

fn content(path: &Path) -> Result<Option<String>, FileError> {
    match fs::metadata(path) {
        Ok(found) if found.len() > LARGEST => return Err(FileError::TooLarge),
        Ok(found) if !found.is_file() => {
            return Err(io::Error::other("it is not a file").into());
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    String::from_utf8(fs::read(path)?).map(Some).map_err(|_| FileError::NotText)
}

/// What a link leads to, also where nothing is there yet.
fn target(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::read_link(path) {
            Ok(link) => Ok(path.parent().unwrap_or(Path::new(".")).join(link)),
            Err(_) => Ok(path.to_owned()),
        },
        found => found,
    }
}
