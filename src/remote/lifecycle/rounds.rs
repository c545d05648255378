//! A request of a legacy client to a modern server, sent again with the client's answers for as long as the
//! server asks something (MCP 2026-07-28, multi round-trip requests).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::modern_exchange::modern_exchange;
use super::stateless::{Asked, Stateless};
use super::translate::for_legacy_client::input::{Question, Unasked};
use super::translate::for_legacy_client::notification;
use super::translate::for_legacy_client::request::{self, Answers};
use super::translate::for_legacy_client::response::{self, ResultType};
use crate::jsonrpc::{INVALID_PARAMS, Id, Kind, Message, read};
use crate::printable::printable;
use crate::remote::aside::Aside;
use crate::remote::exchange::{Outcome, Post};
use crate::remote::failure::{Failure, FailureKind};
use crate::remote::retry::Backoff;
use crate::remote::{Pass, Recipient, Remote};
use crate::task;

/// Times that a server may ask before it has to answer.
const MAX_ROUNDS: usize = 16;
/// Questions of one round.
const MAX_QUESTIONS: usize = 64;
/// First and longest wait before a request is sent again of which the server only says that it goes on.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Characters of a server's own words that go into an error.
const MAX_WORDS: usize = 100;

/// What came in the place of the final answer.
#[derive(Debug)]
enum Came {
    /// A result that asks something, as JSON text.
    InputRequired(String),
    /// A result of a kind that nobody here knows.
    Unknown(String),
    /// The refusal of a server that is not modern any more.
    LegacyServer(Message),
}

/// Why there are no answers.
enum NoAnswers {
    /// The client's own error, as JSON text.
    OfClient(String),
    Failed(Failure),
}

/// A request under way.
struct Call<'a> {
    remote: &'a Remote,
    session: &'a Arc<Stateless>,
    post: &'a Post,
    /// The client's own.
    id: &'a Id,
    receive: &'a Recipient,
    /// How far the client was told that it is.
    progress: Arc<Mutex<f64>>,
}

/// Carries a request to its answer.
pub(super) async fn carry(
    remote: &Remote,
    session: &Arc<Stateless>,
    post: &Post,
    receive: &Recipient,
) -> Outcome {
    let Some(id) = post.message.id() else {
        return Outcome::Failed(Failure::internal("a request has no id"));
    };
    let progress = Arc::new(Mutex::new(f64::NEG_INFINITY));
    let call = Call { remote, session, post, id, receive, progress };
    let host = remote.endpoint().host();
    let mut waits = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    let (first, mut answers) = session.unpark(&post.message);
    for round in first..=MAX_ROUNDS {
        let asking = match call.round(round, &answers).await {
            Ok(outcome) => {
                if round > 0 && matches!(&outcome, Outcome::Failed(why) if why.wants_person()) {
                    session.park(&post.message, round, answers);
                }
                return outcome;
            }
            Err(Came::InputRequired(result)) => result,
            Err(Came::Unknown(kind)) => {
                let kind = printable(&kind, MAX_WORDS);
                return failed(format!(
                    "{host} answered with a result of a kind unknown here: {kind}"
                ));
            }
            Err(Came::LegacyServer(refusal)) => return remote.is_not_modern(refusal),
        };
        if round == MAX_ROUNDS {
            break;
        }
        answers = match call.answers(&asking, &mut waits).await {
            Ok(answers) => answers,
            Err(NoAnswers::OfClient(error)) => {
                receive.receive(Message::error(Some(id), &error)).await;
                return Outcome::Answered;
            }
            Err(NoAnswers::Failed(failure)) => return Outcome::Failed(failure),
        };
    }
    failed(format!("{host} asked for input {MAX_ROUNDS} times and did not come to an answer"))
}

fn bad_answer(what: String) -> Failure {
    Failure::settled(FailureKind::BadAnswer, None, what)
}

fn failed(what: String) -> Outcome {
    Outcome::Failed(bad_answer(what))
}

impl Remote {
    /// The server refused a modern request as one of the legacy era does: it is asked anew what it is.
    pub(super) fn is_not_modern(&self, refusal: Message) -> Outcome {
        self.known.doubt();
        let host = self.endpoint().host();
        let what = format!("{host} does not speak the revision any more that it spoke before");
        let failure = Failure::settled(FailureKind::SessionLost, None, what);
        Outcome::SessionLost(Failure { answer: Some(Box::new(refusal)), ..failure })
    }
}

impl Call<'_> {
    /// Sends the request once; the outcome, if the client got its answer, or got none at all.
    async fn round(&self, round: usize, answers: &Answers) -> Result<Outcome, Came> {
        let declaration = self.session.declaration();
        let Some(message) = request::modern(&self.post.message, &declaration, answers) else {
            let error = "{\"code\":CODE,\"message\":\"the parameters are no object\"}";
            let error = error.replace("CODE", &INVALID_PARAMS.to_string());
            self.receive.receive(Message::error(Some(self.id), &error)).await;
            return Ok(Outcome::Answered);
        };
        // Each attempt is a request of its own, and the first is the client's.
        let message = if round == 0 { message } else { message.with_id(&self.remote.own_id()) };
        let came = Aside::default();
        let pass = self.pass(&message, round, &came);
        let post = Post { message, session: None, ..self.post.clone() };
        let outcome = modern_exchange(self.remote, &post, &self.receive.through(pass)).await;
        match came.take() {
            Some(came) => Err(came),
            None => Ok(self.named(outcome)),
        }
    }

    /// What each message passes on its way to the client.
    fn pass(&self, sent: &Message, round: usize, came: &Aside<Came>) -> Pass {
        let (sent, own) = (sent.clone(), self.id.clone());
        let (came, progress) = (came.clone(), Arc::clone(&self.progress));
        Arc::new(move |message| {
            if message.answers_to(&sent) {
                return match judged(message, round) {
                    Ok(answer) => vec![named(response::legacy(answer, &sent), &own)],
                    Err(other) => {
                        came.put(other);
                        Vec::new()
                    }
                };
            }
            if let Some(now) = notification::progress(&message) {
                // It has to increase, and a later attempt may begin anew (MCP progress).
                let mut before = progress.lock().unwrap_or_else(PoisonError::into_inner);
                if now <= *before {
                    return Vec::new();
                }
                *before = now;
            }
            vec![message]
        })
    }

    /// The server's error under the id that the client knows.
    fn named(&self, outcome: Outcome) -> Outcome {
        let Outcome::Failed(mut failure) = outcome else { return outcome };
        failure.answer = failure
            .answer
            .map(|answer| Box::new(named(response::legacy(*answer, &self.post.message), self.id)));
        Outcome::Failed(failure)
    }

    /// What answers a result that asks something: the client does, or time.
    async fn answers(&self, asking: &str, waits: &mut Backoff) -> Result<Answers, NoAnswers> {
        let (asked, state) = response::input_required(asking);
        let state = state.map(str::to_owned);
        if asked.is_empty() {
            if state.is_none() {
                return Err(self.not_asked("it asks for input and says nothing of it"));
            }
            tokio::time::sleep(waits.wait()).await;
            return Ok(Answers { responses: None, state });
        }
        if asked.len() > MAX_QUESTIONS {
            return Err(
                self.not_asked(&format!("it asks more than {MAX_QUESTIONS} things at once"))
            );
        }
        let questions: Result<Vec<_>, Unasked> = asked
            .into_iter()
            .map(|(key, request)| Question::of(key, request, &self.session.client))
            .collect();
        let questions = questions.map_err(|why| self.not_asked(&why.to_string()))?;
        let responses = self.ask(&questions).await?;
        Ok(Answers { responses: Some(responses), state })
    }

    fn not_asked(&self, why: &str) -> NoAnswers {
        let what = format!("{} can't be given what it asks for", self.remote.endpoint().host());
        let hint = Some("use a client that can, or tell whoever runs the server".into());
        NoAnswers::Failed(Failure { cause: Some(why.to_owned()), hint, ..bad_answer(what) })
    }

    /// Asks the client, and waits for all answers.
    async fn ask(&self, questions: &[Question]) -> Result<String, NoAnswers> {
        let (by, mut answered) = mpsc::unbounded_channel();
        let mut open = Open { session: self.session, receive: self.receive, ids: Vec::new() };
        for (number, question) in questions.iter().enumerate() {
            let id = self.session.ask(Asked { number, by: by.clone() });
            open.ids.push(id.clone());
            self.receive.receive(question.request(&id)).await;
        }
        let mut responses = vec![String::new(); questions.len()];
        for _ in questions {
            // This holds a sender, so that it does not end before the last answer.
            let Some((number, answer)) = answered.recv().await else { break };
            if let Some(error) = response::error(&answer) {
                return Err(NoAnswers::OfClient(error.to_owned()));
            }
            let result = read::result(&answer).unwrap_or("null");
            responses[number] = questions[number].answered(result);
        }
        Ok(format!("{{{}}}", responses.join(",")))
    }
}

/// An answer under the id that the client knows.
fn named(answer: Message, id: &Id) -> Message {
    if answer.answers(id) { answer } else { answer.with_id(id) }
}

/// Whether an answer is the final one. A server that asked something is a modern one, whatever its errors say:
/// the call is not begun again.
fn judged(answer: Message, round: usize) -> Result<Message, Came> {
    if matches!(answer.kind(), Kind::Response { failed: true, .. }) {
        return match round == 0 && response::is_of_legacy_server(&answer) {
            true => Err(Came::LegacyServer(answer)),
            false => Ok(answer),
        };
    }
    let result = read::result(&answer).unwrap_or_default();
    match response::result_type(result) {
        ResultType::Complete => Ok(answer),
        ResultType::InputRequired => Err(Came::InputRequired(result.to_owned())),
        ResultType::Unknown(kind) => Err(Came::Unknown(kind.to_owned())),
    }
}

/// Questions that wait for the client. What is open when nobody waits any more is taken back.
struct Open<'a> {
    session: &'a Arc<Stateless>,
    receive: &'a Recipient,
    ids: Vec<Id>,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let open = self.ids.iter().filter(|id| self.session.withdraw(id));
        let taken_back: Vec<Message> = open.map(taken_back).collect();
        if taken_back.is_empty() {
            return;
        }
        // Without a runtime the process ends, and the client is gone.
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let receive = self.receive.clone();
        task::spawn(async move {
            for message in taken_back {
                receive.receive(message).await;
            }
        });
    }
}

fn taken_back(id: &Id) -> Message {
    let params = format!("{{\"requestId\":{id},\"reason\":\"the request that it was for ended\"}}");
    Message::notification("notifications/cancelled", Some(&params))
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Asked as Sent, Client, Stage, StillClock, message, post, text};
    use super::super::translate::for_legacy_client::handshake::{Hello, Offers};
    use super::*;
    use crate::jsonrpc::edit::member_at;
    use tokio::task::JoinHandle;

    const HELLO: &str = r#"{"id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{},"roots":{},"sampling":{}},"clientInfo":{"name":"c","version":"1"}}}"#;
    /// A request that is looked up nowhere before it is sent.
    const REQUEST: &str = r#"{"id":7,"method":"prompts/get","params":{"name":"p"}}"#;
    const FORM: &str = r#"{"method":"elicitation/create","params":{"message":"m","requestedSchema":{"type":"object","properties":{}}}}"#;
    const ROOTS: &str = r#"{"method":"roots/list"}"#;
    /// Each of its characters could be spelt in another way.
    const STATE: &str = "\"\\u0061\\/ \u{e9}\\u00e9\u{7f}\\n\u{2028}\"";

    /// A request under way.
    struct Play {
        clock: StillClock,
        stage: Stage,
        session: Arc<Stateless>,
        client: Client,
        outcome: JoinHandle<Outcome>,
    }

    impl Play {
        async fn begin() -> Self {
            let (clock, stage, client) = (StillClock::new(), Stage::open().await, Client::new());
            let session = Arc::new(Stateless::new(Hello::of(&message(HELLO)), Offers::default()));
            let (remote, of, receive) =
                (stage.remote(), Arc::clone(&session), client.recipient.clone());
            let outcome =
                tokio::spawn(
                    async move { carry(&remote, &of, &post(REQUEST, None), &receive).await },
                );
            Self { clock, stage, session, client, outcome }
        }

        async fn sent(&self) -> Sent {
            self.clock.now("an attempt", self.stage.next_of("prompts/get")).await
        }

        async fn told(&mut self) -> Message {
            self.clock.now("a message", self.client.next()).await
        }

        fn answer(&self, question: &Message, result: &str) {
            self.session.take_answer(&Message::result(question.id().unwrap(), result));
        }

        async fn outcome(self) -> Outcome {
            self.clock.now("the outcome", self.outcome).await.unwrap()
        }
    }

    /// A result that asks these things.
    fn asking(questions: &[(&str, &str)], state: Option<&str>) -> String {
        let questions = questions.iter().map(|(key, question)| format!("\"{key}\":{question}"));
        let questions = questions.collect::<Vec<_>>().join(",");
        let state = state.map(|state| format!(",\"requestState\":{state}")).unwrap_or_default();
        format!("{{\"resultType\":\"input_required\",\"inputRequests\":{{{questions}}}{state}}}")
    }

    fn param<'a>(sent: &'a Sent, name: &str) -> Option<&'a str> {
        member_at(sent.params(), &[name])
    }

    #[tokio::test]
    async fn several_questions_are_asked_at_once_and_answered_in_one_attempt_whatever_their_order()
    {
        let mut play = Play::begin().await;
        let first = play.sent().await;
        let own = first.id();
        first.result(&asking(&[("b", FORM), ("a", ROOTS)], Some(STATE))).await;
        let (form, roots) = (play.told().await, play.told().await);
        assert_eq!(form.method(), Some("elicitation/create"));
        assert_eq!(roots.method(), Some("roots/list"));
        play.answer(&roots, r#"{"roots":[ ]}"#);
        play.clock.settle().await;
        play.answer(&form, r#"{"action":"decline"}"#);
        let second = play.sent().await;
        assert_ne!(second.id(), own, "each attempt is a request of its own");
        let expected = r#"{"b":{"action":"decline"},"a":{"roots":[ ]}}"#;
        assert_eq!(param(&second, "inputResponses"), Some(expected));
        assert_eq!(param(&second, "requestState"), Some(STATE), "byte for byte");
        second.result(r#"{"resultType":"complete","messages":[]}"#).await;
        assert_eq!(
            text(&play.told().await),
            r#"{"jsonrpc":"2.0","id":7,"result":{"messages":[]}}"#
        );
        assert!(matches!(play.outcome().await, Outcome::Answered));
    }

    #[tokio::test]
    async fn a_state_is_that_of_the_last_round_only() {
        let mut play = Play::begin().await;
        play.sent().await.result(&asking(&[("a", ROOTS)], Some("\"one\""))).await;
        let question = play.told().await;
        play.answer(&question, r#"{"roots":[]}"#);
        let second = play.sent().await;
        assert_eq!(param(&second, "requestState"), Some("\"one\""));
        second.result(&asking(&[("b", ROOTS)], None)).await;
        let question = play.told().await;
        play.answer(&question, r#"{"roots":[]}"#);
        let third = play.sent().await;
        assert_eq!(param(&third, "requestState"), None);
        assert_eq!(param(&third, "inputResponses"), Some(r#"{"b":{"roots":[]}}"#));
    }

    #[tokio::test]
    async fn a_server_that_asks_for_ever_is_asked_sixteen_times_more() {
        let mut play = Play::begin().await;
        for _ in 0..MAX_ROUNDS {
            play.sent().await.result(&asking(&[("a", ROOTS)], None)).await;
            let question = play.told().await;
            play.answer(&question, r#"{"roots":[]}"#);
        }
        play.sent().await.result(&asking(&[("a", ROOTS)], None)).await;
        let Outcome::Failed(failure) = play.outcome().await else { panic!("it has to end") };
        assert!(failure.what.contains("asked for input 16 times"), "{}", failure.what);
    }

    #[tokio::test]
    async fn more_questions_than_are_asked_at_once_are_not_asked() {
        let mut play = Play::begin().await;
        let keys: Vec<_> = (0..=MAX_QUESTIONS).map(|n| n.to_string()).collect();
        let questions: Vec<_> = keys.iter().map(|key| (&**key, ROOTS)).collect();
        play.sent().await.result(&asking(&questions, None)).await;
        play.clock.settle().await;
        assert_eq!(play.client.there(), Vec::<String>::new());
        let Outcome::Failed(failure) = play.outcome().await else { panic!("it has to end") };
        assert!(failure.cause.is_some_and(|why| why.contains("64")));
    }

    #[tokio::test]
    async fn who_gives_up_in_the_middle_takes_back_what_is_open_and_nothing_else() {
        let mut play = Play::begin().await;
        play.sent().await.result(&asking(&[("a", ROOTS), ("b", FORM)], None)).await;
        let (roots, form) = (play.told().await, play.told().await);
        play.answer(&roots, r#"{"roots":[]}"#);
        play.clock.settle().await;
        play.outcome.abort();
        let taken_back = play.told().await;
        assert_eq!(taken_back.method(), Some("notifications/cancelled"));
        assert_eq!(read::cancelled_request(&taken_back).as_ref(), form.id());
        // An answer that comes all the same goes nowhere.
        play.answer(&form, r#"{"action":"accept"}"#);
        play.clock.settle().await;
        assert_eq!(play.client.there(), Vec::<String>::new());
        let Play { clock, stage, .. } = play;
        let next = tokio::time::timeout(Duration::from_secs(600), stage.next());
        let (_, next) = clock.in_time("nothing", Duration::from_secs(60), next).await;
        assert!(next.is_err(), "nothing is sent any more");
    }

    #[tokio::test]
    async fn who_gives_up_in_an_attempt_closes_its_connection() {
        let mut play = Play::begin().await;
        play.sent().await.result(&asking(&[("a", ROOTS)], None)).await;
        let question = play.told().await;
        play.answer(&question, r#"{"roots":[]}"#);
        let mut second = play.sent().await;
        play.outcome.abort();
        play.clock.now("the connection to be closed", second.left()).await;
        assert_eq!(play.client.there(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_server_that_only_wants_to_be_asked_again_is_asked_after_longer_and_longer_waits() {
        let play = Play::begin().await;
        let mut sent = play.sent().await;
        let mut least = FIRST_WAIT / 2;
        for _ in 0..MAX_ROUNDS {
            sent.result(&asking(&[], Some(STATE))).await;
            let step = Duration::from_millis(50);
            let next = play.stage.next_of("prompts/get");
            let waited;
            (waited, sent) = play.clock.in_time("an attempt", step, next).await;
            assert!(waited >= least, "{waited:?}, and {least:?} is the least");
            least = (least * 2).min(LONGEST_WAIT / 2);
            assert_eq!(param(&sent, "requestState"), Some(STATE));
            assert_eq!(param(&sent, "inputResponses"), None);
        }
        sent.result(&asking(&[], Some(STATE))).await;
        assert!(matches!(play.outcome().await, Outcome::Failed(_)));
    }

    #[tokio::test]
    async fn of_two_answers_to_a_question_the_first_counts() {
        let mut play = Play::begin().await;
        play.sent().await.result(&asking(&[("a", ROOTS), ("b", ROOTS)], None)).await;
        let (a, b) = (play.told().await, play.told().await);
        play.answer(&a, r#"{"roots":[1]}"#);
        play.answer(&a, r#"{"roots":[2]}"#);
        play.clock.settle().await;
        play.answer(&b, r#"{"roots":[3]}"#);
        let second = play.sent().await;
        let expected = r#"{"a":{"roots":[1]},"b":{"roots":[3]}}"#;
        assert_eq!(param(&second, "inputResponses"), Some(expected));
    }
}
