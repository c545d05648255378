//! How servers say that they no longer know a session.

use serde_json::json;

use super::answer::Answer;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// What the specification asks for.
    NotFound,
    NotFoundJsonRpc,
    BadRequestText,
    /// 400 with error -32000 and `id: null`.
    BadRequestJsonRpc,
    /// 401 that is about the session, not about a token.
    Unauthorized,
    /// 200 with error -32600 and the request's id.
    ErrorInvalidRequest,
    /// 200 with error -32001 and the request's id.
    ErrorSessionNotFound,
    /// 200 with error -32001 and `id: null`.
    ErrorWithNullId,
}

impl Lost {
    pub const ALL: [Self; 8] = [
        Self::NotFound,
        Self::NotFoundJsonRpc,
        Self::BadRequestText,
        Self::BadRequestJsonRpc,
        Self::Unauthorized,
        Self::ErrorInvalidRequest,
        Self::ErrorSessionNotFound,
        Self::ErrorWithNullId,
    ];

    pub(super) fn answer(self) -> Answer {
        match self {
            Self::NotFound => Answer::status(404),
            Self::NotFoundJsonRpc => {
                Answer::error_with_null_id(-32001, "Session not found").with_status(404)
            }
            Self::BadRequestText => {
                Answer::text("Bad Request: no valid session ID provided").with_status(400)
            }
            Self::BadRequestJsonRpc => {
                let message = "Bad Request: Server not initialized";
                Answer::error_with_null_id(-32000, message).with_status(400)
            }
            Self::Unauthorized => {
                Answer::json(json!({"error": "unknown session"}).to_string()).with_status(401)
            }
            Self::ErrorInvalidRequest => Answer::error(-32600, "Invalid session ID"),
            Self::ErrorSessionNotFound => Answer::error(-32001, "Session expired"),
            Self::ErrorWithNullId => Answer::error_with_null_id(-32001, "Session not found"),
        }
        .not_executed()
    }
}
