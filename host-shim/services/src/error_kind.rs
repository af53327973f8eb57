//! What kind of failure an error is: one table for the exit code of a command, the status of a page and the problem of
//! the API.
//!
//! May not: know a message. Who adds a way to fail says its kind in [`ServiceError::kind`]; what a kind means stands
//! here and nowhere else.

use spacecp_store::{StoreError, audit::AuditError};

use crate::{
    ServiceError, apply::ApplyError, automation::AutomationError, decisions::DecisionError,
    plugin::PluginError, report::ReportingError, sync::SyncError, tokens::TokenError,
};

/// What kind of failure an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Nothing of that name is here.
    NotFound,
    /// What was asked for cannot be understood.
    Invalid,
    /// Something that the configuration names cannot be used, or it lacks what is needed.
    Configuration,
    /// It may not be done as things stand; nothing was changed.
    Refused,
    /// What was shown is no longer what would be done.
    Drifted,
    /// Another process holds the lock.
    Busy,
    /// It is under embargo and may not be given out to programs.
    Embargo,
    /// Signatures say that it must not be believed.
    Distrusted,
    /// The state directory or what lies in it may have been changed by somebody else.
    UntrustedState,
    /// The feed could not be reached or followed.
    Feed,
    /// A receiver of notifications or reports did not take something.
    Delivery,
    /// The plugin is not there.
    PluginMissing,
    /// The plugin did not answer.
    PluginFailed,
    /// It was tried and did not work.
    Fault,
}

/// What a kind means wherever somebody is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// How a command ends.
    pub exit_code: u8,
    /// The HTTP status, of a page and of the API.
    pub status: u16,
    /// The last part of the type of the problem (RFC 9457), in the API.
    pub problem: &'static str,
    /// The title of the page and of the problem.
    pub title: &'static str,
}

impl ErrorKind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::NotFound,
        Self::Invalid,
        Self::Configuration,
        Self::Refused,
        Self::Drifted,
        Self::Busy,
        Self::Embargo,
        Self::Distrusted,
        Self::UntrustedState,
        Self::Feed,
        Self::Delivery,
        Self::PluginMissing,
        Self::PluginFailed,
        Self::Fault,
    ];

    /// What it means wherever somebody is told of it.
    pub const fn meaning(self) -> Meaning {
        let (exit_code, status, problem, title) = match self {
            Self::NotFound => (2, 404, "not-found", "Not found"),
            Self::Invalid => (2, 422, "malformed", "Invalid request"),
            Self::Configuration => (2, 500, "configuration", "Configuration incomplete"),
            Self::Refused => (3, 409, "refused", "Refused by the panel"),
            Self::Drifted => (3, 409, "drifted", "Changed meanwhile"),
            Self::Busy => (3, 409, "busy", "Another process holds the lock"),
            Self::Embargo => (3, 403, "embargo", "Under embargo"),
            Self::Distrusted => (3, 502, "distrusted", "Verification of the feed failed"),
            Self::UntrustedState => (3, 500, "state", "State directory not trusted"),
            Self::Feed => (4, 502, "feed", "Sync failed"),
            Self::Delivery => (4, 502, "delivery", "Delivery failed"),
            Self::PluginMissing => (3, 503, "plugin", "Plugin call failed"),
            Self::PluginFailed => (4, 503, "plugin", "Plugin call failed"),
            Self::Fault => (4, 500, "fault", "Request failed"),
        };
        Meaning {
            exit_code,
            status,
            problem,
            title,
        }
    }
}

impl ServiceError {
    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. }
            | Self::NoAdvisory(_)
            | Self::Plugin(PluginError::NotFound { .. }) => ErrorKind::NotFound,
            Self::File { .. } => ErrorKind::Configuration,
            Self::Store(error) => of_store(error),
            Self::Place(_) | Self::InsecureState { .. } | Self::Identity(_) => {
                ErrorKind::UntrustedState
            }
            Self::PinnedRoot { .. } => ErrorKind::Distrusted,
            Self::Fetch(_) => ErrorKind::Feed,
            Self::Sync(error) => of_sync(error),
            Self::Apply(error) => of_apply(error),
            Self::Automation(error) => of_automation(error),
            Self::Decision(error) => of_decision(error),
            Self::Reporting(error) => of_report(error),
            Self::Token(error) => of_token(error),
            Self::Audit(error) => of_audit(error),
            Self::ClockNotBehind { .. } | Self::NotCorrectable { .. } => ErrorKind::Refused,
            Self::NoPlugin(_) => ErrorKind::PluginMissing,
            Self::Plugin(_) => ErrorKind::PluginFailed,
            Self::NoRoomForPayloads { .. } | Self::Unserialisable(_) => ErrorKind::Fault,
        }
    }
}

/// What kind of failure one of the store's is.
pub fn of_store(error: &StoreError) -> ErrorKind {
    match error {
        StoreError::Place(_) => ErrorKind::UntrustedState,
        StoreError::NotLost(_) => ErrorKind::Refused,
        _ => ErrorKind::Fault,
    }
}

/// What kind of failure one of the audit log's is.
pub fn of_audit(error: &AuditError) -> ErrorKind {
    match error {
        AuditError::Damaged { .. } => ErrorKind::UntrustedState,
        AuditError::Store(error) => of_store(error),
    }
}

fn of_sync(error: &SyncError) -> ErrorKind {
    match error {
        SyncError::Trust(_) | SyncError::PinChanged { .. } => ErrorKind::Distrusted,
        SyncError::Store(error) => of_store(error),
        _ => ErrorKind::Feed,
    }
}

fn of_apply(error: &ApplyError) -> ErrorKind {
    match error {
        ApplyError::NotApplicable { .. }
        | ApplyError::Obstacle { .. }
        | ApplyError::WantsWord { .. }
        | ApplyError::Circle { .. }
        | ApplyError::SameFolder { .. }
        | ApplyError::NotAlone { .. }
        | ApplyError::Irreversible { .. } => ErrorKind::Refused,
        ApplyError::Drifted { .. } | ApplyError::NoLongerListed { .. } => ErrorKind::Drifted,
        ApplyError::Busy { .. } => ErrorKind::Busy,
        ApplyError::Payload(_) => ErrorKind::Feed,
        ApplyError::Store(error) => of_store(error),
        _ => ErrorKind::Fault,
    }
}

fn of_automation(error: &AutomationError) -> ErrorKind {
    match error {
        AutomationError::NotQuarantined { .. } | AutomationError::NoAppointment { .. } => {
            ErrorKind::NotFound
        }
        AutomationError::Fault(_) => ErrorKind::Invalid,
        AutomationError::Busy => ErrorKind::Busy,
        AutomationError::NoWindow | AutomationError::Exceeds(_) => ErrorKind::Refused,
        AutomationError::Store(error) => of_store(error),
        AutomationError::Lock(_) | AutomationError::Randomness(_) => ErrorKind::Fault,
    }
}

fn of_decision(error: &DecisionError) -> ErrorKind {
    match error {
        DecisionError::Store(error) => of_store(error),
        error if error.is_not_found() => ErrorKind::NotFound,
        _ => ErrorKind::Refused,
    }
}

fn of_report(error: &ReportingError) -> ErrorKind {
    match error {
        ReportingError::NoRecipient | ReportingError::NoMail => ErrorKind::Configuration,
        ReportingError::Typed(_) | ReportingError::Report(_) => ErrorKind::Invalid,
        ReportingError::Seal(_) => ErrorKind::Fault,
    }
}

fn of_token(error: &TokenError) -> ErrorKind {
    match error {
        TokenError::NotFound(_) => ErrorKind::NotFound,
        TokenError::Taken(_) | TokenError::TooMany => ErrorKind::Refused,
        TokenError::Scope(_) | TokenError::NoScope | TokenError::Name | TokenError::Passed(_) => {
            ErrorKind::Invalid
        }
        TokenError::Store(error) => of_store(error),
        TokenError::Randomness => ErrorKind::Fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_exit_code_one_status_and_one_problem() {
        // Numbers and words of the programs' interfaces: scripts rely on them.
        let table = ErrorKind::ALL.map(|kind| {
            let meaning = kind.meaning();
            (kind, meaning.exit_code, meaning.status, meaning.problem)
        });
        assert_eq!(
            table,
            [
                (ErrorKind::NotFound, 2, 404, "not-found"),
                (ErrorKind::Invalid, 2, 422, "malformed"),
                (ErrorKind::Configuration, 2, 500, "configuration"),
                (ErrorKind::Refused, 3, 409, "refused"),
                (ErrorKind::Drifted, 3, 409, "drifted"),
                (ErrorKind::Busy, 3, 409, "busy"),
                (ErrorKind::Embargo, 3, 403, "embargo"),
                (ErrorKind::Distrusted, 3, 502, "distrusted"),
                (ErrorKind::UntrustedState, 3, 500, "state"),
                (ErrorKind::Feed, 4, 502, "feed"),
                (ErrorKind::Delivery, 4, 502, "delivery"),
                (ErrorKind::PluginMissing, 3, 503, "plugin"),
                (ErrorKind::PluginFailed, 4, 503, "plugin"),
                (ErrorKind::Fault, 4, 500, "fault"),
            ]
        );
    }

    #[test]
    fn a_failure_has_the_kind_of_what_caused_it() {
        let busy = || ServiceError::from(AutomationError::Busy);
        let folder = || std::path::PathBuf::from("/srv/houston");
        for (error, kind) in [
            (ServiceError::no_correction("FIX-1"), ErrorKind::NotFound),
            (busy(), ErrorKind::Busy),
            (AutomationError::NoWindow.into(), ErrorKind::Refused),
            (
                AutomationError::NoAppointment { number: 4 }.into(),
                ErrorKind::NotFound,
            ),
            (
                ApplyError::NotApplicable {
                    correction: "FIX-1".to_owned(),
                    component: "lobby".to_owned(),
                    reason: "another component".to_owned(),
                }
                .into(),
                ErrorKind::Refused,
            ),
            (
                ApplyError::Busy { folder: folder() }.into(),
                ErrorKind::Busy,
            ),
            (
                ApplyError::File {
                    doing: "write",
                    path: folder(),
                    source: std::io::ErrorKind::StorageFull.into(),
                }
                .into(),
                ErrorKind::Fault,
            ),
            (DecisionError::NoReason.into(), ErrorKind::Refused),
            (TokenError::NoScope.into(), ErrorKind::Invalid),
            (
                TokenError::NotFound("fleet".to_owned()).into(),
                ErrorKind::NotFound,
            ),
            (ReportingError::NoRecipient.into(), ErrorKind::Configuration),
            (
                ServiceError::NoPlugin(crate::PluginLoadError::NoRoot),
                ErrorKind::PluginMissing,
            ),
        ] {
            assert_eq!(error.kind(), kind, "{error}");
        }
    }
}
