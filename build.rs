//! How the program is linked, and what is packed into it.
#![expect(clippy::disallowed_methods, reason = "cargo talks to a build script by the environment")]

use std::io::Write;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// The first glibc whose loader reads relocations in the packed form: `GLIBC_ABI_DT_RELR`.
const PACKED_SINCE: (u32, u32) = (2, 36);

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for script in ["bridge.bash", "_bridge", "bridge.fish", "_bridge.ps1"] {
        pack(script);
    }
    if is_for_this_system() && glibc().is_some_and(|version| version >= PACKED_SINCE) {
        // A twenty-fifth of the program. A loader that can't read it says so.
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Puts a completion script where `bridge completions` takes it from: a tenth of its size.
fn pack(script: &str) {
    let path = Path::new("completions").join(script);
    println!("cargo:rerun-if-changed={}", path.display());
    let text = std::fs::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&text).expect("memory");
    let folder = std::env::var_os("OUT_DIR").expect("cargo names it");
    let to = Path::new(&folder).join(format!("{script}.zlib"));
    std::fs::write(to, packed.finish().expect("memory")).expect("cargo's folder");
}

fn is_for_this_system() -> bool {
    let of = |name| std::env::var(name).unwrap_or_default();
    of("TARGET") == of("HOST") && of("CARGO_CFG_TARGET_ENV") == "gnu" && cfg!(target_os = "linux")
}

/// The version of the C library that programs on this machine are loaded by.
fn glibc() -> Option<(u32, u32)> {
    let said = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    let minor = minor.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
