//! Which word was meant.

/// Of these words the one that is the fewest slips of the finger away, if they are few.
pub fn nearest<'a>(typed: &str, words: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    const MOST: usize = 3;
    let typed = typed.to_ascii_lowercase();
    let most = (typed.len() / 3).clamp(1, MOST);
    (1..=most).find_map(|slips| {
        words
            .clone()
            .find(|word| is_near(typed.as_bytes(), word.to_ascii_lowercase().as_bytes(), slips))
    })
}

/// Whether so many letters put in, left out, replaced or swapped with the next make one of the other.
pub fn is_near(typed: &[u8], meant: &[u8], slips: usize) -> bool {
    match (typed, meant) {
        ([], rest) | (rest, []) => rest.len() <= slips,
        ([a, typed @ ..], [b, meant @ ..]) if a == b => is_near(typed, meant, slips),
        _ if slips == 0 => false,
        ([a, b, typed @ ..], [c, d, meant @ ..])
            if (a, b) == (d, c) && is_near(typed, meant, slips - 1) =>
        {
            true
        }
        ([_, typed_on @ ..], [_, meant_on @ ..]) => {
            is_near(typed_on, meant_on, slips - 1)
                || is_near(typed_on, meant, slips - 1)
                || is_near(typed, meant_on, slips - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_no_other() {
        let words = ["count", "text", "x", "contents"];
        for (typed, meant) in [
            ("cuont", Some("count")),
            ("txt", Some("text")),
            ("TEXT", Some("text")),
            ("conten", Some("contents")),
        ] {
            assert_eq!(nearest(typed, words.into_iter()), meant, "{typed}");
        }
        assert_eq!(nearest("zone", words.into_iter()), None);
        assert_eq!(nearest("y", ["x"].into_iter()), Some("x"));
    }
}
