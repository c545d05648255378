//! A man page for each command, in the sections that clap_mangen makes of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// The pages, by their paths in the repository.
pub fn pages(command: Command) -> BTreeMap<PathBuf, String> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut command = command.mut_args(in_full);
    command = command.mut_subcommands(|it| it.mut_args(in_full));
    let mut pages = BTreeMap::new();
    let mut others = Vec::new();
    for each in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        let name = format!("bridge-{}", each.get_name());
        pages.insert(path(&name), page(each, &name, &["bridge".to_owned()]));
        others.push(name);
    }
    pages.insert(path("bridge"), page(&command, "bridge", &others));
    pages
}

fn path(name: &str) -> PathBuf {
    Path::new("man").join(format!("{name}.1"))
}

/// What `--help` shows, not `-h`.
fn in_full(arg: Arg) -> Arg {
    let arg = arg.hide_short_help(false);
    // clap adds where there is more: here.
    if arg.get_long() == Some("help") { arg.help("Print help").long_help(None) } else { arg }
}

/// `.TH` without a date, which would make every build another; then lines that are not stretched, and no broken words.
fn begin(name: &str) -> String {
    let (title, version) = (name.to_uppercase(), env!("CARGO_PKG_VERSION"));
    format!(".TH {title} 1 \"\" \"bridge {version}\" \"bridge\"\n.ad l\n.nh\n")
}

fn page(command: &Command, name: &str, others: &[String]) -> String {
    let examples = command.get_after_long_help().or_else(|| command.get_after_help());
    let examples = examples.map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").lines().map(str::trim).collect::<Vec<_>>();
    let command = command.clone().override_usage(usage.join("\n")).display_name(name);
    let man = Man::new(command.clone());
    let mut page = begin(name).into_bytes();
    man.render_name_section(&mut page).unwrap();
    man.render_synopsis_section(&mut page).unwrap();
    man.render_description_section(&mut page).unwrap();
    if command.get_arguments().any(|arg| !arg.is_hide_set()) {
        man.render_options_section(&mut page).unwrap();
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page).unwrap();
    }
    let mut rest = Roff::new();
    put_examples(&mut rest, &examples);
    rest.control("SH", ["SEE ALSO"]);
    let mut line = Vec::new();
    for (n, other) in others.iter().enumerate() {
        line.push(roman(if n == 0 { "" } else { ", " }));
        line.extend([bold(other), roman("(1)")]);
    }
    rest.text(line);
    rest.to_writer(&mut page).unwrap();
    String::from_utf8(page).unwrap()
}

/// As they stand in the help, line by line.
fn put_examples(roff: &mut Roff, text: &str) {
    let Some((before, examples)) =
        text.split_once("Examples:\n").or_else(|| text.split_once("Example:\n"))
    else {
        return;
    };
    roff.control("SH", ["EXAMPLES"]);
    if !before.trim().is_empty() {
        roff.text([roman(before.trim())]);
        roff.control("PP", []);
    }
    // They are as wide as a terminal already.
    roff.control("in", ["2n"]);
    roff.control("nf", []);
    for line in examples.lines() {
        let line = line.strip_prefix("  ").unwrap_or(line);
        if line.is_empty() {
            roff.control("sp", [])
        } else {
            roff.text([roman(line)])
        };
    }
    roff.control("fi", []);
    roff.control("in", []);
}
