//! What becomes of each message between a client of one era and a server of the other: functions over
//! messages, a group for each row of `docs/eras.md`.

use std::borrow::Cow;

use crate::jsonrpc::object::{changed_at, each_once};

pub(in crate::remote) mod for_legacy_client;
pub(in crate::remote::lifecycle) mod for_modern_client;

#[cfg(test)]
mod there_and_back;

/// A request of which every reader finds the same parameters and `_meta`: of several the last, which are those
/// that are read here. Whoever takes the first would see some that were not translated. Other duplicates stay.
fn unambiguous(request: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(request);
    for (path, keys) in [(&[][..], &["id", "method", "params"][..]), (&["params"], &["_meta"])] {
        if let Some(once) = changed_at(&text, path, |object| each_once(object, keys)) {
            text = Cow::Owned(once);
        }
    }
    text
}
