//! What the audit log is told of an application that ends.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{Application, ApplyError, journal::State};
use spacecp_store::audit::{self, Ended, Event, What};

/// Who brings an application to its end.
#[derive(Debug, Clone, Default)]
pub(super) enum Acting {
    /// Whoever began it.
    #[default]
    Beginner,
    /// Somebody who takes it back.
    Somebody(String),
    /// Nobody: it was cut off, and is settled afterwards.
    Recovery,
}

/// Records that an application ended, in the transaction that ends it.
pub(super) async fn record(
    transaction: &mut SqliteConnection,
    application: &Application,
    state: State,
    acting: &Acting,
    now: Timestamp,
) -> Result<(), ApplyError> {
    let (what, outcome) = match state {
        State::Committed => (What::Applied, Ended::Applied),
        State::RolledBack => (What::RolledBack, Ended::RolledBack),
        _ => (What::Failed, Ended::Failed),
    };
    let (who, what) = match acting {
        Acting::Beginner => (application.by.as_str(), what),
        Acting::Somebody(who) => (who.as_str(), what),
        Acting::Recovery => ("this panel", What::Recovered),
    };
    let signed = audit::signed(transaction, &application.id).await?;
    let event = Event {
        advisories: signed.advisories,
        keys: signed.keys,
        correction: Some(application.correction.clone()),
        revision: Some(application.revision),
        component: Some(application.component.clone()),
        application: Some(application.id.clone()),
        outcome: Some(outcome),
        reason: application.reason.clone(),
        ..versions(application, state, Event::new(what, who))
    };
    audit::append(transaction, &event, now).await?;
    Ok(())
}

/// From which version to which: taking back leads the other way.
fn versions(application: &Application, state: State, event: Event) -> Event {
    let (from, to) = match state {
        State::RolledBack => (&application.to, &application.from),
        _ => (&application.from, &application.to),
    };
    Event {
        from: Some(from.clone()),
        to: Some(to.clone()),
        ..event
    }
}
