//! What cases have to do with advisories and broadcasts, as the command line says it.

use anyhow::{Context, Result};
use spacecp_contract::Advisory;

use super::{broadcast_arguments::Publisher, cases::named, cli_context::CliContext};
use crate::{
    cases::{self, case::Case, policy::Approval},
    check::Fault,
};

impl CliContext<'_> {
    /// What the cases of an advisory forbid.
    pub(super) fn faults_of_cases(&self, advisory: &Advisory) -> Result<Vec<Fault>> {
        let cases = self
            .cases()
            .all_readable()
            .with_context(|| format!("cannot find the case of {}", advisory.id))?;
        let about = |case: &&Case| case.status().advisory() == Some(&advisory.id);
        let about: Vec<&Case> = cases.iter().filter(about).collect();
        Ok(cases::advisory::faults(advisory, &about))
    }
}

/// Who publishes, and on which grounds.
pub(super) fn approval(Publisher { without_review, by }: &Publisher) -> Approval {
    Approval {
        without_review: without_review.clone(),
        // Whoever is not named is asked for by the library, where a case has to record it.
        by: named(by.as_deref()).ok(),
    }
}
