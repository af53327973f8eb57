//! What administrators decided about this machine: a path that is not read and was looked at otherwise, and a version
//! that could not be read.
//!
//! They are facts that are only added, as decisions about exposures are, and in the audit log with their ends. Each
//! rests on why something was not read and on the file behind it: as soon as either changes it no longer holds, so that
//! it never hides something new.
//!
//! May not: make a verdict. What is acknowledged stays unread and is shown apart; a version that was set is judged as
//! one that was found.

mod log;
mod service;
mod stamp;

use jiff::Timestamp;
use serde::Serialize;
use spacecp_apply::inventory::{Acknowledgement, Component, Inventory, Report, SetVersion};

use super::{End, State};
pub use service::{NewLocalDecision, Subject};
use stamp::Stamp;

/// What a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LocalKind {
    /// A path that was not read is acknowledged.
    Unread,
    /// The version of a component is set.
    Version,
}

impl LocalKind {
    /// The word that the store and scripts use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Version => "version",
        }
    }
}

/// One decision about this machine, and whether it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LocalDecision {
    /// Names it among the decisions about this machine.
    pub number: u64,
    /// What kind it is.
    pub kind: LocalKind,
    /// The path as scans name it, or the component.
    pub subject: String,
    /// Why it was not read, as the scan said then.
    pub because: String,
    /// The version that was set.
    pub version: Option<String>,
    /// Who decided.
    pub by: String,
    /// When.
    pub made: Timestamp,
    /// Until when it is to hold.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// Whether it holds.
    pub state: State,
    /// How it ended.
    pub end: Option<End>,
    #[serde(skip)]
    stamp: Stamp,
}

/// Whether a path of a scan is this one or inside it; `!/` goes into an archive.
pub fn is_within(path: &str, outer: &str) -> bool {
    let inside = path.strip_prefix(outer.trim_end_matches('/'));
    let is_a_path = !outer.is_empty();
    inside.filter(|_| is_a_path).is_some_and(|inside| {
        inside.is_empty() || inside.starts_with('/') || inside.starts_with("!/")
    })
}

/// What a scan and the configuration say of the subjects of decisions.
pub(crate) struct Facts<'a> {
    components: &'a [Component],
    report: &'a Report,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(components: &'a [Component], report: &'a Report) -> Self {
        Self { components, report }
    }

    /// Why the subject of a decision was not read, as often as that was said; nothing where it is gone.
    fn reasons(&self, decision: &LocalDecision) -> Vec<String> {
        let subject = decision.subject.as_str();
        if decision.kind == LocalKind::Unread {
            let unread = self.report.unread.iter();
            let unread = unread.filter(|unread| unread.at == subject);
            return unread.map(|unread| unread.why.to_string()).collect();
        }
        let version = |known: Result<String, String>| match known {
            Ok(version) => format!("the version was found: {version}"),
            Err(problem) => problem,
        };
        let configured = self.components.iter().find(|one| one.name == subject);
        let configured = configured.map(|one| one.version.clone().map_err(|why| why.to_string()));
        let found = || {
            let found = self.report.found.iter().find(|one| one.name == subject)?;
            Some(found.version.clone())
        };
        configured.or_else(found).map(version).into_iter().collect()
    }

    /// The file behind the subject of a decision.
    fn stamp(&self, decision: &LocalDecision) -> Stamp {
        let subject = decision.subject.as_str();
        if decision.kind == LocalKind::Unread {
            return Stamp::of(subject);
        }
        let configured = self.components.iter().find(|one| one.name == subject);
        let found = || self.report.found.iter().find(|one| one.name == subject);
        match configured {
            Some(component) => Stamp::of_component(component),
            None => found().map_or_else(Stamp::default, |found| Stamp::of(&found.found_at)),
        }
    }

    /// Whether a decision that nobody has ended holds at `now`, and if not, why.
    fn judge(&self, decision: &LocalDecision, now: Timestamp) -> (State, Option<String>) {
        if decision.until <= now {
            return (State::Expired, None);
        }
        let reasons = self.reasons(decision);
        if reasons.is_empty() {
            // There is nothing to cover now, and nothing new either.
            return (State::Standing, None);
        }
        if !reasons.contains(&decision.because) {
            let reason = format!("the reason is another now: {}", reasons.join("; "));
            return (State::Reopened, Some(reason));
        }
        if self.stamp(decision) != decision.stamp {
            return (State::Reopened, Some("the file changed".to_owned()));
        }
        (State::Standing, None)
    }

    /// The decisions that hold at `now`, and those that have come to their end.
    pub(crate) fn sort(
        &self,
        standing: Vec<LocalDecision>,
        now: Timestamp,
    ) -> (Vec<LocalDecision>, Vec<LocalDecision>) {
        let judged = standing.into_iter().map(|decision| {
            let (state, reason) = self.judge(&decision, now);
            let by = super::PANEL.to_owned();
            let end = (state != State::Standing).then_some(End {
                at: now,
                by,
                reason,
            });
            LocalDecision {
                state,
                end,
                ..decision
            }
        });
        judged.partition(|decision| decision.state == State::Standing)
    }
}

/// The inventory as these decisions have it.
pub(crate) fn decided(inventory: Inventory, holding: &[LocalDecision]) -> Inventory {
    let of = |kind| holding.iter().filter(move |one| one.kind == kind);
    let acknowledged = of(LocalKind::Unread).map(|one| Acknowledgement {
        number: one.number,
        place: one.subject.clone(),
        why: one.because.clone(),
        by: one.by.clone(),
        reason: one.reason.clone(),
        until: one.until,
    });
    let versions = of(LocalKind::Version).filter_map(|one| {
        Some(SetVersion {
            number: one.number,
            component: one.subject.clone(),
            version: one.version.clone()?,
            by: one.by.clone(),
            until: one.until,
        })
    });
    inventory.with_decisions(
        &acknowledged.collect::<Vec<_>>(),
        &versions.collect::<Vec<_>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_within_the_directories_and_archives_around_it_and_nothing_else() {
        for outer in ["/srv/a.jar!/b.jar", "/srv/a.jar", "/srv", "/srv/", "/"] {
            assert!(is_within("/srv/a.jar!/b.jar", outer), "{outer}");
        }
        for other in ["", "srv", "/sr", "/srv/a", "/srv/a.jar!/b"] {
            assert!(!is_within("/srv/a.jar!/b.jar", other), "{other:?}");
        }
    }
}
