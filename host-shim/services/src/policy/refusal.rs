//! Why the shim does not carry out what the plugin planned, each reason by name.

use jiff::Timestamp;
use spacecp_contract::{Restart, Severity};

use super::rules::Treatment;

/// Why an action of the plugin's plan is not carried out. Nothing was begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The switch.
    #[error("automatic application is disabled")]
    Off,
    /// Newer words of the vendor may exist.
    #[error("the data from the feed has expired{}; nothing is applied automatically until the next sync", stale_since(*.since))]
    Stale {
        /// Until when what is known was good.
        since: Option<Timestamp>,
    },
    /// There is no such document, or it is no correction.
    #[error("the feed has no correction {correction:?}")]
    UnknownCorrection {
        /// What was asked for.
        correction: String,
    },
    /// Another revision is current.
    #[error("revision {asked} of {correction} is outdated; the current revision is {current}")]
    NotCurrent {
        /// The correction.
        correction: String,
        /// The revision asked for.
        asked: u64,
        /// The current one.
        current: u64,
    },
    /// Nothing of that name is installed.
    #[error("no component {component:?} on this panel")]
    UnknownComponent {
        /// What was asked for.
        component: String,
    },
    /// The correction is for something else.
    #[error("{correction} is for {meant}, not for {component}")]
    WrongComponent {
        /// The correction.
        correction: String,
        /// The component.
        component: String,
        /// What it is for.
        meant: String,
    },
    /// The installed version is not one that the correction leads away from, or cannot be compared.
    #[error("{correction} does not list version {version} of {component}")]
    Version {
        /// The correction.
        correction: String,
        /// The component.
        component: String,
        /// What is installed.
        version: String,
    },
    /// No advisory in force says that the component, or a part of it, is affected.
    #[error("{component} is not affected by any advisory that {correction} fixes")]
    NotExposed {
        /// The correction.
        correction: String,
        /// The component.
        component: String,
    },
    /// The policy leaves the component alone.
    #[error("the policy excludes {component}")]
    Excluded {
        /// The component.
        component: String,
    },
    /// The policy leaves flaws of this severity to an administrator.
    #[error("{advisory} is {}; the policy for that is \"{}\"", .severity.name(), .treatment.word())]
    Severity {
        /// The gravest advisory that it answers.
        advisory: String,
        /// How bad that is.
        severity: Severity,
        /// What the policy says.
        treatment: Treatment,
    },
    /// Delay, minimum age or wave are not over.
    #[error("{correction} is delayed until {} (delay, minimum age and rollout wave)", minute(.due))]
    Early {
        /// The correction.
        correction: String,
        /// When the wait is over.
        due: Timestamp,
    },
    /// No window is open.
    #[error("no maintenance window is open{}", next_one(*.next))]
    Closed {
        /// When the next one opens.
        next: Option<Timestamp>,
    },
    /// The restart goes too far.
    #[error("{correction} restarts {}, which the policy does not allow", what_restarts(*.restart))]
    Restart {
        /// The correction.
        correction: String,
        /// What it restarts.
        restart: Restart,
    },
    /// It has failed here before, or somebody has taken it back.
    #[error("{correction} revision {revision} is in quarantine for {component}: {reason}")]
    Quarantined {
        /// The correction.
        correction: String,
        /// The revision.
        revision: u64,
        /// The component.
        component: String,
        /// Why.
        reason: String,
    },
    /// Another application of the component has not ended.
    #[error("apply run {application} of {component} is still in progress")]
    UnderWay {
        /// The component.
        component: String,
        /// The application.
        application: String,
    },
    /// It was tried in this run already.
    #[error("{correction} was already tried for {component} in this run")]
    Again {
        /// The correction.
        correction: String,
        /// The component.
        component: String,
    },
    /// Preflight found something that stands in the way, or wants a person's word.
    #[error("{correction} needs an administrator to apply it to {component}: {found}")]
    Preflight {
        /// The correction.
        correction: String,
        /// The component.
        component: String,
        /// What was found.
        found: String,
    },
}

impl Refusal {
    /// Its name, for scripts and logs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Stale { .. } => "stale",
            Self::UnknownCorrection { .. } => "unknown-correction",
            Self::NotCurrent { .. } => "not-current",
            Self::UnknownComponent { .. } => "unknown-component",
            Self::WrongComponent { .. } => "wrong-component",
            Self::Version { .. } => "version",
            Self::NotExposed { .. } => "not-exposed",
            Self::Excluded { .. } => "excluded",
            Self::Severity { .. } => "severity",
            Self::Early { .. } => "early",
            Self::Closed { .. } => "closed",
            Self::Restart { .. } => "restart",
            Self::Quarantined { .. } => "quarantined",
            Self::UnderWay { .. } => "under-way",
            Self::Again { .. } => "again",
            Self::Preflight { .. } => "preflight",
        }
    }

    /// When it would no longer be refused for this, where that is known.
    pub fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Early { due, .. } => Some(*due),
            Self::Closed { next } => *next,
            _ => None,
        }
    }
}

fn minute(time: &Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn stale_since(since: Option<Timestamp>) -> String {
    since.map_or(String::new(), |since| format!(" since {}", minute(&since)))
}

fn next_one(next: Option<Timestamp>) -> String {
    match next {
        Some(next) => format!("; the next one opens at {}", minute(&next)),
        None => ", none will open".to_owned(),
    }
}

fn what_restarts(restart: Restart) -> &'static str {
    match restart {
        Restart::None => "nothing",
        Restart::Component => "the component",
        Restart::Panel => "the panel",
    }
}
