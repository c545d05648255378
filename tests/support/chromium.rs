//! A real browser without a window, for what only a look at it can show. `scripts/install-chromium` installs it.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::DEADLINE;

/// What the browser prints with these arguments and this page.
pub async fn chromium(page: &str, arguments: &[String]) -> String {
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new("chromium");
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]);
    command.args([
        "--virtual-time-budget=3000",
        "--no-first-run",
        "--disable-background-networking",
    ]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.args(arguments).arg(page);
    command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(DEADLINE * 3, command.output()).await;
    let output = output.expect("the browser ends").expect("Chromium is there");
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Arguments for a picture of a window of this width and height.
pub fn picture(file: &Path, (width, height): (u32, u32)) -> Vec<String> {
    vec![format!("--screenshot={}", file.display()), format!("--window-size={width},{height}")]
}
