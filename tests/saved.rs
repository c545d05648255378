//! Saved servers: what a name stands for, and what is told of a file that can't be used.

mod names;
