//! Why a component could not be stopped, started or called healthy.

use std::{io, path::PathBuf, process::ExitStatus, time::Duration};

/// Why a component could not be stopped, started or called healthy.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The configuration does not have it.
    #[error("{what} is not configured for {component}")]
    NotConfigured {
        /// The component.
        component: String,
        /// What is not there: `control`, or the name of a health check.
        what: String,
    },
    /// A command.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The lock that the command is to inherit cannot be opened.
    #[error("cannot open the lock {}: {source}", path.display())]
    InheritedLock {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// The health check never succeeded.
    #[error("health check {check:?} did not succeed within {} s: {seen}", within.as_secs())]
    Unhealthy {
        /// The check.
        check: String,
        /// The time that it had.
        within: Duration,
        /// What it saw last.
        seen: String,
    },
    /// The health check cannot be made at all.
    #[error("cannot run health check {check:?}: {reason}")]
    Check {
        /// The check.
        check: String,
        /// Why.
        reason: String,
    },
}

impl ControlError {
    pub(super) fn not_configured(component: &str, what: &str) -> Self {
        Self::NotConfigured {
            component: component.to_owned(),
            what: what.to_owned(),
        }
    }
}

/// Why a command did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It could not be run.
    #[error("cannot run {program:?}: {source}")]
    Run {
        /// The program.
        program: String,
        /// What is wrong.
        source: io::Error,
    },
    /// It ended, and not well.
    #[error("{program:?} failed with {status}{}", said(output))]
    Ended {
        /// The program.
        program: String,
        /// How.
        status: ExitStatus,
        /// The end of what it wrote.
        output: String,
    },
    /// It took too long, and was killed with everything that it had started.
    #[error("{program:?} did not end within {} s and was killed{}", within.as_secs(), said(output))]
    TimeOut {
        /// The program.
        program: String,
        /// The time that it had.
        within: Duration,
        /// The end of what it wrote.
        output: String,
    },
}

fn said(output: &str) -> String {
    match output.trim() {
        "" => String::new(),
        said => format!("; last output: {said}"),
    }
}
