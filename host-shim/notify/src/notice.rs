//! What there is to be told: one notice.
//!
//! Of an advisory under embargo a notice has no place for more than its id: nothing that could be
//! said later was ever in it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spacecp_contract::{DocumentId, Severity};

/// What happened. The words are those of configurations and webhooks.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A component is exposed to an advisory.
    NewExposure,
    /// Nobody can say whether a component is exposed.
    Undecided,
    /// A component has been exposed for a while, and there is neither a correction nor a workaround
    /// in place.
    NoCorrection,
    /// A correction for an exposure has come, or a new revision of it.
    CorrectionAvailable,
    /// An advisory that concerns this panel has a new revision.
    AdvisoryUpdated,
    /// An advisory was withdrawn.
    Withdrawn,
    /// An advisory may be spoken about now.
    EmbargoLifted,
    /// A correction was applied.
    Applied,
    /// Applying a correction failed, and the component is as it was.
    Failed,
    /// A correction was taken back.
    RolledBack,
    /// A correction would be applied automatically, and preflight found something in the way.
    HeldBack,
    /// The vendor's last word is good no more.
    FeedStale,
    /// It is good again.
    FeedFresh,
    /// A risk is accepted no longer, or a mark no longer holds: its time has come.
    AcceptanceExpired,
    /// The same, because what it rests on has changed.
    AcceptanceReopened,
    /// The plugin does not run any more.
    PluginDisabled,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::NewExposure,
        Self::Undecided,
        Self::NoCorrection,
        Self::CorrectionAvailable,
        Self::AdvisoryUpdated,
        Self::Withdrawn,
        Self::EmbargoLifted,
        Self::Applied,
        Self::Failed,
        Self::RolledBack,
        Self::HeldBack,
        Self::FeedStale,
        Self::FeedFresh,
        Self::AcceptanceExpired,
        Self::AcceptanceReopened,
        Self::PluginDisabled,
    ];

    /// The word that configurations and webhooks use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewExposure => "new-exposure",
            Self::Undecided => "undecided",
            Self::NoCorrection => "no-correction",
            Self::CorrectionAvailable => "correction-available",
            Self::AdvisoryUpdated => "advisory-updated",
            Self::Withdrawn => "withdrawn",
            Self::EmbargoLifted => "embargo-lifted",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
            Self::HeldBack => "held-back",
            Self::FeedStale => "feed-stale",
            Self::FeedFresh => "feed-fresh",
            Self::AcceptanceExpired => "acceptance-expired",
            Self::AcceptanceReopened => "acceptance-reopened",
            Self::PluginDisabled => "plugin-disabled",
        }
    }

    /// Whether it is about the panel itself, and no severity is asked about it.
    pub fn is_about_the_panel(self) -> bool {
        matches!(
            self,
            Self::FeedStale | Self::FeedFresh | Self::PluginDisabled
        )
    }

    /// Whether it says what an advisory or the feed says, and nothing that was done here.
    pub(super) fn is_of_the_feed(self) -> bool {
        matches!(
            self,
            Self::NewExposure
                | Self::Undecided
                | Self::NoCorrection
                | Self::CorrectionAvailable
                | Self::AdvisoryUpdated
                | Self::Withdrawn
                | Self::EmbargoLifted
        )
    }

    /// Whether it is good news, for which nobody is woken up.
    pub fn is_good_news(self) -> bool {
        matches!(
            self,
            Self::Withdrawn | Self::EmbargoLifted | Self::Applied | Self::FeedFresh
        )
    }
}

impl Notice {
    /// The advisories that it is about.
    pub(super) fn advisories(&self) -> &[DocumentId] {
        match &self.subject {
            Subject::Embargoed(advisories) => advisories,
            Subject::Open(facts) => &facts.advisories,
        }
    }
}

/// Something that happened, as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Notice {
    /// What happened.
    pub kind: Kind,
    /// How bad the flaw is that it is about.
    pub severity: Severity,
    /// Whether that is known to be exploited.
    pub known_exploited: bool,
    /// What it is about.
    pub subject: Subject,
}

/// What a notice is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// Advisories of which one is under embargo, or may be: nothing but their ids.
    Embargoed(Vec<DocumentId>),
    /// What anybody may know.
    Open(Box<Facts>),
}

/// What a notice says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Facts {
    /// The advisories.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advisories: Vec<DocumentId>,
    /// The title of the advisory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The components on this panel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Installed>,
    /// The correction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correction: Option<DocumentId>,
    /// Whether a workaround is described.
    pub workaround: bool,
    /// From which version to which, for an application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<[String; 2]>,
    /// Why, where this panel knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A component on this panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Installed {
    /// Its name.
    pub name: String,
    /// Its version, if it is known.
    pub version: Option<String>,
}

/// A notice in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Its number on this panel.
    pub number: u64,
    /// When it happened.
    pub at: Timestamp,
    /// The notice.
    pub notice: Notice,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_word_that_configurations_read() {
        for kind in Kind::ALL {
            let word = serde_json::to_string(&kind).expect("a word");
            assert_eq!(word, format!("{:?}", kind.as_str()));
        }
    }
}
