//! A modern client and a modern server: bodies untouched, headers added.
