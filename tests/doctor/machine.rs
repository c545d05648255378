//! What is on the machine.

use super::{Advice, Cause, Sick, all_are_found_and_cured, doctor, seen};

#[cfg(target_os = "linux")]
#[test]
fn what_is_wrong_with_the_store_or_the_file_is_found() {
    all_are_found_and_cured(OF_LINUX);
}

/// Without the key of the tests' store, and without a bus that leads to a keychain.
#[cfg(target_os = "linux")]
fn without_store() -> crate::support::bridge_process::Builder {
    doctor([""; 0]).env("BRIDGE_STORE_KEY", "")
}

pub(super) const CAUSES: usize = OF_MACHINE.len();

const OF_MACHINE: &[Cause] = &[
    Cause {
        name: "another program of the same name",
        sick: || {
            use std::os::unix::fs::PermissionsExt;
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("bridge");
            std::fs::write(&file, "#!/bin/sh\necho bridge utility, iproute2-6.1.0\n").unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
            let path = format!("{}:/usr/bin:/bin", folder.path().display());
            Sick::new(doctor([""; 0]).env("PATH", path), folder).cured_by(|| doctor([""; 0]))
        },
        check: "program",
        says: "which is another program",
        advises: "put its folder first into PATH",
        code: 0,
    },
    Cause {
        name: "an older version of this program",
        sick: || {
            use std::os::unix::fs::PermissionsExt;
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("bridge");
            std::fs::write(&file, "#!/bin/sh\necho bridge 0.0.1\n").unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
            Sick::new(doctor([""; 0]).env("PATH", folder.path()), folder)
                .cured_by(|| doctor([""; 0]))
        },
        check: "program",
        says: "a shell finds version 0.0.1",
        advises: "delete one of them",
        code: 1,
    },
    Cause {
        name: "a variable that nothing reads",
        sick: || {
            let sick = doctor([""; 0]).env("BRIDGE_TOOL_TIMOUT", "canary-1");
            let cured = |it: &Advice| doctor([""; 0]).env(it.beginning("BRIDGE_"), "1m");
            Sick::new(sick, ()).advised(cured)
        },
        check: "configuration",
        says: "nothing reads BRIDGE_TOOL_TIMOUT",
        advises: "set `BRIDGE_TOOL_TIMEOUT` in its place",
        code: 1,
    },
    Cause {
        name: "a key of the store that is none",
        sick: || {
            let with = |key: &str| doctor([""; 0]).env("BRIDGE_STORE_KEY", key);
            let good = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
            let (sick, cured) = (with("canary-no-key"), with(good));
            Sick::new(sick, ()).cured_by(move || cured)
        },
        check: "configuration",
        says: "`BRIDGE_STORE_KEY` can't be used",
        advises: "make a key with `openssl rand -base64 32`",
        code: 2,
    },
];

/// Other systems have a keychain, and no variable for their folders.
#[cfg(target_os = "linux")]
const OF_LINUX: &[Cause] = &[Cause {
    name: "a keychain that is missing",
    sick: || {
        let cured = |it: &Advice| without_store().args(it.option("--credential-store"));
        Sick::new(without_store(), ()).advised(cured)
    },
    check: "store",
    says: "no keychain answers",
    advises: "choose `--credential-store plaintext`",
    code: 1,
}];

#[test]
fn what_is_wrong_on_the_machine_is_found() {
    all_are_found_and_cured(OF_MACHINE);
}

#[test]
fn without_a_server_the_machine_is_looked_at() {
    let told = seen(doctor([""; 0]));
    assert_eq!(told.code, 0);
    let names = told.report["checks"].as_array().unwrap().iter().map(|check| &check["name"]);
    assert_eq!(names.collect::<Vec<_>>(), ["program", "configuration", "store", "sign-ins"]);
    assert_eq!(told.text("sign-ins", "detail"), "nobody is signed in anywhere");
}
