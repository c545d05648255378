//! Rows of text in columns.

use crate::printable::{one_line, wrapped};

/// Between two columns.
const GAP: usize = 2;
/// Longest cell of which all is shown.
const MAX_CELL: usize = 2_000;

/// The same, set in by two columns; what is too long goes on below.
pub(super) fn indented(rows: &[(String, String)], columns: Option<usize>) -> String {
    let fit = |text: &str, used, columns| wrapped(text, used, used, columns);
    let lines = of_rows(rows, columns.map(|columns| columns.saturating_sub(2)), fit);
    lines.lines().map(|line| format!("  {line}\n")).collect()
}

/// Rows of two cells; the second is cut to the columns that there are. Nothing is cut where nobody counts them.
pub(super) fn table(rows: &[(String, String)], columns: Option<usize>) -> String {
    of_rows(rows, columns, |text, used, columns| cut(text, columns.saturating_sub(used)))
}

fn of_rows(
    rows: &[(String, String)],
    columns: Option<usize>,
    fit: fn(&str, usize, usize) -> String,
) -> String {
    let rows: Vec<(String, String)> = rows
        .iter()
        .map(|(name, text)| (one_line(name, MAX_CELL), one_line(text, MAX_CELL)))
        .collect();
    // A single long name does not leave the others without their descriptions.
    let counts = |width: &usize| columns.is_none_or(|columns| *width <= columns * 2 / 5);
    let most = rows.iter().map(|(name, _)| width(name)).filter(counts).max().unwrap_or_default();
    let mut text = String::new();
    for (name, described) in &rows {
        text.push_str(name);
        if !described.is_empty() {
            let gap = (most + GAP).saturating_sub(width(name)).max(GAP);
            (0..gap).for_each(|_| text.push(' '));
            let used = width(name) + gap;
            match columns {
                Some(columns) => text.push_str(&fit(described, used, columns)),
                None => text.push_str(described),
            }
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text
}

/// As much of a text as fits.
fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += columns_of(*c);
        used <= columns
    };
    let kept: String = text.chars().take_while(fits).collect();
    if columns == 0 { String::new() } else { format!("{}…", kept.trim_end()) }
}

fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Columns of a character: two for those of East Asian scripts and pictures (Unicode UAX #11, roughly).
fn columns_of(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{200c}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_below_each_other_and_within_the_columns() {
        let rows = [("a", "short"), ("long-name", "a text that is\ntoo long"), ("漢字", "wide")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(
            table(&rows, Some(24)),
            "a          short\nlong-name  a text that…\n漢字       wide\n"
        );
        assert_eq!(
            table(&rows, None),
            "a          short\nlong-name  a text that is too long\n漢字       wide\n"
        );
        let lines = table(&rows, Some(12));
        assert!(lines.lines().all(|line| width(line) <= 12), "{lines}");
    }
}
