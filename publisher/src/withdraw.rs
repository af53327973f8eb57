//! Advisories that no longer hold: withdrawn, or superseded by another.
//!
//! Either is said by the next revision of an advisory, whose timeline has the reason: an entry of the
//! moment of withdrawal, or one that names what is superseded. Whoever shows the advisory finds it there.
//! Nothing is signed here.

use jiff::Timestamp;
use spacecp_contract::{Advisory, DocumentId, TimelineEntry};
use spacecp_formats::timeline;

/// The longest reason, in characters.
pub const LONGEST_REASON: usize = 1_000;

/// Why an advisory is not withdrawn or superseded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WithdrawError {
    /// It is withdrawn already.
    #[error("{id} was already withdrawn on {since}")]
    Withdrawn {
        /// The advisory.
        id: DocumentId,
        /// Since when.
        since: Timestamp,
    },
    /// What others wrote is withdrawn by them.
    #[error("{id} was imported from {source_id:?}; import it again after it is withdrawn there")]
    Foreign {
        /// The advisory.
        id: DocumentId,
        /// The document that it was made from.
        source_id: String,
    },
    /// A reason that nobody can read.
    #[error("invalid reason: it must be one line of 1 to {LONGEST_REASON} characters, but {0}")]
    Reason(&'static str),
    /// Nothing takes its own place.
    #[error("{0} cannot supersede itself")]
    Itself(DocumentId),
    /// They would take each other's place.
    #[error("{newer} is already superseded by {older}; the two would supersede each other")]
    Circle {
        /// The one that was to supersede.
        newer: DocumentId,
        /// The one that does.
        older: DocumentId,
    },
    /// It is said already.
    #[error("{newer} already supersedes {older}")]
    Superseded {
        /// The one that supersedes.
        newer: DocumentId,
        /// The other one.
        older: DocumentId,
    },
}

/// The next revision of an advisory, which withdraws it.
///
/// # Errors
///
/// [`WithdrawError`] where it is withdrawn already, was not written here, or the reason is no line.
pub fn withdrawn(
    advisory: Advisory,
    reason: &str,
    now: Timestamp,
) -> Result<Advisory, WithdrawError> {
    let reason = line(reason)?;
    holds(&advisory)?;
    let now = now.max(advisory.modified);
    let mut next = revised(advisory, now, timeline::withdrawal(reason));
    next.withdrawn = Some(now);
    Ok(next)
}

/// The next revision of `newer`, which takes the place of `older`.
///
/// # Errors
///
/// [`WithdrawError`] where one of them no longer holds, they are the same or in a circle, or it is said.
pub fn superseding(
    newer: Advisory,
    older: &Advisory,
    reason: &str,
    now: Timestamp,
) -> Result<Advisory, WithdrawError> {
    let reason = line(reason)?;
    let ids = || (newer.id.clone(), older.id.clone());
    if newer.id == older.id {
        return Err(WithdrawError::Itself(newer.id));
    }
    holds(&newer)?;
    if let Some(since) = older.withdrawn {
        let id = older.id.clone();
        return Err(WithdrawError::Withdrawn { id, since });
    }
    if newer.supersedes.contains(&older.id) {
        let (newer, older) = ids();
        return Err(WithdrawError::Superseded { newer, older });
    }
    if older.supersedes.contains(&newer.id) {
        let (newer, older) = ids();
        return Err(WithdrawError::Circle { newer, older });
    }
    let now = now.max(newer.modified);
    let event = timeline::supersession(&older.id, reason);
    let mut next = revised(newer, now, event);
    next.supersedes.push(older.id.clone());
    Ok(next)
}

fn revised(advisory: Advisory, now: Timestamp, event: String) -> Advisory {
    let mut next = advisory;
    next.revision = next.revision.saturating_add(1);
    next.modified = now;
    next.timeline.push(TimelineEntry { at: now, event });
    next
}

fn holds(advisory: &Advisory) -> Result<(), WithdrawError> {
    let id = || advisory.id.clone();
    if let Some(since) = advisory.withdrawn {
        return Err(WithdrawError::Withdrawn { id: id(), since });
    }
    match &advisory.source {
        Some(source) => Err(WithdrawError::Foreign {
            id: id(),
            source_id: source.id.clone(),
        }),
        None => Ok(()),
    }
}

fn line(reason: &str) -> Result<&str, WithdrawError> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(WithdrawError::Reason("is empty"));
    }
    if reason.chars().count() > LONGEST_REASON {
        return Err(WithdrawError::Reason("is longer"));
    }
    if reason.chars().any(char::is_control) {
        return Err(WithdrawError::Reason(
            "has several lines or control characters",
        ));
    }
    Ok(reason)
}

#[cfg(test)]
mod tests {
    use spacecp_contract::Audience;
    use spacecp_formats::timeline::{reason_of_supersession, reason_of_withdrawal};

    use super::*;
    use crate::drafts;

    const LATER: &str = "2030-01-01T00:00:00Z";

    fn later() -> Timestamp {
        LATER.parse().unwrap()
    }

    fn advisory(id: &str) -> Advisory {
        let id: DocumentId = id.parse().unwrap();
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let audience = Audience::new("customers").unwrap();
        let text = drafts::template(&id, &audience, now, &drafts::Known::default());
        toml::from_str(&text.replace("component = \"\"", "component = \"spacecp:houston\""))
            .unwrap()
    }

    #[test]
    fn withdrawing_makes_the_next_revision_and_keeps_the_reason() {
        let next = withdrawn(advisory("A-1"), " It was no flaw. ", later()).unwrap();
        assert_eq!((next.revision, next.withdrawn), (2, Some(later())));
        assert_eq!(next.modified, later());
        assert_eq!(reason_of_withdrawal(&next), Some("It was no flaw."));
    }

    #[test]
    fn what_is_withdrawn_is_not_withdrawn_again_nor_superseded() {
        let gone = withdrawn(advisory("A-1"), "No flaw.", later()).unwrap();
        let again = withdrawn(gone.clone(), "No flaw.", later());
        assert!(
            matches!(again, Err(WithdrawError::Withdrawn { .. })),
            "{again:?}"
        );
        let replaced = superseding(advisory("A-2"), &gone, "Better.", later());
        assert!(
            matches!(replaced, Err(WithdrawError::Withdrawn { .. })),
            "{replaced:?}"
        );
    }

    #[test]
    fn superseding_names_the_other_and_keeps_the_reason() {
        let (older, newer) = (advisory("A-1"), advisory("A-2"));
        let next = superseding(newer, &older, "The ranges were wrong.", later()).unwrap();
        assert_eq!(
            (next.revision, &next.supersedes),
            (2, &vec![older.id.clone()])
        );
        assert_eq!(
            reason_of_supersession(&next, &older.id),
            Some("The ranges were wrong.")
        );
        let again = superseding(next, &older, "Once more.", later());
        assert!(
            matches!(again, Err(WithdrawError::Superseded { .. })),
            "{again:?}"
        );
    }

    #[test]
    fn nothing_supersedes_itself_or_what_supersedes_it() {
        let (one, two) = (advisory("A-1"), advisory("A-2"));
        let itself = superseding(one.clone(), &one, "Why not.", later());
        assert!(
            matches!(itself, Err(WithdrawError::Itself(_))),
            "{itself:?}"
        );
        let two = superseding(two, &one, "Better.", later()).unwrap();
        let circle = superseding(one, &two, "Better still.", later());
        assert!(
            matches!(circle, Err(WithdrawError::Circle { .. })),
            "{circle:?}"
        );
    }

    #[test]
    fn a_reason_is_one_line_that_says_something() {
        for reason in [
            "",
            "  ",
            "two\nlines",
            "\u{1b}[2J",
            &"x".repeat(LONGEST_REASON + 1),
        ] {
            let refused = withdrawn(advisory("A-1"), reason, later());
            assert!(
                matches!(refused, Err(WithdrawError::Reason(_))),
                "{reason:?}"
            );
        }
    }

    #[test]
    fn the_draft_of_a_revision_reads_back_as_it_was() {
        let next = withdrawn(advisory("A-1"), "It's \"no\" flaw.", later()).unwrap();
        let written = drafts::written_out(&next).unwrap();
        assert_eq!(toml::from_str::<Advisory>(&written).unwrap(), next);
    }
}
