//! The tests of the whole program, one binary.
//!
//! | module | what it holds the program to |
//! |---|---|
//! | `architecture` | who may use whom |
//! | `completions` | generated files are fresh |

mod architecture;
mod completions;
