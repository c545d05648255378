//! What leads to a sign-in, and what is kept of one.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Cause, Sick, all_are_found_and_cured, doctor};
use crate::support::auth_server::Plan;
use crate::support::bridge_process::Builder;
use crate::support::mcp_server::matcher::{anything, when};
use crate::support::tab::{self, Browser};
use crate::support::{Answer, BridgeProcess, Guarded, McpServer};

/// A server that wants a sign-in, and the home of whoever does it.
pub(super) struct Person {
    pub(super) server: Guarded,
    home: BridgeProcess,
}

impl Person {
    pub(super) fn before(plan: Plan) -> Rc<Self> {
        let server = Guarded::with(plan.expects_refusals(), McpServer::legacy());
        let mut home = BridgeProcess::with_args(["--version"]).unchecked().spawn();
        home.wait_exit();
        Rc::new(Self { server, home })
    }

    /// Signs in by a command line as it stands in an advice, with a browser of these tests.
    #[track_caller]
    pub(super) fn runs(&self, command: Vec<String>, key: Option<&str>) {
        let browser = Browser::recording();
        let args = ["--browser".to_owned(), browser.command()];
        let login = BridgeProcess::with_args(command).args(args).unchecked();
        let login = match key {
            Some(key) => login.env("BRIDGE_STORE_KEY", key),
            None => login,
        };
        let mut login = login.home_of(&self.home).spawn();
        tab::sign_in(&browser.page(1));
        assert!(login.wait_exit().success(), "{}", login.stderr_text());
    }

    pub(super) fn signs_in(&self, options: &[String]) {
        let login = ["login".to_owned(), self.server.mcp.url()];
        self.runs([&login[..], options].concat(), None);
    }

    pub(super) fn doctor(&self) -> Builder {
        doctor([self.server.mcp.url()]).home_of(&self.home)
    }

    /// The one record that is kept.
    fn record(&self) -> std::path::PathBuf {
        let files = crate::support::canary::files_below(self.home.home());
        let is_record = |file: &std::path::PathBuf| file.extension().is_some_and(|it| it == "env");
        files.into_iter().find(is_record).expect("a record")
    }

    /// Cured by the command of the advice.
    fn cured_by_command(self: Rc<Self>) -> Sick {
        let (sick, person) = (self.doctor(), Rc::clone(&self));
        Sick::new(sick, self).advised(move |advice| {
            person.runs(advice.command(), None);
            person.doctor()
        })
    }
}

/// Somebody who has signed in, before this happened.
fn after(plan: Plan, misfortune: impl FnOnce(&Person)) -> Rc<Person> {
    let person = Person::before(plan);
    person.signs_in(&[]);
    misfortune(&person);
    person
}

const OF_TOKEN: &[Cause] = &[
    Cause {
        name: "nobody is signed in",
        sick: || Person::before(Plan::default()).cured_by_command(),
        check: "token",
        says: "nobody is signed in",
        advises: "run `bridge login http://127.0.0.1",
        code: 3,
    },
    Cause {
        name: "a token that is over, and nothing to renew it with",
        sick: || {
            let no_refresh = |grant: &mut serde_json::Value| {
                grant.as_object_mut().unwrap().remove("refresh_token");
            };
            let plan = Plan::default().grants(no_refresh);
            after(plan, |it| it.server.auth.expire_all()).cured_by_command()
        },
        check: "token",
        says: "the sign-in is over",
        advises: "run `bridge login http://127.0.0.1",
        code: 3,
    },
    Cause {
        name: "a sign-in that was revoked",
        sick: || after(Plan::default(), |it| it.server.auth.revoke_all()).cured_by_command(),
        check: "token",
        says: "the sign-in is over",
        advises: "run `bridge login http://127.0.0.1",
        code: 3,
    },
    Cause {
        name: "a sign-in that lacks a scope",
        sick: || {
            let person = after(Plan::default(), |it| {
                let door = it.server.auth.door();
                let lacks = move |request: &crate::support::mcp_server::Request| {
                    let token =
                        request.header("authorization").and_then(|v| v.strip_prefix("Bearer "));
                    let scope = token.and_then(|token| door.scope_of(token));
                    request.rpc_method() == Some("tools/list")
                        && scope.is_some_and(|scope| !scope.contains("write"))
                };
                let challenge = "Bearer error=\"insufficient_scope\", scope=\"write\"";
                let refusal = Answer::status(403).header("www-authenticate", challenge);
                it.server.mcp.always(when("too few scopes", lacks), refusal);
            });
            person.cured_by_command()
        },
        check: "tools",
        says: "the sign-in lacks permissions",
        advises: "--force --scope 'read offline_access write'",
        code: 4,
    },
    Cause {
        name: "a record that is damaged",
        sick: || {
            let person = after(Plan::default(), |it| {
                let mut sealed = std::fs::read(it.record()).unwrap();
                let last = sealed.len() - 1;
                sealed[last] ^= 1;
                std::fs::write(it.record(), sealed).unwrap();
            });
            person.cured_by_command()
        },
        check: "token",
        says: "is damaged",
        advises: "`bridge login http://127.0.0.1",
        code: 1,
    },
    Cause {
        name: "a record that was sealed with another key",
        sick: || {
            let person = after(Plan::default(), |_| ());
            let with = |person: &Person| person.doctor().env("BRIDGE_STORE_KEY", OTHER_KEY);
            let sick = with(&person);
            Sick::new(sick, Rc::clone(&person)).advised(move |advice| {
                person.runs(advice.command(), Some(OTHER_KEY));
                with(&person)
            })
        },
        check: "token",
        says: "sealed with another key",
        advises: "or run `bridge login http://127.0.0.1",
        code: 1,
    },
    Cause {
        name: "a given token that is refused",
        sick: || {
            let lacks = |request: &crate::support::mcp_server::Request| {
                request.header("authorization") != Some("Bearer good-token")
            };
            let server = Rc::new(McpServer::legacy().allow(anything()).run());
            let login = ["login".to_owned(), server.url(), "--with-token".to_owned()];
            let home = Rc::new(gives(BridgeProcess::with_args(login), "canary-stale"));
            server.always(when("no token", lacks), Answer::status(401));
            let sick = doctor([server.url()]).home_of(&home);
            Sick::new(sick, (Rc::clone(&server), Rc::clone(&home))).advised(move |advice| {
                gives(BridgeProcess::with_args(advice.command()).home_of(&home), "good-token");
                doctor([server.url()]).home_of(&home)
            })
        },
        check: "token",
        says: "given by `--with-token` is refused",
        advises: "give another: `bridge login http://127.0.0.1",
        code: 4,
    },
];

pub(super) const CAUSES: usize = OF_TOKEN.len();

const OTHER_KEY: &str = "HxwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEAHx4=";

/// Gives a token by a command.
#[track_caller]
fn gives(login: Builder, token: &str) -> BridgeProcess {
    let mut login = login.unchecked().spawn();
    login.send(token);
    login.close_stdin();
    assert!(login.wait_exit().success(), "{}", login.stderr_text());
    login
}

#[test]
fn a_token_that_is_nearly_over_is_renewed_as_serving_would() {
    // The first one is said to be good for a second; what it is renewed to is good for as long as usual.
    let is_first = AtomicBool::new(true);
    let short = move |grant: &mut serde_json::Value| {
        if is_first.swap(false, Ordering::Relaxed) {
            grant["expires_in"] = 1.into();
        }
    };
    let person = after(Plan::default().grants(short), |_| ());
    // Its second goes by on the clock of another process, which no test can set.
    std::thread::sleep(Duration::from_secs(1));
    let told = super::seen(person.doctor());
    assert_eq!(person.server.grants("refresh_token"), 1);
    assert_eq!((told.failed(), told.code), (Vec::new(), 0), "{told:?}");
    assert!(told.text("token", "detail").starts_with("renewed just now; good for"), "{told:?}");
    assert_eq!(told.check("token")["data"]["renewable"], true);
}

#[test]
fn what_is_wrong_with_a_sign_in_is_found() {
    all_are_found_and_cured(OF_TOKEN);
}
