//! All samples, and what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::thread;

use crate::Result;
use crate::budget::Verdict;
use crate::contestant::{Contestant, Part};
use crate::statistics::median;
use crate::trials::{Course, Lab, Metric, Sample, Trial};
use crate::wire::Wire;

/// Samples by row, wire and contestant.
#[derive(Default)]
pub struct Results {
    samples: BTreeMap<(&'static str, Wire, Part), Vec<f64>>,
    /// Who could not finish which trial. It does not try again: a hang takes long.
    failed: BTreeSet<(&'static str, Wire, Part)>,
}

impl Results {
    /// Takes all samples of a trial. The contestants take turns, so that noise hits all alike.
    pub fn add(&mut self, trial: &Trial, lab: &Lab, contestants: &[Contestant]) {
        eprint!("{:14}", trial.name);
        let repeat = if lab.quick { trial.repeat.div_ceil(3) } else { trial.repeat };
        for round in 0..repeat {
            let mut courses = Vec::new();
            for wire in Wire::ALL {
                let taking_part = contestants.iter().filter(|who| takes_part(who, round));
                courses.extend(taking_part.map(|contestant| Course { lab, contestant, wire }));
            }
            courses.retain(|course| !self.failed.contains(&key(trial.name, course)));
            for (course, sample) in run(trial, courses) {
                self.keep(trial, &course, sample);
            }
            eprint!(".");
        }
        eprintln!();
    }

    fn keep(&mut self, trial: &Trial, course: &Course<'_>, sample: Result<Sample>) {
        let sample = match sample {
            Ok(sample) => sample,
            Err(error) => return self.keep_failure(trial, course, &*error),
        };
        for (metric, value) in trial.metrics.iter().zip(sample) {
            self.samples.entry(key(metric.name, course)).or_default().extend(value);
        }
    }

    fn keep_failure(&mut self, trial: &Trial, course: &Course<'_>, error: &dyn Error) {
        let who = course.contestant;
        eprintln!("\n{} on {}: {error}", who.part.name(), course.wire.name());
        eprintln!("{}", who.last_words(&course.lab.home));
        self.failed.insert(key(trial.name, course));
        for metric in trial.metrics {
            self.samples.remove(&key(metric.name, course));
        }
    }

    /// The number that stands in the report.
    pub fn median(&self, metric: &Metric, wire: Wire, part: Part) -> Option<f64> {
        median(self.samples.get(&(metric.name, wire, part))?)
    }

    /// Whether a contestant could not finish a trial.
    pub fn has_failed(&self, trial: &Trial, wire: Wire, part: Part) -> bool {
        self.failed.contains(&(trial.name, wire, part))
    }

    /// How the bridge stands in a row.
    pub fn verdict(&self, metric: &Metric, wire: Wire) -> Verdict {
        let floor = self.median(metric, wire, Part::Floor);
        metric.budget.judge(self.median(metric, wire, Part::Bridge), floor)
    }

    /// Whether any budget of these trials is missed, on any kind of wire.
    pub fn misses(&self, trials: &[&Trial]) -> bool {
        let mut metrics = trials.iter().flat_map(|trial| trial.metrics);
        metrics.any(|row| Wire::ALL.iter().any(|&wire| self.verdict(row, wire) == Verdict::Fail))
    }
}

fn key(name: &'static str, course: &Course<'_>) -> (&'static str, Wire, Part) {
    (name, course.wire, course.contestant.part)
}

/// The peer is slow and not judged: every third round is enough.
fn takes_part(contestant: &Contestant, round: usize) -> bool {
    contestant.part != Part::McpRemote || round.is_multiple_of(3)
}

fn run<'lab>(trial: &Trial, courses: Vec<Course<'lab>>) -> Vec<(Course<'lab>, Result<Sample>)> {
    if !trial.side_by_side {
        return courses.into_iter().map(|course| run_one(trial, course)).collect();
    }
    thread::scope(|scope| {
        let running: Vec<_> =
            courses.into_iter().map(|course| scope.spawn(move || run_one(trial, course))).collect();
        running.into_iter().filter_map(|one| one.join().ok()).collect()
    })
}

fn run_one<'lab>(trial: &Trial, course: Course<'lab>) -> (Course<'lab>, Result<Sample>) {
    let sample = (trial.run)(&course);
    (course, sample)
}
