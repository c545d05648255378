//! `docs/eras.md` and the code say the same.
