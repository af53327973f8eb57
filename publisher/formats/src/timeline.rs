//! How an advisory's timeline says why it was withdrawn, or which advisory it supersedes.
//!
//! OSV and CSAF documents repeat the reason, so both sides of the convention are here: the text of the entry,
//! and how it is read back.

use spacecp_contract::{Advisory, DocumentId, TimelineEntry};

const WITHDRAWN: &str = "Withdrawn: ";

const SUPERSEDES: &str = "Supersedes ";

/// The text of the entry that withdraws an advisory.
pub fn withdrawal(reason: &str) -> String {
    format!("{WITHDRAWN}{reason}")
}

/// The text of the entry by which an advisory supersedes `older`.
pub fn supersession(older: &DocumentId, reason: &str) -> String {
    format!("{SUPERSEDES}{older}: {reason}")
}

/// Why a withdrawn advisory was withdrawn, if its timeline says so.
pub fn reason_of_withdrawal(advisory: &Advisory) -> Option<&str> {
    let since = advisory.withdrawn?;
    let mut entries = advisory.timeline.iter();
    let entry = entries.find(|entry| entry.at == since && entry.event.starts_with(WITHDRAWN))?;
    entry.event.strip_prefix(WITHDRAWN)
}

/// Why `newer` supersedes `older`, if its timeline says so.
pub fn reason_of_supersession<'a>(newer: &'a Advisory, older: &DocumentId) -> Option<&'a str> {
    let prefix = supersession(older, "");
    let mut entries = newer.timeline.iter().rev();
    entries.find_map(|entry| entry.event.strip_prefix(&prefix))
}

/// Removes the entries that name a superseded advisory, unless `is_public` says that its id may be shown.
pub fn redact_superseded(
    timeline: &mut Vec<TimelineEntry>,
    is_public: impl Fn(&DocumentId) -> bool,
) {
    timeline.retain(|entry| {
        let named = entry.event.strip_prefix(SUPERSEDES);
        let named = named.and_then(|text| text.split_once(": "));
        let id = named.and_then(|(id, _)| id.parse().ok());
        id.is_none_or(|id| is_public(&id))
    });
}
