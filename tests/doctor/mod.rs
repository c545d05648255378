//! `bridge doctor`: for each cause a fixture that has it. The check that fails names the cause, and its advice,
//! when it is followed, cures it.
//!
//! | module     | causes                                                             |
//! |------------|--------------------------------------------------------------------|
//! | `network`  | names, connections, certificates, proxies                          |
//! | `endpoint` | addresses, statuses, headers, clocks, the configuration            |
//! | `found`    | what leads to a sign-in: metadata, issuer, registration, PKCE      |
//! | `token`    | what is kept of a sign-in, and what the server makes of it         |
//! | `machine`  | the program, its variables, the store                              |

mod endpoint;
mod found;
mod machine;
mod network;
mod token;

use std::any::Any;
use std::path::Path;

use serde_json::Value;

use crate::support::BridgeProcess;
use crate::support::bridge_process::Builder;

/// What can be wrong, and how it is told.
struct Cause {
    /// In words, for a test that fails.
    name: &'static str,
    /// A server or a machine that has it.
    sick: fn() -> Sick,
    /// The check that fails, or passes with advice.
    check: &'static str,
    /// What its detail says.
    says: &'static str,
    /// What its advice says.
    advises: &'static str,
    /// The exit code.
    code: i32,
}

/// A fixture with a cause.
struct Sick {
    /// `bridge doctor` before it.
    doctor: Builder,
    /// Follows the advice, and gives `bridge doctor` after it.
    cure: Box<dyn FnOnce(&Advice) -> Builder>,
    /// What it stands on.
    _keep: Box<dyn Any>,
}

impl Sick {
    fn new(doctor: Builder, keep: impl Any) -> Self {
        let cure = |advice: &Advice| panic!("nobody follows: {}", advice.0);
        Self { doctor, cure: Box::new(cure), _keep: Box::new(keep) }
    }

    /// By an act that the advice describes, of whoever runs the server or looks after the machine.
    fn cured_by(self, cure: impl FnOnce() -> Builder + 'static) -> Self {
        self.advised(|_| cure())
    }

    /// By words that are taken from the advice.
    fn advised(mut self, cure: impl FnOnce(&Advice) -> Builder + 'static) -> Self {
        self.cure = Box::new(cure);
        self
    }
}

/// What is said to do next.
struct Advice(String);

impl Advice {
    /// Its words that can be pasted.
    fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split('`').skip(1).step_by(2)
    }

    /// The first that begin so.
    #[track_caller]
    fn beginning(&self, with: &str) -> &str {
        let found = self.words().find(|words| words.starts_with(with));
        found.unwrap_or_else(|| panic!("no `{with}…` in: {}", self.0))
    }

    /// The arguments of the command of ours in it, as a shell reads them.
    #[track_caller]
    fn command(&self) -> Vec<String> {
        let words = shlex::split(self.beginning("bridge ")).expect("words of a shell");
        words.into_iter().skip(1).collect()
    }

    /// The option of this name in it, with its value where that is told.
    #[track_caller]
    fn option(&self, name: &str) -> Vec<String> {
        shlex::split(self.beginning(name)).expect("words of a shell")
    }

    /// The option of this name in it, whose value is the user's.
    #[track_caller]
    fn option_with(&self, name: &str, value: impl Into<String>) -> [String; 2] {
        [self.option(name).swap_remove(0), value.into()]
    }
}

/// All tables together. The least of them is a promise of the project.
const CAUSES: usize =
    network::CAUSES + endpoint::CAUSES + found::CAUSES + token::CAUSES + machine::CAUSES;
const _: () = assert!(CAUSES >= 25);

/// Each cause is found, and cured by what is advised.
#[track_caller]
fn all_are_found_and_cured(causes: &[Cause]) {
    for cause in causes {
        let sick = (cause.sick)();
        let seen = seen(sick.doctor);
        let name = cause.name;
        // What stands in the way of a sign-in is seen before anybody has signed in.
        let failed = seen.advised();
        assert_eq!(failed.first(), Some(&cause.check), "{name}: {seen:#?}");
        assert!(matches!(&failed[1..], [] | ["token"]), "{name}: {seen:#?}");
        assert_eq!(seen.code, cause.code, "{name}: {seen:#?}");
        let (detail, hint) = (seen.text(cause.check, "detail"), seen.text(cause.check, "hint"));
        assert!(detail.contains(cause.says), "{name}: {detail:?}");
        assert!(hint.contains(cause.advises), "{name}: {hint:?}");
        let cured = self::seen((sick.cure)(&Advice(hint.to_owned())));
        assert!(cured.advised().is_empty() && cured.code == 0, "{name}, cured: {cured:#?}");
    }
}

/// What a run came to.
struct Seen {
    code: i32,
    report: Value,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "exit code {}", self.code)?;
        for check in self.report["checks"].as_array().into_iter().flatten() {
            writeln!(
                f,
                "{} {}: {} ({})",
                check["status"], check["name"], check["detail"], check["hint"]
            )?;
        }
        Ok(())
    }
}

impl Seen {
    /// The checks that failed, in order.
    fn failed(&self) -> Vec<&str> {
        self.names(|check| check["status"] == "fail")
    }

    /// The checks that say what to do, whether they failed or not.
    fn advised(&self) -> Vec<&str> {
        self.names(|check| check["hint"].is_string())
    }

    fn names(&self, are: impl Fn(&Value) -> bool) -> Vec<&str> {
        let checks = self.report["checks"].as_array().unwrap();
        let names = checks.iter().filter(|check| are(check));
        names.map(|check| check["name"].as_str().unwrap()).collect()
    }

    fn check(&self, name: &str) -> &Value {
        let checks = self.report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == name).unwrap()
    }

    fn text(&self, name: &str, member: &str) -> &str {
        self.check(name)[member].as_str().unwrap_or_default()
    }
}

/// `bridge doctor` with these arguments, where a shell finds the program that is tested.
fn doctor<A: Into<String>>(args: impl IntoIterator<Item = A>) -> Builder {
    let folder = Path::new(env!("CARGO_BIN_EXE_bridge")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.display());
    BridgeProcess::with_args(["doctor"]).args(args).unchecked().env("PATH", path)
}

/// Runs it for a program.
#[track_caller]
fn seen(doctor: Builder) -> Seen {
    let (code, text) = ran(doctor.arg("--json"));
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"));
    assert_eq!(report["exitCode"], code, "{report:#}");
    Seen { code, report }
}

/// Runs it; the code and what it printed.
#[track_caller]
fn ran(doctor: Builder) -> (i32, String) {
    let mut process = doctor.spawn();
    process.close_stdin();
    let code = process.wait_exit().code().expect("an exit code");
    let text = process.rest_of_stdout();
    assert!(!text.contains("canary-"), "a secret is shown: {text}");
    (code, text)
}
