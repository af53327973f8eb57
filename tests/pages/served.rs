//! A router on a free port of this machine, until it is dropped; and clocks that a test moves.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use anyhow::Result;
use axum::Router;
use jiff::{SignedDuration, Timestamp};
use spacecp_advisories::web::Clocks;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::visitor::Visitor;

/// A router that is served.
pub(crate) struct Served {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn new(router: Router) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(async move {
            drop(axum::serve(listener, service).await);
        });
        Ok(Self { address, serving })
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::new(self.address)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Clocks that stand still unless somebody moves them.
#[derive(Debug)]
pub(crate) struct Moved {
    instant: Instant,
    time: Timestamp,
    seconds: AtomicU64,
}

impl Moved {
    pub(crate) fn new() -> Self {
        Self {
            instant: Instant::now(),
            time: Timestamp::now(),
            seconds: AtomicU64::new(0),
        }
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.seconds.fetch_add(time.as_secs(), Ordering::SeqCst);
    }

    fn passed(&self) -> Duration {
        Duration::from_secs(self.seconds.load(Ordering::SeqCst))
    }
}

impl Clocks for Moved {
    fn instant(&self) -> Instant {
        self.instant + self.passed()
    }

    fn time(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.passed()).expect("a test is short");
        self.time + passed
    }
}
