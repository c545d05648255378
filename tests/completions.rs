//! The completion scripts that the program prints are those of the repository.

use std::path::Path;
use std::process::Command;

#[test]
fn the_program_prints_the_committed_completions() {
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
        assert!(printed.stdout == std::fs::read(folder.join(file)).unwrap(), "{file}");
    }
}
