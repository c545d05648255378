//! Opening a page: by a program, in one argument, with nothing of our stdio, and never by a shell.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mcp_bridge::auth::{Browser, NotOpened, Policy};
use tempfile::TempDir;
use url::Url;

/// A program that writes down how it was run.
fn recorder(folder: &Path, exit: u8) -> String {
    let program = folder.join(format!("recorder {exit}"));
    let record = folder.join("record");
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$@\" >> '{0}'\n\
         stdio=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2)\n\
         echo \"$stdio\" > '{0}.stdio'\nexit {exit}\n",
        record.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program.to_str().unwrap().to_owned()
}

fn browser(programs: &[&[&str]]) -> Browser {
    let owned = |parts: &&[&str]| parts.iter().map(|&part| part.to_owned()).collect();
    Browser { policy: Policy::Programs(programs.iter().map(owned).collect()), ..Browser::default() }
}

fn recorded(folder: &TempDir) -> Vec<String> {
    let text = fs::read_to_string(folder.path().join("record")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn an_address_that_would_hurt_a_shell_is_one_argument() {
    for address in [
        "https://as.example/authorize?a=$(touch%20x)&b=`id`;touch x|x&c='%22",
        "https://as.example/?%s%n&--option",
        "http://127.0.0.1:1234/sign-in/x#!",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let program = recorder(folder.path(), 0);
        let page = Url::parse(address).unwrap();
        let opened = browser(&[&[&program, "-a b", "--at=%s"]]).open(&page).await.unwrap();
        assert_eq!(opened, program);
        assert_eq!(recorded(&folder), ["-a b".to_owned(), format!("--at={page}")]);
        let names = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 3, "the program, its record, and nothing that a shell made");
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn the_program_has_nothing_of_our_stdio() {
    let folder = tempfile::tempdir().unwrap();
    let program = recorder(folder.path(), 0);
    browser(&[&[&program]]).open(&Url::parse("https://h/").unwrap()).await.unwrap();
    let stdio = fs::read_to_string(folder.path().join("record.stdio")).unwrap();
    assert_eq!(stdio, "/dev/null\n/dev/null\n/dev/null\n");
}

#[tokio::test]
async fn the_next_program_is_tried_and_each_failure_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (bad, good) = (recorder(folder.path(), 3), recorder(folder.path(), 0));
    let page = Url::parse("https://h/").unwrap();
    let none: &[&str] = &["/no/such/browser"];
    let opened = browser(&[none, &[&bad, "1"], &[&good, "2"], &[&good, "3"]]).open(&page).await;
    assert_eq!(opened.unwrap(), good);
    assert_eq!(recorded(&folder), ["1", "https://h/", "2", "https://h/"]);

    let error = browser(&[none, &[&bad]]).open(&page).await.unwrap_err().to_string();
    assert!(error.contains("`/no/such/browser` is not there"), "{error}");
    assert!(error.contains("recorder 3` failed (exit status: 3)"), "{error}");
}

#[tokio::test]
async fn a_program_that_runs_on_is_the_browser_and_is_left_alone() {
    let page = Url::parse("https://h/").unwrap();
    let opened = browser(&[&["sh", "-c", "exec sleep 5", "%s"]]).open(&page).await;
    assert_eq!(opened.unwrap(), "sh");
}

#[tokio::test]
async fn what_is_no_page_of_the_web_reaches_no_program() {
    for address in ["file:///etc/passwd", "javascript:alert(1)", "https://me:secret@h/", "x-y:z"] {
        let folder = tempfile::tempdir().unwrap();
        let program = recorder(folder.path(), 0);
        let opened = browser(&[&[&program]]).open(&Url::parse(address).unwrap()).await;
        assert!(matches!(opened, Err(NotOpened::NotWeb)), "{address}");
        assert!(recorded(&folder).is_empty());
    }
}
