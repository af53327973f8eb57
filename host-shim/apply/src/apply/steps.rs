//! The durable steps of an application, and a way for tests to end the world at each of them.

/// A point after which the disk holds something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The journal says that an application has begun.
    Planned,
    /// The payload has been fetched.
    Fetched,
    /// The new tree lies beside the live one.
    Staged,
    /// Every file of it has been verified.
    Verified,
    /// The journal says that the component is about to be stopped.
    Stopping,
    /// The journal says that it has been stopped.
    Stopped,
    /// What the component wrote until it was stopped is in the new tree, too.
    CaughtUp,
    /// The journal says that the trees are about to be exchanged.
    Swapping,
    /// Without an atomic exchange: the live tree has been moved aside.
    MovedAside,
    /// Without an atomic exchange: the other tree has taken its place.
    MovedIn,
    /// The trees have been exchanged.
    Exchanged,
    /// Run-time data has been carried over.
    Carried,
    /// The journal says that the exchange is done.
    Swapped,
    /// The journal says that the component is about to be started.
    Starting,
    /// The journal says that it has been started.
    Started,
    /// The journal says that the component is well.
    Healthy,
    /// The journal says that the new version is live for good.
    Committed,
    /// The journal says that an application is about to be taken back.
    RollingBack,
    /// The journal says that it was taken back.
    RolledBack,
}

impl Step {
    /// Every step, in the order in which they come.
    pub const ALL: [Self; 19] = [
        Self::Planned,
        Self::Fetched,
        Self::Staged,
        Self::Verified,
        Self::Stopping,
        Self::Stopped,
        Self::CaughtUp,
        Self::Swapping,
        Self::MovedAside,
        Self::MovedIn,
        Self::Exchanged,
        Self::Carried,
        Self::Swapped,
        Self::Starting,
        Self::Started,
        Self::Healthy,
        Self::Committed,
        Self::RollingBack,
        Self::RolledBack,
    ];
}

/// Work was cut off on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted after {0:?}")]
pub struct Interrupted(pub Step);

/// Is told of every step. An error stops the work there and then, as a crash would: nothing is
/// cleaned up and nothing more is written.
pub trait Steps: Send + Sync + std::fmt::Debug {
    /// The step has become durable.
    fn reached(&self, step: Step) -> Result<(), Interrupted>;
}

/// Nothing happens: what a panel runs with.
#[derive(Debug, Clone, Copy)]
pub struct NoFaults;

impl Steps for NoFaults {
    fn reached(&self, _: Step) -> Result<(), Interrupted> {
        Ok(())
    }
}
