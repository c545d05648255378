//! What is remembered of one login: all that a start needs, in one piece that the credential store
//! seals. It is used only with the server, issuer and resource that it names.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::authorization::Pending;
use super::callback::cleaned;
use super::failure::{Failure, FailureKind};
use super::provider::Provider;
use super::registration::{Origin, Registration};
use super::scopes::Scopes;
use super::token::TokenSet;
use super::token_endpoint::Granted;
use crate::clock::Moment;
use crate::secret::Secret;

/// The layout that this program writes. A record of a later one is left alone.
pub const SCHEMA: u32 = 1;

/// One login.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// Layout.
    pub schema: u32,
    /// Canonical URL of the server.
    pub server: String,
    /// Which of the user's accounts it is.
    pub profile: String,
    /// Who signs users in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// Who we are to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Registration>,
    /// The tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenSet>,
    /// Counts the token sets: a failure is of one of them, and deletes no later one.
    #[serde(default)]
    pub generation: u64,
    /// Names the sign-in that the tokens are of: a refresh does not change it, a person does. A record that is
    /// begun has one too.
    #[serde(default)]
    pub sign_in: u64,
    /// Whether the tokens were given by hand, so that no sign-in ever replaces them.
    #[serde(default)]
    pub given: bool,
    /// What was granted so far, or asked for where the server did not say.
    #[serde(default)]
    pub scopes: Scopes,
    /// What the person was asked for at the last sign-in: a role may have more of it later.
    #[serde(default, skip_serializing_if = "Scopes::is_empty")]
    pub requested: Scopes,
    /// What calls lacked, a person was asked for, and was not granted: asking again would not end.
    #[serde(default, skip_serializing_if = "Scopes::is_empty")]
    pub withheld: Scopes,
    /// What calls lack and the person is asked for now.
    #[serde(default, skip_serializing_if = "Scopes::is_empty")]
    pub lacking: Scopes,
    /// A sign-in that waits for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// Our page that leads on to it, which holds what its state does.
    #[serde(
        with = "crate::secret::exposed_option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub page: Option<Secret<String>>,
    /// Counts the commands that took a sign-in over, also one that had no page yet.
    #[serde(default)]
    pub turn: u64,
    /// A sign-in on another device that waits for a person: until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Moment>,
    /// Why the person who had signed in before is asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_because: Option<String>,
    /// Why the last sign-in or refresh came to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// The provider refused the `resource` parameter: it is left out from then on.
    #[serde(default)]
    pub resource_refused: bool,
    /// Answers of the server for a connection that is not there yet, as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remembered: Option<Box<RawValue>>,
}

/// A failure as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFailure {
    /// When.
    pub at: Moment,
    /// What failed, and why.
    pub reason: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The person said no, or did nothing: they are not asked again by themselves.
    #[serde(default)]
    pub by_person: bool,
}

/// Why a record can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A later version wrote it.
    #[error("a later version of bridge wrote it (layout {0})")]
    Newer(u32),
    /// It is no record.
    #[error("it can't be read")]
    Malformed,
}

impl Record {
    /// A login that nothing is known of.
    pub fn new(server: impl Into<String>, profile: impl Into<String>) -> Self {
        Self {
            schema: SCHEMA,
            server: server.into(),
            profile: profile.into(),
            provider: None,
            registration: None,
            tokens: None,
            generation: 0,
            sign_in: 0,
            given: false,
            scopes: Scopes::default(),
            requested: Scopes::default(),
            withheld: Scopes::default(),
            lacking: Scopes::default(),
            pending: None,
            page: None,
            turn: 0,
            device: None,
            asked_because: None,
            last_failure: None,
            resource_refused: false,
            remembered: None,
        }
    }

    /// The same as it is begun in a store. One that was deleted counts on in nobody's memory: no number comes
    /// twice.
    pub fn begun(server: impl Into<String>, profile: impl Into<String>) -> Self {
        let (generation, sign_in) = (unique(), unique());
        Self { generation, sign_in, ..Self::new(server, profile) }
    }

    /// What is sealed.
    pub fn to_bytes(&self) -> Secret<Vec<u8>> {
        // Every member can be written: maps have text for keys, and there are no floats.
        Secret::new(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads what was sealed.
    ///
    /// # Errors
    /// [`RecordError`]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Layout {
            schema: u32,
        }
        let Layout { schema } =
            serde_json::from_slice(bytes).map_err(|_| RecordError::Malformed)?;
        if schema > SCHEMA {
            return Err(RecordError::Newer(schema));
        }
        serde_json::from_slice(bytes).map_err(|_| RecordError::Malformed)
    }

    /// Takes what a token endpoint granted, for these scopes where it did not say.
    pub fn grant(&mut self, granted: Granted, asked: &Scopes) {
        self.renew(granted, asked);
        self.given = false;
        self.nobody_is_asked();
        self.last_failure = None;
    }

    /// Takes what a person's sign-in brought; they may be another one than before.
    pub fn earn(&mut self, granted: Granted, asked: &Scopes) {
        let lacking = std::mem::take(&mut self.lacking);
        self.grant(granted, asked);
        let before = std::mem::take(&mut self.withheld);
        if !lacking.is_empty() {
            self.withheld = before.union(&lacking).without(&self.scopes);
        }
        self.requested.clone_from(asked);
        self.sign_in = unique();
        self.remembered = None;
    }

    /// What a sign-in for more asks for beside that (specification, "Step-Up Authorization Flow").
    pub fn all_scopes(&self) -> Scopes {
        self.requested.clone().union(&self.scopes)
    }

    /// Takes what a refresh brought. A person who is asked for more meanwhile is still asked.
    pub fn renew(&mut self, granted: Granted, asked: &Scopes) {
        if let Some(registration) = &mut self.registration {
            registration.method = granted.method;
        }
        self.scopes = granted.tokens.scopes.clone().unwrap_or_else(|| asked.clone());
        self.tokens = Some(granted.tokens);
        self.generation += 1;
    }

    /// Whoever is at a sign-in leaves it to another.
    pub fn take_over(&mut self) {
        self.nobody_is_asked();
        self.turn += 1;
    }

    /// Whether tokens of this record, at this generation, are those that `later` took the place of, and nothing
    /// happened meanwhile that ends them.
    pub fn is_followed_by(&self, generation: u64, later: &Self) -> bool {
        let of = |record: &Self| {
            let provider = record.provider.as_ref();
            provider.map(|provider| (provider.issuer.clone(), provider.resource.clone()))
        };
        self.generation == generation
            && self.sign_in == later.sign_in
            && !self.given
            && of(self) == of(later)
    }

    /// Takes the tokens of a later copy of this record, as a refresh left it, and nothing else.
    pub fn follow(&mut self, later: &Self) {
        if let (Some(own), Some(later)) = (&mut self.registration, &later.registration) {
            own.method = later.method;
        }
        self.scopes.clone_from(&later.scopes);
        self.tokens.clone_from(&later.tokens);
        self.generation = later.generation;
    }

    /// No sign-in waits for a person any more.
    pub fn nobody_is_asked(&mut self) {
        (self.pending, self.page, self.device, self.asked_because) = (None, None, None, None);
        self.lacking = Scopes::default();
    }

    /// Whether a sign-in waits for a person.
    pub fn waits_for_person(&self, now: Moment) -> bool {
        let by_browser = self.pending.as_ref().is_some_and(|pending| !pending.is_over(now));
        by_browser || self.device.is_some_and(|deadline| deadline > now)
    }

    /// Takes a token that a person gave. Nothing that a sign-in earned stays beside it.
    pub fn give(&mut self, tokens: TokenSet) {
        self.tokens = Some(tokens);
        self.generation += 1;
        self.sign_in = unique();
        self.given = true;
        self.nobody_is_asked();
        self.last_failure = None;
        self.remembered = None;
        (self.scopes, self.requested, self.withheld) = Default::default();
    }

    /// Forgets the tokens of a generation; a later one stays. Says whether it did.
    pub fn drop_tokens(&mut self, generation: u64) -> bool {
        let same = self.generation == generation && self.tokens.is_some();
        if same {
            self.tokens = None;
        }
        same
    }

    /// Remembers why something came to nothing.
    pub fn note(&mut self, failure: &Failure, at: Moment) {
        let by_person = matches!(failure.kind, FailureKind::Denied | FailureKind::Expired);
        let (reason, hint) = (cleaned(&failure.reason()), failure.hint.clone());
        self.last_failure = Some(LastFailure { at, reason, hint, by_person });
    }

    /// Whether a client that the user registered would be shown to another issuer than the one that it was
    /// used with so far: that must not happen unasked (specification, "Authorization Server Binding").
    ///
    /// # Errors
    /// It would.
    pub fn check_binding(&self, provider: &Provider) -> Result<(), Failure> {
        let bound = self.registration.as_ref().filter(|client| {
            client.origin == Origin::PreRegistered && client.issuer != provider.issuer
        });
        let Some(client) = bound else { return Ok(()) };
        let (before, now) = (cleaned(&client.issuer), cleaned(&provider.issuer));
        // Without its query, which may hold a key.
        let server = self.server.split(['?', '#']).next().unwrap_or_default();
        let what = format!("{server} names another authorization server than before");
        Err(Failure::new(FailureKind::IssuerMismatch, what)
            .because(format!("the client id was used with `{before}`, and now it is `{now}`"))
            .hint("if that is right, run `bridge logout`, then `bridge login`"))
    }

    /// Takes a provider. What belongs to another one is never shown to it: tokens, a sign-in under way and
    /// a registration are dropped then.
    pub fn set_provider(&mut self, mut provider: Provider) {
        let before = self.provider.as_ref();
        let same_issuer = before.is_some_and(|before| before.issuer == provider.issuer);
        self.resource_refused &= same_issuer;
        if self.resource_refused {
            provider.resource = None;
        }
        if !same_issuer || before.is_none_or(|before| before.resource != provider.resource) {
            self.registration.take_if(|client| !same_issuer && !client.is_portable());
            self.tokens = None;
            self.pending = None;
            (self.scopes, self.requested, self.withheld) = Default::default();
        }
        self.provider = Some(provider);
    }

    /// Remembers that the provider refuses the `resource` parameter; it is left out from then on, in
    /// every request.
    pub fn refuse_resource(&mut self) {
        self.resource_refused = true;
        if let Some(provider) = &mut self.provider {
            provider.resource = None;
        }
    }
}

fn unique() -> u64 {
    fastrand::u64(1..1 << 48)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::metadata::ServerMetadata;
    use crate::auth::provider::Trust;
    use crate::auth::registration::AuthMethod;

    fn provider(issuer: &str) -> Provider {
        Provider {
            issuer: issuer.into(),
            trust: Trust::Validated,
            metadata: ServerMetadata::default(),
            resource: Some("https://h/mcp".into()),
            resource_scopes: None,
        }
    }

    fn whole() -> Record {
        let now = Moment::from_unix_seconds(1000);
        let secret = |text: &str| Secret::new(text.to_owned());
        let mut record = Record::new("https://h/mcp", "default");
        record.set_provider(provider("https://as.example"));
        record.registration = Some(Registration {
            client_id: "me".into(),
            origin: Origin::Dynamic,
            issuer: "https://as.example".into(),
            secret: Some(secret("canary-client")),
            key: None,
            expires: None,
            method: AuthMethod::Basic,
            redirect_uris: vec!["http://127.0.0.1:1/cb".into()],
            scopes: Scopes::parse("a b"),
        });
        let tokens = TokenSet {
            refresh_token: Some(secret("canary-refresh")),
            ..TokenSet::given(secret("canary-access"), now)
        };
        record.grant(Granted { tokens, method: AuthMethod::Post }, &Scopes::parse("a"));
        record.pending = Some(Pending {
            state: secret("canary-state"),
            verifier: secret("canary-verifier"),
            redirect_uri: "http://127.0.0.1:1/cb".into(),
            url: secret("https://as.example/authorize?state=canary-state"),
            client_id: "me".into(),
            scopes: Scopes::parse("a"),
            issuer: "https://as.example".into(),
            iss_promised: true,
            began: now,
            deadline: now,
        });
        record.remembered = serde_json::from_str("{\"n\": 20.00}").unwrap();
        record
    }

    #[test]
    fn a_record_is_written_and_read_whole_and_never_printed() {
        let record = whole();
        let bytes = record.to_bytes();
        let again = Record::from_bytes(bytes.expose()).unwrap();
        assert_eq!(again.to_bytes(), bytes);
        assert_eq!(again.tokens, record.tokens);
        assert_eq!(again.pending, record.pending);
        assert_eq!(again.registration.as_ref().unwrap().method, AuthMethod::Post);
        assert_eq!(again.remembered.as_ref().unwrap().get(), "{\"n\": 20.00}");
        assert!(!format!("{again:?}").contains("canary"));
    }

    #[test]
    fn a_later_layout_is_left_alone_and_junk_is_no_record() {
        assert!(matches!(
            Record::from_bytes(br#"{"schema": 2, "what": []}"#),
            Err(RecordError::Newer(2))
        ));
        for junk in [&b""[..], b"[]", b"{}", br#"{"schema":1}"#] {
            assert!(matches!(Record::from_bytes(junk), Err(RecordError::Malformed)));
        }
    }

    #[test]
    fn a_failure_deletes_only_the_generation_that_it_is_of() {
        let mut record = whole();
        assert_eq!(record.generation, 1);
        assert!(!record.drop_tokens(0) && record.tokens.is_some());
        assert!(record.drop_tokens(1) && record.tokens.is_none());
        assert!(!record.drop_tokens(1));
    }

    #[test]
    fn a_refresh_leaves_a_person_who_is_asked_for_more_at_it() {
        let mut record = whole();
        let tokens =
            TokenSet::given(Secret::new("next".to_owned()), Moment::from_unix_seconds(2000));
        let granted = Granted { tokens, method: AuthMethod::Post };
        record.renew(granted.clone(), &Scopes::parse("a"));
        assert!(record.pending.is_some() && record.generation == 2);
        record.grant(granted, &Scopes::parse("a b"));
        assert!(record.pending.is_none() && record.generation == 3);
    }

    #[test]
    fn a_refresh_is_of_the_same_sign_in_and_a_person_begins_another() {
        let mut record = whole();
        let (before, granted) = (record.sign_in, record.clone());
        let tokens = granted.tokens.clone().unwrap();
        let granted = Granted { tokens: tokens.clone(), method: AuthMethod::Post };
        record.renew(granted.clone(), &Scopes::default());
        assert_eq!(record.sign_in, before);
        record.earn(granted, &Scopes::default());
        let earned = record.sign_in;
        assert_ne!(earned, before);
        record.give(tokens);
        assert_ne!(record.sign_in, earned);
    }

    #[test]
    fn what_a_call_lacked_and_was_not_granted_is_remembered_until_a_sign_in_for_everything() {
        let mut record = whole();
        let mut earn = |lacking: &str, granted: &str| {
            record.lacking = Scopes::parse(lacking);
            let mut tokens = record.tokens.clone().unwrap();
            tokens.scopes = Some(Scopes::parse(granted));
            record.earn(Granted { tokens, method: AuthMethod::Post }, &Scopes::parse("a b c"));
            assert!(record.lacking.is_empty());
            record.withheld.to_string()
        };
        assert_eq!(earn("b", "a"), "b");
        assert_eq!(earn("c", "a"), "b c");
        assert_eq!(earn("b", "a b"), "c");
        assert_eq!(earn("", "a"), "", "anybody may have signed in");
    }

    #[test]
    fn renewed_tokens_follow_those_that_they_were_got_for_and_no_others() {
        let before = whole();
        let mut later = before.clone();
        let tokens =
            TokenSet::given(Secret::new("next".to_owned()), Moment::from_unix_seconds(2000));
        let granted = Granted { tokens: tokens.clone(), method: AuthMethod::Basic };
        later.renew(granted.clone(), &Scopes::parse("a"));
        // What else was changed meanwhile stays.
        let mut present = before.clone();
        present.nobody_is_asked();
        assert!(present.is_followed_by(1, &later));
        present.follow(&later);
        assert_eq!((&present.tokens, present.generation), (&Some(tokens.clone()), 2));
        assert!(present.pending.is_none());
        assert_eq!(present.registration.as_ref().unwrap().method, AuthMethod::Basic);
        // Another process found those of before refused.
        let mut dropped = before.clone();
        dropped.drop_tokens(1);
        assert!(dropped.is_followed_by(1, &later));
        let changes: [fn(&mut Record, Granted); 4] = [
            |record, granted| record.renew(granted, &Scopes::default()),
            |record, granted| record.earn(granted, &Scopes::default()),
            |record, granted| record.give(granted.tokens),
            |record, _| record.set_provider(provider("https://other.example")),
        ];
        for change in changes {
            let mut other = before.clone();
            change(&mut other, granted.clone());
            assert!(!other.is_followed_by(1, &later));
        }
    }

    #[test]
    fn what_belongs_to_one_issuer_never_reaches_another() {
        let mut record = whole();
        record.set_provider(provider("https://as.example"));
        assert!(record.tokens.is_some() && record.registration.is_some());
        record.set_provider(provider("https://other.example"));
        assert!(record.tokens.is_none() && record.registration.is_none());
        assert!(record.pending.is_none());
    }

    #[test]
    fn a_client_of_the_users_own_does_not_move_to_another_issuer_unasked() {
        let mut record = whole();
        assert!(record.check_binding(&provider("https://other.example")).is_ok(), "dynamic");
        record.registration.as_mut().unwrap().origin = Origin::PreRegistered;
        assert!(record.check_binding(&provider("https://as.example")).is_ok());
        record.server = "https://h/mcp?key=canary".into();
        let failure = record.check_binding(&provider("https://other.example")).unwrap_err();
        assert!(!format!("{failure:?}").contains("canary"), "{failure}");
        assert!(failure.reason().contains("https://other.example"), "{failure}");
    }

    #[test]
    fn a_resource_that_was_refused_is_left_out_until_the_issuer_changes() {
        let mut record = whole();
        record.refuse_resource();
        record.set_provider(provider("https://as.example"));
        assert_eq!(record.provider.as_ref().unwrap().resource, None);
        assert!(record.tokens.is_some(), "that is no reason to sign in again");
        record.set_provider(provider("https://other.example"));
        assert!(record.provider.unwrap().resource.is_some() && !record.resource_refused);
    }
}
