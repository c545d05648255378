//! What the values of options are read as.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};

use crate::paths;

/// Yes or no, as a variable says it.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("it is neither 1, true, yes or on nor 0, false, no or off".into()),
    }
}

/// A file. `~/` is the home folder: most MCP clients start programs without a shell.
pub(super) fn file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(paths::from_home)
}

/// A pattern of tool names. An empty one would match no tool, which is never what is meant.
pub(super) fn pattern(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("it is empty; a pattern is a tool's name, with `*` for any text".into()),
        pattern => Ok(pattern.to_owned()),
    }
}

/// A number of things.
pub(super) fn count(text: &str) -> Result<usize, String> {
    text.trim().parse().map_err(|_| "it is not a whole number".to_owned())
}

/// A number of bytes: `4096`, `512k`, `64M`, `1GiB`.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        unit => return Err(format!("`{unit}` is not a unit of size; use k, M or G")),
    };
    let number: usize = digits
        .parse()
        .map_err(|_| "it is not a whole number of bytes, such as 4096 or 64M".to_owned())?;
    let bytes = number.checked_mul(factor).ok_or("more than this machine can count")?;
    if bytes < 1024 { Err("smaller than 1k: no session would fit".into()) } else { Ok(bytes) }
}

/// A sum of a time and the present must not overflow.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 60 * 60);

/// A time: `500ms`, `30s`, `1.5m`, `2h`; a bare number is seconds. Rounded to milliseconds.
pub(super) fn duration(text: &str) -> Result<std::time::Duration, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: f64 = digits
        .parse()
        .map_err(|_| "it is not a number with a unit, such as 500ms, 30s or 5m".to_owned())?;
    let unit = match &text[digits.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        unit => return Err(format!("`{unit}` is not a unit of time; use ms, s, m or h")),
    };
    if number.is_sign_negative() {
        return Err("less than nothing".into());
    }
    let seconds = (number * unit * 1_000.0).round() / 1_000.0;
    let time = std::time::Duration::try_from_secs_f64(seconds).unwrap_or(std::time::Duration::MAX);
    if time > LONGEST { Err("longer than a year".into()) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_switch_is_only_what_is_clearly_yes_or_no() {
        for yes in ["1", "true", "YES", "on"] {
            assert_eq!(switch(yes), Ok(true));
        }
        for no in ["0", "False", "no", "off"] {
            assert_eq!(switch(no), Ok(false));
        }
        for odd in ["", "2", "maybe", "y", "disabled"] {
            assert!(switch(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn sizes_and_times_have_units() {
        assert_eq!(size("64M"), Ok(64 << 20));
        assert_eq!(size("4096"), Ok(4096));
        assert!(size("64 parsecs").is_err());
        assert!(size("1").is_err());
        assert!(size("99999999999999999999G").is_err());
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("0.1"), Ok(Duration::from_millis(100)));
        assert_eq!(duration("0.0001"), Ok(Duration::ZERO));
        assert!(
            ["", "s", ".", "nan", "inf", "1e400", "1 2", "-0"]
                .iter()
                .all(|text| duration(text).is_err())
        );
        assert!(duration("-1").is_err());
        assert!(duration("4000000000h").is_err());
        assert!(duration("5 fortnights").is_err());
    }
}
