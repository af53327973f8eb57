//! One panel, put together: its services, its notifications, and how it is configured.
//!
//! May not: decide anything; what is wired here works alone.

use std::sync::Arc;

use spacecp_notify::Notifications;
use spacecp_services::{Panel, ServiceError};
use spacecp_web::Backend;

use crate::config::Config;

/// One panel: what an application embeds, and what the commands work with. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    /// The services.
    pub panel: Panel,
    /// Who is told what happens, and what each person has read.
    pub notifications: Notifications,
    config: Arc<Config>,
}

impl App {
    /// Opens the state directory, and finishes or undoes what a crash interrupted. One for each state directory.
    pub async fn open(config: Config) -> Result<Self, ServiceError> {
        // A recovery may be part of it: boxed, so that it does not make a large future of whoever opens a panel.
        let panel = Box::pin(Panel::open(config.services())).await?;
        Ok(Self::around(panel, config))
    }

    /// The same for rolling back: neither the pinned root nor what is stored of the feed has to be there or whole.
    pub async fn open_without_feed(config: Config) -> Result<Self, ServiceError> {
        let panel = Box::pin(Panel::open_without_feed(config.services())).await?;
        Ok(Self::around(panel, config))
    }

    fn around(panel: Panel, config: Config) -> Self {
        let notifications = Notifications::new(&panel, config.notify.clone(), &config.state);
        Self {
            panel,
            notifications,
            config: Arc::new(config),
        }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What pages and API are answered from, for [`web`](crate::web).
    pub fn backend(&self) -> Backend {
        Backend {
            panel: self.panel.clone(),
            notifications: self.notifications.clone(),
            serve: Arc::new(self.config.serve.clone()),
        }
    }
}
