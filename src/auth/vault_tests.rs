//! The record of a login while the disk fails, and while other commands change it.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tempfile::TempDir;

use super::authorizer::{Authorizer, Usher};
use super::failure::Failure;
use super::fetch::Fetch;
use super::page::Names;
use super::provider::{Provider, Trust};
use super::record::Record;
use super::registration::AuthMethod;
use super::scopes::Scopes;
use super::settings::Settings;
use super::sign_in::{Cause, SignIn};
use super::token::TokenSet;
use super::token_endpoint::Granted;
use super::vault::Vault;
use crate::clock::Moment;
use crate::credentials::{self, Fixed, Keep, Login, Patience, Profile, Store};
use crate::secret::Secret;

const SERVER: &str = "https://mcp.example.com/mcp";

/// What the processes of one user share.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn process(&self) -> Vault {
        let (folder, keep) = (Some(self.0.path().to_owned()), Keep::Plaintext);
        let settings = credentials::Settings { keep, folder, profile: Profile::default() };
        let store = Store::open(&settings, Patience::Serving);
        let server = url::Url::parse(SERVER).unwrap();
        Vault::new(Arc::new(store), Login::new(Profile::default(), &server, Fixed::default()))
    }

    /// A record in place of which nothing can be written, while this runs.
    async fn full<T>(&self, vault: &Vault, work: impl Future<Output = T>) -> T {
        let record = self.0.path().join(format!("{}.plaintext", vault.login().id()));
        let moved: PathBuf = self.0.path().join("moved");
        std::fs::rename(&record, &moved).unwrap();
        std::fs::create_dir(&record).unwrap();
        let value = work.await;
        std::fs::remove_dir(&record).unwrap();
        std::fs::rename(&moved, &record).unwrap();
        value
    }
}

fn granted(token: &str) -> Granted {
    let tokens = TokenSet::given(Secret::new(token.to_owned()), Moment::from_unix_seconds(1));
    Granted { tokens, method: AuthMethod::None }
}

fn provider() -> Provider {
    Provider {
        issuer: "https://as.example".into(),
        trust: Trust::Validated,
        metadata: super::ServerMetadata::default(),
        resource: None,
        resource_scopes: None,
    }
}

/// A person signs in.
async fn sign_in(vault: &Vault, token: &'static str) -> Record {
    let earn = move |record: &mut Record| {
        record.set_provider(provider());
        record.earn(granted(token), &Scopes::default());
        record.clone()
    };
    vault.change(earn).await.unwrap()
}

async fn token(vault: &Vault) -> Option<String> {
    let tokens = vault.load().await.unwrap()?.tokens?;
    Some(tokens.access_token.expose().clone())
}

/// A refresh of this record brings this token, and it can't be saved.
async fn renew_in_vain(home: &Home, vault: &Vault, of: &Record, token: &str) -> Record {
    let mut renewed = of.clone();
    renewed.renew(granted(token), &Scopes::default());
    let kept = home.full(vault, vault.keep(of.generation, renewed.clone())).await;
    assert!(kept.is_err() && vault.is_unsaved());
    renewed
}

#[tokio::test]
async fn what_could_not_be_saved_counts_in_its_process_and_is_saved_with_the_next_change() {
    let home = Home::new();
    let (vault, other) = (home.process(), home.process());
    let first = sign_in(&vault, "first").await;
    let second = renew_in_vain(&home, &vault, &first, "second").await;
    renew_in_vain(&home, &vault, &second, "third").await;
    assert_eq!(token(&vault).await.as_deref(), Some("third"));
    assert_eq!(token(&other).await.as_deref(), Some("first"));
    // What others change meanwhile stays.
    other.change_if(|_| true, |record| record.turn = 7).await.unwrap();
    assert!(vault.save_again().await.unwrap().is_none() && !vault.is_unsaved());
    let saved = other.load().await.unwrap().unwrap();
    assert_eq!((saved.turn, saved.generation), (7, first.generation + 2));
    assert_eq!(token(&other).await.as_deref(), Some("third"));

    renew_in_vain(&home, &vault, &saved, "fourth").await;
    vault.change_if(|_| true, |record| record.turn = 8).await.unwrap();
    assert!(!vault.is_unsaved());
    assert_eq!(token(&other).await.as_deref(), Some("fourth"));
}

#[tokio::test]
async fn what_could_not_be_saved_gives_way_to_a_later_sign_in_and_to_a_logout() {
    let home = Home::new();
    let (vault, other) = (home.process(), home.process());
    let first = sign_in(&vault, "first").await;
    renew_in_vain(&home, &vault, &first, "second").await;
    let anew = sign_in(&other, "anew").await;
    assert_eq!(token(&vault).await.as_deref(), Some("anew"));
    assert!(vault.save_again().await.unwrap().is_none() && !vault.is_unsaved());
    assert_eq!(token(&other).await.as_deref(), Some("anew"));

    renew_in_vain(&home, &vault, &anew, "newer").await;
    other.take().await.unwrap();
    assert_eq!(token(&vault).await, None);
    let unwanted = vault.save_again().await.unwrap().expect("it is given back, to be revoked");
    assert_eq!(unwanted.tokens.unwrap().access_token.expose(), "newer");
    assert!(vault.version().is_none() && !vault.is_unsaved());
}

#[tokio::test]
async fn only_what_begins_a_sign_in_begins_a_record() {
    let home = Home::new();
    let vault = home.process();
    assert!(vault.change_if(|_| true, |record| record.turn = 1).await.unwrap().is_none());
    vault.change_locked(|record| record.turn = 1).await.unwrap();
    assert!(vault.version().is_none());
}

/// Nobody is asked.
struct Nobody;

impl Usher for Nobody {
    fn ask(&self, _: Cause) -> BoxFuture<'static, Result<(), Failure>> {
        async { Ok(()) }.boxed()
    }

    fn attended(&self) -> BoxFuture<'static, Result<(), Failure>> {
        async { Ok(()) }.boxed()
    }
}

fn serving(vault: Vault) -> Arc<Authorizer> {
    let server = url::Url::parse(SERVER).unwrap();
    let http = Arc::new(crate::http::Client::new(&crate::http::Settings::default()));
    let sign_in = SignIn {
        vault,
        fetch: Fetch::new(http, &server),
        server,
        settings: Settings::default(),
        names: Names { server: "h".into(), client: None, command: "bridge login".into() },
        machine: None,
        client_issuer: std::sync::OnceLock::new(),
    };
    Authorizer::new(sign_in, Arc::new(Nobody))
}

async fn remembered(vault: &Vault) -> Option<String> {
    Some(vault.load().await.unwrap()?.remembered?.get().to_owned())
}

#[tokio::test]
async fn answers_are_remembered_with_the_sign_in_that_they_are_of_and_bring_none_back() {
    let home = Home::new();
    let (serving, other) = (serving(home.process()), home.process());
    let first = sign_in(&other, "first").await;
    assert!(serving.bearer().await.unwrap().is_some());
    assert_eq!(serving.present_sign_in(), Some(first.sign_in));
    // A sibling renews the token: the sign-in is the same.
    other.change_if(|_| true, |r| r.renew(granted("next"), &Scopes::default())).await.unwrap();
    serving.remember(first.sign_in, "{\"of\":1}".into()).await.unwrap();
    assert_eq!(remembered(&other).await.as_deref(), Some("{\"of\":1}"));
    assert_eq!(token(&other).await.as_deref(), Some("next"), "the later token stays");

    sign_in(&other, "another person's").await;
    serving.remember(first.sign_in, "{\"of\":2}".into()).await.unwrap();
    assert_eq!(remembered(&other).await, None, "it is not theirs");

    other.take().await.unwrap();
    serving.remember(first.sign_in, "{\"of\":3}".into()).await.unwrap();
    assert!(other.version().is_none(), "no record comes back");
}
