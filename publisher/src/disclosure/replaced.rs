//! Which advisories have taken the place of which, as panels see it.

use std::collections::{BTreeMap, BTreeSet};

use spacecp_contract::{Advisory, DocumentId};

/// Who supersedes whom.
///
/// A withdrawn advisory takes no place, and of those that supersede each other in a circle none does.
#[derive(Debug)]
pub(super) struct Replaced<'a> {
    newer: BTreeMap<&'a DocumentId, Vec<&'a Advisory>>,
}

impl<'a> Replaced<'a> {
    pub(super) fn by(advisories: &'a [Advisory]) -> Self {
        let mut newer: BTreeMap<_, Vec<&Advisory>> = BTreeMap::new();
        let in_force = advisories.iter().filter(|one| one.withdrawn.is_none());
        for advisory in in_force {
            for older in &advisory.supersedes {
                newer.entry(older).or_default().push(advisory);
            }
        }
        Self { newer }
    }

    /// What has directly taken the place of an advisory.
    pub(super) fn successors(&self, id: &'a DocumentId) -> impl Iterator<Item = &'a Advisory> {
        let direct = self.newer.get(id).cloned().unwrap_or_default();
        let circle = self.reach(id).contains(id);
        direct.into_iter().filter(move |_| !circle)
    }

    fn reach(&self, start: &'a DocumentId) -> BTreeSet<&'a DocumentId> {
        let mut reached = BTreeSet::new();
        let mut open = vec![start];
        while let Some(here) = open.pop() {
            for next in self.newer.get(here).into_iter().flatten() {
                if reached.insert(&next.id) {
                    open.push(&next.id);
                }
            }
        }
        reached
    }
}
