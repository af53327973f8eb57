//! What goes on behind the pages: following the feed, automatic application, and notifications; and, at first,
//! that the plugin takes in what there is.
//!
//! Begins and ends where whoever serves the pages says so, and nowhere by itself.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::{notifying, schedule};
use crate::Backend;
use spacecp_services::{Exposure, Feed, Panel};

/// Work that has not begun.
#[derive(Debug)]
#[must_use = "nothing follows the feed before the work begins"]
pub struct Work(Backend);

/// Work that goes on; to be brought to its end when the pages are no longer served.
#[derive(Debug)]
#[must_use = "an application that is under way is cut off unless the work is ended"]
pub struct AtWork {
    panel: Panel,
    warming: JoinHandle<()>,
    following: JoinHandle<()>,
    scheduling: JoinHandle<()>,
    notifying: JoinHandle<()>,
}

impl Work {
    pub(super) fn of(backend: Backend) -> Self {
        Self(backend)
    }

    /// Begins to follow the feed, to apply what the policy lets be applied, and to tell whom it
    /// concerns. Wants a runtime around it.
    pub fn begin(self) -> AtWork {
        let Backend {
            panel,
            notifications,
            ..
        } = self.0;
        AtWork {
            warming: tokio::spawn(warm(panel.exposure.clone())),
            following: tokio::spawn(follow(panel.feed.clone())),
            scheduling: tokio::spawn(schedule::keep(panel.clone())),
            notifying: tokio::spawn(notifying::keep(notifications)),
            panel,
        }
    }
}

impl AtWork {
    /// Lets what is being applied come to its end, and begins nothing more.
    pub async fn end(self) {
        self.warming.abort();
        self.following.abort();
        self.notifying.abort();
        schedule::end(&self.panel, self.scheduling).await;
    }
}

/// Starts the plugin. Until it knows everything, what it said last answers where nothing has changed.
async fn warm(exposure: Exposure) {
    if let Err(error) = exposure.warm().await {
        tracing::warn!(%error, "plugin not available yet");
    }
}

/// Asks the feed for news, again and again. A little chance keeps many panels from asking at once.
async fn follow(feed: Feed) {
    let interval = feed.interval();
    loop {
        let mut chance = [0u8; 1];
        // Without chance the interval is merely the same each time.
        let _ = getrandom::fill(&mut chance);
        let pause = interval + interval * u64::from(chance[0]) / 2560;
        tokio::time::sleep(Duration::from_secs(pause)).await;
        // What failed has been logged, and the pages say it.
        let _ = feed.sync().await;
    }
}
