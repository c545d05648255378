//! Error answers (RFC 6749 §4.1.2.1, §5.2; RFC 7591 §3.2.2; RFC 8628 §3.5; RFC 8707 §2).

use serde_json::Value;

use super::callback::cleaned;
use super::failure::{Failure, FailureKind};
use super::fetch::{Reply, host};
use super::metadata::text;
use crate::secret::Secret;

/// What Entra says when `resource` and the scopes name different things.
const ENTRA_RESOURCE_MISMATCH: &str = "AADSTS9010010";

/// An error that an authorization server named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OauthError {
    /// The code, cleaned.
    pub(super) code: String,
    /// The same for a person, cleaned.
    pub(super) description: Option<String>,
}

impl OauthError {
    /// From what an answer says; without a code there is none.
    pub(super) fn new(code: &str, description: Option<&str>) -> Option<Self> {
        let code = cleaned(code);
        let description = description.map(cleaned).filter(|text| !text.is_empty());
        (!code.is_empty()).then_some(Self { code, description })
    }

    /// From the body of an answer, with the secrets that it may repeat taken out.
    pub(super) fn of_reply(reply: &Reply, secrets: &[&Secret<String>]) -> Option<Self> {
        let members = reply.json().ok()?;
        // `{"error": {"code": …, "message": …}}` is what API gateways make of it.
        let (code, description) = match members.get("error")? {
            Value::Object(inner) => (text(inner, "code"), text(inner, "message")),
            Value::String(code) => (Some(code.clone()), text(&members, "error_description")),
            _ => return None,
        };
        let clean = |text: String| without(text, secrets);
        Self::new(&clean(code?), description.map(clean).as_deref())
    }

    /// What a caller does about it.
    pub(super) fn kind(&self) -> FailureKind {
        let description = self.description.as_deref().unwrap_or_default();
        if description.contains(ENTRA_RESOURCE_MISMATCH) {
            return FailureKind::InvalidTarget;
        }
        match &*self.code {
            "invalid_client" | "unauthorized_client" => FailureKind::InvalidClient,
            "invalid_grant" => FailureKind::InvalidGrant,
            "invalid_scope" => FailureKind::InvalidScope,
            "invalid_target" => FailureKind::InvalidTarget,
            "access_denied" => FailureKind::Denied,
            "expired_token" => FailureKind::Expired,
            "temporarily_unavailable" | "server_error" => FailureKind::Busy,
            _ if names_dead_client(description) => FailureKind::InvalidClient,
            _ => FailureKind::Refused,
        }
    }

    /// The same as a failure of a request.
    pub(super) fn failure(&self, what: String) -> Failure {
        let cause = match &self.description {
            Some(description) => format!("{}: {description}", self.code),
            None => self.code.clone(),
        };
        Failure::new(self.kind(), what).because(cause)
    }
}

/// What a refused request comes to: the error that its body names, else what its status says.
pub(super) fn refused(reply: &Reply, secrets: &[&Secret<String>]) -> Failure {
    // A bot protection, a 429 and a 5xx say nothing about us, whatever their body holds.
    let settled = reply.refusal();
    if settled.is_transient() {
        return settled;
    }
    let failure = match OauthError::of_reply(reply, secrets) {
        Some(error) => {
            error.failure(format!("{} refused (HTTP {})", host(&reply.url), reply.status))
        }
        None if !reply.is_page() && names_dead_client(&reply.text()) => {
            let cause = cleaned(&without(reply.text(), secrets));
            let what = format!("{} does not know this client", host(&reply.url));
            Failure::new(FailureKind::InvalidClient, what).because(cause)
        }
        None => settled,
    };
    Failure { status: Some(reply.status), ..failure }
}

/// Whether a text says that the client is unknown or gone. Only what names the client counts: nothing is
/// registered again because of any other refusal.
pub(super) fn names_dead_client(text: &str) -> bool {
    const NEAR: usize = 40;
    const DEAD: [&str; 13] = [
        "invalid",
        "unknown",
        "not found",
        "unrecogni",
        "does not exist",
        "doesn't exist",
        "not registered",
        "unregistered",
        "unauthorized_client",
        "no such",
        "deleted",
        "missing",
        "required",
    ];
    let text = text.to_ascii_lowercase();
    let text = text.as_bytes();
    let near = |at: usize| {
        let window = &text[at.saturating_sub(NEAR)..text.len().min(at + NEAR)];
        let window = String::from_utf8_lossy(window);
        DEAD.iter().any(|dead| window.contains(dead))
    };
    memchr::memmem::find_iter(text, "client").any(near)
}

/// A text without secrets, as they are and as a form spells them.
fn without(mut text: String, secrets: &[&Secret<String>]) -> String {
    for secret in secrets.iter().map(|secret| secret.expose()).filter(|secret| secret.len() >= 4) {
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        text = text.replace(&**secret, "[secret]").replace(&encoded, "[secret]");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_to_do_next() {
        for (code, description, kind) in [
            ("invalid_client", "", FailureKind::InvalidClient),
            ("unauthorized_client", "", FailureKind::InvalidClient),
            ("invalid_request", "Client not found", FailureKind::InvalidClient),
            ("invalid_request", "Unrecognized client_id", FailureKind::InvalidClient),
            ("invalid_request", "code is missing", FailureKind::Refused),
            ("invalid_grant", "", FailureKind::InvalidGrant),
            ("invalid_grant", "AADSTS9010010: The resource…", FailureKind::InvalidTarget),
            ("invalid_target", "", FailureKind::InvalidTarget),
            ("invalid_scope", "", FailureKind::InvalidScope),
            ("access_denied", "", FailureKind::Denied),
            ("temporarily_unavailable", "", FailureKind::Busy),
            ("something_new", "", FailureKind::Refused),
        ] {
            let error = OauthError::new(code, Some(description)).unwrap();
            assert_eq!(error.kind(), kind, "{code} {description}");
        }
        assert_eq!(OauthError::new("\r\n", None), None);
    }

    #[test]
    fn a_dead_client_is_named_by_words_beside_it() {
        for (text, dead) in [
            ("<h1>Unknown client</h1>", true),
            (r#"{"message":"client_id 7 does not exist"}"#, true),
            ("invalid redirect uri", false),
            ("<script>client.js</script>", false),
            ("", false),
        ] {
            assert_eq!(names_dead_client(text), dead, "{text}");
        }
        let far = format!("client {} invalid", "x".repeat(100));
        assert!(!names_dead_client(&far));
        assert!(names_dead_client(&format!("é{}", "client invalid")));
    }

    #[test]
    fn secrets_that_come_back_are_taken_out() {
        let secret = Secret::new("can/ary+".to_owned());
        let text = without("no can/ary+ and no can%2Fary%2B".into(), &[&secret]);
        assert_eq!(text, "no [secret] and no [secret]");
    }
}
