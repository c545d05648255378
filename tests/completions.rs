//! The completion scripts that the repository ships are the ones that the program prints.

use std::path::Path;
use std::process::Command;

#[test]
fn the_committed_completions_are_what_the_program_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    for (shell, file) in [
        ("bash", "bridge.bash"),
        ("zsh", "_bridge"),
        ("fish", "bridge.fish"),
        ("powershell", "_bridge.ps1"),
    ] {
        let printed = Command::new(env!("CARGO_BIN_EXE_bridge"))
            .args(["completions", shell])
            .output()
            .unwrap();
        assert!(printed.status.success());
        let committed = std::fs::read(folder.join(file)).unwrap_or_default();
        assert!(printed.stdout == committed, "completions/{file} is stale: run `scripts/generate`");
    }
}
