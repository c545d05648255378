//! What some authorization servers need otherwise than the specification says (`docs/exceptions.md`):
//! automatic only by the issuer's host, and shown by `status`.

use url::Url;

/// How one provider differs.
#[derive(Debug, PartialEq, Eq)]
pub struct Exception {
    /// Whose it is.
    pub name: &'static str,
    /// Hosts of its issuers; one that begins with a dot stands for all names that end so, a `*` for one
    /// label.
    hosts: &'static [&'static str],
    /// The `resource` parameter is left out: it is refused where scopes name the resource.
    pub omits_resource: bool,
    /// Metadata without `code_challenge_methods_supported` is taken: PKCE is checked all the same.
    pub pkce_unlisted: bool,
    /// Parameters added to the authorization request.
    pub authorize: &'static [(&'static str, &'static str)],
    /// The resource goes as `audience` too.
    pub audience: bool,
    /// A refresh names its scopes again.
    pub refresh_scope: bool,
}

/// What all others are.
const NONE: Exception = Exception {
    name: "",
    hosts: &[],
    omits_resource: false,
    pkce_unlisted: false,
    authorize: &[],
    audience: false,
    refresh_scope: false,
};

/// The table of `docs/exceptions.md`.
static EXCEPTIONS: [Exception; 4] = [
    Exception {
        name: "Microsoft Entra ID",
        hosts: &[
            "login.microsoftonline.com",
            "login.microsoftonline.us",
            "login.partner.microsoftonline.cn",
            "login.windows.net",
            "sts.windows.net",
            ".ciamlogin.com",
        ],
        omits_resource: true,
        pkce_unlisted: true,
        refresh_scope: true,
        ..NONE
    },
    Exception {
        name: "Google",
        hosts: &["accounts.google.com"],
        authorize: &[("access_type", "offline"), ("prompt", "consent")],
        ..NONE
    },
    Exception {
        name: "Amazon Cognito",
        hosts: &["cognito-idp.*.amazonaws.com", "cognito-idp.*.amazonaws.com.cn"],
        pkce_unlisted: true,
        ..NONE
    },
    Exception { name: "Auth0", hosts: &[".auth0.com"], audience: true, ..NONE },
];

/// The exception for an issuer, by its host and only over https.
pub fn for_issuer(issuer: &str) -> Option<&'static Exception> {
    let url = Url::parse(issuer).ok().filter(|url| url.scheme() == "https")?;
    let host = url.host_str()?;
    EXCEPTIONS.iter().find(|exception| exception.hosts.iter().any(|each| matches(each, host)))
}

fn matches(pattern: &str, host: &str) -> bool {
    if pattern.starts_with('.') {
        return host.len() > pattern.len() && host.ends_with(pattern);
    }
    match pattern.split_once('*') {
        None => pattern == host,
        Some((before, after)) => {
            let label = host.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_holds_for_the_issuers_own_host_alone() {
        for (issuer, name) in [
            ("https://login.microsoftonline.com/7/v2.0", Some("Microsoft Entra ID")),
            ("https://contoso.ciamlogin.com/7/v2.0", Some("Microsoft Entra ID")),
            ("https://accounts.google.com", Some("Google")),
            ("https://accounts.google.com/", Some("Google")),
            ("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x", Some("Amazon Cognito")),
            ("https://acme.eu.auth0.com/", Some("Auth0")),
            ("https://accounts.google.com.evil.example", None),
            ("https://evil-accounts.google.com", None),
            ("https://evil.example/accounts.google.com", None),
            ("https://cognito-idp.a.b.amazonaws.com/", None),
            ("https://.auth0.com/", None),
            ("https://auth0.com.evil.example/", None),
            ("http://accounts.google.com", None),
            ("accounts.google.com", None),
        ] {
            assert_eq!(for_issuer(issuer).map(|exception| exception.name), name, "{issuer}");
        }
    }

    #[test]
    fn the_page_names_every_exception() {
        let page = include_str!("../../docs/exceptions.md");
        for exception in &EXCEPTIONS {
            assert!(page.contains(exception.name), "{}", exception.name);
            for host in exception.hosts {
                assert!(page.contains(host.trim_start_matches('.')), "{host}");
            }
        }
    }
}
