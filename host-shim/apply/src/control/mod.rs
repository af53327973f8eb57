//! Stops and starts components around an exchange of their trees, and looks at them from outside.
//!
//! What is run and what is looked at is configured on the panel; a correction can only name a check.
//! Nothing here knows of trees or journals: [`crate::apply`] says when, this room says how. A panel
//! that has a way of its own to stop and start what it runs implements [`Control`] instead.

#![deny(
    clippy::disallowed_methods,
    reason = "components' users could exchange what a path leads to"
)]

mod command;
mod configured;
mod error;
mod inherited_lock;
mod probe;
mod watchdog;

pub use configured::Configured;
pub use error::{CommandError, ControlError};
pub use inherited_lock::InheritedLock;
pub use watchdog::{READY, Shelter, Watchdog};

use async_trait::async_trait;

/// Stops, starts and looks at the components of this panel.
///
/// Every call has an end: what takes too long is cut off and is an error.
#[async_trait]
pub trait Control: Send + Sync + std::fmt::Debug {
    /// Whether a component can be stopped and started here.
    fn can_restart(&self, component: &str) -> bool;

    /// Whether a check of this name is configured for the component.
    fn has_check(&self, component: &str, check: &str) -> bool;

    /// Whether the component runs; none if nobody can say.
    async fn is_running(&self, component: &str) -> Result<Option<bool>, ControlError>;

    /// Stops the component, and returns when it has ended. A component that does not run is no error.
    ///
    /// What is started for it inherits the lock, so that after a crash of this process others can wait
    /// for its end.
    async fn stop(&self, component: &str, lock: &InheritedLock) -> Result<(), ControlError>;

    /// Starts the component. It need not be ready yet when this returns.
    async fn start(&self, component: &str, lock: &InheritedLock) -> Result<(), ControlError>;

    /// What keeps a process from being stopped together with the component that started it.
    fn shelter(&self, component: &str) -> Shelter;

    /// Begins to look, before the component is started: what was there before does not count.
    async fn watch(&self, component: &str, check: &str) -> Result<Box<dyn Watch>, ControlError>;
}

/// A health check that has begun to look.
#[async_trait]
pub trait Watch: Send + std::fmt::Debug {
    /// Returns when the component is healthy, or says what was seen last when its time is over.
    async fn healthy(self: Box<Self>) -> Result<(), ControlError>;
}

/// Nothing can be stopped or looked at: corrections that want it say so, and the administrator
/// restarts by hand.
#[derive(Debug, Clone, Copy)]
pub struct NoControl;

#[async_trait]
impl Control for NoControl {
    fn can_restart(&self, _: &str) -> bool {
        false
    }

    fn has_check(&self, _: &str, _: &str) -> bool {
        false
    }

    fn shelter(&self, _: &str) -> Shelter {
        Shelter::default()
    }

    async fn is_running(&self, _: &str) -> Result<Option<bool>, ControlError> {
        Ok(None)
    }

    async fn stop(&self, component: &str, _: &InheritedLock) -> Result<(), ControlError> {
        Err(ControlError::not_configured(component, "control"))
    }

    async fn start(&self, component: &str, _: &InheritedLock) -> Result<(), ControlError> {
        Err(ControlError::not_configured(component, "control"))
    }

    async fn watch(&self, component: &str, check: &str) -> Result<Box<dyn Watch>, ControlError> {
        Err(ControlError::not_configured(component, check))
    }
}
