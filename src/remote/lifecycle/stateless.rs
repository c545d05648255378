//! A legacy client before a modern server: the session that the client believes in.

/// What such a session keeps, since the server keeps nothing.
#[derive(Debug)]
pub struct Stateless {}
