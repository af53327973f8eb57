//! Which old trees stay, and for how long.
//!
//! The newest application of a component can be taken back as long as its old tree is there. Older
//! ones cannot, but hold what was changed on this machine and replaced by a correction; the new tree of
//! one that was taken back holds what was written to it meanwhile.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{
    Applier, ApplyError,
    applied::described,
    folder::Folder,
    journal::{Entry, State},
    lock::Lock,
    recovery::{clean_up, place, set_tree_aside, size},
};

/// How long old trees stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldTrees {
    /// Days after which every old tree goes.
    pub days: u32,
    /// Bytes of all old trees together. The oldest go first; one that its component can be taken back
    /// to stays whatever it takes up.
    pub bytes: u64,
}

/// An old tree that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OldTree {
    application: String,
    ended: Timestamp,
    bytes: u64,
    reversible: bool,
}

/// Whether the tree that is not live stays for a while: the old one, or the new one after a rollback, to
/// which the component may have written.
fn leaves_a_tree(state: State) -> bool {
    matches!(state, State::Committed | State::RolledBack)
}

/// The applications whose old trees go; `trees` begin with the newest.
fn surplus(trees: &[OldTree], limits: OldTrees, now: Timestamp) -> BTreeSet<&str> {
    let longest = SignedDuration::from_hours(24 * i64::from(limits.days));
    let (mut gone, mut bytes) = (BTreeSet::new(), 0_u64);
    let (keep, others): (Vec<_>, Vec<_>) = trees.iter().partition(|tree| tree.reversible);
    for tree in keep.into_iter().chain(others) {
        let too_old = now.duration_since(tree.ended) > longest;
        let too_much = !tree.reversible && bytes.saturating_add(tree.bytes) > limits.bytes;
        if too_old || too_much {
            gone.insert(tree.application.as_str());
        } else {
            bytes = bytes.saturating_add(tree.bytes);
        }
    }
    gone
}

impl Applier {
    /// Removes old trees that have been kept long enough. To be called when no application is under
    /// way here; a component that another process works on is left alone.
    #[tracing::instrument(name = "old-trees", skip_all)]
    pub async fn clear_old_trees(&self, now: Timestamp) -> Result<(), ApplyError> {
        let mut trees = Vec::new();
        for entry in self.journal.carried_out().await? {
            if let Some(tree) = self.tree_of(&entry) {
                trees.push(self.old_tree(entry, &tree).await?);
            }
        }
        for id in surplus(&trees, self.old_trees, now) {
            // What one component's user did to its tree must not keep the old trees of all the others.
            if let Err(error) = self.clear_old_tree(id).await {
                tracing::warn!(
                    application = id,
                    error = error.for_log(),
                    "cannot remove old tree"
                );
            }
        }
        Ok(())
    }

    async fn clear_old_tree(&self, id: &str) -> Result<(), ApplyError> {
        let folder = self.known(id).await?.folder;
        let _lock = match Lock::take(&self.workspaces(), &folder) {
            Err(ApplyError::Busy { .. }) => return Ok(()),
            lock => lock?,
        };
        // Under the lock: it may just have been taken back.
        let entry = self.known(id).await?;
        if leaves_a_tree(entry.state) {
            tracing::info!(application = id, "removing old tree: retention expired");
            clean_up(&self.disk, &entry)?;
        }
        Ok(())
    }

    /// Removes what is left beside the component. What cannot be removed is tried again after the next
    /// application; it is never a reason to leave this one without an end.
    pub(super) fn tidy(&self, entry: &Entry) {
        // A copy of the journal may not know of an exchange after which the component wrote to this tree.
        let may_hold_data =
            self.journal.stands_in() && entry.exchanged.is_none() && entry.new_tree.is_some();
        let kept = if may_hold_data {
            set_tree_aside(&self.disk, entry)
        } else {
            Ok(())
        };
        if let Err(error) = kept.and_then(|()| clean_up(&self.disk, entry)) {
            let id = &entry.application.id;
            tracing::warn!(
                application = id,
                error = error.for_log(),
                "cannot remove leftovers of an apply run"
            );
        }
    }

    /// Removes what applications that came to their end could not remove any more.
    pub(super) async fn sweep(&self) -> Result<(), ApplyError> {
        for entry in self.journal.newest(u32::MAX).await? {
            let place = place(&self.disk, &entry);
            if !entry.state.is_final() || !place.is_ok_and(|place| place.is_some()) {
                continue;
            }
            let _lock = match Lock::take(&self.workspaces(), &entry.folder) {
                Ok(lock) => lock,
                Err(ApplyError::Busy { .. }) => continue,
                Err(error) => {
                    tracing::warn!(
                        application = entry.application.id,
                        error = error.for_log(),
                        "cannot remove leftovers of an apply run"
                    );
                    continue;
                }
            };
            // Under the lock: it may just have begun to be taken back.
            let entry = self.known(&entry.application.id).await?;
            match entry.state {
                state if leaves_a_tree(state) && self.tree_of(&entry).is_some() => {
                    self.drop_payload(&entry);
                }
                state if state.is_final() => self.tidy(&entry),
                _ => {}
            }
        }
        Ok(())
    }

    /// The tree in the workspace of an application. One that cannot be reached safely is none.
    fn tree_of(&self, entry: &Entry) -> Option<Folder> {
        let tree = place(&self.disk, entry).and_then(|place| match place {
            Some(place) => place.other(),
            None => Ok(None),
        });
        tree.unwrap_or_else(|error| {
            let id = &entry.application.id;
            tracing::debug!(
                application = id,
                error = error.for_log(),
                "cannot open old tree"
            );
            None
        })
    }

    async fn old_tree(&self, entry: Entry, tree: &Folder) -> Result<OldTree, ApplyError> {
        let id = entry.application.id.clone();
        let bytes = if let Some(bytes) = entry.old_bytes {
            bytes
        } else {
            let bytes = tokio::task::block_in_place(|| size(tree));
            self.journal.old_bytes(&id, bytes).await?;
            bytes
        };
        let application = described(entry);
        Ok(OldTree {
            application: id,
            ended: application.ended.unwrap_or(application.began),
            bytes,
            reversible: application.reversible,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);
    const LIMITS: OldTrees = OldTrees {
        days: 30,
        bytes: 100,
    };

    fn tree(application: &str, days: i64, bytes: u64, reversible: bool) -> OldTree {
        OldTree {
            application: application.to_owned(),
            ended: NOW - SignedDuration::from_hours(24 * days),
            bytes,
            reversible,
        }
    }

    fn gone(trees: &[OldTree]) -> Vec<&str> {
        surplus(trees, LIMITS, NOW).into_iter().collect()
    }

    #[test]
    fn what_is_too_old_goes_even_if_it_could_be_taken_back() {
        let trees = [tree("new", 30, 1, true), tree("old", 31, 1, true)];
        assert_eq!(gone(&trees), ["old"]);
    }

    #[test]
    fn an_old_tree_stays_to_the_last_instant_of_its_days() {
        let instant = SignedDuration::from_nanos(1);
        let trees = [tree("old", 30, 1, true)];
        assert!(surplus(&trees, LIMITS, NOW).is_empty());
        assert_eq!(surplus(&trees, LIMITS, NOW + instant), ["old"].into());
    }

    #[test]
    fn other_old_trees_fill_the_room_to_the_last_byte() {
        for (bytes, stays) in [(100, true), (101, false)] {
            assert_eq!(gone(&[tree("one", 1, bytes, false)]).is_empty(), stays);
        }
    }

    #[test]
    fn what_can_be_taken_back_stays_whatever_its_size() {
        let trees = [tree("a", 1, 1_000, true), tree("b", 2, 1_000, true)];
        assert_eq!(gone(&trees), Vec::<&str>::new());
    }

    #[test]
    fn of_the_others_the_newest_stay_that_there_is_room_for() {
        let trees = [
            tree("newest", 1, 40, true),
            tree("second", 2, 40, false),
            tree("third", 3, 40, false),
            tree("fourth", 4, 20, false),
        ];
        assert_eq!(gone(&trees), ["third"]);
    }

    #[test]
    fn a_clock_that_goes_backwards_removes_nothing() {
        assert_eq!(gone(&[tree("later", -400, 1, true)]), Vec::<&str>::new());
    }
}
