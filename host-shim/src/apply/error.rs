//! Why a correction was not applied or taken back.

use std::{io, path::PathBuf};

use spacecp_contract::Digest;

use super::{Interrupted, Plan};
use crate::{control::ControlError, fetch::FetchError, store::StoreError};

/// Why a correction was not applied or taken back. Unless it says otherwise, the component is as it
/// was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// There is no plan to carry out.
    #[error("the correction {correction} does not fit {component}: {reason}")]
    NotApplicable {
        /// The correction.
        correction: String,
        /// The component.
        component: String,
        /// Why.
        reason: String,
    },
    /// Preflight found something that stands in the way.
    #[error("the correction {} cannot be applied to {} now: {}", plan.correction, plan.component, list(plan, true))]
    Obstacle {
        /// The plan with what was found.
        plan: Box<Plan>,
    },
    /// Preflight found something that wants a person's word.
    #[error("the correction {} wants your word before it is applied to {}: {}; say so to go on", plan.correction, plan.component, list(plan, false))]
    WantsWord {
        /// The plan with what was found.
        plan: Box<Plan>,
    },
    /// Something changed since the plan was shown.
    #[error("something has changed since the plan {} was made; the present plan is {}: look at it and decide again", shown.short(), present.short())]
    Drifted {
        /// The digest of the plan that was shown.
        shown: Digest,
        /// The digest of the plan as it is now.
        present: Digest,
    },
    /// A file of the correction was written between the last look at it and the exchange.
    #[error(
        "{path} of {component} was changed while the correction was under way; look at it, and apply again"
    )]
    ChangedMeanwhile {
        /// The component.
        component: String,
        /// The file.
        path: String,
    },
    /// Corrections that require each other.
    #[error("these corrections require each other in a circle, and none can be the first: {}", corrections.join(" → "))]
    Circle {
        /// The corrections, the first once more at the end.
        corrections: Vec<String>,
    },
    /// Two corrections for one folder.
    #[error("{first} and {second} both change {}: apply one after the other", folder.display())]
    SameFolder {
        /// One correction.
        first: String,
        /// The other.
        second: String,
        /// The folder.
        folder: PathBuf,
    },
    /// Somebody else is at it.
    #[error("another application is under way at {}; try again when it has ended", folder.display())]
    Busy {
        /// The component's folder.
        folder: PathBuf,
    },
    /// A payload.
    #[error("a payload could not be fetched: {0}")]
    Payload(#[from] FetchError),
    /// A payload whose contents are not what the correction says.
    #[error("the payload for {path} is not what the correction says: {reason}")]
    Contents {
        /// The file that it is for.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The staged tree is not what it should be.
    #[error(
        "the new tree was built and is not what it should be: {path} {reason}; nothing was changed"
    )]
    Unverified {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// After the exchange the component does not say the new version, so the old tree was put back.
    #[error(
        "after the exchange {component} says version {found:?} instead of {expected}; the old tree was put back"
    )]
    Unhealthy {
        /// The component.
        component: String,
        /// The version expected.
        expected: String,
        /// What was read.
        found: String,
    },
    /// The component could not be stopped, started, or asked whether it runs.
    #[error("{component} could not be {doing}: {source}")]
    Control {
        /// The component.
        component: String,
        /// What was to be done, as `stopped`.
        doing: &'static str,
        /// What is wrong.
        source: ControlError,
    },
    /// A command that the process before this one began goes on still.
    #[error(
        "the order to stop {component} goes on still, from before it was cut off; what is to become of the component is decided when that has ended"
    )]
    CommandGoesOn {
        /// The component.
        component: String,
    },
    /// With the new tree the component is not well, so the old one was put back.
    #[error("with the new tree {component} is not well: {source}; the old tree was put back")]
    Unwell {
        /// The component.
        component: String,
        /// What was seen.
        source: ControlError,
    },
    /// The process that was to go on while the panel is stopped.
    #[error(
        "{component} cannot be corrected without the panel, and what was to go on meanwhile did not: {reason}"
    )]
    Watchdog {
        /// The component.
        component: String,
        /// What is wrong.
        reason: String,
    },
    /// The process that went on while the panel was stopped undid it.
    #[error("{component} was not corrected: {reason}")]
    Undone {
        /// The component.
        component: String,
        /// Why.
        reason: String,
    },
    /// A correction that stops the panel, together with others.
    #[error(
        "{correction} stops the panel, and others with it could not be brought to one end: apply it alone"
    )]
    NotAlone {
        /// The correction.
        correction: String,
    },
    /// The right tree is in place, but the component that ran before may not run now.
    #[error("{cause}; and then: {trouble}")]
    NotRunning {
        /// Why it was undone.
        cause: Box<ApplyError>,
        /// Which component, and what happened.
        trouble: String,
    },
    /// It was taken back, but the component that ran before may not run now.
    #[error("{id} was taken back, and the old tree is in place; but {trouble}")]
    NotRunningBack {
        /// The application.
        id: String,
        /// Which component, and what happened.
        trouble: String,
    },
    /// Nothing to take back.
    #[error("the application {id} cannot be taken back: {reason}")]
    Irreversible {
        /// The application.
        id: String,
        /// Why.
        reason: String,
    },
    /// What is in the component's place is neither tree of an application, so nothing is touched.
    #[error(
        "{} is neither the old tree nor the new one: somebody has put something else there; one of the two is kept in {}, and nothing is changed until one of them is back",
        folder.display(), workspace.join("tree").display()
    )]
    Stranger {
        /// The component's folder.
        folder: PathBuf,
        /// The application's folder beside it.
        workspace: PathBuf,
    },
    /// A file.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// The journal.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Work was cut off; recovery finds out what to do.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl From<sqlx::Error> for ApplyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::Query(error))
    }
}

fn list(plan: &Plan, obstacles: bool) -> String {
    let of: Vec<&str> = if obstacles {
        plan.obstacles()
            .map(|finding| finding.found.as_str())
            .collect()
    } else {
        plan.warnings()
            .map(|finding| finding.found.as_str())
            .collect()
    };
    of.join("; ")
}

/// Names what was being done to which file, for a result of the file system.
pub(super) trait Doing<T> {
    fn doing(self, doing: &'static str, path: impl Into<PathBuf>) -> Result<T, ApplyError>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: &'static str, path: impl Into<PathBuf>) -> Result<T, ApplyError> {
        self.map_err(|source| ApplyError::File {
            doing,
            path: path.into(),
            source,
        })
    }
}

impl<T> Doing<T> for rustix::io::Result<T> {
    fn doing(self, doing: &'static str, path: impl Into<PathBuf>) -> Result<T, ApplyError> {
        self.map_err(io::Error::from).doing(doing, path)
    }
}
