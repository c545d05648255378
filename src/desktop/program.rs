//! The path of this program, as a client will find it for as long as it is installed.

use std::path::{Path, PathBuf};

/// How this process was started.
#[derive(Debug)]
pub struct Started {
    /// What the shell called it.
    pub name: PathBuf,
    /// The folders that a shell looks into.
    pub search: Vec<PathBuf>,
    /// Where it was called.
    pub folder: PathBuf,
    /// The file that runs.
    pub file: PathBuf,
    /// Where the system keeps what does not last.
    pub temporary: PathBuf,
}

/// Why there is no path to write.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoProgram {
    /// It was deleted or replaced while it runs.
    #[error("{} is not there any more", .0.display())]
    Gone(PathBuf),
    /// It lies where nothing lasts.
    #[error("{} will not last: it lies in {why}", path.display())]
    Temporary {
        /// The path.
        path: PathBuf,
        /// The kind of place.
        why: &'static str,
    },
}

/// The path through which this program was found, a link such as Homebrew's being as good as any: it leads to the
/// next version too.
///
/// # Errors
/// The program is gone, or lies in a place that will be cleared.
pub fn path(started: &Started) -> Result<PathBuf, NoProgram> {
    let real = std::fs::canonicalize(&started.file);
    let Ok(real) = real else { return Err(NoProgram::Gone(started.file.clone())) };
    let called = if started.name.components().count() > 1 {
        vec![started.folder.join(&started.name)]
    } else {
        let with_ending = |folder: &PathBuf| {
            let mut path = folder.join(&started.name);
            if cfg!(windows) && path.extension().is_none() {
                path.set_extension("exe");
            }
            path
        };
        started.search.iter().filter(|folder| folder.is_absolute()).map(with_ending).collect()
    };
    let is_this = |path: &PathBuf| std::fs::canonicalize(path).is_ok_and(|found| found == real);
    let path = called.into_iter().find(is_this).unwrap_or_else(|| started.file.clone());
    let path: PathBuf = path.components().collect();
    match passing(&path, &started.temporary).or_else(|| passing(&real, &started.temporary)) {
        Some(why) => Err(NoProgram::Temporary { path, why }),
        None => Ok(path),
    }
}

/// What kind of place a path lies in that does not last.
fn passing(path: &Path, temporary: &Path) -> Option<&'static str> {
    let temporary = std::fs::canonicalize(temporary).unwrap_or_else(|_| temporary.to_owned());
    if path.starts_with(&temporary) {
        return Some("the system's folder for temporary files");
    }
    path.components().find_map(|part| match part.as_os_str().to_str()? {
        "_npx" => Some("npx's cache"),
        "dlx" => Some("pnpm's cache"),
        "AppTranslocation" => Some("a folder that macOS made for one run"),
        part if part.starts_with("bunx-") => Some("bunx's cache"),
        _ => None,
    })
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(folder.path().join("Cellar/1/bin")).unwrap();
            std::fs::create_dir_all(folder.path().join("bin")).unwrap();
            std::fs::write(folder.path().join("Cellar/1/bin/bridge"), "").unwrap();
            let link = folder.path().join("bin/bridge");
            std::os::unix::fs::symlink("../Cellar/1/bin/bridge", link).unwrap();
            Self(folder)
        }

        fn started(&self, name: &str) -> Started {
            let root = self.0.path().to_owned();
            Started {
                name: name.into(),
                search: vec!["bin".into(), root.join("none"), root.join("bin")],
                folder: root.join("bin"),
                file: root.join("Cellar/1/bin/bridge"),
                temporary: root.join("tmp"),
            }
        }
    }

    #[test]
    fn the_link_through_which_it_was_found_is_kept() {
        let place = Place::new();
        let link = place.0.path().join("bin/bridge");
        assert_eq!(path(&place.started("bridge")), Ok(link.clone()));
        assert_eq!(path(&place.started("./bridge")), Ok(link));
        let file = place.0.path().join("Cellar/1/bin/bridge");
        assert_eq!(path(&place.started("other")), Ok(file), "a name that leads elsewhere");
    }

    #[test]
    fn what_will_not_last_is_refused() {
        let place = Place::new();
        let mut started = place.started("bridge");
        started.temporary = place.0.path().to_owned();
        assert!(matches!(path(&started), Err(NoProgram::Temporary { .. })));
        started.file = place.0.path().join("bridge (deleted)");
        assert!(matches!(path(&started), Err(NoProgram::Gone(_))));
        let npx = Path::new("/home/me/.npm/_npx/1a2b/node_modules/.bin/bridge");
        assert!(passing(npx, Path::new("/tmp")).is_some());
        assert!(passing(Path::new("/home/me/.cargo/bin/bridge"), Path::new("/tmp")).is_none());
    }
}
