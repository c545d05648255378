//! The pages that a person sees in the browser: one sentence of what happened, one of what to do.
//!
//! Plain HTML of our own, no script, nothing loaded from anywhere. Never on a page: a token, a code, a raw
//! query.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::callback::cleaned;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// Only the style that we wrote is run; nothing is loaded, framed or sent.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let digest = ring::digest::digest(&ring::digest::SHA256, STYLE.trim_end().as_bytes());
    format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
        STANDARD.encode(digest)
    )
});

/// Whom a sign-in concerns, as the pages name them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// The server that is signed in to: its host, or the name under which it was saved.
    pub server: String,
    /// The client to go back to, where it told its name.
    pub client: Option<String>,
    /// What a person can type to sign in, as `bridge login https://mcp.example.com/mcp`.
    pub command: String,
}

/// How a sign-in ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// With a token.
    SignedIn,
    /// With a token that lacks what the person was asked for.
    Withheld {
        /// The scopes that are missing.
        scopes: String,
    },
    /// The person or the authorization server said no (`access_denied`).
    Denied {
        /// What the authorization server said of it.
        said: Option<String>,
    },
    /// It failed.
    Failed {
        /// Why, in our words.
        why: String,
        /// What the authorization server said of it.
        said: Option<String>,
    },
    /// It took too long.
    Expired,
    /// The authorization server refused a parameter: it goes on there without that.
    OnceMore {
        /// The address at the authorization server.
        at: Url,
        /// The issuer's host, where that address is on another site.
        foreign_to: Option<String>,
    },
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Page<'a> {
    /// Leads on to the authorization server; only by a click, where it is on another site than this issuer.
    Start(&'a Url, Option<&'a str>),
    /// How the sign-in ended.
    End(&'a Outcome),
    /// The browser came with what belongs to no sign-in that is waited for.
    Unknown,
    /// What the browser brought can't be used, and why.
    Unusable(&'a str),
    /// The sign-in is being finished already.
    UnderWay,
    /// The browser is of another user of this machine, who learns nothing of the sign-in.
    Stranger,
}

/// The headers of every page.
pub(super) fn headers() -> [(&'static str, &'static str); 7] {
    [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", POLICY.as_str()),
        // The address that led here holds the code.
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-resource-policy", "same-origin"),
    ]
}

impl Page<'_> {
    /// The HTTP status that goes with it.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Start(..)
            | Self::End(Outcome::SignedIn | Outcome::Withheld { .. } | Outcome::OnceMore { .. }) => {
                200
            }
            Self::End(Outcome::Expired) => 410,
            Self::End(_) | Self::Unusable(_) => 400,
            Self::Stranger => 403,
            Self::Unknown => 404,
            Self::UnderWay => 409,
        }
    }

    /// Its HTML.
    pub(super) fn html(&self, names: &Names) -> String {
        let heading = self.heading(names);
        let refresh = match self.onward() {
            // At once: a delay would be a trap for whoever reads slowly (WCAG 2.2.1).
            Some((url, None)) => {
                let url = escaped(url.as_str());
                format!("\n<meta http-equiv=\"refresh\" content=\"0; url={url}\">")
            }
            _ => String::new(),
        };
        fill(&[
            ("title", &format!("{} – bridge", escaped(&heading))),
            ("refresh", &refresh),
            ("style", STYLE.trim_end()),
            ("mood", self.mood()),
            ("heading", &escaped(&heading)),
            ("body", &self.body(names)),
        ])
    }

    /// Where it leads, and the issuer if that is on another site.
    fn onward(&self) -> Option<(&Url, Option<&str>)> {
        match self {
            Self::Start(url, issuer) => Some((url, *issuer)),
            Self::End(Outcome::OnceMore { at, foreign_to }) => Some((at, foreign_to.as_deref())),
            _ => None,
        }
    }

    fn heading(&self, names: &Names) -> String {
        match self {
            Self::Start(..) | Self::End(Outcome::OnceMore { .. }) => {
                format!("Sign in to {}", cleaned(&names.server))
            }
            Self::End(Outcome::SignedIn) => "You are signed in".to_owned(),
            Self::End(Outcome::Withheld { .. }) => "Permissions were not granted".to_owned(),
            Self::End(Outcome::Denied { .. }) => "You are not signed in".to_owned(),
            Self::End(Outcome::Failed { .. }) | Self::Unusable(_) => "Signing in failed".to_owned(),
            Self::End(Outcome::Expired) => "This sign-in took too long".to_owned(),
            Self::Unknown => "This sign-in is over".to_owned(),
            Self::UnderWay => "This sign-in is being finished".to_owned(),
            Self::Stranger => "This sign-in belongs to another user".to_owned(),
        }
    }

    fn mood(&self) -> &'static str {
        match self {
            Self::End(Outcome::SignedIn) => "good",
            Self::Start(..) | Self::End(Outcome::OnceMore { .. }) => "",
            Self::End(_) | Self::Unusable(_) => "bad",
            Self::Unknown | Self::UnderWay | Self::Stranger => "",
        }
    }

    fn body(&self, names: &Names) -> String {
        let server = format!("<strong>{}</strong>", escaped(&cleaned(&names.server)));
        let again = again(names);
        match self {
            Self::Start(url, issuer) => start(url, *issuer),
            Self::End(Outcome::OnceMore { at, foreign_to }) => start(at, foreign_to.as_deref()),
            Self::End(Outcome::SignedIn) => {
                let client = client(names);
                format!(
                    "<p>bridge can now use {server} for you.</p>\n\
                     <p class=\"next\">You can close this tab and go back to {client}.</p>"
                )
            }
            Self::End(Outcome::Withheld { scopes }) => {
                let client = client(names);
                format!(
                    "<p>You are signed in to {server}, but without <code>{}</code>, which it wants for what you \
                     asked of it.</p>\n\
                     <p class=\"next\">Ask whoever gives permissions there to grant that to your account. \
                     You can close this tab and go back to {client}.</p>",
                    escaped(&cleaned(scopes))
                )
            }
            Self::End(Outcome::Denied { said }) => format!(
                "<p>The request to use {server} was declined. Nothing was changed.</p>{}\n{again}",
                quoted(said.as_deref())
            ),
            Self::End(Outcome::Failed { why, said }) => format!(
                "<p>bridge could not sign you in to {server}: {}.</p>{}\n{again}",
                marked(why),
                quoted(said.as_deref())
            ),
            Self::End(Outcome::Expired) => {
                format!("<p>bridge stopped waiting for the sign-in to {server}.</p>\n{again}")
            }
            Self::Unknown => format!(
                "<p>It was finished before, took too long, or was begun by something else. \
                 Nothing was changed.</p>\n{again}"
            ),
            Self::Unusable(why) => format!(
                "<p>What the browser brought back can't be used: {}. Nothing was changed.</p>\n{again}",
                marked(why)
            ),
            Self::UnderWay => "<p>Another tab or program brought the answer already; how it ended \
                 stands there.</p>\n<p class=\"next\">You can close this tab.</p>"
                .to_owned(),
            Self::Stranger => "<p>This browser runs as another user of this machine than bridge does. \
                 Nothing was changed.</p>\n<p class=\"next\">If both are you, run <code>bridge login</code> \
                 with <code>--no-browser</code> in a terminal: it takes the address that a browser ends at.\
                 </p>"
                .to_owned(),
        }
    }
}

fn start(url: &Url, issuer: Option<&str>) -> String {
    let host = escaped(&cleaned(url.host_str().unwrap_or_default()));
    let link = format!("<a href=\"{}\" rel=\"noreferrer\">", escaped(url.as_str()));
    match issuer.map(|issuer| escaped(&cleaned(issuer))) {
        None => format!(
            "<p>The sign-in goes on at <strong>{host}</strong>.</p>\n\
             <p class=\"next\">{link}Go there now</a> if the browser does not do so by itself.</p>"
        ),
        Some(issuer) => format!(
            "<p>The sign-in would go on at <strong>{host}</strong>. That is another site than \
             <strong>{issuer}</strong>, which signs users in for this server, and which would get what you \
             allow there.</p>\n\
             <p class=\"next\">{link}Go on to {host}</a> only if you know that the two belong together; \
             otherwise close this tab.</p>"
        ),
    }
}

fn client(names: &Names) -> String {
    match names.client.as_deref().map(cleaned) {
        Some(name) if !name.is_empty() => escaped(&name),
        _ => "the program that you came from".to_owned(),
    }
}

fn again(names: &Names) -> String {
    let command = escaped(&cleaned(&names.command));
    format!(
        "<p class=\"next\">To try again, go back to {} and use the server once more, or run this in a \
         terminal:</p>\n<p class=\"command\"><code>{command}</code></p>",
        client(names)
    )
}

fn quoted(said: Option<&str>) -> String {
    match said.map(cleaned) {
        Some(said) if !said.is_empty() => {
            format!("\n<p>The answer was:</p>\n<blockquote>{}</blockquote>", escaped(&said))
        }
        _ => String::new(),
    }
}

/// A reason, in which backticks stand around names as in a terminal.
fn marked(why: &str) -> String {
    let text = escaped(&cleaned(why));
    let parts: Vec<_> = text.split('`').collect();
    if parts.len() % 2 == 0 {
        return text;
    }
    let mut html = String::with_capacity(text.len());
    for (at, part) in parts.into_iter().enumerate() {
        match at % 2 {
            0 => html.push_str(part),
            _ => html.extend(["<code>", part, "</code>"]),
        }
    }
    html
}

/// Puts values into the template. A value is never looked at for further places.
fn fill(values: &[(&str, &str)]) -> String {
    let mut html = String::with_capacity(TEMPLATE.len() + STYLE.len() + 1024);
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once('{') {
        html.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or_default();
        let value = values.iter().find(|(known, _)| *known == name);
        html.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    html.push_str(rest);
    html
}

/// Text, for an element or a quoted attribute.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTACK: &str = "\"'><script>alert(1)</script>&{style}{body}\u{202e}";

    fn names(text: &str) -> Names {
        Names { server: text.into(), client: Some(text.into()), command: text.into() }
    }

    fn outcomes(text: &str) -> Vec<Outcome> {
        let said = Some(text.to_owned());
        vec![
            Outcome::SignedIn,
            Outcome::Withheld { scopes: text.to_owned() },
            Outcome::Denied { said: said.clone() },
            Outcome::Failed { why: text.to_owned(), said },
            Outcome::Expired,
            Outcome::OnceMore {
                at: Url::parse("https://as.example/authorize").unwrap(),
                foreign_to: Some(text.to_owned()),
            },
        ]
    }

    fn every_page(text: &str) -> Vec<String> {
        let url = Url::parse(&format!("https://as.example/authorize?x={text}")).unwrap();
        let outcomes = outcomes(text);
        let ends = outcomes.iter().map(Page::End);
        let others = [
            Page::Start(&url, None),
            Page::Start(&url, Some(text)),
            Page::Unknown,
            Page::Unusable(text),
            Page::UnderWay,
            Page::Stranger,
        ];
        ends.chain(others).map(|page| page.html(&names(text))).collect()
    }

    #[test]
    fn no_text_gets_out_of_its_place() {
        for html in every_page(ATTACK) {
            assert!(!html.contains("<script") && !html.contains('\u{202e}'), "{html}");
            assert_eq!(html.matches("<style>").count(), 1, "{html}");
            assert_eq!(html.matches("</main>").count(), 1, "{html}");
        }
    }

    #[test]
    fn every_page_has_a_language_a_title_a_heading_and_no_outside() {
        for html in every_page("x") {
            assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"), "{html}");
            assert_eq!(html.matches("<title>").count(), 1);
            assert_eq!(html.matches("<h1 ").count(), 1);
            assert!(!html.contains("src=") && !html.contains("@import") && !html.contains("url("));
            assert!(!html.contains("{title}") && !html.contains("<title> "), "{html}");
        }
    }

    #[test]
    fn a_success_says_where_to_go() {
        let names = Names { client: Some("Zed".into()), ..names("mcp.example.com") };
        let html = Page::End(&Outcome::SignedIn).html(&names);
        assert!(html.contains("close this tab and go back to Zed."), "{html}");
        let html = Page::End(&Outcome::SignedIn).html(&Names { client: None, ..names });
        assert!(html.contains("go back to the program that you came from."), "{html}");
    }

    #[test]
    fn a_failure_says_why_and_what_to_do() {
        let outcome = Outcome::Failed {
            why: "the code was refused (`invalid_grant`)".into(),
            said: Some("Tenant <b>x</b> is locked".into()),
        };
        let html = Page::End(&outcome).html(&names("bridge login https://h/mcp"));
        assert!(html.contains("the code was refused (<code>invalid_grant</code>)"), "{html}");
        assert!(html.contains("Tenant &lt;b&gt;x&lt;/b&gt; is locked"), "{html}");
        assert!(html.contains("<code>bridge login https://h/mcp</code>"), "{html}");
    }

    #[test]
    fn the_start_page_leads_on_with_and_without_a_click() {
        let url = Url::parse("https://as.example/authorize?a=1&b='\"<").unwrap();
        let html = Page::Start(&url, None).html(&Names::default());
        let address = "https://as.example/authorize?a=1&amp;b=%27%22%3C";
        assert!(html.contains(&format!("content=\"0; url={address}\"")), "{html}");
        assert!(html.contains(&format!("href=\"{address}\"")), "{html}");
    }

    #[test]
    fn the_start_page_waits_for_a_click_where_it_leads_to_another_site_than_the_issuers() {
        let url = Url::parse("https://as.example/authorize").unwrap();
        let html = Page::Start(&url, Some("evil.example")).html(&Names::default());
        assert!(!html.contains("http-equiv"), "{html}");
        for part in ["<strong>evil.example</strong>", "Go on to as.example</a>", "close this tab"] {
            assert!(html.contains(part), "{part}: {html}");
        }
    }

    #[test]
    fn the_policy_lets_our_style_run_and_nothing_else() {
        let (_, policy) = headers()[1];
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    }
}
