//! Looks at a component from outside, the way its users reach it, until it is healthy or the time is
//! over.

mod http;
mod log;
mod tcp;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use tokio::time::{Instant, sleep, timeout};

use super::{
    ControlError, Watch,
    command::{self, Order},
};
use crate::config::{HealthCheck, HealthConfig};

/// The first pause; it doubles up to the one that is configured, so that a component that is quick
/// does not wait for nothing.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest time that one attempt has, whatever is left of the whole.
const ATTEMPT: Duration = Duration::from_secs(10);

/// A health check that has begun to look.
#[derive(Debug)]
pub(super) struct Probe {
    name: String,
    within: Duration,
    every: Duration,
    look: Look,
}

#[derive(Debug)]
enum Look {
    Command {
        command: Vec<String>,
        environment: BTreeMap<String, String>,
        folder: PathBuf,
    },
    Tcp(String),
    Http(http::Http),
    Log(log::Log),
}

impl Probe {
    pub(super) fn begin(
        health: &HealthConfig,
        folder: &Path,
        environment: BTreeMap<String, String>,
    ) -> Result<Self, ControlError> {
        let cannot = |reason: String| ControlError::Check {
            check: health.name.clone(),
            reason,
        };
        let look = match health.check().map_err(cannot)? {
            HealthCheck::Command(command) => Look::Command {
                command,
                environment,
                folder: folder.to_owned(),
            },
            HealthCheck::Tcp(address) => Look::Tcp(address),
            HealthCheck::Http { url, status } => {
                Look::Http(http::Http::new(&url, status).map_err(cannot)?)
            }
            HealthCheck::Log { file, pattern } => {
                let log = log::Log::begin(folder, Path::new(&file), &pattern);
                Look::Log(log.map_err(cannot)?)
            }
        };
        Ok(Self {
            name: health.name.clone(),
            within: Duration::from_secs(health.within),
            every: Duration::from_secs(health.every),
            look,
        })
    }

    /// One look: well, or what was seen.
    async fn once(&mut self, within: Duration) -> Result<(), String> {
        match &mut self.look {
            Look::Tcp(address) => tcp::accepts(address).await,
            Look::Http(http) => http.answers().await,
            Look::Log(log) => log.has_said_it(),
            Look::Command {
                command,
                environment,
                folder,
            } => {
                let order = Order {
                    command,
                    environment,
                    folder,
                    within,
                };
                let ran = command::run(order, None).await;
                ran.map(drop).map_err(|error| error.to_string())
            }
        }
    }
}

#[async_trait]
impl Watch for Probe {
    async fn healthy(mut self: Box<Self>) -> Result<(), ControlError> {
        let end = Instant::now() + self.within;
        let (mut pause, mut seen) = (FIRST_PAUSE, "no result yet".to_owned());
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ControlError::Unhealthy {
                    check: self.name,
                    within: self.within,
                    seen,
                });
            }
            let attempt = left.min(ATTEMPT);
            match timeout(attempt, self.once(attempt)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(now)) => seen = now,
                Err(_) => "no answer in time".clone_into(&mut seen),
            }
            let left = end.saturating_duration_since(Instant::now());
            sleep(pause.min(left)).await;
            pause = (pause * 2).min(self.every);
        }
    }
}
