//! The kinds of fault that the server can show.

/// One kind of fault, met by one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// Answered, and the connection is closed; the next connection is reset before a byte is read.
    ResetOnAccept,
    /// The connection is reset after the whole request; nothing is executed.
    ResetUnexecuted,
    /// The request is executed, then the connection is reset.
    ResetExecuted,
    /// Executed; the connection is reset within the head of the answer.
    ResetInHead,
    /// Executed; the connection is reset within the body of the answer.
    ResetInBody,
    /// Executed; the connection is closed in order within the body of the answer.
    CloseInBody,
    Status500,
    Status500Executed,
    Status502,
    Status502Executed,
    Status503,
    Status503RetryAfter0,
    Status503RetryAfter1,
    Status429RetryAfter0,
    /// Executed; the stream breaks off before the answer and can't be resumed.
    CutStream,
    /// Executed; the stream ends in order without the answer and can't be resumed.
    EndedStream,
    /// Executed; the stream breaks off within the answer's event and can't be resumed.
    CutInEvent,
    /// Executed; the stream breaks off, and gives the answer when it is resumed.
    CutResumable,
    /// Executed; the stream ends in order after it named a wait, and is resumed.
    EndedResumable,
    /// Executed; the stream breaks off within the answer's event, and is resumed.
    CutInEventResumable,
    /// Executed; the stream that resumes it breaks off within the answer, too.
    CutAgain,
    /// Executed; resuming meets 503, then a reset, then the answer.
    CutThenDown,
    /// Executed; the stream could be resumed, but the server refuses to.
    CutThenRefused,
    /// The session is forgotten, which the server says with 404.
    Lost404,
    /// … with 400 and a text.
    Lost400,
    /// … with 401 and a text.
    Lost401,
    /// … with a JSON-RPC error on 200.
    LostRpcError,
    /// … with a JSON-RPC error without an id on 400.
    LostRpcErrorNoId,
    /// … with a JSON-RPC error on an event stream.
    LostOnStream,
    /// Nobody listens for a moment, all connections are reset, all sessions are forgotten.
    Restart,
    /// Executed at once, answered late.
    StallAfterwards,
    /// Executed late.
    StallBefore,
    /// Answered after many requests that came later.
    Overtaken,
    /// Answered; then all idle connections are closed.
    CloseIdle,
    /// Answered; then this connection is closed without a word.
    CloseAfterAnswer,
    /// Answered twice on one stream.
    AnsweredTwice,
    /// Answered with a JSON-RPC error of the server's own.
    OwnError,
}

use Fault::*;

impl Fault {
    /// All kinds.
    pub const ALL: [Self; 37] = [
        ResetOnAccept,
        ResetUnexecuted,
        ResetExecuted,
        ResetInHead,
        ResetInBody,
        CloseInBody,
        Status500,
        Status500Executed,
        Status502,
        Status502Executed,
        Status503,
        Status503RetryAfter0,
        Status503RetryAfter1,
        Status429RetryAfter0,
        CutStream,
        EndedStream,
        CutInEvent,
        CutResumable,
        EndedResumable,
        CutInEventResumable,
        CutAgain,
        CutThenDown,
        CutThenRefused,
        Lost404,
        Lost400,
        Lost401,
        LostRpcError,
        LostRpcErrorNoId,
        LostOnStream,
        Restart,
        StallAfterwards,
        StallBefore,
        Overtaken,
        CloseIdle,
        CloseAfterAnswer,
        AnsweredTwice,
        OwnError,
    ];

    /// The kind that it is one way of.
    pub fn kind(self) -> &'static str {
        match self {
            ResetOnAccept | ResetUnexecuted | ResetExecuted | ResetInHead | ResetInBody
            | CloseInBody => "reset",
            Status500 | Status500Executed | Status502 | Status502Executed | Status503
            | Status503RetryAfter0 | Status503RetryAfter1 | Status429RetryAfter0 => "5xx and 429",
            CutStream | EndedStream | CutInEvent | CutResumable | EndedResumable
            | CutInEventResumable | CutAgain | CutThenDown | CutThenRefused => "cut stream",
            Lost404 | Lost400 | Lost401 | LostRpcError | LostRpcErrorNoId | LostOnStream => {
                "lost session"
            }
            Restart => "restart",
            StallAfterwards | StallBefore | Overtaken => "stall",
            CloseIdle | CloseAfterAnswer => "connection closed",
            AnsweredTwice | OwnError => "odd answer",
        }
    }

    /// How often it is shown, where every kind is shown so often: a lost session has many ways to be
    /// told, and would be lost all the time.
    pub fn share(self, of_each_kind: usize) -> usize {
        if self.loses_session() && self != Restart {
            of_each_kind.div_ceil(5)
        } else {
            of_each_kind
        }
    }

    /// Whether it harms other requests than the one that meets it.
    pub fn disturbs_others(self) -> bool {
        let closes = matches!(self, ResetOnAccept | CloseIdle | CloseAfterAnswer);
        closes || self.loses_session()
    }

    /// Whether a request that meets it gets its result all the same, when nothing else disturbs it.
    pub fn is_survived(self, repeatable: bool) -> bool {
        match self {
            // Answered, or certainly not executed.
            ResetOnAccept | CloseIdle | CloseAfterAnswer | AnsweredTwice | StallAfterwards
            | StallBefore | Overtaken | Status503RetryAfter0 | Status503RetryAfter1
            | Status429RetryAfter0 | Lost404 | Lost400 | Lost401 | LostRpcError
            | LostRpcErrorNoId | LostOnStream => true,
            // The answer is there to be fetched.
            CutResumable | EndedResumable | CutInEventResumable | CutAgain | CutThenDown => true,
            // The server's last word.
            Status500 | Status500Executed | OwnError => false,
            // It may have been executed.
            _ => repeatable,
        }
    }

    /// Whether the session is gone afterwards.
    pub fn loses_session(self) -> bool {
        matches!(
            self,
            Lost404 | Lost400 | Lost401 | LostRpcError | LostRpcErrorNoId | LostOnStream | Restart
        )
    }
}
