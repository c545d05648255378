//! Where what a sign-in earned is kept: sealed records, the key to them, the locks on them.
