//! What logs say of an error: which step failed, and what the system answered.
//!
//! Of an advisory under embargo a log has its id and nothing more. Paths, files, versions, components and the output
//! of commands tell what a correction changes, and where; the journal has them, for whoever may read it. Nobody here
//! asks whether a correction is under embargo: a log that says less of some than of others tells which they are.
//!
//! May not: name anything but ids.

use std::io;

use super::ApplyError;
use crate::control::{CommandError, ControlError};
use spacecp_feed::fetch::FetchError;

impl ApplyError {
    /// What a log may say of it.
    pub fn for_log(&self) -> String {
        match self {
            Self::File { doing, source, .. } => {
                format!("cannot {doing} a file: {}", of_the_system(source))
            }
            Self::Capabilities { source, .. } => format!(
                "cannot preserve file capabilities: {}",
                of_the_system(source)
            ),
            Self::Payload(FetchError::File { source, .. }) => {
                format!("cannot fetch a payload: {}", of_the_system(source))
            }
            Self::Payload(error) => format!("cannot fetch a payload: {error}"),
            Self::Control { doing, source, .. } => {
                format!("component could not be {doing}: {}", source.for_log())
            }
            Self::Unwell { source, .. } => source.for_log(),
            Self::NotRunning { cause, .. } => {
                format!("{}; component not restarted", cause.for_log())
            }
            Self::Store(error) => error.to_string(),
            Self::Interrupted(error) => error.to_string(),
            Self::NoLongerListed { correction, .. } => {
                format!("{correction} is no longer listed by the feed")
            }
            Self::Obstacle { plan } => format!("{} blocked by preflight", plan.correction),
            Self::WantsWord { plan } => format!("{} needs confirmation", plan.correction),
            _ => self.step().to_owned(),
        }
    }

    /// What failed, where there is nothing else to say of it.
    fn step(&self) -> &'static str {
        match self {
            Self::NotApplicable { .. } => "correction not applicable",
            Self::Drifted { .. } | Self::ChangedMeanwhile { .. } => {
                "installation changed during the apply run"
            }
            Self::Mounted { .. } => "file system mounted in a tree",
            Self::TooDeep { .. } => "directories nested too deep",
            Self::Leased { .. } => "file leased by another process",
            Self::Circle { .. } | Self::SameFolder { .. } | Self::NotAlone { .. } => {
                "corrections cannot be applied together"
            }
            Self::Busy { .. } => "another apply run in progress",
            Self::Contents { .. } => "payload does not match the correction",
            Self::Unverified { .. } => "verification of the staged tree failed",
            Self::Unhealthy { .. } => "component does not report the new version",
            Self::CommandGoesOn { .. } => "stop command still running",
            Self::Watchdog { .. } => "detached helper failed",
            Self::Undone { .. } => "detached helper rolled back",
            Self::NotRunningBack { .. } => "rolled back; component not restarted",
            Self::Irreversible { .. } => "apply run cannot be rolled back",
            Self::MayBeCommitted { .. } => "copy of the journal may be incomplete",
            Self::Stranger { .. } => "directory replaced by another program",
            Self::OutOfSight { .. } => "neither tree found",
            Self::Insecure { .. } => "directory writable by other users",
            Self::NotOwn { .. } => "workspace or lock not owned by the panel alone",
            _ => "apply run failed",
        }
    }
}

impl ControlError {
    /// What a log may say of it.
    pub fn for_log(&self) -> String {
        match self {
            Self::NotConfigured { .. } => "control or health check not configured".to_owned(),
            Self::Command(CommandError::Run { source, .. }) => {
                format!("cannot run a command: {}", of_the_system(source))
            }
            Self::Command(CommandError::Ended { status, .. }) => {
                format!("command failed with {status}")
            }
            Self::Command(CommandError::TimeOut { within, .. }) => {
                format!("command did not end within {} s", within.as_secs())
            }
            Self::InheritedLock { source, .. } => {
                format!("cannot open a lock: {}", of_the_system(source))
            }
            Self::Unhealthy { within, .. } => {
                format!("health check did not succeed within {} s", within.as_secs())
            }
            Self::Check { .. } => "cannot run a health check".to_owned(),
        }
    }
}

/// The system's own words; what is worded here may name a file.
fn of_the_system(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(_) => error.to_string(),
        None => error.kind().to_string(),
    }
}
