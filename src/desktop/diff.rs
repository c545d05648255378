//! What changes in a file, line by line, without the values of others: they may be secrets.

use std::ops::Range;

/// How many pairs of lines are compared at most.
const MOST_PAIRS: usize = 4_000_000;
/// How much of a line is shown.
const WIDEST: usize = 400;
/// How many lines around a change are shown.
const AROUND: usize = 2;

/// The lines that go, with `-`, and come, with `+`, and a few around them. Strings in lines that were there before
/// are left out but for names, and so are values of names that were there: what an entry's `env` holds is moved as
/// it is.
pub fn diff(old: &str, new: &str) -> String {
    let old: Vec<&str> = old.lines().collect();
    let new: Vec<&str> = new.lines().collect();
    let mut shown = String::new();
    let mut last: Option<Range<usize>> = None;
    for (gone, come) in changes(&old, &new) {
        let from = gone.start.saturating_sub(AROUND).max(last.as_ref().map_or(0, |last| last.end));
        if let Some(last) = &last {
            for line in &old[last.end..(last.end + AROUND).min(from)] {
                push(&mut shown, ' ', &masked(line));
            }
        }
        if last.as_ref().is_none_or(|last| last.end + AROUND < from) {
            shown.push_str(&format!("@@ line {} @@\n", from + 1));
        }
        for line in &old[from..gone.start] {
            push(&mut shown, ' ', &masked(line));
        }
        for line in &old[gone.clone()] {
            push(&mut shown, '-', &masked(line));
        }
        // A line that only got a comma was there before.
        let bare = |line: &str| line.trim_end().trim_end_matches(',').to_owned();
        let was: Vec<_> = old[gone.clone()].iter().map(|line| bare(line)).collect();
        for line in &new[come] {
            let known = was.contains(&bare(line)) || line.len() > WIDEST;
            let was_there = |value: &str| old[gone.clone()].iter().any(|old| old.contains(value));
            let hidden = |value: &str, is_named: bool| known || is_named && was_there(value);
            push(&mut shown, '+', &without(line, &hidden));
        }
        last = Some(gone);
    }
    if let Some(last) = last {
        for line in &old[last.end..(last.end + AROUND).min(old.len())] {
            push(&mut shown, ' ', &masked(line));
        }
    }
    shown
}

fn push(shown: &mut String, sign: char, line: &str) {
    shown.push(sign);
    let columns = line.split('\t').map(|part| crate::printable::printable(part, WIDEST));
    shown.push_str(&columns.collect::<Vec<_>>().join("\t"));
    shown.push('\n');
}

/// A line without the strings in it that are not names.
fn masked(line: &str) -> String {
    without(line, &|_, _| true)
}

/// A line without those strings that are hidden: told of each, with its quotes, and whether it is the value of a
/// name. Names are shown.
fn without(line: &str, is_hidden: &dyn Fn(&str, bool) -> bool) -> String {
    let mut masked = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(['"', '\'']) {
        let quote = rest.as_bytes()[start];
        let mut end = start + 1;
        while let Some(byte) = rest.as_bytes().get(end) {
            match byte {
                b'\\' if quote == b'"' => end += 2,
                byte if *byte == quote => break,
                _ => end += 1,
            }
        }
        let end = (end + 1).min(rest.len());
        let end = (end..=rest.len()).find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
        masked.push_str(&rest[..start]);
        let is_name = rest[end..].trim_start().starts_with([':', '=']);
        let is_named = rest[..start].trim_end().ends_with([':', '=']);
        let text = &rest[start..end];
        masked.push_str(if is_name || !is_hidden(text, is_named) { text } else { "…" });
        rest = &rest[end..];
    }
    masked + rest
}

/// Which lines of the old text are replaced by which of the new one.
fn changes(old: &[&str], new: &[&str]) -> Vec<(Range<usize>, Range<usize>)> {
    let same = |(a, b): &(&&str, &&str)| a == b;
    let before = old.iter().zip(new).take_while(same).count();
    let (old, new) = (&old[before..], &new[before..]);
    let after = old.iter().rev().zip(new.iter().rev()).take_while(same).count();
    let (old, new) = (&old[..old.len() - after], &new[..new.len() - after]);
    if old.is_empty() && new.is_empty() {
        return Vec::new();
    }
    if old.len() * new.len() > MOST_PAIRS {
        return vec![(before..before + old.len(), before..before + new.len())];
    }
    // How many lines two rests have in common.
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let mut found: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let (a, b) = (i + before, j + before);
        let goes = j == new.len()
            || (i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]);
        if goes {
            i += 1
        } else {
            j += 1
        }
        let (gone, come) = (a..i + before, b..j + before);
        match found.last_mut() {
            Some(last) if last.0.end == gone.start && last.1.end == come.start => {
                *last = (last.0.start..gone.end, last.1.start..come.end);
            }
            _ => found.push((gone, come)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_was_there_stays_hidden_where_it_is_moved() {
        let old = "{\"b\": {\"command\": \"npx\", \"env\": {\"TOKEN\": \"s3cret\"}}}\n";
        let new = "{\"b\": {\"command\": \"bridge\", \"env\": {\"TOKEN\": \"s3cret\"}}}\n";
        let shown = diff(old, new);
        let come = "+{\"b\": {\"command\": \"bridge\", \"env\": {\"TOKEN\": …}}}";
        assert_eq!(shown.lines().last(), Some(come), "{shown}");
    }

    #[test]
    fn a_change_is_shown_with_the_lines_around_it() {
        let old = "{\n  \"a\": 1,\n  \"b\": {\n  }\n}\n";
        let new = "{\n  \"a\": 1,\n  \"b\": {\n    \"x\": \"y\"\n  }\n}\n";
        assert_eq!(
            diff(old, new),
            "@@ line 2 @@\n   \"a\": 1,\n   \"b\": {\n+    \"x\": \"y\"\n   }\n }\n"
        );
        assert_eq!(diff(old, old), "");
        assert_eq!(diff("", "a\n"), "@@ line 1 @@\n+a\n");
    }

    #[test]
    fn changes_that_are_far_apart_are_two() {
        let old: String = (1..30).map(|n| format!("{n}\n")).collect();
        let new = old.replace("\n5\n", "\nfive\n").replace("\n20\n", "\n");
        assert_eq!(
            diff(&old, &new),
            "@@ line 3 @@\n 3\n 4\n-5\n+five\n 6\n 7\n@@ line 18 @@\n 18\n 19\n-20\n 21\n 22\n"
        );
    }

    #[test]
    fn the_values_of_others_are_left_out() {
        let old = "{\n  \"env\": { \"TOKEN\": \"can\\\"ary\" }\n}\n";
        let new = "{\n  \"env\": { \"TOKEN\": \"can\\\"ary\" },\n  \"x\": \"mine\"\n}\n";
        let shown = diff(old, new);
        assert!(!shown.contains("ary") && shown.contains("\"TOKEN\": …"), "{shown}");
        assert!(shown.contains("+  \"x\": \"mine\""), "{shown}");
        assert_eq!(masked("key = 'sec\\' # \"x"), "key = … # …");
        assert_eq!(masked("\"é"), "…");
    }
}
