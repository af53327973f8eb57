//! Which advisories have taken the place of which.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

/// Who supersedes whom, kept up to date advisory by advisory.
///
/// Advisories that supersede each other in a circle contradict themselves. They stay in force: the
/// alternative would be to believe that none of them holds.
#[derive(Debug, Default)]
pub(crate) struct Supersession {
    newer: FxHashMap<String, BTreeSet<String>>,
    older: FxHashMap<String, BTreeSet<String>>,
}

impl Supersession {
    /// Notes what an advisory supersedes, in place of what it said before. Returns every advisory
    /// whose standing may have changed.
    pub(crate) fn put<'a>(
        &mut self,
        advisory: &str,
        older: impl Iterator<Item = &'a str>,
    ) -> BTreeSet<String> {
        let mut changed = reach(&self.older, advisory);
        for old in self.older.remove(advisory).unwrap_or_default() {
            if let Some(newer) = self.newer.get_mut(&old) {
                newer.remove(advisory);
            }
        }
        for old in older.filter(|old| *old != advisory) {
            let (old, new) = (old.to_owned(), advisory.to_owned());
            self.newer
                .entry(old.clone())
                .or_default()
                .insert(new.clone());
            self.older.entry(new).or_default().insert(old);
        }
        changed.extend(reach(&self.older, advisory));
        changed
    }

    /// Forgets what an advisory supersedes.
    pub(crate) fn remove(&mut self, advisory: &str) -> BTreeSet<String> {
        self.put(advisory, std::iter::empty())
    }

    /// Whether another advisory has taken the place of this one.
    pub(crate) fn is_superseded(&self, advisory: &str) -> bool {
        let newer = reach(&self.newer, advisory);
        !newer.is_empty() && !newer.contains(advisory)
    }
}

/// Everything that can be reached from `start`; itself only by way of a circle.
fn reach(steps: &FxHashMap<String, BTreeSet<String>>, start: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(here) = open.pop() {
        for next in steps.get(here).into_iter().flatten() {
            if reached.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(said: &[(&str, &[&str])]) -> Supersession {
        let mut supersession = Supersession::default();
        for (advisory, older) in said {
            supersession.put(advisory, older.iter().copied());
        }
        supersession
    }

    #[test]
    fn a_later_word_that_no_longer_supersedes_puts_the_old_advisory_back_in_force() {
        let mut supersession = after(&[("B", &["A"])]);
        assert!(supersession.is_superseded("A"));
        assert!(supersession.remove("B").contains("A"));
        assert!(!supersession.is_superseded("A"));
    }

    #[test]
    fn one_of_two_superseders_is_enough() {
        let mut supersession = after(&[("B", &["A"]), ("C", &["A"])]);
        supersession.remove("C");
        assert!(supersession.is_superseded("A"));
    }

    #[test]
    fn advisories_that_supersede_each_other_stay_in_force() {
        let supersession = after(&[("A", &["B"]), ("B", &["C"]), ("C", &["A"]), ("D", &["D"])]);
        for id in ["A", "B", "C", "D"] {
            assert!(!supersession.is_superseded(id), "{id}");
        }
    }

    #[test]
    fn what_a_circle_supersedes_is_superseded() {
        let supersession = after(&[("A", &["B", "X"]), ("B", &["A"])]);
        assert!(supersession.is_superseded("X"));
    }
}
