//! `subscriptions/listen` before a server that tells of changes on the stream of its session.

use std::sync::{Arc, Weak};

use super::entry::{Entry, subscribe};
use super::hub::Heard;
use crate::jsonrpc::Id;
use crate::remote::exchange::{Outcome, Post};
use crate::remote::lifecycle::translate::for_modern_client::change::{Filter, tagged};
use crate::remote::{Failure, Recipient, Remote};
use crate::task;

/// Serves a subscription until its client ends it.
pub(super) async fn serve(
    remote: &Arc<Remote>,
    entry: Arc<Entry>,
    post: &Post,
    (id, filter): (&Id, Filter),
    receive: &Recipient,
) -> Outcome {
    let live = match entry.live(remote, None, post.patience).await {
        Ok(live) => live,
        Err(failure) => return Outcome::Failed(failure),
    };
    let mut agreed = filter.offered(live.capabilities());
    let (heard, asked) = entry.hub.join(&agreed);
    let mut listening = Listening { remote: Arc::downgrade(remote), entry, heard };
    let refused = subscribe(remote, &live, "resources/subscribe", asked.clone()).await;
    listening.entry.hub.settle(&mut listening.heard, &asked, &refused);
    agreed.resources.retain(|uri| !refused.contains(uri));
    receive.receive(agreed.acknowledged(id)).await;
    loop {
        let changes = listening.heard.next().await;
        if changes.is_empty() {
            return Outcome::Failed(Failure::internal("a subscription ended by itself"));
        }
        for change in changes {
            receive.receive(tagged(&change, id)).await;
        }
    }
}

/// A subscription that is served; when it is dropped its resources are left.
struct Listening {
    remote: Weak<Remote>,
    entry: Arc<Entry>,
    heard: Heard,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let gone = self.entry.hub.leave(self.heard.number);
        let runtime = tokio::runtime::Handle::try_current();
        let (Ok(_), Some(remote)) = (runtime, self.remote.upgrade()) else { return };
        let Some(live) = self.entry.current().filter(|_| !gone.is_empty()) else { return };
        task::spawn(async move {
            subscribe(&remote, &live, "resources/unsubscribe", gone).await;
        });
    }
}
