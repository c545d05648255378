//! How the program is linked.
#![expect(clippy::disallowed_methods, reason = "cargo talks to a build script by the environment")]

use std::process::Command;

/// The first glibc whose loader reads relocations in the packed form: `GLIBC_ABI_DT_RELR`.
const PACKED_SINCE: (u32, u32) = (2, 36);

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if is_for_this_system() && glibc().is_some_and(|version| version >= PACKED_SINCE) {
        // A twenty-fifth of the program. A loader that can't read it says so.
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
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
