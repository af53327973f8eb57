//! What administrators decided about this machine, in its inventory: paths that are not read, acknowledged; versions
//! that were not found, set. And in one line what was looked at.

use jiff::Timestamp;

use super::{Inventory, Report};

/// A path that is not read, acknowledged for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Names it on this panel.
    pub number: u64,
    /// The path, as a scan names it.
    pub place: String,
    /// Why it is not read: anything else that is wrong there is not covered.
    pub why: String,
    /// Who acknowledged it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Timestamp,
}

/// A version that was set for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetVersion {
    /// Names it on this panel.
    pub number: u64,
    /// The component.
    pub component: String,
    /// The version.
    pub version: String,
    /// Who set it.
    pub by: String,
    /// Until when.
    pub until: Timestamp,
}

/// A version that was set, and stands in the place of one that was not found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedVersion {
    /// What was set.
    pub set: SetVersion,
    /// Why none was found.
    pub problem: String,
}

impl Inventory {
    /// The same with these decisions, which hold.
    #[must_use]
    pub fn with_decisions(
        mut self,
        acknowledgements: &[Acknowledgement],
        versions: &[SetVersion],
    ) -> Self {
        for set in versions {
            self.set_version(set);
        }
        for unread in std::mem::take(&mut self.unread) {
            let why = unread.why.to_string();
            let mut all = acknowledgements.iter();
            match all.find(|one| one.place == unread.at && one.why == why) {
                Some(one) => self.acknowledged.push((unread, one.clone())),
                None => self.unread.push(unread),
            }
        }
        match self.acknowledged.len() {
            0 => {}
            1 => self.coverage.push_str(" 1 of these is acknowledged."),
            many => self.coverage += &format!(" {many} of these are acknowledged."),
        }
        self.fingerprint = self.digest();
        self
    }

    /// A version that was found counts for more than one that was set.
    fn set_version(&mut self, set: &SetVersion) {
        let name = &set.component;
        let configured = self.components.iter_mut().find(|one| one.name == *name);
        let problem = if let Some(component) = configured {
            fill(&mut component.version, &set.version)
        } else {
            let found = self.found.iter_mut().find(|one| one.name == *name);
            found.and_then(|found| fill(&mut found.version, &set.version))
        };
        if let Some(problem) = problem {
            let set = set.clone();
            self.set_versions
                .insert(name.clone(), AppliedVersion { set, problem });
        }
    }

    /// What was looked at, how much, and how much was not read, in one line.
    pub(super) fn covered(&self, report: &Report) -> String {
        report
            .summary()
            .unwrap_or_else(|| match self.components.len() {
                0 => "Nothing is scanned, and no components are configured.".to_owned(),
                1 => "Nothing is scanned: only the 1 component of the configuration is judged."
                    .to_owned(),
                many => format!(
                    "Nothing is scanned: only the {many} components of the configuration are judged."
                ),
            })
    }
}

/// Puts a version where there is none, and says why there was none.
fn fill<E: ToString>(known: &mut Result<String, E>, version: &str) -> Option<String> {
    let problem = known.as_ref().err()?.to_string();
    *known = Ok(version.to_owned());
    Some(problem)
}
