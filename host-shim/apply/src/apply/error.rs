//! Why a correction was not applied or taken back.

use std::{io, path::PathBuf};

use spacecp_contract::Digest;
use spacecp_fs::is_full;

use super::{InsecurePath, Interrupted, Plan, place::parent};
use crate::control::ControlError;
use spacecp_feed::fetch::FetchError;
use spacecp_store::StoreError;

/// Why a correction was not applied or taken back. Unless it says otherwise, the component is as it
/// was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// There is no plan to carry out.
    #[error("correction {correction} does not fit {component}: {reason}")]
    NotApplicable {
        /// The correction.
        correction: String,
        /// The component.
        component: String,
        /// Why.
        reason: String,
    },
    /// The feed has stopped listing the correction while it was being applied.
    #[error(
        "cannot apply {correction}: the feed no longer lists revision {revision}. Nothing was changed"
    )]
    NoLongerListed {
        /// The correction.
        correction: String,
        /// The revision that was being applied.
        revision: u64,
    },
    /// Preflight found something that stands in the way.
    #[error("cannot apply {} to {}: {}", plan.correction, plan.component, list(plan, true))]
    Obstacle {
        /// The plan with what was found.
        plan: Box<Plan>,
    },
    /// Preflight found something that wants a person's word.
    #[error("{} needs confirmation before it is applied to {}: {}. Review the plan, then repeat with --overwrite", plan.correction, plan.component, list(plan, false))]
    WantsWord {
        /// The plan with what was found.
        plan: Box<Plan>,
    },
    /// Something changed since the plan was shown.
    #[error("the installation changed since plan {} was made; the current plan is {}. Review it and confirm again", shown.short(), present.short())]
    Drifted {
        /// The digest of the plan that was shown.
        shown: Digest,
        /// The digest of the plan as it is now.
        present: Digest,
    },
    /// A file of the correction was written between the last look at it and the exchange.
    #[error("{path} of {component} was modified during the apply run. Check it, then apply again")]
    ChangedMeanwhile {
        /// The component.
        component: String,
        /// The file.
        path: String,
    },
    /// A file system was mounted in the tree while the correction was being applied.
    #[error(
        "a file system is mounted at {}. Unmount it, or list the directory around it under \"keep\", then apply again",
        path.display()
    )]
    Mounted {
        /// Where.
        path: PathBuf,
    },
    /// The file capabilities of the component cannot be given to its new tree.
    #[error(
        "cannot preserve the file capabilities of {}: {source}. Grant the panel's service CAP_SETFCAP, or remove the capabilities (setcap -r), apply again and set them afterwards",
        path.display()
    )]
    Capabilities {
        /// The file that has them.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// Directories nested deeper than anything that a component needs.
    #[error(
        "{} is nested more than 128 directories deep. Remove the nested directories, or list the path under \"keep\", then apply again",
        path.display()
    )]
    TooDeep {
        /// The directory.
        path: PathBuf,
    },
    /// More leases on files than are waited for.
    #[error(
        "cannot read {}: a process of the component's user holds leases on it and on other files. End that process (lslocks shows it), and repeat",
        path.display()
    )]
    Leased {
        /// The file.
        path: PathBuf,
    },
    /// Corrections that require each other.
    #[error("the corrections require each other in a cycle: {}", corrections.join(" → "))]
    Circle {
        /// The corrections, the first once more at the end.
        corrections: Vec<String>,
    },
    /// Two corrections for one folder.
    #[error("{first} and {second} both change {}; apply one after the other", folder.display())]
    SameFolder {
        /// One correction.
        first: String,
        /// The other.
        second: String,
        /// The folder.
        folder: PathBuf,
    },
    /// Somebody else is at it.
    #[error("another apply run is in progress at {}; retry when it has ended", folder.display())]
    Busy {
        /// The component's folder.
        folder: PathBuf,
    },
    /// A payload.
    #[error("cannot fetch a payload: {0}")]
    Payload(#[from] FetchError),
    /// A payload whose contents are not what the correction says.
    #[error("the payload for {path} does not match the correction: {reason}")]
    Contents {
        /// The file that it is for.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The staged tree is not what it should be.
    #[error("verification of the staged tree failed: {path} {reason}. Nothing was changed")]
    Unverified {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// After the exchange the component does not say the new version, so the old tree was put back.
    #[error(
        "{component} reports version {found:?} instead of {expected} after the exchange; rolled back"
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
        "the stop command of {component} is still running from before the interruption; recovery continues when it has ended"
    )]
    CommandGoesOn {
        /// The component.
        component: String,
    },
    /// With the new tree the component is not well, so the old one was put back.
    #[error("the health check of {component} failed with the new tree: {source}; rolled back")]
    Unwell {
        /// The component.
        component: String,
        /// What was seen.
        source: ControlError,
    },
    /// The process that was to go on while the panel is stopped.
    #[error(
        "cannot apply to {component}, which needs the panel to stop: the detached helper failed: {reason}"
    )]
    Watchdog {
        /// The component.
        component: String,
        /// What is wrong.
        reason: String,
    },
    /// The process that went on while the panel was stopped undid it.
    #[error("correction of {component} failed: {reason}")]
    Undone {
        /// The component.
        component: String,
        /// Why.
        reason: String,
    },
    /// A correction that stops the panel, together with others.
    #[error(
        "{correction} stops the panel, so it cannot be applied together with others; apply it alone"
    )]
    NotAlone {
        /// The correction.
        correction: String,
    },
    /// The right tree is in place, but the component that ran before may not run now.
    #[error("{cause}; then: {trouble}")]
    NotRunning {
        /// Why it was undone.
        cause: Box<ApplyError>,
        /// Which component, and what happened.
        trouble: String,
    },
    /// It was taken back, but the component that ran before may not run now.
    #[error("{id} was rolled back and the old tree restored, but {trouble}")]
    NotRunningBack {
        /// The application.
        id: String,
        /// Which component, and what happened.
        trouble: String,
    },
    /// Nothing to take back.
    #[error("cannot roll back apply run {id}: {reason}")]
    Irreversible {
        /// The application.
        id: String,
        /// Why.
        reason: String,
    },
    /// The copy of the journal does not say whether an application was committed, so nothing is undone.
    #[error(
        "cannot tell whether {id} was committed: the copy of the journal may be incomplete. {component} keeps the new tree. Restore store.sqlite from a backup, and check that {component} runs"
    )]
    MayBeCommitted {
        /// The application.
        id: String,
        /// The component.
        component: String,
    },
    /// What is in the component's place is neither tree of an application, so nothing is touched.
    #[error(
        "{} is neither the old nor the new tree: another program replaced it. One of the two is in {}; move it back, then run \"spacecp-advisories recover\". Until then nothing is changed",
        folder.display(), workspace.join("tree").display()
    )]
    Stranger {
        /// The component's folder.
        folder: PathBuf,
        /// The application's folder beside it.
        workspace: PathBuf,
    },
    /// What is in the component's place is not the new tree of an apply run that has not ended, and its workspace
    /// is not there.
    #[error(
        "neither tree of the apply run is found: {} is another directory, and {} does not exist. If something is mounted over {}, unmount it. If both trees are lost, as after a restore from a backup, create {} as an empty directory with mode 700. Then run \"spacecp-advisories recover\". Until then nothing is changed",
        folder.display(), workspace.display(), parent(folder).display(), workspace.display()
    )]
    OutOfSight {
        /// The component's folder.
        folder: PathBuf,
        /// The folder of the run beside it.
        workspace: PathBuf,
    },
    /// Other users could exchange what would be worked on.
    #[error("cannot work in {}: {insecure}. {}", folder.display(), remedy(insecure))]
    Insecure {
        /// The component's folder, or the directory that is configured for workspaces.
        folder: PathBuf,
        /// Who, and where.
        insecure: InsecurePath,
    },
    /// A directory or lock of the panel's that is not its own alone.
    #[error("cannot use {}: it belongs to user {owner} with mode {mode:03o}, but must belong to user {} without access for others. Find out who created it, then correct or move it", path.display(), rustix::process::geteuid().as_raw())]
    NotOwn {
        /// The directory or file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Its permission bits.
        mode: u32,
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

impl ApplyError {
    /// Whether something could not be written for want of space, or because the file system takes no writes.
    pub fn is_full(&self) -> bool {
        match self {
            Self::File { source, .. } => is_full(source),
            Self::Payload(error) => error.is_full(),
            Self::Store(error) => error.is_full(),
            Self::NotRunning { cause, .. } => cause.is_full(),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for ApplyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What to do about a path that others could exchange.
pub(super) fn remedy(insecure: &InsecurePath) -> String {
    format!(
        "Give {} to root or to user {}, writable by nobody else (chown, chmod go-w, setfacl -b), or set \"workspace\" under [apply] to a directory on the same file system that belongs to user {} with mode 700, in a directory where nobody else may write",
        insecure.path().display(),
        rustix::process::geteuid().as_raw(),
        rustix::process::geteuid().as_raw(),
    )
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
