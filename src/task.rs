//! Tasks of the runtime. Each kind of future that it runs is compiled at two kilobytes; in a box they are one kind.

use std::pin::Pin;

use tokio::task::JoinHandle;

/// Runs a future beside the others. It begins in the background even where nobody waits for its end.
pub fn spawn(future: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    let future: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(future);
    tokio::spawn(future)
}
