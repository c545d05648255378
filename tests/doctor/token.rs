//! What leads to a sign-in, and what is kept of one.

use std::rc::Rc;

use super::{Cause, Sick, all_are_found_and_cured, doctor};
use crate::support::auth_server::Plan;
use crate::support::bridge_process::Builder;
use crate::support::mcp_server::matcher::when;
use crate::support::tab::{self, Browser};
use crate::support::{Answer, BridgeProcess, Guarded, McpServer};

/// A server that wants a sign-in, and the home of whoever does it.
struct Person {
    server: Guarded,
    home: BridgeProcess,
}

impl Person {
    fn before(plan: Plan) -> Rc<Self> {
        let server = Guarded::with(plan.expects_refusals(), McpServer::legacy());
        let mut home = BridgeProcess::with_args(["--version"]).unchecked().spawn();
        home.wait_exit();
        Rc::new(Self { server, home })
    }

    /// Follows the advice to sign in.
    fn signs_in(&self, options: &[&str]) {
        let browser = Browser::recording();
        let args = ["--browser".to_owned(), browser.command()];
        let login = self.server.command("login").args(options.iter().copied()).args(args);
        let mut login = login.home_of(&self.home).spawn();
        tab::sign_in(&browser.page(1));
        assert!(login.wait_exit().success(), "{}", login.stderr_text());
    }

    fn doctor(&self) -> Builder {
        doctor([self.server.mcp.url()]).home_of(&self.home)
    }

    /// Cured by a sign-in.
    fn cured_by_login(self: Rc<Self>, options: &'static [&'static str]) -> Sick {
        let (sick, person) = (self.doctor(), Rc::clone(&self));
        Sick::new(sick, self).cured_by(move || {
            person.signs_in(options);
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
        sick: || Person::before(Plan::default()).cured_by_login(&[]),
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
            after(plan, |it| it.server.auth.expire_all()).cured_by_login(&["--force"])
        },
        check: "token",
        says: "the sign-in is over",
        advises: "run `bridge login http://127.0.0.1",
        code: 3,
    },
    Cause {
        name: "a sign-in that was revoked",
        sick: || {
            after(Plan::default(), |it| it.server.auth.revoke_all()).cured_by_login(&["--force"])
        },
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
            person.cured_by_login(&["--force", "--scope", "read offline_access write"])
        },
        check: "tools",
        says: "the sign-in lacks permissions",
        advises: "--force --scope 'read offline_access write'",
        code: 4,
    },
];

#[test]
fn what_is_wrong_with_a_sign_in_is_found() {
    all_are_found_and_cured(OF_TOKEN);
}
