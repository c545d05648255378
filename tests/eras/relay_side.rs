//! What the bridge says itself to a modern client: while there is no connection, and while a sign-in waits.
