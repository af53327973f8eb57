//! Says that something happened here, to whoever waits for it.
//!
//! What happened is not said: whoever is woken compares what is the case with what was the case before.

use std::sync::Arc;

use tokio::sync::Notify;

/// Wakes one waiter after each change: a sync, an apply run, a rollback.
#[derive(Debug, Clone, Default)]
pub struct Events(Arc<Notify>);

impl Events {
    /// Something happened. One that nobody waits for yet wakes the next who waits.
    pub fn announce(&self) {
        self.0.notify_one();
    }

    /// Waits until something has happened.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}
