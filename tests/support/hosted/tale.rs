//! A story in steps. A step that fails panics, as an assertion in a test does.

use super::Record;
use super::expectation::Expectation;

/// How a story is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Alone,
    /// Three copies of the bridge at once, as of three windows.
    ThreeAtOnce,
    /// The server restarts in the middle, and forgets what a restarted server forgets.
    Restarted,
}

impl Way {
    #[cfg_attr(test, expect(dead_code, reason = "for the tour"))]
    pub const ALL: [Self; 3] = [Self::Alone, Self::ThreeAtOnce, Self::Restarted];

    /// Of the committed expectation, and for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::ThreeAtOnce => "three at once",
            Self::Restarted => "restarted",
        }
    }

    /// How many copies of the bridge a client's windows start.
    pub fn copies(self) -> usize {
        if self == Self::ThreeAtOnce { 3 } else { 1 }
    }
}

/// Hears of each step.
pub type Listener = Box<dyn FnMut(&Step) + Send>;

/// What became of a step.
pub enum Step {
    Begun(String),
    Passed,
}

/// A story that is being told.
pub struct Tale {
    pub way: Way,
    records: Vec<Record>,
    expectation: Expectation,
    hears: Listener,
}

impl Tale {
    pub fn new(product: &str, way: Way, hears: Listener) -> Self {
        let expectation = Expectation::of(product, way);
        Self { way, records: Vec::new(), expectation, hears }
    }

    /// From now on each step is about what this server saw too.
    pub fn watch(&mut self, record: Record) {
        self.records.push(record);
    }

    /// One sentence of the story. At its end the servers have seen what is committed for it, and nothing else.
    #[track_caller]
    pub fn step<R>(&mut self, sentence: &str, act: impl FnOnce() -> R) -> R {
        (self.hears)(&Step::Begun(sentence.to_owned()));
        let result = act();
        self.expectation.compare(sentence, &mut self.records);
        (self.hears)(&Step::Passed);
        result
    }

    /// A place at which the server may restart: it does where the story is told that way.
    #[track_caller]
    pub fn restart(&mut self, restart: impl FnOnce()) {
        if self.way == Way::Restarted {
            self.step("The server restarts", restart);
        }
    }

    /// After the last step nothing more was seen, and nothing more was expected.
    #[track_caller]
    pub fn ends(mut self) {
        self.expectation.compare("After the end", &mut self.records);
        self.expectation.ends();
    }
}
