//! Whether what somebody wants to decide makes sense. No I/O.

use jiff::Timestamp;
use spacecp_contract::{Advisory, identity::is_same};

use super::{DecisionError, Kind, LONGEST_REASON, Wish};
use spacecp_apply::inventory::Inventory;

/// An acceptance wants an end, and none that is too far away; any end is in the time to come.
pub(super) fn check_end(
    kind: Kind,
    until: Option<Timestamp>,
    now: Timestamp,
    days: u32,
) -> Result<(), DecisionError> {
    let Some(until) = until else {
        return match kind {
            Kind::Acceptance => Err(DecisionError::NoEnd),
            Kind::Workaround => Ok(()),
        };
    };
    if until <= now {
        return Err(DecisionError::Passed { until });
    }
    let latest = super::latest(now, days);
    if kind == Kind::Acceptance && until > latest {
        return Err(DecisionError::TooFar {
            until,
            latest,
            days,
        });
    }
    Ok(())
}

/// The component must be here, and the advisory speak of it.
pub(super) fn check_component(
    advisory: &Advisory,
    inventory: &Inventory,
    wish: &Wish,
) -> Result<(), DecisionError> {
    let Some(name) = &wish.component else {
        return Ok(());
    };
    let component = inventory.installed_as(name).ok_or_else(|| {
        let component = name.clone();
        DecisionError::NoComponent { component }
    })?;
    let mut affected = advisory.affected.iter();
    if affected.any(|affected| is_same(&affected.component, component.advisory_name())) {
        return Ok(());
    }
    Err(DecisionError::Unrelated {
        advisory: advisory.id.clone(),
        component: name.clone(),
    })
}

/// The reason as it is kept; an acceptance wants one.
pub(super) fn checked_reason(wish: &Wish) -> Result<Option<String>, DecisionError> {
    let reason = checked_text(wish.reason.as_deref())?;
    match wish.kind() {
        Kind::Acceptance if reason.is_none() => Err(DecisionError::NoReason),
        _ => Ok(reason),
    }
}

/// A reason as it is kept; none where nothing was written.
pub(super) fn checked_text(reason: Option<&str>) -> Result<Option<String>, DecisionError> {
    let Some(reason) = reason.map(str::trim).filter(|reason| !reason.is_empty()) else {
        return Ok(None);
    };
    // A browser sends line breaks as it likes.
    let reason = reason.replace("\r\n", "\n");
    let unshowable = |character: char| character.is_control() && character != '\n';
    if reason.chars().count() > LONGEST_REASON || reason.contains(unshowable) {
        return Err(DecisionError::Reason);
    }
    Ok(Some(reason))
}
