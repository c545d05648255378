//! The report: what was measured, in Markdown.

use std::fmt::Write;
use std::path::Path;

use crate::budget::Verdict;
use crate::command_line::Run;
use crate::contestant::{Contestant, Part};
use crate::results::Results;
use crate::trials::{Metric, Trial};
use crate::wire::Wire;
use crate::{Result, machine};

const METHOD: &str = "\
The floor is a bare relay (`benches/floor`): threads of its own for stdin and stdout, one HTTP
client, no features. All numbers are medians; the contestants take turns, so that noise hits all
alike. A row that misses its budget is measured once more, and all its samples count. 1 MB is
10⁶ bytes. The server is a mock on one thread of the driver; \"50 ms away\" is a proxy that holds back
every byte, those of the TCP handshake too. Hosts that run on Node give their servers socketpairs,
most others pipes. Where a contestant has no such thing there is a dash: the floor has no TLS and
opens no GET stream. \"failed\" means no answer within 30 s, or a wrong one.
";

/// Writes the report to where it was asked for, or shows it.
pub fn write(
    options: &Run,
    trials: &[&Trial],
    contestants: &[Contestant],
    results: &Results,
) -> Result<()> {
    let mut text = head(options)?;
    for wire in Wire::ALL {
        writeln!(text, "\n## On {}\n", wire.name())?;
        table(&mut text, wire, trials, contestants, results)?;
    }
    match &options.report {
        Some(path) => std::fs::write(path, &text)?,
        None => eprintln!("{text}"),
    }
    Ok(())
}

fn head(options: &Run) -> Result<String> {
    let mut text = String::from("# Benchmarks\n\n");
    let kind = if options.quick { " --quick" } else { "" };
    writeln!(text, "Written by `scripts/bench{kind}`; do not edit.\n")?;
    writeln!(text, "- Date: {}", options.date)?;
    writeln!(text, "- Machine: {}", machine::description())?;
    writeln!(text, "- Load average when the run ended: {}", machine::load())?;
    writeln!(text, "- Versions: {}", versions(options).join(", "))?;
    writeln!(text, "\n{METHOD}")?;
    text.truncate(text.trim_end().len());
    text.push('\n');
    Ok(text)
}

fn versions(options: &Run) -> Vec<String> {
    let mut all = vec![concat!("bridge ", env!("CARGO_PKG_VERSION")).to_owned()];
    all.extend(machine::version("rustc"));
    if let Some(script) = &options.mcp_remote {
        all.push(format!("mcp-remote {}", package_version(script).unwrap_or_default()));
        all.extend(machine::version("node").map(|version| format!("Node {version}")));
    }
    all
}

/// The version that the nearest `package.json` above an npm package's script names.
fn package_version(script: &Path) -> Option<String> {
    let manifest =
        script.ancestors().map(|folder| folder.join("package.json")).find(|p| p.exists())?;
    let manifest: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(manifest).ok()?).ok()?;
    Some(manifest.get("version")?.as_str()?.to_owned())
}

fn table(
    text: &mut String,
    wire: Wire,
    trials: &[&Trial],
    contestants: &[Contestant],
    results: &Results,
) -> Result<()> {
    let names: Vec<_> = contestants.iter().map(|contestant| contestant.part.name()).collect();
    writeln!(text, "| | {} | bridge ÷ floor | budget | verdict |", names.join(" | "))?;
    writeln!(text, "|---{}|---:|---|---|", "|---:".repeat(names.len()))?;
    for trial in trials {
        for metric in trial.metrics {
            write!(text, "| {} ", metric.name)?;
            for contestant in contestants {
                let part = contestant.part;
                let value = match results.median(metric, wire, part) {
                    None if results.has_failed(trial, wire, part) => "failed".to_owned(),
                    value => shown(value, metric.unit),
                };
                write!(text, "| {value} ")?;
            }
            writeln!(text, "| {} |", judgement(metric, wire, results))?;
        }
    }
    Ok(())
}

/// The last three columns.
fn judgement(metric: &Metric, wire: Wire, results: &Results) -> String {
    let verdict = match results.verdict(metric, wire) {
        Verdict::Pass => "pass",
        Verdict::Fail => "**FAIL**",
    };
    let (ratio, budget) = (ratio(metric, wire, results), budget(metric, wire, results));
    format!("{ratio} | {budget} | {verdict}")
}

fn ratio(metric: &Metric, wire: Wire, results: &Results) -> String {
    let bridge = results.median(metric, wire, Part::Bridge);
    let floor = results.median(metric, wire, Part::Floor).filter(|&floor| floor > 0.1);
    bridge.zip(floor).map_or_else(dash, |(bridge, floor)| format!("{:.2}", bridge / floor))
}

fn budget(metric: &Metric, wire: Wire, results: &Results) -> String {
    let limit = metric.budget.limit(results.median(metric, wire, Part::Floor));
    let limit = shown(limit, metric.unit);
    match metric.budget.rule(metric.unit) {
        rule if rule.is_empty() => limit,
        rule => format!("{rule} = {limit}"),
    }
}

/// Three digits say enough.
fn shown(value: Option<f64>, unit: &str) -> String {
    let Some(value) = value else { return dash() };
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let number = format!("{value:.digits$}");
    let number = if value >= 1e4 { in_thousands(&number) } else { number };
    format!("{number} {unit}").replace(" /s", "/s")
}

fn in_thousands(digits: &str) -> String {
    let (head, tail) = digits.split_at(digits.len() - 3);
    format!("{head},{tail}")
}

fn dash() -> String {
    "—".to_owned()
}
