//! `bridge login`: sign in now.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{Notify, oneshot};
use url::Url;

use crate::auth::{
    Bearer, Begun, Cause, DeviceSignIn, Failure, FailureKind, Grant, Host, NotOpened, PasteError,
    Pasted, Policy, Record, SignIn, Trust, Way, discovery, of_new_token, read_pasted, undocumented,
};
use crate::clock::{Clock, Moment, SystemClock, span};
use crate::config::{self, saved};
use crate::credentials::{Keep, Key, KeychainError, Lock, LockKind, Patience, StoreError};
use crate::error::Error;
use crate::printable::printable;
use crate::remote::{Entry, Knock, Remote};
use crate::secret::Secret;
use crate::{os, ui};

use super::given::keep_given;
use super::keyboard::Keyboard;
use super::parts::{Parts, error, of_login, server_name};
use super::unanswered::explained;

/// How the person signs in.
#[derive(Debug, Clone, Copy, Default)]
pub struct How {
    /// On another device, with a code.
    pub device: bool,
    /// With a token that they have.
    pub with_token: bool,
    /// Also where there is a sign-in.
    pub force: bool,
}

/// Signs in.
///
/// # Errors
/// There is no token afterwards, and why.
pub fn run(config: &config::Serve, how: How) -> Result<(), Error> {
    signed_in(config, how).map_err(|error| of_login(config, error))
}

fn signed_in(config: &config::Serve, how: How) -> Result<(), Error> {
    let parts = parts(config, !how.with_token)?;
    signed_in_with(config, how, &parts)?;
    write_store_down(config, parts.vault.store_name());
    Ok(())
}

/// The store that a saved server was signed in to with becomes its own, so that whatever starts it later looks
/// there too.
pub(super) fn write_store_down(config: &config::Serve, store: &'static str) {
    let Some(name) = config.saved.as_ref().map(|saved| &saved.name) else { return };
    if config.auth.grant == Grant::ClientCredentials || store == Keep::Memory.name() {
        return;
    }
    match saved::set_store(name, config.credentials.profile.name(), store) {
        Ok(Some(file)) => ui::say(&format!(
            "  `{name}` is saved with that store, for whatever starts it later: {}",
            file.display()
        )),
        Ok(None) => {}
        Err(why) => ui::say(&format!(
            "warning: {why}, so give `--credential-store {store}` whenever `{name}` is used"
        )),
    }
}

fn signed_in_with(config: &config::Serve, how: How, parts: &Parts) -> Result<(), Error> {
    let sign_in = parts.sign_in(config, None);
    let remote = parts.remote(config);
    if sign_in.vault.store_name() == Keep::Plaintext.name() {
        ui::say(&format!("warning: {UNSEALED}"));
    }
    super::runtime()?.block_on(async {
        begin_anew_where_unreadable(&sign_in).await?;
        if how.with_token {
            return keep_given(&sign_in, config, &remote).await;
        }
        if config.auth.grant == Grant::ClientCredentials {
            return try_client(&sign_in).await;
        }
        let signed_in = sign_in.is_settled(&Cause::default()).await.map_err(|f| error(&f))?;
        if signed_in && !how.force {
            tell_already(&sign_in, config);
            return Ok(());
        }
        let device = how.device || config.auth.grant == Grant::DeviceCode;
        if !device && config.unattended && !has_way_to_person(config) {
            let failure = nobody(config, "`CI` is set, and there is no terminal to ask anybody at");
            return Err(error(&failure));
        }
        let lock = take_over(&sign_in, config).await.map_err(|failure| error(&failure))?;
        let knock = remote.first_knock(None).await.ok();
        let challenge = match knock.as_ref().map(|knock| &knock.entry) {
            Some(Entry::Closed(challenge)) => challenge.clone(),
            _ => None,
        };
        let cause = Cause { force: true, challenge, ..Cause::default() };
        let is_first = sign_in.vault.version().is_none();
        let done = if device {
            by_device(&sign_in, &cause, lock, config).await
        } else {
            by_browser(&sign_in, &cause, lock, config, &mut Keyboard::read()).await
        };
        if let Err(failure) = done {
            if is_first {
                leave_nothing(&sign_in).await;
            }
            return Err(explained(config, knock.as_ref(), &failure));
        }
        tell_success(&sign_in, config, &remote).await
    })
}

/// Characters of scopes that are shown.
const MAX_SCOPES: usize = 500;

/// Why a person is asked in the middle of a command.
fn wants(host: &str, cause: &Cause) -> String {
    let challenge = cause.challenge.as_ref().filter(|_| cause.step_up);
    match challenge.and_then(|challenge| challenge.scope.as_deref()) {
        Some(scopes) => {
            let scopes = printable(scopes, MAX_SCOPES);
            format!("{host} wants you to sign in once more, with these permissions: {scopes}")
        }
        None => format!("{host} wants you to sign in."),
    }
}

/// Signs in for a command that uses the server, in the middle of it. Gives the store that the sign-in is kept in.
///
/// # Errors
/// There is no token afterwards, and why.
pub(super) fn for_command(
    config: &config::Serve,
    cause: Cause,
    keyboard: &mut Keyboard,
    runtime: &tokio::runtime::Runtime,
) -> Result<Parts, Error> {
    let parts = parts(config, false).map_err(|error| of_login(config, error))?;
    let sign_in = parts.sign_in(config, None);
    let cause = Cause { resume: false, ..cause };
    let done = runtime.block_on(async {
        begin_anew_where_unreadable(&sign_in).await?;
        ui::say(&wants(&config.endpoint.host(), &cause));
        let lock = take_over(&sign_in, config).await.map_err(|failure| error(&failure))?;
        let done = if config.auth.grant == Grant::DeviceCode {
            by_device(&sign_in, &cause, lock, config).await
        } else {
            by_browser(&sign_in, &cause, lock, config, keyboard).await
        };
        done.map_err(|failure| error(&failure))?;
        ui::say(&format!(
            "You are signed in to {}; kept: {}.",
            config.endpoint.host(),
            kept(sign_in.vault.store_name())
        ));
        Ok(())
    });
    done.map(|()| parts).map_err(|error| of_login(config, error))
}

fn tell_already(sign_in: &SignIn, config: &config::Serve) {
    ui::say(&format!("You are signed in to {} already.", config.endpoint.host()));
    let login = &sign_in.names.command;
    ui::say(&format!("hint: `{login} --force` signs in anew, `bridge status` shows more"));
}

/// Takes away the record that a sign-in began and nothing was earned for: who signs in was told why, and nobody
/// has to wonder what is kept there.
async fn leave_nothing(sign_in: &SignIn) {
    let is_empty = |record: &Record| {
        record.tokens.is_none() && record.registration.is_none() && record.pending.is_none()
    };
    if let Err(failure) = sign_in.vault.delete_if(is_empty).await {
        tracing::debug!("the record of the sign-in is left behind: {failure}");
    }
}

/// Whether somebody may be there, although the environment says that nobody is.
fn has_way_to_person(config: &config::Serve) -> bool {
    let browser = matches!(config.browser.policy, Policy::Programs(_));
    browser || std::io::stdin().is_terminal() || std::io::stderr().is_terminal()
}

/// The error of a login that nobody can finish.
fn nobody(config: &config::Serve, why: &str) -> Failure {
    let what = format!("nobody can sign in to {} here", config.endpoint.host());
    Failure::new(FailureKind::Unattended, what).because(why).hint(
        "run `bridge login` in a terminal, or with `--device`, which shows a code for any browser; a job that \
         nobody watches gives a token to `bridge login --with-token`, or uses `--client-credentials`",
    )
}

/// What is to be known of the store `plaintext`.
pub(super) const UNSEALED: &str =
    "the files are not sealed: whoever can read them can use the tokens";

/// With the store that was chosen. Where it is a keychain and there is none, a person in a terminal chooses
/// another; but whether there is anything to keep may be `unsure` before the server was asked.
fn parts(config: &config::Serve, unsure: bool) -> Result<Parts, Error> {
    let parts = Parts::new(config, Patience::Interactive);
    if config.auth.grant == Grant::ClientCredentials {
        return Ok(parts);
    }
    let why = match parts.store.prepare() {
        Err(StoreError::Keychain(why)) if why.is_for_good() => why,
        // Whatever else is wrong is told where it is met.
        _ => return Ok(parts),
    };
    if unsure {
        let remote = parts.remote(config);
        super::runtime()?.block_on(wants_sign_in(&parts.sign_in(config, None), config, &remote))?;
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(parts);
    }
    match choice(&why, config)? {
        Choice::Kept(keep) => Ok(Parts::keeping(config, keep, Patience::Interactive)),
        Choice::Nowhere => Err(Error::failed("nobody was signed in").because(why)),
    }
}

/// Whether somebody can sign in there, as far as it is told without asking for anything.
async fn wants_sign_in(
    sign_in: &SignIn,
    config: &config::Serve,
    remote: &Remote,
) -> Result<(), Error> {
    let knock = remote.first_knock(None).await.ok();
    if matches!(&knock, Some(Knock { entry: Entry::Closed(_), .. })) {
        return Ok(());
    }
    let SignIn { fetch, server, settings, .. } = sign_in;
    let failure = match discovery::discover(fetch, server, None, settings).await.found {
        Ok(provider) if provider.trust != Trust::Unverified => return Ok(()),
        Ok(provider) => undocumented(&provider),
        Err(failure) => failure,
    };
    Err(explained(config, knock.as_ref(), &failure))
}

/// Where there is no keychain.
enum Choice {
    Kept(Keep),
    Nowhere,
}

fn choice(why: &KeychainError, config: &config::Serve) -> Result<Choice, Error> {
    ui::say(&format!(
        "There is no keychain to keep a sign-in with: {why}.\n\n  \
         1  keep it in sealed files, with a key of your own in the variable BRIDGE_STORE_KEY\n  \
         2  keep it in files as they are; {UNSEALED}\n  \
         3  don't sign in\n"
    ));
    loop {
        let typed = ui::ask("Where to keep it (1, 2 or 3)? ")
            .map_err(|why| Error::failed("nothing was chosen").because(why))?;
        match typed.as_deref() {
            Some("1") => {
                let key = typed_key()?;
                ui::say(
                    "From now on set BRIDGE_STORE_KEY to this key for every command and in the client's entry \
                     for bridge.",
                );
                return Ok(Choice::Kept(Keep::Key(key)));
            }
            Some("2") if config.saved.is_some() => return Ok(Choice::Kept(Keep::Plaintext)),
            Some("2") => {
                ui::say(
                    "From now on give `--credential-store plaintext` with every command and in the client's \
                     entry for bridge, or set BRIDGE_CREDENTIAL_STORE=plaintext.",
                );
                return Ok(Choice::Kept(Keep::Plaintext));
            }
            None | Some("3") => return Ok(Choice::Nowhere),
            Some(_) => {}
        }
    }
}

/// Asks for the key, until it is one.
fn typed_key() -> Result<Key, Error> {
    ui::say(
        "`openssl rand -base64 32` in another terminal makes a key; keep it with your passwords.",
    );
    loop {
        let typed =
            super::runtime()?.block_on(typed("Key (it is not shown): ", "no key was given"))?;
        let text = typed.map_err(|why| Error::failed("no key was given").because(why))?;
        if text.expose().is_empty() {
            return Err(Error::failed("no key was given")
                .hint("make one with `openssl rand -base64 32`, and run `bridge login` again"));
        }
        match Key::parse(text.expose()) {
            Ok(key) => return Ok(key),
            Err(why) => ui::say(&format!("That can't be used: {why}.")),
        }
    }
}

/// The person asked for it: what can't be read is set aside.
async fn begin_anew_where_unreadable(sign_in: &SignIn) -> Result<(), Error> {
    let Err(failure) = sign_in.vault.load().await else { return Ok(()) };
    if !sign_in.vault.is_unreadable().await {
        return Err(error(&failure));
    }
    let aside = sign_in.vault.start_over().await.map_err(|failure| error(&failure))?;
    ui::say(&format!("{}; {}", failure.reason(), set_aside(aside)));
    Ok(())
}

/// That so many records were renamed and kept.
pub(super) fn set_aside(count: usize) -> String {
    let records =
        if count == 1 { "1 record was".to_owned() } else { format!("{count} records were") };
    format!("{records} set aside, and this begins anew.")
}

/// How often another process is told to leave a sign-in, and the time between. It may have to wait for a token
/// endpoint first.
const LET_GO: u32 = 10;
const A_WHILE: Duration = Duration::from_secs(4);

/// Ends the sign-in that a helper waits for, or is about to begin, and takes its place.
async fn take_over(sign_in: &SignIn, config: &config::Serve) -> Result<Lock, Failure> {
    if let Some(lock) = sign_in.vault.try_lock(LockKind::SignIn).await? {
        return Ok(lock);
    }
    ui::say("Another process is at a sign-in to this server; taking its place.");
    let _spinner = ui::Spinner::start("Waiting until it lets go", motion(config));
    for _ in 0..LET_GO {
        // Again, since a bridge that serves may have begun another meanwhile.
        sign_in.vault.change_if(|_| true, Record::take_over).await?;
        if let Some(lock) = sign_in.vault.lock_within(LockKind::SignIn, A_WHILE).await? {
            return Ok(lock);
        }
    }
    let failure = Failure::new(FailureKind::Busy, "another process is at a sign-in to this server");
    Err(failure
        .because(format!("it did not let go within {}", span(LET_GO * A_WHILE)))
        .hint("end the process `bridge sign-in-helper` or the other `bridge login`, then run `bridge login`"))
}

async fn by_browser(
    sign_in: &SignIn,
    cause: &Cause,
    lock: Lock,
    config: &config::Serve,
    keyboard: &mut Keyboard,
) -> Result<(), Failure> {
    let unopened = Arc::new(Notify::new());
    let over = keyboard.over();
    let pasted = async || next_pasted(keyboard).await;
    let mut terminal = Terminal { config, spinner: None, unopened: Arc::clone(&unopened) };
    let told_to_end = os::told_to_end();
    let cut_off = async {
        unopened.notified().await;
        over.notified().await;
    };
    let failure = tokio::select! {
        done = sign_in.by_browser(cause, lock, &mut terminal, pasted) => return done,
        () = told_to_end => ended(),
        () = cut_off, if !std::io::stderr().is_terminal() => {
            nobody(config, "no browser comes back to this machine, and stdin is at its end: nobody can paste an answer")
        }
    };
    // Left as it is, another process would wait for the same page.
    let end = |record: &mut Record| (record.pending, record.page) = (None, None);
    sign_in.vault.change_if(|_| true, end).await?;
    Err(failure)
}

fn ended() -> Failure {
    Failure::new(FailureKind::Denied, "the sign-in was ended before it was done")
        .hint("`bridge login` begins another")
}

/// A person in a terminal.
struct Terminal<'a> {
    config: &'a config::Serve,
    spinner: Option<ui::Spinner>,
    /// Told when a page could not be opened.
    unopened: Arc<Notify>,
}

impl Host for Terminal<'_> {
    fn begun<'a>(&'a mut self, begun: &'a Begun) -> BoxFuture<'a, ()> {
        async move {
            self.spinner = None;
            let provider = &begun.invitation.provider;
            if begun.way == Way::SameTab {
                ui::say(&format!(
                    "The authorization server refused a part of the request. The same tab goes on without it; \
                     if it does not, open this page:\n\n  {provider}\n"
                ));
                return self.wait();
            }
            ui::say(&format!("Open this page to sign in:\n\n  {provider}\n"));
            let opened = match Url::parse(&begun.invitation.page) {
                Ok(page) => self.config.browser.open(&page).await,
                Err(_) => Err(NotOpened::NotWeb),
            };
            match opened {
                Ok(program) => ui::say(&format!("It was opened with {program}.")),
                // They know. Whose browser is on another machine pastes what it ends at.
                Err(NotOpened::Never) if self.config.browser.has_screen().await => {}
                Err(NotOpened::Never) => self.unopened.notify_one(),
                Err(why) => {
                    ui::say(&format!("It was not opened here: {why}."));
                    self.unopened.notify_one();
                }
            }
            ui::say(
                "A browser on another machine ends at an address that can't be reached: paste that address \
                 here.",
            );
            self.wait();
        }
        .boxed()
    }

    fn unusable(&mut self, why: &str) {
        self.spinner = None;
        ui::say(&format!(
            "That can't be used: {why}.\nPaste the whole address that the browser ends at, or the code in it."
        ));
        self.wait();
    }
}

impl Terminal<'_> {
    fn wait(&mut self) {
        self.spinner = Some(ui::Spinner::start("Waiting for the browser", motion(self.config)));
    }
}

/// The next line with something on it.
async fn next_pasted(keyboard: &mut Keyboard) -> Result<Pasted, PasteError> {
    while let Some(line) = keyboard.line().await {
        if !line.trim().is_empty() {
            return read_pasted(&line);
        }
    }
    std::future::pending().await
}

async fn by_device(
    sign_in: &SignIn,
    cause: &Cause,
    lock: Lock,
    config: &config::Serve,
) -> Result<(), Failure> {
    let mut spinner = None;
    let show = |device: &DeviceSignIn| {
        ui::say(&format!(
            "On any device, open\n\n  {}\n\nand enter the code\n\n  {}\n",
            device.verification_uri, device.user_code
        ));
        if let Some(complete) = &device.verification_uri_complete {
            ui::say(&format!("Or open this, which holds the code:\n\n  {complete}\n"));
        }
        spinner = Some(ui::Spinner::start("Waiting for you to approve", motion(config)));
    };
    let done = sign_in.by_device(cause, lock, show).await;
    drop(spinner);
    done
}

/// Asks for a secret. Whoever ends the process meanwhile gets the terminal back as it was.
pub(super) async fn typed(
    question: impl AsRef<str> + Send + 'static,
    nothing: &'static str,
) -> Result<std::io::Result<Secret<String>>, Error> {
    let (terminal, told_to_end) = (os::Terminal::of_process(), os::told_to_end());
    let restore = || terminal.iter().for_each(os::Terminal::restore);
    let (sender, typed) = oneshot::channel();
    // A thread of its own: nothing waits for it at the end.
    std::thread::spawn(move || sender.send(ui::ask_hidden(question.as_ref())));
    tokio::select! {
        typed = typed => match typed {
            // The keys that end a program may reach the question before the program.
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::Interrupted => {
                restore();
                Err(Error::failed(nothing))
            }
            typed => typed.map_err(|_| Error::failed(nothing)),
        },
        () = told_to_end => {
            restore();
            ui::say("");
            Err(Error::failed(nothing))
        }
    }
}

/// A client that acts for itself keeps nothing: this shows whether it would get a token.
async fn try_client(sign_in: &SignIn) -> Result<(), Error> {
    let check = "check `--client-id`, its secret and `--scope` with whoever registered the client";
    sign_in.by_client(None).await.map_err(|failure| {
        let settled = failure.hint.is_none() && !failure.is_transient();
        error(&if settled { failure.hint(check) } else { failure })
    })?;
    ui::say("The client gets a token. It asks for one whenever it needs one; nothing is kept.");
    Ok(())
}

async fn tell_success(
    sign_in: &SignIn,
    config: &config::Serve,
    remote: &Remote,
) -> Result<(), Error> {
    let record = sign_in.vault.load().await.map_err(|failure| error(&failure))?;
    let record = record.filter(|record| record.tokens.is_some());
    let Some(record) = record else {
        return Err(Error::failed("the sign-in was taken back by another command")
            .hint("run `bridge login` to begin another"));
    };
    let tokens = record.tokens.as_ref();
    let bearer = tokens.map(|tokens| tokens.bearer(sign_in.settings.use_id_token));
    let bearer = bearer.and_then(|token| Bearer::of(token, record.generation));
    let knock = remote.first_knock(bearer.as_ref()).await.ok();
    let entry = knock.as_ref().map(|knock| &knock.entry);
    if let (Some(tokens), Some(Entry::Closed(challenge))) = (tokens, entry) {
        let issuer = record.provider.as_ref().map(|provider| &*provider.issuer);
        let host = config.endpoint.host();
        let refused = of_new_token(&host, issuer, tokens, &record.scopes, challenge.as_ref());
        // Without a word about the token it may be about anything, a session among it.
        if challenge.is_some() {
            return Err(error(&refused));
        }
        ui::say(&format!("warning: {}", refused.reason()));
    }
    ui::say(&format!("You are signed in to {}.", config.endpoint.host()));
    if !record.scopes.is_empty() {
        ui::say(&format!("  scopes: {}", record.scopes));
    }
    let now = Moment::from(SystemClock.wall());
    let expires = record.tokens.as_ref().and_then(|tokens| tokens.expires);
    if let Some(left) = expires.map(|end| end.since(now)) {
        let renews = record.tokens.as_ref().is_some_and(|tokens| tokens.refresh_token.is_some());
        let then = if renews { "it is renewed by itself" } else { "then you sign in again" };
        ui::say(&format!("  the token is good for {}; {then}", span(left)));
    }
    ui::say(&format!("  kept: {}", kept(sign_in.vault.store_name())));
    knock.iter().for_each(|knock| warn(knock, config));
    Ok(())
}

/// The token is good, and the server may serve nobody by it.
fn warn(knock: &Knock, config: &config::Serve) {
    if let Some(warning) = knock.warning(&server_name(config)) {
        ui::say(&warning);
    }
}

/// Where a store keeps things, for a person.
pub(super) fn kept(store: &str) -> String {
    match store {
        "memory" => "memory (until this process ends)".to_owned(),
        _ => format!("{store} ({})", place(store)),
    }
}

/// The same without the store's name.
pub(super) fn place(store: &str) -> &'static str {
    match store {
        "keychain" => "a sealed file, its key in the system's keychain",
        "env" => "a sealed file, its key in BRIDGE_STORE_KEY",
        "plaintext" => "a plain file",
        _ => "memory, until this process ends",
    }
}

pub(super) fn motion(config: &config::Serve) -> ui::Motion {
    if config.still { ui::Motion::Still } else { ui::Motion::Moving }
}
