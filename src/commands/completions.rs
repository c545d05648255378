//! `bridge completions`: the script by which a shell completes our command line.

use std::io::Write;

use flate2::write::ZlibDecoder;

use crate::cli::Shell;
use crate::error::Error;
use crate::ui;

/// A script of `completions/`, as `build.rs` packs it: they say much the same many times.
macro_rules! packed {
    ($file:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $file, ".zlib"))
    };
}

/// Prints the script.
///
/// # Errors
/// stdout can't be written.
pub fn run(shell: Shell) -> Result<(), Error> {
    let packed: &[u8] = match shell {
        Shell::Bash => packed!("bridge.bash"),
        Shell::Zsh => packed!("_bridge"),
        Shell::Fish => packed!("bridge.fish"),
        Shell::Powershell => packed!("_bridge.ps1"),
    };
    let mut script = ZlibDecoder::new(Vec::new());
    let unpacked = script.write_all(packed).and_then(|()| script.finish());
    ui::print(&unpacked.map_err(|why| Error::failed("the script can't be read").because(why))?)
}
