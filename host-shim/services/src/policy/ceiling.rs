//! The ceiling: what the configuration file allows at most, whatever a page or a plugin says.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    hours::Hours,
    rules::{MinimumSeverity, Policy, PolicyFault, Restarts, Treatments, limits},
    window::Windows,
};

/// The most that automatic application may do, and the policy that administrators start with. A key that is not set
/// limits nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Ceiling {
    /// `false`: automatic application cannot be switched on. `true`: it is on until an administrator switches it off.
    /// Not set: it is off until an administrator switches it on.
    pub automatic: Option<bool>,
    /// Lowest severity that a policy may apply automatically. Not set: no limit, and policies start with `high`.
    pub minimum_severity: Option<MinimumSeverity>,
    /// Most that a policy may do for each severity.
    #[schema(default = json!({}))]
    pub severity: Treatments,
    /// `false`: a policy cannot apply corrections of known exploited vulnerabilities below `minimum-severity`.
    pub known_exploited_at_once: Option<bool>,
    /// `false`: delay, minimum age and waves hold for known exploited vulnerabilities too.
    pub known_exploited_skips_delay: Option<bool>,
    /// `false`: maintenance windows hold for known exploited vulnerabilities too.
    pub known_exploited_skips_windows: Option<bool>,
    /// Hours to wait at least after this panel received advisory and correction.
    #[schema(maximum = 8760)]
    pub delay_hours: u32,
    /// Hours to wait at least after the vendor published these revisions of advisory and correction.
    #[schema(maximum = 8760)]
    pub minimum_age_hours: u32,
    /// Maintenance windows, one `[[policy.window]]` table for each. Outside of them nothing starts; without any, every
    /// time is allowed.
    #[serde(rename = "window")]
    #[schema(value_type = Vec<super::window::Written>, max_items = 16)]
    pub windows: Windows,
    /// Most that may restart. Not set: no limit, and policies start with `component`.
    pub restarts: Option<Restarts>,
    /// Names of components that no policy may include.
    #[schema(max_items = 1000)]
    pub excluded: BTreeSet<String>,
    /// Hours over which panels with the same policy spread their start at least; each has an offset of its own.
    #[schema(maximum = 8760)]
    pub wave_hours: u32,
}

/// One respect in which a policy would go beyond the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excess {
    /// The field, as the configuration names it.
    pub field: &'static str,
    /// What is allowed, in words.
    pub allowed: String,
}

impl std::fmt::Display for Excess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.field, self.allowed)
    }
}

/// The rules in force: the stricter of policy and ceiling in every respect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// The rules. Their windows are the policy's own; [`hours`](Self::hours) has the ceiling's too.
    pub policy: Policy,
    /// When something may begin.
    pub hours: Hours,
    /// How long this host waits beyond the first ones.
    pub wave: SignedDuration,
}

impl Ceiling {
    /// The policy of a panel on which nobody has decided anything yet.
    pub fn initial(&self) -> Policy {
        Policy {
            automatic: self.automatic.unwrap_or(false),
            minimum_severity: self.minimum_severity.unwrap_or_default(),
            severity: self.severity,
            known_exploited_at_once: self.known_exploited_at_once.unwrap_or(false),
            known_exploited_skips_delay: self.known_exploited_skips_delay.unwrap_or(false),
            known_exploited_skips_windows: self.known_exploited_skips_windows.unwrap_or(false),
            delay_hours: self.delay_hours,
            minimum_age_hours: self.minimum_age_hours,
            windows: self.windows.clone(),
            restarts: self.restarts.unwrap_or_default(),
            excluded: self.excluded.clone(),
            wave_hours: self.wave_hours,
        }
    }

    /// What is in force when an administrator wants `policy`, on the host with this seed.
    pub fn bound(&self, policy: &Policy, seed: u64) -> InForce {
        let may = |allowed: Option<bool>, wanted: bool| wanted && allowed.unwrap_or(true);
        let bound = Policy {
            automatic: may(self.automatic, policy.automatic),
            minimum_severity: self
                .minimum_severity
                .map_or(policy.minimum_severity, |least| {
                    policy.minimum_severity.max(least)
                }),
            severity: policy.severity.stricter(self.severity),
            known_exploited_at_once: may(
                self.known_exploited_at_once,
                policy.known_exploited_at_once,
            ),
            known_exploited_skips_delay: may(
                self.known_exploited_skips_delay,
                policy.known_exploited_skips_delay,
            ),
            known_exploited_skips_windows: may(
                self.known_exploited_skips_windows,
                policy.known_exploited_skips_windows,
            ),
            delay_hours: policy.delay_hours.max(self.delay_hours),
            minimum_age_hours: policy.minimum_age_hours.max(self.minimum_age_hours),
            windows: policy.windows.clone(),
            restarts: self
                .restarts
                .map_or(policy.restarts, |most| policy.restarts.min(most)),
            excluded: policy.excluded.union(&self.excluded).cloned().collect(),
            wave_hours: policy.wave_hours.max(self.wave_hours),
        };
        InForce {
            hours: Hours::all([policy.windows.clone(), self.windows.clone()]),
            wave: bound.wave(seed),
            policy: bound,
        }
    }

    /// In which respects a policy would go beyond the configuration. Its windows cannot: what is
    /// outside the configured ones is closed all the same.
    pub fn exceeded(&self, policy: &Policy) -> Vec<Excess> {
        let bound = self.bound(policy, 0).policy;
        let mut beyond = Vec::new();
        let mut look = |within: bool, field: &'static str, allowed: String| {
            if !within {
                beyond.push(Excess { field, allowed });
            }
        };
        let off = || "not allowed by the configuration".to_owned();
        look(bound.automatic == policy.automatic, "automatic", off());
        look(
            bound.minimum_severity == policy.minimum_severity,
            "minimum-severity",
            format!("at least {}", bound.minimum_severity.word()),
        );
        look(
            bound.severity == policy.severity,
            "severity",
            format!(
                "at most low {}, medium {}, high {}, critical {}",
                self.severity.low.word(),
                self.severity.medium.word(),
                self.severity.high.word(),
                self.severity.critical.word()
            ),
        );
        look(
            bound.known_exploited_at_once == policy.known_exploited_at_once,
            "known-exploited-at-once",
            off(),
        );
        look(
            bound.known_exploited_skips_delay == policy.known_exploited_skips_delay,
            "known-exploited-skips-delay",
            off(),
        );
        look(
            bound.known_exploited_skips_windows == policy.known_exploited_skips_windows,
            "known-exploited-skips-windows",
            off(),
        );
        for (field, within, least) in [
            (
                "delay-hours",
                bound.delay_hours == policy.delay_hours,
                self.delay_hours,
            ),
            (
                "minimum-age-hours",
                bound.minimum_age_hours == policy.minimum_age_hours,
                self.minimum_age_hours,
            ),
            (
                "wave-hours",
                bound.wave_hours == policy.wave_hours,
                self.wave_hours,
            ),
        ] {
            look(within, field, format!("at least {least}"));
        }
        look(
            bound.restarts == policy.restarts,
            "restarts",
            format!("at most {}", bound.restarts.word()),
        );
        let left_out: Vec<&str> = self
            .excluded
            .difference(&policy.excluded)
            .map(String::as_str)
            .collect();
        look(
            left_out.is_empty(),
            "excluded",
            format!("{} stays excluded", left_out.join(", ")),
        );
        beyond
    }

    /// The first limit that the configuration breaks.
    pub fn fault(&self) -> Option<PolicyFault> {
        let hours = [
            ("a delay", self.delay_hours),
            ("a minimum age", self.minimum_age_hours),
            ("a spread", self.wave_hours),
        ];
        limits(hours, self.windows.0.len(), self.excluded.len())
    }
}
