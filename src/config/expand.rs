//! `${VAR}` in what was typed, and the environment that it is looked up in.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::order;

/// The variables of the environment, read once.
#[derive(Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// Those that stood in a text for their value.
    expanded: RefCell<BTreeSet<String>>,
}

impl Environment {
    /// The process's own. What is not Unicode is left out.
    pub fn of_process() -> Self {
        let mut known = Self::default();
        for (name, value) in std::env::vars_os() {
            if let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) {
                known.variables.insert(name, value);
            }
        }
        known
    }

    #[cfg(test)]
    pub(super) fn of(variables: &[(&str, &str)]) -> Self {
        variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    /// The variables whose names begin so, with the rest of the name.
    pub(super) fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        let names = self.variables.iter();
        names.filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    /// The value of a variable; an empty one is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The same, with something for those of these that are not set.
    pub(super) fn with_defaults(&self, names: &[String]) -> Self {
        let mut variables = self.variables.clone();
        for name in names.iter().filter(|name| self.get(name).is_none()) {
            variables.insert(name.clone(), "x".to_owned());
        }
        Self { variables, ..Self::default() }
    }

    /// The names of the variables whose values were put into a text so far.
    pub(super) fn expanded(&self) -> BTreeSet<String> {
        self.expanded.borrow().clone()
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self { variables: order::map(variables), ..Self::default() }
    }
}

/// Why a text can't be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unexpanded {
    #[error("the variable `{0}` is not set, or empty")]
    Unset(String),
    #[error("`${{` is not followed by the name of a variable and `}}`")]
    Malformed,
}

/// Whether a word of the text is `$VAR` or `%VAR%` and nothing else: what a shell would have replaced, had
/// there been one. In an address also a part between slashes.
pub(super) fn unexpanded(text: &str) -> bool {
    let is_name = |name: &str| {
        name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    text.split([' ', '/', '=', '&', '?']).any(|word| {
        let dollar = word.strip_prefix('$').is_some_and(is_name);
        let percent = word.strip_prefix('%').and_then(|rest| rest.strip_suffix('%'));
        dollar || percent.is_some_and(is_name)
    })
}

/// Replaces `${VAR}`, `${env:VAR}` and `${VAR:-default}`; `$${` is a `${` that stays.
pub(super) fn expand(text: &str, environment: &Environment) -> Result<String, Unexpanded> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if let Some(before) = rest[..at].strip_suffix('$') {
            expanded.push_str(before);
            expanded.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        expanded.push_str(&rest[..at]);
        let (inside, after) = rest[at + 2..].split_once('}').ok_or(Unexpanded::Malformed)?;
        expanded.push_str(value(inside, environment)?);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// The names of the variables that a text needs: those in it without a default.
pub(super) fn names(text: &str) -> impl Iterator<Item = String> {
    let meant = text.split("$${").flat_map(|part| part.split("${").skip(1));
    let inside = meant.filter_map(|part| part.split_once('}')).map(|(inside, _)| inside);
    let named = inside.filter(|inside| !inside.contains(":-"));
    named.map(|inside| inside.strip_prefix("env:").unwrap_or(inside).to_owned())
}

fn value<'a>(inside: &'a str, environment: &'a Environment) -> Result<&'a str, Unexpanded> {
    let inside = inside.strip_prefix("env:").unwrap_or(inside);
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(Unexpanded::Malformed);
    }
    environment.expanded.borrow_mut().insert(name.to_owned());
    environment.get(name).or(default).ok_or_else(|| Unexpanded::Unset(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, Unexpanded> {
        expand(text, &Environment::of(&[("A", "1"), ("B_2", "two words"), ("EMPTY", "")]))
    }

    #[test]
    fn variables_are_replaced_in_every_spelling() {
        for (text, expected) in [
            ("none", "none"),
            ("${A}", "1"),
            ("x${A}${env:B_2}y", "x1two wordsy"),
            ("${A:-other}", "1"),
            ("${UNSET:-a b}", "a b"),
            ("${EMPTY:-a}", "a"),
            ("${env:UNSET:-}", ""),
            ("$A $ {A} $$", "$A $ {A} $$"),
            ("$${A}", "${A}"),
        ] {
            assert_eq!(expanded(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_only_a_shell_would_replace_is_seen() {
        for text in ["$TOKEN", "Bearer $TOKEN", "%TOKEN%", "https://h/$KEY/mcp", "https://$HOST"] {
            assert!(unexpanded(text), "{text}");
        }
        for text in ["${TOKEN}", "$", "pa$$WORD", "a$TOKEN", "$token", "50%", "a%20b%2F", "%41%42"]
        {
            assert!(!unexpanded(text), "{text}");
        }
    }

    #[test]
    fn the_variables_that_a_text_needs_are_named() {
        let names: Vec<_> = names("x${A}${env:B} $${C} ${D:-1} ${").collect();
        assert_eq!(names, ["A", "B"]);
        let filled = Environment::of(&[("A", "1")]).with_defaults(&names);
        assert_eq!(
            (filled.get("A"), filled.get("B"), filled.get("C")),
            (Some("1"), Some("x"), None)
        );
    }

    #[test]
    fn an_unset_variable_is_an_error_that_names_it() {
        assert_eq!(expanded("${UNSET}"), Err(Unexpanded::Unset("UNSET".into())));
        assert_eq!(expanded("${EMPTY}"), Err(Unexpanded::Unset("EMPTY".into())));
        for odd in ["${", "${A", "${}", "${input:token}", "${A B}", "${:-x}"] {
            assert_eq!(expanded(odd), Err(Unexpanded::Malformed), "{odd}");
        }
    }
}
