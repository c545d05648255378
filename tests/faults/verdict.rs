//! Whether what the client was told fits what the server did.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use super::answer::{Answer, Failure};
use super::call::Kind;
use super::fault::Fault;
use super::ledger::Ledger;

/// Violations that are shown; more would hide the first.
const SHOWN: usize = 20;

/// How long something that happened to all may have its effect on a request that comes later: while it
/// is not noticed yet.
const EFFECT: Duration = Duration::from_millis(50);

/// The answers so far, and what was wrong with them.
#[derive(Debug, Default)]
pub struct Verdict {
    answers: HashMap<u64, Answer>,
    /// When each was asked.
    asked: Vec<Instant>,
    /// Those that lived in calm.
    undisturbed: Vec<u64>,
    violations: Vec<String>,
}

impl Verdict {
    /// The next request is asked. Gives its key.
    pub fn ask(&mut self) -> u64 {
        self.asked.push(Instant::now());
        u64::try_from(self.asked.len() - 1).unwrap_or(u64::MAX)
    }

    /// How many were asked.
    pub fn asked(&self) -> usize {
        self.asked.len()
    }

    /// An answer came; all requests were disturbed at this time last.
    pub fn answered(&mut self, key: u64, answer: Answer, disturbed: Instant) {
        let asked = usize::try_from(key).ok().and_then(|key| self.asked.get(key));
        match asked {
            None => self.violations.push(format!("{key} was not asked: {answer:?}")),
            Some(asked) if *asked > disturbed + EFFECT => self.undisturbed.push(key),
            Some(_) => {}
        }
        if let Some(before) = self.answers.get(&key) {
            self.violations.push(format!("{key} was answered twice: {before:?}, {answer:?}"));
            return;
        }
        self.answers.insert(key, answer);
    }

    /// What was wrong otherwise.
    pub fn violation(&mut self, what: String) {
        self.violations.push(what);
    }

    /// How many were answered.
    pub fn count(&self) -> usize {
        self.answers.len()
    }

    /// Compares all answers with what was carried out.
    pub fn compare(&mut self, ledger: &Ledger) {
        for key in (0..).take(self.asked.len()) {
            let times = ledger.times(key);
            let wrong = match self.answers.get(&key) {
                None => Some("was not answered".to_owned()),
                Some(answer) => judge(key, answer, times),
            };
            if let Some(wrong) = wrong {
                let kind = Kind::of(key);
                self.violations.push(format!("{key} ({kind:?}, executed {times}×): {wrong}"));
            }
        }
        for key in self.calm(ledger) {
            let answer = self.answers.get(&key);
            if !matches!(answer, Some(Answer::Result(_))) {
                let met = ledger.met(key);
                let wrong = format!("{key} met only {met:?} and failed: {answer:?}");
                self.violations.push(wrong);
            }
        }
    }

    /// The requests that had to come to a result: nothing but what can be survived came in their way.
    fn calm(&self, ledger: &Ledger) -> Vec<u64> {
        let survived = |key: u64| {
            let repeatable = Kind::of(key).is_repeatable();
            ledger.met(key).iter().all(|fault| fault.is_survived(repeatable))
        };
        self.undisturbed.iter().copied().filter(|key| survived(*key)).collect()
    }

    /// How many requests had to survive each fault.
    pub fn survivors(&self, ledger: &Ledger) -> BTreeMap<Fault, usize> {
        let mut survivors = BTreeMap::new();
        for key in self.calm(ledger) {
            for fault in ledger.met(key) {
                *survivors.entry(*fault).or_default() += 1;
            }
        }
        survivors
    }

    /// Everything that was wrong, the first of it in full.
    pub fn violations(&self) -> Option<String> {
        let all = &self.violations;
        let first = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n  ");
        (!all.is_empty()).then(|| format!("{} violations:\n  {first}", all.len()))
    }

    /// How many requests of each kind came to what.
    pub fn outcomes(&self, ledger: &Ledger) -> BTreeMap<(Kind, String), usize> {
        let mut outcomes = BTreeMap::new();
        for (key, answer) in &self.answers {
            let outcome = (Kind::of(*key), describe(answer, ledger.fate(*key)));
            *outcomes.entry(outcome).or_default() += 1;
        }
        outcomes
    }

    /// The part of the requests that got what they asked for.
    pub fn succeeded(&self) -> f64 {
        let good = |answer: &&Answer| matches!(answer, Answer::Result(_));
        let good = self.answers.values().filter(good).count();
        share(good, self.answers.len())
    }
}

fn share(part: usize, whole: usize) -> f64 {
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    number(part) / number(whole.max(1))
}

fn describe(answer: &Answer, became: &str) -> String {
    match answer {
        Answer::Result(_) => "result".into(),
        Answer::OwnError(_) => "the server's own error".into(),
        Answer::Failure(failure) => {
            let status = failure.status.map_or(String::new(), |status| format!(" {status}"));
            let fate = if failure.unknown { ", outcome unknown" } else { "" };
            format!("{}{status}{fate} [{became}]", failure.kind)
        }
    }
}

/// What is wrong with an answer, if anything.
fn judge(key: u64, answer: &Answer, times: u32) -> Option<String> {
    let kind = Kind::of(key);
    if times > 1 && !kind.is_repeatable() {
        return Some(format!("executed more than once; told {answer:?}"));
    }
    match answer {
        Answer::Result(own) | Answer::OwnError(own) if times == 0 => {
            Some(format!("nothing was executed, but it was answered ({own:?})"))
        }
        Answer::Result(own) if kind != Kind::List && *own != Some(key) => {
            Some(format!("got the answer of {own:?}"))
        }
        Answer::OwnError(own) if *own != Some(key) => Some(format!("got the error of {own:?}")),
        Answer::Result(_) | Answer::OwnError(_) => None,
        Answer::Failure(failure) => judge_failure(kind, failure, times),
    }
}

fn judge_failure(kind: Kind, failure: &Failure, times: u32) -> Option<String> {
    let allowed = match (failure.code, &*failure.kind, failure.status) {
        // The server's own status, which says nothing of what it did.
        (-31008, "http_status", Some(500)) => return None,
        (-31008, "http_status", Some(502 | 503)) => failure.unknown && !kind.is_repeatable(),
        (-31002, "connection_lost", _) => failure.unknown && !kind.is_repeatable(),
        // The session was lost twice under this request.
        (-31012, "session_lost", _) => !failure.unknown,
        _ => false,
    };
    if !allowed {
        return Some(format!("must not fail so: {failure:?}"));
    }
    let promised = !failure.unknown && !kind.is_repeatable();
    (promised && times > 0).then(|| format!("the error hides that it was executed: {failure:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHARGE: u64 = 20;
    const LOOKUP: u64 = 12;

    fn failure(code: i64, kind: &str, unknown: bool) -> Answer {
        let (kind, message) = (kind.to_owned(), String::new());
        Answer::Failure(Failure { code, kind, status: None, unknown, message })
    }

    fn is_wrong(key: u64, answer: &Answer, times: u32) -> bool {
        judge(key, answer, times).is_some()
    }

    #[test]
    fn a_charge_that_was_executed_twice_is_wrong_whatever_was_told() {
        assert!(is_wrong(CHARGE, &Answer::Result(Some(CHARGE)), 2));
        assert!(is_wrong(CHARGE, &failure(-31002, "connection_lost", true), 2));
        assert!(!is_wrong(LOOKUP, &Answer::Result(Some(LOOKUP)), 2));
    }

    #[test]
    fn a_result_that_nothing_stands_behind_is_wrong() {
        assert!(is_wrong(CHARGE, &Answer::Result(Some(CHARGE)), 0));
        assert!(is_wrong(CHARGE, &Answer::Result(Some(LOOKUP)), 1));
        assert!(!is_wrong(CHARGE, &Answer::Result(Some(CHARGE)), 1));
    }

    #[test]
    fn an_error_must_not_hide_that_a_charge_was_executed() {
        assert!(is_wrong(CHARGE, &failure(-31012, "session_lost", false), 1));
        assert!(!is_wrong(CHARGE, &failure(-31012, "session_lost", false), 0));
        assert!(!is_wrong(CHARGE, &failure(-31002, "connection_lost", true), 1));
    }

    #[test]
    fn what_can_be_repeated_is_never_of_unknown_outcome() {
        assert!(is_wrong(LOOKUP, &failure(-31002, "connection_lost", true), 0));
        assert!(is_wrong(LOOKUP, &failure(-31000, "internal", false), 0));
    }

    #[test]
    fn a_request_without_an_answer_or_with_two_is_found() {
        let mut ledger = Ledger::default();
        (0..3).for_each(|key| ledger.carry_out(key));
        let (mut verdict, now) = (Verdict::default(), Instant::now());
        (0..3).for_each(|key| assert_eq!(verdict.ask(), key));
        verdict.answered(0, Answer::Result(Some(0)), now);
        verdict.answered(1, Answer::Result(Some(1)), now);
        verdict.answered(1, Answer::Result(Some(1)), now);
        verdict.compare(&ledger);
        let found = verdict.violations().unwrap_or_default();
        assert!(found.starts_with("2 violations"), "{found}");
        assert!(found.contains("1 was answered twice"), "{found}");
        assert!(found.contains("2 (Charge, executed 1×): was not answered"), "{found}");
    }

    #[test]
    fn a_request_that_nothing_stood_in_the_way_of_must_not_fail() {
        let long_ago = Instant::now();
        let found = |disturbed: Duration, met: Fault| {
            let (mut verdict, mut ledger) = (Verdict::default(), Ledger::default());
            verdict.asked.push(long_ago + Duration::from_secs(60));
            ledger.meet(0, met);
            let lost = failure(-31002, "connection_lost", true);
            verdict.answered(0, lost, long_ago + disturbed);
            verdict.compare(&ledger);
            verdict.violations().is_some()
        };
        assert!(found(Duration::ZERO, Fault::CutResumable));
        assert!(!found(Duration::ZERO, Fault::CutStream));
        assert!(!found(Duration::from_secs(60), Fault::CutResumable));
    }
}
