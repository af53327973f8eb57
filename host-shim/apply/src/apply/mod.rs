//! Applies corrections and takes them back.
//!
//! The complete new tree is built beside the live one and every file of it is verified; then the
//! component is stopped, the two trees are exchanged in one atomic step, and it is started and looked
//! at; taking back is the same exchange. A journal says what is under way before it begins, so that
//! whatever interrupts an application, [`Applier::recover`] finds which tree is live and finishes or
//! undoes. Several corrections can be one plan: all of them are applied, or none. Nothing outside a
//! component's folder and the workspace beside it is ever written.

#![deny(
    clippy::disallowed_methods,
    reason = "components' users could exchange what a path leads to"
)]

mod acl;
mod applied;
mod applier;
mod attributes;
mod backward;
mod carry;
mod contents;
mod copy;
mod differences;
mod disk;
mod durable;
mod error;
mod exchange;
mod exchanged_trees;
mod faults;
mod files;
mod folder;
mod forward;
mod joint;
mod journal;
mod journal_copy;
mod last_seen;
mod late_writes;
mod lock;
mod log_words;
mod old_trees;
mod order;
mod own_files;
mod place;
mod plan;
mod preflight;
mod progress;
mod record;
mod recovery;
mod secure_path;
mod settle;
mod stage;
mod stamps;
mod steps;
mod watch;
mod workspaces;

pub use applier::Applier;
pub use error::ApplyError;
pub use exchange::Exchange;
pub use exchanged_trees::ExchangedTree;
pub use faults::{Action, Faults, Operation};
pub use old_trees::OldTrees;
pub use order::{Order, Part};
pub use progress::Progress;
pub use secure_path::{InsecurePath, insecure_path};
pub use steps::{Interrupted, NoFaults, Step, Steps};

use std::{io, path::Path};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spacecp_contract::{Digest, DocumentId, Restart, TreePath};

/// Opens a component's directory for reading files in it whose paths may have links that do not lead out.
/// A link that others could have put there does not lead to another directory.
pub(crate) fn open_directory(path: &Path) -> io::Result<cap_std::fs::Dir> {
    let opened = secure_path::open(&disk::Disk::default(), path);
    let directory = opened.and_then(|(folder, _)| folder.for_reading());
    directory.map_err(|error| match error {
        ApplyError::File { source, .. } => source,
        error => io::Error::other(error),
    })
}

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
    /// Whether the component is stopped before the exchange and started after it; otherwise whatever
    /// has to restart is left to a person.
    pub restarts: bool,
    /// The health check that has to succeed.
    pub health: Option<String>,
    /// What preflight found.
    pub findings: Vec<Finding>,
    /// What would become of text files that were changed here, where somebody asked for that.
    #[serde(default)]
    pub differences: Vec<Difference>,
}

/// What would become of a text file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The file.
    pub path: TreePath,
    /// Whether it is not as the vendor shipped it: it was changed here.
    #[serde(default)]
    pub here: bool,
    /// From what is here to what the correction brings, as a unified difference; or why there is none.
    pub lines: String,
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

/// Several plans, in the order in which they are carried out: all of them, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JointPlan {
    /// The digest of all of them; of one, its own.
    pub digest: Digest,
    /// The plans. A later one counts on those before it.
    pub plans: Vec<Plan>,
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

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::InProgress,
        Self::Applied,
        Self::RolledBack,
        Self::Failed,
    ];

    /// The word that scripts use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in-progress",
            Self::Applied => "applied",
            Self::RolledBack => "rolled-back",
            Self::Failed => "failed",
        }
    }
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
