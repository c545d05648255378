//! Brings a person to the page of a sign-in.

use std::process::Stdio;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

use crate::auth::{
    Begun, Browser, Cause, Failure, FailureKind, Host, PasteError, Pasted, SignIn, Usher, Way,
};
use crate::config::Relaunch;
use crate::credentials::LockKind;

/// What the helper is told, by its stdin: arguments can be read by others.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Errand {
    /// The arguments of the process that starts it.
    pub(super) arguments: Vec<String>,
    /// Why a person is asked.
    pub(super) cause: Cause,
}

/// Starts a process that outlives this one: clients end their servers while a person still signs in.
pub(super) struct Detached {
    pub(super) relaunch: Relaunch,
    pub(super) browser: Browser,
    pub(super) unattended: Option<Failure>,
}

impl Usher for Detached {
    fn ask(&self, cause: Cause) -> BoxFuture<'static, Result<(), Failure>> {
        let Relaunch { program, arguments } = self.relaunch.clone();
        async move {
            let errand = Errand { arguments, cause };
            let told = run_helper(&program, &errand).await.map_err(|error| {
                Failure::new(FailureKind::Internal, "the sign-in could not be started")
                    .because(error.to_string())
                    .hint("run `bridge login` in a terminal")
            })?;
            // One that failed before it could keep its reason anywhere tells it here.
            serde_json::from_slice(&told).map_or(Ok(()), Err)
        }
        .boxed()
    }

    fn attended(&self) -> BoxFuture<'static, Result<(), Failure>> {
        attended(&self.browser, self.unattended.as_ref())
    }
}

/// Longest that is read of what the helper says, in bytes.
const MAX_TOLD: u64 = 64 * 1024;

/// Runs it to its end; what it says is nothing, or its failure as JSON.
async fn run_helper(program: &std::path::Path, errand: &Errand) -> std::io::Result<Vec<u8>> {
    let mut command = tokio::process::Command::new(program);
    command.arg("sign-in-helper").current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    crate::os::run_detached(&mut command);
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&serde_json::to_vec(errand)?).await?;
    }
    let mut told = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MAX_TOLD).read_to_end(&mut told).await?;
    }
    child.wait().await?;
    Ok(told)
}

/// Signs in within this process, which keeps what it gets.
pub(super) struct Here {
    pub(super) sign_in: Arc<SignIn>,
    pub(super) browser: Browser,
    pub(super) unattended: Option<Failure>,
}

impl Usher for Here {
    fn ask(&self, cause: Cause) -> BoxFuture<'static, Result<(), Failure>> {
        let (sign_in, browser) = (Arc::clone(&self.sign_in), self.browser.clone());
        async move { by_page(&sign_in, &browser, &cause).await }.boxed()
    }

    fn attended(&self) -> BoxFuture<'static, Result<(), Failure>> {
        attended(&self.browser, self.unattended.as_ref())
    }
}

/// Opens the page and waits, unless another process is at it.
pub(super) async fn by_page(
    sign_in: &SignIn,
    browser: &Browser,
    cause: &Cause,
) -> Result<(), Failure> {
    let Some(lock) = sign_in.vault.try_lock(LockKind::SignIn).await? else { return Ok(()) };
    if sign_in.is_settled(cause).await? {
        return Ok(());
    }
    match sign_in.by_browser(cause, lock, &mut Opener(browser), nothing_pasted).await {
        // Another command is at it, and the record tells what comes of that. After a logout there is none.
        Err(failure) if is_taken_over(&failure, sign_in) => Ok(()),
        ended => ended,
    }
}

fn is_taken_over(failure: &Failure, sign_in: &SignIn) -> bool {
    failure.kind == FailureKind::TakenBack && sign_in.vault.version().is_some()
}

/// Nobody is at a keyboard.
async fn nothing_pasted() -> Result<Pasted, PasteError> {
    std::future::pending().await
}

/// Opens the page of a sign-in, once.
struct Opener<'a>(&'a Browser);

impl Host for Opener<'_> {
    fn begun<'a>(&'a mut self, begun: &'a Begun) -> BoxFuture<'a, ()> {
        async move {
            // Its page is open already, in the tab that comes back.
            if begun.way != Way::Open {
                return;
            }
            let Ok(page) = Url::parse(&begun.invitation.page) else { return };
            match self.0.open(&page).await {
                Ok(program) => tracing::info!(program, "the page of the sign-in is open"),
                Err(why) => tracing::warn!("the page of the sign-in could not be opened: {why}"),
            }
        }
        .boxed()
    }

    fn unusable(&mut self, _why: &str) {}
}

fn attended(
    browser: &Browser,
    unattended: Option<&Failure>,
) -> BoxFuture<'static, Result<(), Failure>> {
    let (browser, unattended) = (browser.clone(), unattended.cloned());
    async move {
        if let Some(failure) = unattended {
            return Err(failure);
        }
        browser.can_open().await.map_err(|why| {
            Failure::new(FailureKind::Unattended, "the server wants a sign-in")
                .because(why.to_string())
                .hint(
                    "run `bridge login` in a terminal (with `--device`, or `--no-browser` to paste the \
                     address back), or give a token with `bridge login --with-token`",
                )
        })
    }
    .boxed()
}
