//! Where files of the program lie, and how a private one is replaced.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use directories::ProjectDirs;

use crate::os;

/// Name of the program's folders.
const NAME: &str = "mcp-bridge";

/// The folder for what can be lost, by the platform's custom (`XDG_CACHE_HOME` on Linux).
pub fn cache_folder() -> Option<PathBuf> {
    ProjectDirs::from("", "", NAME).map(|folders| folders.cache_dir().to_owned())
}

/// The folder for what must not be lost (`XDG_DATA_HOME` on Linux). It does not roam with a Windows
/// profile, since the key to what is in it does not either.
pub fn data_folder() -> Option<PathBuf> {
    ProjectDirs::from("", "", NAME).map(|folders| folders.data_local_dir().to_owned())
}

/// The folder of what the user writes (`XDG_CONFIG_HOME` on Linux).
pub fn config_folder() -> Option<PathBuf> {
    ProjectDirs::from("", "", NAME).map(|folders| folders.config_dir().to_owned())
}

/// The folder of what happened (`XDG_STATE_HOME` on Linux; elsewhere that for what must not be lost).
pub fn state_folder() -> Option<PathBuf> {
    let folders = ProjectDirs::from("", "", NAME)?;
    Some(folders.state_dir().unwrap_or(folders.data_local_dir()).to_owned())
}

/// The path with the user's home folder for a `~` at its beginning, as a shell would have it.
pub fn from_home(path: PathBuf) -> PathBuf {
    let home = || directories::BaseDirs::new().map(|folders| folders.home_dir().to_owned());
    match path.strip_prefix("~") {
        Ok(rest) => home().map_or_else(|| path.clone(), |home| home.join(rest)),
        Err(_) => path,
    }
}

/// Whether nobody asked this by that name within a day, noted by a file in the cache folder. Where it can't
/// be noted, every time is the first.
pub fn is_first_today(name: &str, now: SystemTime) -> bool {
    cache_folder().is_none_or(|folder| is_first_of_day(&folder.join(name), now))
}

fn is_first_of_day(marker: &Path, now: SystemTime) -> bool {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let noted = std::fs::metadata(marker).and_then(|file| file.modified());
    // A file of the future, as a wrong clock leaves it, is no reason for silence.
    if noted.is_ok_and(|at| now.duration_since(at).is_ok_and(|since| since < DAY)) {
        return false;
    }
    let _ = replace_private(marker, b"");
    true
}

/// What a file holds, which may be no more than this.
///
/// # Errors
/// It can't be read, or is longer.
pub fn read_at_most(path: &Path, bytes: u64) -> std::io::Result<Vec<u8>> {
    all_of(std::fs::File::open(path)?, bytes)
}

/// The same of a file that only the user can read or write.
///
/// # Errors
/// It is another kind of file, can't be read, or is longer.
pub fn read_private(path: &Path, bytes: u64) -> std::io::Result<Vec<u8>> {
    all_of(os::open_own_file(path)?, bytes)
}

fn all_of(file: std::fs::File, bytes: u64) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(bytes + 1).read_to_end(&mut content)?;
    if content.len() as u64 > bytes {
        return Err(std::io::Error::other(format!("it is longer than {} MB", bytes >> 20)));
    }
    Ok(content)
}

/// What the name of a file that is being written begins with.
pub const UNFINISHED: &str = ".new-";

/// Replaces a file that only the user may read, in one step: a reader sees the old one or the new one.
///
/// # Errors
/// The folder or the file can't be written, or the folder is somebody else's.
pub fn replace_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    os::own_folder(folder_of(path))?;
    unfinished(path, content)?.persist(path).map(drop).map_err(|error| error.error)
}

/// The same, and it is on the disk when this returns: a crash of the system loses nothing.
///
/// # Errors
/// The folder or the file can't be written.
pub fn replace_private_durably(path: &Path, content: &[u8]) -> std::io::Result<()> {
    /// Windows refuses to replace a file at the moment that another process reads it.
    const ATTEMPTS: u32 = 20;
    const PAUSE: Duration = Duration::from_millis(10);

    let mut file = unfinished(path, content)?;
    file.as_file().sync_all()?;
    for attempt in 1.. {
        match file.persist(path) {
            Ok(_) => break,
            Err(refused)
                if refused.error.kind() == DENIED && attempt < ATTEMPTS && cfg!(windows) =>
            {
                file = refused.file;
                std::thread::sleep(PAUSE);
            }
            Err(refused) => return Err(refused.error),
        }
    }
    // A renamed file is there after a crash if its folder was written too.
    #[cfg(unix)]
    std::fs::File::open(folder_of(path))?.sync_all()?;
    Ok(())
}

/// Replaces a file of the user's own, in one step: a link stays one, and the mode stays as it was. A new file is
/// private.
///
/// # Errors
/// The folder or the file can't be written.
pub fn replace_as_it_was(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let file = unfinished(&path, content)?;
    if let Ok(old) = std::fs::metadata(&path) {
        file.as_file().set_permissions(old.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&path).map(drop).map_err(|error| error.error)
}

/// Writes a private file into this folder, reads it back, and deletes it: what of it can be read.
///
/// # Errors
/// The folder or the file can't be written or read.
pub fn try_private(folder: &Path, content: &[u8]) -> std::io::Result<Vec<u8>> {
    let file = unfinished(&folder.join("tried"), content)?;
    file.as_file().sync_all()?;
    // Not by its name: on Windows nobody else reads a file that is locked.
    let mut written = file.as_file();
    written.seek(SeekFrom::Start(0))?;
    let mut read = Vec::with_capacity(content.len());
    written.read_to_end(&mut read)?;
    Ok(read)
}

const DENIED: std::io::ErrorKind = std::io::ErrorKind::PermissionDenied;

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

fn unfinished(path: &Path, content: &[u8]) -> std::io::Result<tempfile::NamedTempFile> {
    let folder = folder_of(path);
    create_private_folder(folder)?;
    // Made with mode 0600 where there are modes.
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    // Tells those who sweep that somebody writes it; the lock goes with the process. Whoever holds it is one of
    // them, who only looks and leaves what is empty.
    let _ = file.as_file().lock();
    file.write_all(content)?;
    Ok(file)
}

/// Deletes what processes left that were killed while they wrote into this folder.
pub fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        if unfinished && std::fs::File::open(entry.path()).is_ok_and(|file| is_left(&file)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Whether nobody writes this file any more. One that is empty may have a writer that did not lock it yet.
fn is_left(file: &std::fs::File) -> bool {
    const LONG: Duration = Duration::from_secs(60);
    let Ok(found) = file.try_lock().map_err(std::io::Error::from).and_then(|()| file.metadata())
    else {
        return false;
    };
    let age = found.modified().ok().and_then(|at| at.elapsed().ok());
    found.len() > 0 || age.is_some_and(|age| age > LONG)
}

/// Makes a folder that only the user may enter, and those above it.
///
/// # Errors
/// It can't be made.
pub fn create_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_notice_is_given_once_a_day() {
        let home = tempfile::tempdir().unwrap();
        let marker = home.path().join("a/notice");
        let noted = |after: u64| {
            let at = std::fs::metadata(&marker).unwrap().modified().unwrap();
            is_first_of_day(&marker, at + Duration::from_secs(after))
        };
        assert!(is_first_of_day(&marker, SystemTime::UNIX_EPOCH));
        assert!(!noted(0) && !noted(86_399));
        assert!(noted(86_400));
        let before = SystemTime::UNIX_EPOCH;
        assert!(is_first_of_day(&marker, before), "a wrong clock");
    }

    #[test]
    fn a_private_file_is_private_and_so_is_its_folder() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b/file");
        replace_private(&path, b"1").unwrap();
        replace_private(&path, b"2").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"2");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        let files = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(files, 1, "no temporary file stays");
    }

    #[test]
    fn what_others_could_have_put_there_is_neither_written_nor_read() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("cache/file");
        replace_private(&path, b"1").unwrap();
        assert_eq!(read_private(&path, 1).unwrap(), b"1");
        assert!(read_private(&path, 0).is_err());
        let link = home.path().join("link");
        std::os::unix::fs::symlink(home.path().join("cache"), &link).unwrap();
        assert!(replace_private(&link.join("file"), b"2").is_err());
        let file_link = home.path().join("cache/link");
        std::os::unix::fs::symlink(&path, &file_link).unwrap();
        assert!(read_private(&file_link, 1).is_err());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert!(read_private(&path, 1).is_err());
    }

    #[test]
    fn a_file_of_the_user_s_own_stays_what_it_was() {
        let home = tempfile::tempdir().unwrap();
        let (target, link) = (home.path().join("dotfiles"), home.path().join("config"));
        std::fs::write(&target, "1").unwrap();
        std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        replace_as_it_was(&link, b"2").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"2");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o644);
    }

    #[test]
    fn what_a_killed_process_left_is_swept_and_what_is_being_written_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name);
        std::fs::write(name(".new-killed"), b"half").unwrap();
        std::fs::write(name("kept"), b"whole").unwrap();
        let writing = std::fs::File::create(name(".new-writing")).unwrap();
        writing.lock().unwrap();
        std::fs::write(name(".new-begun"), b"").unwrap();
        let begun_long_ago = std::fs::File::create(name(".new-killed-at-once")).unwrap();
        begun_long_ago.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        sweep(folder.path());
        let left: std::collections::BTreeSet<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, [".new-begun".into(), ".new-writing".into(), "kept".into()].into());
    }

    #[test]
    fn a_sweep_takes_no_file_from_its_writer() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|threads| {
            for name in ["a", "b", "c"] {
                let path = folder.path().join(name);
                threads.spawn(move || (0..300).for_each(|_| replace_private(&path, b"x").unwrap()));
            }
            threads.spawn(|| (0..1000).for_each(|_| sweep(folder.path())));
        });
    }
}
