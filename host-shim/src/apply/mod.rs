//! Applies corrections and takes them back.
//!
//! The complete new tree is built beside the live one, every file of it is verified, and the two
//! are exchanged in one atomic step; taking back is the same exchange. A journal says what is under
//! way before it begins, so that whatever interrupts an application, [`Applier::recover`] finds
//! which tree is live and finishes or undoes. Nothing outside a component's folder and the
//! workspace beside it is ever written.

mod applier;
mod carry;
mod copy;
mod disk;
mod durable;
mod error;
mod exchange;
mod faults;
mod files;
mod folder;
mod journal;
mod lock;
mod place;
mod plan;
mod preflight;
mod recovery;
mod stage;
mod steps;

pub use applier::{Applier, Order};
pub use error::ApplyError;
pub use exchange::Exchange;
pub use faults::{Action, Faults, Operation};
pub use steps::{Interrupted, NoFaults, Step, Steps};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spacecp_contract::{Digest, DocumentId, Restart, TreePath};

/// How grave a finding of preflight is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gravity {
    /// Good to know.
    Information,
    /// Wants a person's word.
    Warning,
    /// Application is refused while it stands.
    Obstacle,
}

/// What one check of preflight found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check, as `disk-space`.
    pub check: String,
    /// How grave it is.
    pub gravity: Gravity,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// What a correction does to one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// A file that was not there.
    Added,
    /// A file with other contents, or another mode.
    Changed,
    /// A file that goes.
    Removed,
}

/// One file of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFile {
    /// Its path within the component's folder.
    pub path: TreePath,
    /// What happens to it.
    pub change: Change,
    /// Its size afterwards, in bytes.
    pub size: u64,
}

/// Exactly what applying a correction would do, as found just now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The digest of everything below; application refuses when anything has drifted from it.
    pub digest: Digest,
    /// The correction.
    pub correction: DocumentId,
    /// Its revision.
    pub revision: u64,
    /// The component on this panel.
    pub component: String,
    /// The version now.
    pub from: String,
    /// The version afterwards.
    pub to: String,
    /// The files, by path.
    pub files: Vec<PlannedFile>,
    /// Bytes to be fetched.
    pub download: u64,
    /// What has to restart.
    pub restart: Restart,
    /// What preflight found.
    pub findings: Vec<Finding>,
}

impl Plan {
    /// The findings that keep the plan from being carried out.
    pub fn obstacles(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.gravity == Gravity::Obstacle)
    }

    /// The findings that want a person's word.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.gravity == Gravity::Warning)
    }
}

/// What became of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Under way.
    InProgress,
    /// The new version is live.
    Applied,
    /// It was applied and taken back on request.
    RolledBack,
    /// It failed, and the component is as it was.
    Failed,
}

/// One application, as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Names it.
    pub id: String,
    /// The correction.
    pub correction: DocumentId,
    /// Its revision.
    pub revision: u64,
    /// The component.
    pub component: String,
    /// The version before.
    pub from: String,
    /// The version it was to become.
    pub to: String,
    /// When it began.
    pub began: Timestamp,
    /// When it came to its end.
    pub ended: Option<Timestamp>,
    /// Who asked for it.
    pub by: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it failed or was rolled back.
    pub reason: Option<String>,
    /// Whether it can be taken back now.
    pub reversible: bool,
}
