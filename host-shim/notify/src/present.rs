//! What is the case on this panel, as the other rooms say.

use std::collections::BTreeMap;

use spacecp_contract::{DocumentId, Severity};

use super::notice::Kind;

/// What is the case now.
#[derive(Debug, Clone, Default)]
pub struct Present {
    /// The exposures, with where each stands; none where nobody can say at the moment.
    pub exposures: Option<BTreeMap<(DocumentId, String), Exposure>>,
    /// The advisories that these name, and those that something was told about, as far as the panel
    /// has them.
    pub advisories: BTreeMap<DocumentId, About>,
    /// Whether an index is trusted. An advisory that something was told about and that is not among these is
    /// not listed by it then, and not just missing for a while.
    pub listed: bool,
    /// The applications that have come to their end, oldest first.
    pub applications: Vec<Application>,
    /// The corrections that the newest complete run of automatic application did not apply; none where
    /// there is no such run.
    pub not_applied: Option<Vec<NotApplied>>,
    /// The decisions that have come to their end by themselves, oldest first.
    pub decisions: Vec<Decision>,
    /// Whether the vendor's last word is good no more.
    pub stale: bool,
    /// Whether the plugin has stopped for good; none where it cannot be said.
    pub disabled: Option<bool>,
}

impl Present {
    /// Whether an advisory that something was told about is not here, and may come back: verdicts about it are
    /// not to be had, which is no good news. What the feed no longer lists was a thief's, and is forgotten.
    pub(super) fn may_return(&self, advisory: &DocumentId) -> bool {
        !self.listed && !self.advisories.contains_key(advisory)
    }

    /// Whether the feed no longer lists this advisory.
    pub(super) fn is_unlisted(&self, advisory: &DocumentId) -> bool {
        self.listed && !self.advisories.contains_key(advisory)
    }
}

/// A component that is exposed, or nobody can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// Its version, if it is known.
    pub version: Option<String>,
    /// Whether it is exposed; otherwise nobody can say.
    pub affected: bool,
    /// The correction that would end it, with its revision.
    pub correction: Option<(DocumentId, u64)>,
    /// Whether a decision stands for it: a workaround in place, an accepted risk.
    pub decided: bool,
}

/// What the verified advisory says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and no two of them exclude each other"
)]
pub struct About {
    /// Its revision.
    pub revision: u64,
    /// Its title.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// Whether attacks are known.
    pub known_exploited: bool,
    /// Whether it may not be spoken about.
    pub embargo: bool,
    /// Whether it was withdrawn.
    pub withdrawn: bool,
    /// Whether it describes a workaround.
    pub workaround: bool,
}

/// An application that has come to its end, or was held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Names it; empty if it was held back.
    pub id: String,
    /// How it ended.
    pub kind: Kind,
    /// The correction.
    pub correction: DocumentId,
    /// The advisories that it answers.
    pub advisories: Vec<DocumentId>,
    /// The component.
    pub component: String,
    /// From which version to which.
    pub change: [String; 2],
    /// Why, where this panel knows.
    pub reason: Option<String>,
}

/// A correction that a run of automatic application did not apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotApplied {
    /// The correction.
    pub correction: DocumentId,
    /// Its revision.
    pub revision: u64,
    /// The component.
    pub component: String,
    /// What preflight found in the way. None where it waits for something else, as for a window, and
    /// preflight was not asked.
    pub blocked: Option<Application>,
}

/// A decision that has come to its end by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its number.
    pub number: u64,
    /// How it ended.
    pub kind: Kind,
    /// What it was about.
    pub advisory: DocumentId,
    /// The component, if it was for one.
    pub component: Option<String>,
}
