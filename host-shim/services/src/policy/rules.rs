//! The policy: what may be applied without being asked for, how soon, and when.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spacecp_contract::{Restart, Severity};
use utoipa::ToSchema;

use super::window::{MOST, Windows};

/// The longest delay, minimum age or spread of waves, in hours: a year.
pub const LONGEST_HOURS: u32 = 24 * 365;

/// Components that can be excluded by name.
const MOST_EXCLUDED: usize = 1_000;

/// What is done about flaws of one severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Treatment {
    /// Never corrected without an administrator, whatever else is said.
    Never,
    /// Left to an administrator.
    Ask,
    /// Corrected automatically.
    Auto,
}

impl Treatment {
    /// The word that configurations and forms use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Ask => "ask",
            Self::Auto => "auto",
        }
    }
}

/// What is done about vulnerabilities, by severity. One that is not rated, or rated 0, is always left to an
/// administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Treatments {
    /// CVSS score 0.1 to 3.9.
    pub low: Treatment,
    /// CVSS score 4.0 to 6.9.
    pub medium: Treatment,
    /// CVSS score 7.0 to 8.9.
    pub high: Treatment,
    /// CVSS score 9.0 to 10.0.
    pub critical: Treatment,
}

impl Default for Treatments {
    fn default() -> Self {
        Self {
            low: Treatment::Auto,
            medium: Treatment::Auto,
            high: Treatment::Auto,
            critical: Treatment::Auto,
        }
    }
}

impl Treatments {
    /// What is done about flaws of this severity.
    pub fn of(&self, severity: Severity) -> Treatment {
        match severity {
            Severity::Unrated | Severity::None => Treatment::Ask,
            Severity::Low => self.low,
            Severity::Medium => self.medium,
            Severity::High => self.high,
            Severity::Critical => self.critical,
        }
    }

    /// The stricter of both for each severity.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            medium: self.medium.min(other.medium),
            high: self.high.min(other.high),
            critical: self.critical.min(other.critical),
        }
    }
}

/// The severities that a policy can begin at.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum MinimumSeverity {
    /// Everything that is rated.
    Low,
    /// 4.0 and above.
    Medium,
    /// 7.0 and above.
    #[default]
    High,
    /// 9.0 and above.
    Critical,
}

impl MinimumSeverity {
    /// All of them, from the least.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The severity.
    pub fn severity(self) -> Severity {
        match self {
            Self::Low => Severity::Low,
            Self::Medium => Severity::Medium,
            Self::High => Severity::High,
            Self::Critical => Severity::Critical,
        }
    }

    /// The word that configurations and forms use.
    pub fn word(self) -> &'static str {
        self.severity().name()
    }
}

/// What may restart because of a correction that nobody asked for.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Restarts {
    /// Nothing: only corrections that need no restart are applied.
    None,
    /// The component that is corrected.
    #[default]
    Component,
    /// The panel, too.
    Panel,
}

impl Restarts {
    /// Whether a correction that wants this restart may be applied.
    pub fn allow(self, wanted: Restart) -> bool {
        match wanted {
            Restart::None => true,
            Restart::Component => self >= Self::Component,
            Restart::Panel => self >= Self::Panel,
        }
    }

    /// The word that configurations and forms use.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Component => "component",
            Self::Panel => "panel",
        }
    }
}

/// The administrator's rules for automatic application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a question of its own to the administrator"
)]
pub struct Policy {
    /// The switch: without it nothing is applied without being asked for.
    pub automatic: bool,
    /// Flaws below it are left to an administrator.
    pub minimum_severity: MinimumSeverity,
    /// What is done about flaws of each severity.
    pub severity: Treatments,
    /// Whether a flaw that is known to be exploited is corrected whatever its severity, unless that
    /// severity's treatment is "never".
    pub known_exploited_at_once: bool,
    /// Whether such a correction waits for neither delay, minimum age nor wave.
    pub known_exploited_skips_delay: bool,
    /// Whether such a correction does not wait for a window.
    pub known_exploited_skips_windows: bool,
    /// Hours from when this panel received advisory and correction, the later of both.
    pub delay_hours: u32,
    /// Hours from when the vendor published these revisions of both, the later of both.
    pub minimum_age_hours: u32,
    /// When something may begin; without windows at any time.
    pub windows: Windows,
    /// What may restart.
    pub restarts: Restarts,
    /// Components that are never corrected without being asked for, by their names on this panel.
    pub excluded: BTreeSet<String>,
    /// Hours over which hosts with this policy spread, each at an offset of its own.
    pub wave_hours: u32,
}

/// Why rules are no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// A number of hours.
    #[error("{what} of {hours} hours is too long; at most {LONGEST_HOURS} are allowed")]
    Hours {
        /// What it is for.
        what: &'static str,
        /// How many.
        hours: u32,
    },
    /// Too many windows.
    #[error("too many windows: {0}, at most {MOST} are allowed")]
    Windows(usize),
    /// Too many names.
    #[error("too many excluded components: {0}, at most {MOST_EXCLUDED} are allowed")]
    Excluded(usize),
}

impl Policy {
    /// What is done about flaws of this severity, the minimum considered.
    pub fn treatment(&self, severity: Severity) -> Treatment {
        let treatment = self.severity.of(severity);
        if severity < self.minimum_severity.severity() {
            treatment.min(Treatment::Ask)
        } else {
            treatment
        }
    }

    /// The first limit that these rules break.
    pub fn fault(&self) -> Option<PolicyFault> {
        let hours = [
            ("a delay", self.delay_hours),
            ("a minimum age", self.minimum_age_hours),
            ("a spread", self.wave_hours),
        ];
        limits(hours, self.windows.0.len(), self.excluded.len())
    }

    /// How long this host waits beyond the first ones: the same share of the spread at all times.
    ///
    /// `seed` is the host's own and made by chance. A host that comes late is not left out: its wait
    /// is over by then.
    pub fn wave(&self, seed: u64) -> jiff::SignedDuration {
        let spread = u64::from(self.wave_hours.min(LONGEST_HOURS)) * 3_600;
        let seconds = seed.checked_rem(spread).unwrap_or(0);
        jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0))
    }
}

/// The first of these limits that is broken.
pub(super) fn limits(
    hours: [(&'static str, u32); 3],
    windows: usize,
    excluded: usize,
) -> Option<PolicyFault> {
    let long = hours.into_iter().find(|(_, hours)| *hours > LONGEST_HOURS);
    if let Some((what, hours)) = long {
        return Some(PolicyFault::Hours { what, hours });
    }
    if windows > MOST {
        return Some(PolicyFault::Windows(windows));
    }
    (excluded > MOST_EXCLUDED).then_some(PolicyFault::Excluded(excluded))
}
