//! A legacy client and a modern server.
