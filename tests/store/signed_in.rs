//! The program beside a client that passes six variables: asked once where there is a keychain, and told what
//! to do where there is none.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::Scene;
use super::hosted::Hosted;
use super::program::{Done, Served, browser, command, interrupted};
use super::session::Session;

pub const SCENES: [Scene; 9] = [
    ("signed in once, silent afterwards, signed out", story),
    ("two first starts at once", first_starts),
    ("signing in without a keychain", absent),
    ("signed in, and the keychain is locked", locked),
    ("the doctor, and the keychain is locked", diagnosed),
    ("signed in, and the keychain hangs", hanging),
    ("signed in, and the keychain was emptied", emptied),
    ("records that anybody can read", plaintext),
    ("a sign-in that is ended by hand", ended),
];

/// What no call takes that meets a store which does not answer: the keychain's 2 seconds, twice.
const PATIENCE: Duration = Duration::from_secs(10);

/// A user with a server, and a browser in which they approve.
struct User<'a> {
    session: &'a Session,
    hosted: &'a Hosted,
    browser: String,
    url: String,
}

impl<'a> User<'a> {
    fn new(session: &'a Session, hosted: &'a Hosted) -> Self {
        let browser = browser(&session.user);
        Self { session, hosted, browser, url: hosted.url() }
    }

    fn options<'b>(&'b self, command: &[&'b str]) -> Vec<&'b str> {
        let server = [&*self.url, "--browser", &self.browser];
        // Nobody needs longer but where the sign-in is broken.
        [command, &server, &["--debug", "--auth-timeout", "20s"]].concat()
    }

    fn run(&self, command_line: &[&str]) -> Done {
        command(&self.session.user, &self.options(command_line))
    }

    fn serve(&self) -> Served {
        Served::start(&self.session.user, &self.options(&[]))
    }

    /// A call of a new process works, and nobody is asked anything.
    #[track_caller]
    fn works_silently(&self) {
        let pages = self.pages();
        let mut served = self.serve();
        assert!(served.initialize()["result"].is_object());
        assert_eq!(served.call(2)["result"]["content"][0]["text"], "done");
        served.end();
        assert_eq!(self.pages(), pages);
    }

    /// A call of a new process fails in bounded time, without a page; gives the error as the client has it.
    #[track_caller]
    fn fails(&self) -> String {
        let pages = self.pages();
        let began = Instant::now();
        let mut served = self.serve();
        assert!(served.initialize()["result"].is_object());
        let answer = served.call(2);
        served.end();
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
        assert_eq!(self.pages(), pages, "no page opens for what can't be kept");
        let error = &answer["error"];
        assert!(error.is_object(), "{answer}");
        for member in ["kind", "cause", "hint"] {
            assert!(error["data"][member].is_string(), "{member}: {error}");
        }
        println!("    {}", error["message"].as_str().unwrap());
        error.to_string()
    }

    fn pages(&self) -> usize {
        self.session.user.pages().len()
    }

    #[track_caller]
    fn keeps_its_secrets(&self) {
        let bytes = self.session.user.all_bytes();
        let text = String::from_utf8_lossy(&bytes);
        for secret in [self.hosted.secrets(), self.hosted.states()].concat() {
            assert!(!text.contains(&secret), "{secret} stands in the home");
        }
        let log = self.session.user.log();
        for secret in self.hosted.secrets() {
            assert!(!log.contains(&secret), "{secret} stands in the log");
        }
    }
}

#[track_caller]
fn tells(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

fn story() {
    let (session, hosted) = (Session::with_keychain(), Hosted::new());
    let user = User::new(&session, &hosted);
    let done = user.run(&["login"]);
    done.succeeds().tells(&["You are signed in", "kept: keychain"]);
    assert_eq!(user.pages(), 1);
    assert_eq!((hosted.count("/register"), hosted.count("/token")), (1, 1));
    let metadata = hosted.count("/.well-known/oauth-authorization-server");
    user.works_silently();
    assert_eq!(session.reads_during(|| user.works_silently()), 1, "reads of a start");
    assert_eq!(hosted.count("/.well-known/oauth-authorization-server"), metadata);
    assert_eq!(hosted.count("/token"), 1);

    let status = user.run(&["status", "--json"]);
    let shown: Value = serde_json::from_str(&status.succeeds().stdout).unwrap();
    assert_eq!((&shown[0]["state"], &shown[0]["store"]), (&"signed in".into(), &"keychain".into()));
    user.keeps_its_secrets();
    assert!(hosted.secrets().len() >= 4, "{:?}", hosted.secrets());
    for secret in hosted.secrets() {
        assert!(![&done, &status].iter().any(|said| format!("{said:?}").contains(&secret)));
    }

    user.run(&["logout"]).succeeds().tells(&["You are signed out"]);
    assert!(hosted.count("/revoke") > 0);
    assert_eq!(user.run(&["status"]).code, Some(3));
    user.keeps_its_secrets();
}

fn first_starts() {
    let (session, hosted) = (Session::with_keychain(), Hosted::new());
    let user = User::new(&session, &hosted);
    let mut both = [user.serve(), user.serve()];
    for served in &mut both {
        served.initialize();
        served.ask(2, "tools/call", serde_json::json!({"name": "echo", "arguments": {}}));
    }
    for served in &mut both {
        let answer = served.answer(2);
        assert_eq!(answer["result"]["content"][0]["text"], "done", "{answer}");
    }
    both.into_iter().for_each(Served::end);
    assert_eq!((user.pages(), session.entries()), (1, 1));
    assert_eq!((hosted.count("/register"), hosted.count("/token")), (1, 1));
    user.works_silently();
    user.keeps_its_secrets();
}

fn absent() {
    let (session, hosted) = (Session::new(), Hosted::new());
    let user = User::new(&session, &hosted);
    tells(&user.fails(), &["keychain", "bridge login", "--credential-store", "BRIDGE_STORE_KEY"]);
    let done = user.run(&["login"]);
    assert_eq!((done.code, user.pages()), (Some(1), 0), "{done:?}");
    done.tells(&["no keychain answers", "--credential-store", "BRIDGE_STORE_KEY"]);
    assert_eq!(hosted.count("/register"), 0, "nothing is registered that can't be kept");
}

fn locked() {
    let (mut session, hosted) = (Session::with_keychain(), Hosted::new());
    User::new(&session, &hosted).run(&["login"]).succeeds();
    session.lock();
    {
        let user = User::new(&session, &hosted);
        tells(&user.fails(), &["keychain is locked", "unlock the keychain", "bridge login"]);
    }
    session.log_in_again();
    User::new(&session, &hosted).works_silently();
}

/// The doctor names the keychain as the cause, and what it advises cures it.
fn diagnosed() {
    let (mut session, hosted) = (Session::with_keychain(), Hosted::new());
    User::new(&session, &hosted).run(&["login"]).succeeds();
    let is_well = |session: &Session| {
        let url = hosted.url();
        assert_eq!(failures(&command(&session.user, &["doctor", &url, "--json"])), []);
    };
    is_well(&session);
    session.lock();
    let url = hosted.url();
    let failed = failures(&command(&session.user, &["doctor", &url, "--json"]));
    for (name, (check, detail, hint)) in ["store", "token"].into_iter().zip(&failed) {
        assert_eq!(check, name);
        tells(detail, &["keychain is locked"]);
        tells(hint, &["unlock the keychain"]);
    }
    assert_eq!(failed.len(), 2, "{failed:?}");
    session.log_in_again();
    is_well(&session);
    // The key is lost: another one is made by the command that is advised.
    session.empty();
    let failed = failures(&command(&session.user, &["doctor", &url, "--json"]));
    let (_, detail, hint) = failed.last().expect("a failure");
    tells(detail, &["no key to the stored sign-ins"]);
    let advised = hint.split('`').nth(1).expect("a command");
    let advised = shlex::split(advised).unwrap();
    assert_eq!(advised[..3], ["bridge", "login", &*url]);
    User::new(&session, &hosted).run(&["login"]).succeeds();
    is_well(&session);
}

/// Of each check that failed its name, what it says and what it advises.
fn failures(done: &Done) -> Vec<(String, String, String)> {
    let report: Value = serde_json::from_str(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"));
    let checks = report["checks"].as_array().unwrap().iter();
    let text = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
    let failed: Vec<_> = checks
        .filter(|check| check["status"] == "fail")
        .map(|check| (text(check, "name"), text(check, "detail"), text(check, "hint")))
        .collect();
    assert_eq!(done.code == Some(0), failed.is_empty(), "{done:?}");
    failed
}

fn hanging() {
    let (mut session, hosted) = (Session::with_keychain(), Hosted::new());
    User::new(&session, &hosted).run(&["login"]).succeeds();
    session.stop_bus();
    session.add_hanging_service("org.freedesktop.secrets");
    session.start_bus();
    let user = User::new(&session, &hosted);
    tells(&user.fails(), &["did not answer within 2 seconds", "bridge login"]);
}

fn emptied() {
    let (session, hosted) = (Session::with_keychain(), Hosted::new());
    let user = User::new(&session, &hosted);
    user.run(&["login"]).succeeds();
    session.empty();
    tells(&user.fails(), &["no key to the stored sign-ins", "bridge login"]);
    assert_eq!(session.entries(), 0);
    user.run(&["login"]).succeeds().tells(&["set aside", "You are signed in"]);
    assert_eq!(user.pages(), 2);
    user.works_silently();
    user.keeps_its_secrets();
}

fn plaintext() {
    let (session, hosted) = (Session::new(), Hosted::new());
    let user = User::new(&session, &hosted);
    let plain = ["--credential-store", "plaintext"];
    let done = user.run(&[&["login"][..], &plain].concat());
    done.succeeds().tells(&["warning", "not sealed"]);
    let status = user.run(&[&["status"][..], &plain].concat());
    tells(&status.succeeds().stdout, &["plaintext", "not sealed"]);
}

fn ended() {
    let (session, hosted) = (Session::with_keychain(), Hosted::new());
    let user = User::new(&session, &hosted);
    let mut options = user.options(&["login"]);
    // A browser that leads nowhere.
    options[3] = "true";
    let (code, said) = interrupted(&session.user, &options, "Open this page");
    assert_eq!(code, Some(4), "{said}");
    tells(&said, &["the sign-in was ended"]);
    let shown = user.run(&["status", "--json"]).stdout;
    tells(&shown, &["\"state\":\"signed out\""]);
    // Nobody waits for the page of then.
    let mut served = user.serve();
    served.initialize();
    assert_eq!(served.call(2)["result"]["content"][0]["text"], "done");
    assert_eq!(user.pages(), 1);
}
