//! Holds one action of the plugin's plan against everything that the shim knows by itself.
//!
//! Nothing here is taken from the plugin but what it asks for. The correction is the verified one,
//! the severity is computed from the verified advisories, and the order of the questions is from
//! those that name a lie to those that only ask for patience.

use jiff::{SignedDuration, Timestamp};
use spacecp_contract::{Advisory, Correction, Severity};

use super::{ceiling::InForce, exposed, refusal::Refusal, rules::Treatment};
use spacecp_apply::inventory::{Component, Inventory};

/// What the plugin asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The correction's id.
    pub correction: String,
    /// Its revision.
    pub revision: u64,
    /// The component on this panel.
    pub component: String,
}

/// One reason to apply a correction: a flaw that it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The advisory.
    pub advisory: String,
    /// How bad it is.
    pub severity: Severity,
    /// Whether attacks are known.
    pub known_exploited: bool,
    /// When this panel had received advisory and correction.
    pub received: Timestamp,
    /// When the vendor had published these revisions of both.
    pub published: Timestamp,
}

/// What the shim knows by itself.
#[derive(Debug)]
pub struct Facts<'a> {
    /// Now.
    pub now: Timestamp,
    /// The rules.
    pub rules: &'a InForce,
    /// Until when the vendor's last word is good; none before the first.
    pub fresh_until: Option<Timestamp>,
    /// The current, verified correction of the id that was asked for.
    pub correction: Option<&'a Correction>,
    /// What is installed.
    pub inventory: &'a Inventory,
    /// The advisories in force that this correction answers, whatever they affect.
    pub causes: Vec<(&'a Advisory, Cause)>,
    /// Why this revision is in quarantine for this component, if it is.
    pub quarantined: Option<String>,
    /// The application of the component that has not ended, if there is one.
    pub under_way: Option<String>,
}

/// What an advisory and the correction that answers it say together.
pub fn cause_of(
    (advisory, advisory_received): (&Advisory, Timestamp),
    (correction, correction_received): (&Correction, Timestamp),
) -> Cause {
    Cause {
        advisory: advisory.id.to_string(),
        severity: spacecp_contract::rate(&advisory.severity).severity,
        known_exploited: advisory.known_exploited,
        // A fresh correction of an old flaw has been tried by nobody yet.
        received: advisory_received.max(correction_received),
        published: advisory.modified.max(correction.published),
    }
}

/// Whether an action may be carried out now.
pub fn check(asked: &Asked, facts: &Facts<'_>) -> Result<(), Refusal> {
    let policy = &facts.rules.policy;
    if !policy.automatic {
        return Err(Refusal::Off);
    }
    let (correction, component) = named(asked, facts)?;
    if facts.fresh_until.is_none_or(|until| until <= facts.now) {
        return Err(Refusal::Stale {
            since: facts.fresh_until,
        });
    }
    let ends = facts
        .causes
        .iter()
        .filter(|(advisory, _)| exposed::affects(advisory, component, facts.inventory));
    let causes: Vec<&Cause> = ends.map(|(_, cause)| cause).collect();
    if causes.is_empty() {
        return Err(Refusal::NotExposed {
            correction: asked.correction.clone(),
            component: asked.component.clone(),
        });
    }
    if policy.excluded.contains(&asked.component) {
        return Err(Refusal::Excluded {
            component: asked.component.clone(),
        });
    }
    if !policy.restarts.allow(correction.restart) {
        return Err(Refusal::Restart {
            correction: asked.correction.clone(),
            restart: correction.restart,
        });
    }
    if let Some(reason) = &facts.quarantined {
        return Err(Refusal::Quarantined {
            correction: asked.correction.clone(),
            revision: asked.revision,
            component: asked.component.clone(),
            reason: reason.clone(),
        });
    }
    if let Some(application) = &facts.under_way {
        return Err(Refusal::UnderWay {
            component: asked.component.clone(),
            application: application.clone(),
        });
    }
    in_time(asked, &causes, facts)
}

/// The correction and the component, if they are what they are said to be and belong together.
fn named<'a>(asked: &Asked, facts: &Facts<'a>) -> Result<(&'a Correction, &'a Component), Refusal> {
    let correction = facts.correction.ok_or_else(|| Refusal::UnknownCorrection {
        correction: asked.correction.clone(),
    })?;
    if correction.revision != asked.revision {
        return Err(Refusal::NotCurrent {
            correction: asked.correction.clone(),
            asked: asked.revision,
            current: correction.revision,
        });
    }
    let component =
        facts
            .inventory
            .component(&asked.component)
            .ok_or_else(|| Refusal::UnknownComponent {
                component: asked.component.clone(),
            })?;
    if component.advisory_name != correction.component {
        return Err(Refusal::WrongComponent {
            correction: asked.correction.clone(),
            component: asked.component.clone(),
            meant: correction.component.to_string(),
        });
    }
    if !exposed::fits(correction, component) {
        let version = component.version.as_ref();
        return Err(Refusal::Version {
            correction: asked.correction.clone(),
            component: asked.component.clone(),
            version: version.map_or_else(ToString::to_string, Clone::clone),
        });
    }
    Ok((correction, component))
}

/// Whether one of the flaws is grave enough and its time has come; otherwise the refusal that ends
/// first, or the one for the gravest flaw.
fn in_time(asked: &Asked, causes: &[&Cause], facts: &Facts<'_>) -> Result<(), Refusal> {
    let mut waits: Vec<Refusal> = Vec::new();
    let mut refused: Option<(&Cause, Treatment)> = None;
    for cause in causes {
        match may_begin(asked, cause, facts) {
            Ok(()) => return Ok(()),
            Err(Wait::For(refusal)) => waits.push(refusal),
            Err(Wait::ForSomebody(treatment)) => {
                if refused.is_none_or(|(worst, _)| cause.severity > worst.severity) {
                    refused = Some((cause, treatment));
                }
            }
        }
    }
    let soonest = waits
        .into_iter()
        .min_by_key(|wait| wait.due().unwrap_or(Timestamp::MAX));
    match (soonest, refused) {
        (Some(wait), _) => Err(wait),
        (None, Some((cause, treatment))) => Err(Refusal::Severity {
            advisory: cause.advisory.clone(),
            severity: cause.severity,
            treatment,
        }),
        // Without a flaw there is no reason.
        (None, None) => Err(Refusal::NotExposed {
            correction: asked.correction.clone(),
            component: asked.component.clone(),
        }),
    }
}

/// What a flaw still waits for.
enum Wait {
    For(Refusal),
    ForSomebody(Treatment),
}

fn may_begin(asked: &Asked, cause: &Cause, facts: &Facts<'_>) -> Result<(), Wait> {
    let (rules, policy, now) = (facts.rules, &facts.rules.policy, facts.now);
    let at_once = cause.known_exploited && policy.known_exploited_at_once;
    match policy.treatment(cause.severity) {
        Treatment::Auto => {}
        Treatment::Ask if at_once => {}
        other => return Err(Wait::ForSomebody(other)),
    }
    let due = if at_once && policy.known_exploited_skips_delay {
        now
    } else {
        due(cause, rules)
    };
    if now < due {
        return Err(Wait::For(Refusal::Early {
            correction: asked.correction.clone(),
            due,
        }));
    }
    let skips_windows = at_once && policy.known_exploited_skips_windows;
    if !skips_windows && !rules.hours.is_open(now) {
        return Err(Wait::For(Refusal::Closed {
            next: rules.hours.first_open(now),
        }));
    }
    Ok(())
}

/// When delay, minimum age and wave are over.
fn due(cause: &Cause, rules: &InForce) -> Timestamp {
    let hours = |hours: u32| SignedDuration::from_hours(i64::from(hours));
    let after = |time: Timestamp, wait: SignedDuration| {
        // What lies beyond the end of time never comes.
        time.checked_add(wait).unwrap_or(Timestamp::MAX)
    };
    let delayed = after(cause.received, hours(rules.policy.delay_hours));
    let aged = after(cause.published, hours(rules.policy.minimum_age_hours));
    after(delayed.max(aged), rules.wave)
}
