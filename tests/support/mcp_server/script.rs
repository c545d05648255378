//! What the test wants answered in place of the default.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::answer::Answer;
use super::matcher::Matcher;
use super::request::Request;

type Made = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Where an answer comes from: given, or made when the request is there.
#[derive(Clone)]
pub enum Source {
    Given(Box<Answer>),
    Made(Arc<dyn Fn(Request) -> Made + Send + Sync>),
}

impl Source {
    pub fn made<F>(make: impl Fn(Request) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        Self::Made(Arc::new(move |request| Box::pin(make(request))))
    }

    pub async fn answer(&self, request: &Request) -> Answer {
        match self {
            Self::Given(answer) => Answer::clone(answer),
            Self::Made(make) => make(request.clone()).await,
        }
    }
}

/// The queue comes first: its rules are used up in their order. Then the standing rules, the
/// latest first.
#[derive(Default)]
pub struct Script {
    queue: Vec<(Matcher, Source)>,
    standing: Vec<(Matcher, Source)>,
}

impl Script {
    pub fn once(&mut self, matcher: Matcher, source: Source) {
        self.queue.push((matcher, source));
    }

    pub fn always(&mut self, matcher: Matcher, source: Source) {
        self.standing.insert(0, (matcher, source));
    }

    pub fn find(&mut self, request: &Request) -> Option<Source> {
        if let Some(at) = self.queue.iter().position(|(matcher, _)| matcher.matches(request)) {
            return Some(self.queue.remove(at).1);
        }
        let standing = self.standing.iter().find(|(matcher, _)| matcher.matches(request));
        standing.map(|(_, source)| source.clone())
    }

    /// What was to be asked for and was not.
    pub fn unused(&self) -> Vec<String> {
        let name = |(matcher, _): &(Matcher, Source)| matcher.name().to_owned();
        self.queue.iter().map(name).collect()
    }
}
