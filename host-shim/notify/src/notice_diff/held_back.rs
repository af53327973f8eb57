//! Corrections that automatic application would apply, if preflight found nothing in the way.
//!
//! Each is told once with its reason. It is forgotten when it is free, so that it is told again if it is
//! held back anew; while it waits for something else nobody knows whether it is free.

use spacecp_contract::DocumentId;

use super::{Fact, News, Topic};
use crate::present::NotApplied;

impl News<'_> {
    pub(super) fn held_back(&mut self) {
        let present = self.present;
        let Some(not_applied) = &present.not_applied else {
            self.keep(|topic| matches!(topic, Topic::HeldBack(..)));
            return;
        };
        for one in not_applied {
            let topic = topic(&one.correction, &one.component);
            let before = self.told.get(&topic);
            if let Some(fact) = fact(one) {
                if before != Some(&fact)
                    && let Some(blocked) = &one.blocked
                {
                    self.application(blocked);
                }
                self.next.insert(topic, fact);
            } else if let Some(before) = before.filter(|before| is_of(before, one.revision)) {
                self.next.insert(topic, before.clone());
            }
        }
    }
}

fn topic(correction: &DocumentId, component: &str) -> Topic {
    Topic::HeldBack(correction.clone(), component.to_owned())
}

fn fact(one: &NotApplied) -> Option<Fact> {
    let reason = one.blocked.as_ref()?.reason.as_deref().unwrap_or_default();
    Some(Fact::HeldBack {
        revision: one.revision,
        // How many bytes are free changes from run to run; the reason stays the same.
        reason: reason.replace(|message: char| message.is_ascii_digit(), ""),
    })
}

fn is_of(fact: &Fact, wanted: u64) -> bool {
    matches!(fact, Fact::HeldBack { revision, .. } if *revision == wanted)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::{SignedDuration, Timestamp};
    use spacecp_contract::Severity;

    use super::super::{Told, compare};
    use crate::{
        notice::{Kind, Notice, Subject},
        present::{About, Application, NotApplied, Present},
    };

    fn not_applied(revision: u64, reason: Option<&str>) -> NotApplied {
        let correction = "SPACECP-SC-2026-0001".parse().expect("an id");
        let advisory = "SPACECP-SA-2026-0001".parse().expect("an id");
        NotApplied {
            correction,
            revision,
            component: "daemon".to_owned(),
            blocked: reason.map(|reason| Application {
                id: String::new(),
                kind: Kind::HeldBack,
                correction: "SPACECP-SC-2026-0001".parse().expect("an id"),
                advisories: vec![advisory],
                component: "daemon".to_owned(),
                change: ["1".to_owned(), "2".to_owned()],
                reason: Some(reason.to_owned()),
            }),
        }
    }

    fn present(embargo: bool, not_applied: Option<Vec<NotApplied>>) -> Present {
        let about = About {
            revision: 1,
            title: "A flaw".to_owned(),
            severity: Severity::High,
            known_exploited: false,
            embargo,
            withdrawn: false,
            workaround: false,
        };
        let id = "SPACECP-SA-2026-0001".parse().expect("an id");
        Present {
            advisories: BTreeMap::from([(id, about)]),
            not_applied,
            ..Present::default()
        }
    }

    /// What is told in each of these situations, one after the other.
    fn told(situations: Vec<Option<Vec<NotApplied>>>) -> Vec<usize> {
        let (mut told, mut counts) = (Told::new(), Vec::new());
        for situation in situations {
            let (notices, next) = look(&present(false, situation), &told);
            assert!(notices.iter().all(|notice| notice.kind == Kind::HeldBack));
            counts.push(notices.len());
            told = next;
        }
        counts
    }

    fn look(present: &Present, told: &Told) -> (Vec<Notice>, Told) {
        compare(
            present,
            told,
            SignedDuration::from_hours(24),
            Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn a_correction_that_is_held_back_is_told_once_for_each_revision_and_reason() {
        let one = |revision, reason| Some(vec![not_applied(revision, Some(reason))]);
        let counts = told(vec![
            one(1, "7 bytes are free"),
            one(1, "8 bytes are free"),
            None,
            one(1, "8 bytes are free"),
            one(1, "a device is in the tree"),
            one(2, "a device is in the tree"),
        ]);
        assert_eq!(counts, [1, 0, 0, 0, 1, 1]);
    }

    #[test]
    fn one_that_is_free_and_held_back_again_is_told_again_and_one_that_waits_is_not() {
        let held = || Some(vec![not_applied(1, Some("a device is in the tree"))]);
        let waits = || Some(vec![not_applied(1, None)]);
        let counts = told(vec![held(), waits(), held(), Some(Vec::new()), held()]);
        assert_eq!(counts, [1, 0, 0, 0, 1]);
    }

    #[test]
    fn under_embargo_nothing_is_said_of_what_is_in_the_way() {
        let held = vec![not_applied(1, Some("a device is in the tree"))];
        let (notices, _) = look(&present(true, Some(held)), &Told::new());
        assert!(matches!(&notices[0].subject, Subject::Embargoed(ids) if ids.len() == 1));
    }
}
