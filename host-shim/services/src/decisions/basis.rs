//! What a decision rests on, and whether that is still so. No I/O.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spacecp_contract::{Advisory, Affected, Digest};

use super::{Decision, State};

/// Digests of the facts of an advisory that a decision rests on.
///
/// The order in which an advisory lists them is none of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Basis {
    /// Of the vectors, for an acceptance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    severity: Option<Digest>,
    /// Of the components and versions that are affected, for an acceptance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    affected: Option<Digest>,
    /// Whether attacks are known, for an acceptance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    known_exploited: Option<bool>,
    /// Of the workaround's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workaround: Option<Digest>,
}

impl Basis {
    /// What a decision about this advisory rests on; none if it has no such workaround.
    pub fn of(advisory: &Advisory, workaround: Option<&str>) -> Option<Self> {
        let Some(id) = workaround else {
            return Some(Self {
                severity: Some(sorted(&advisory.severity)),
                affected: Some(sorted(
                    &advisory.affected.iter().map(plain).collect::<Vec<_>>(),
                )),
                known_exploited: Some(advisory.known_exploited),
                workaround: None,
            });
        };
        let found = advisory.workarounds.iter().find(|one| one.id == id)?;
        Some(Self {
            severity: None,
            affected: None,
            known_exploited: None,
            workaround: Some(Digest::of(found.text.as_bytes())),
        })
    }

    /// What is no longer as it was.
    pub fn changed(&self, advisory: &Advisory, workaround: Option<&str>) -> Option<String> {
        let Some(now) = Self::of(advisory, workaround) else {
            return Some("the workaround was removed".to_owned());
        };
        let mut changed = Vec::new();
        if self.known_exploited != now.known_exploited {
            changed.push(if now.known_exploited == Some(true) {
                "now known to be exploited"
            } else {
                "no longer listed as known to be exploited"
            });
        }
        if self.severity != now.severity {
            changed.push("the severity changed");
        }
        if self.affected != now.affected {
            changed.push("the affected versions changed");
        }
        if self.workaround != now.workaround {
            changed.push("the text of the workaround changed");
        }
        (!changed.is_empty()).then(|| changed.join(", "))
    }
}

/// What is known of the advisory that a decision is about.
#[derive(Debug)]
pub(super) enum Known<'a> {
    /// Its present revision.
    Advisory(&'a Advisory),
    /// Nothing, and why.
    Nothing(&'a str),
}

/// Whether a decision that nobody has ended holds at `now`, and if not, why.
pub(super) fn judge(
    decision: &Decision,
    known: &Known<'_>,
    now: Timestamp,
) -> (State, Option<String>) {
    if decision.until.is_some_and(|until| until <= now) {
        return (State::Expired, None);
    }
    let advisory = match known {
        Known::Advisory(advisory) => advisory,
        Known::Nothing(why) => return (State::Unknown, Some((*why).to_owned())),
    };
    match decision
        .basis
        .changed(advisory, decision.workaround.as_deref())
    {
        Some(changed) => {
            let reason = format!("revision {}: {changed}", advisory.revision);
            (State::Reopened, Some(reason))
        }
        None => (State::Standing, None),
    }
}

/// One affected component, its ranges and versions in an order of their own.
fn plain(affected: &Affected) -> String {
    let mut ranges: Vec<String> = affected
        .ranges
        .iter()
        .map(|range| {
            let ends = json(&(&range.introduced, &range.fixed, &range.last_affected));
            // Beside the others only where there is one: decisions made before limits counted keep their basis.
            range.limit.iter().fold(ends, |ends, limit| ends + limit)
        })
        .collect();
    ranges.sort();
    let mut versions = affected.versions.clone();
    versions.sort();
    json(&(&affected.component, affected.scheme, ranges, versions))
}

/// The digest of a list, whatever its order.
fn sorted(list: &[String]) -> Digest {
    let mut list: Vec<&String> = list.iter().collect();
    list.sort();
    Digest::of(json(&list).as_bytes())
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and lists of them")
}
