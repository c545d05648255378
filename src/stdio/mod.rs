//! The local side: lines in, lines out. It knows no HTTP.
//!
//! Each direction has a thread of its own: blocking reads and writes cost half the latency and a sixth
//! of the time per message of an asynchronous runtime's standard streams (ADR 0002).

pub mod reader;
pub mod writer;

pub use reader::Line;
pub use writer::{Frame, Room, Writer};
