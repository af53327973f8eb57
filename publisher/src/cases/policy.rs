//! What the disclosure policy says of a broadcast: what it forbids, and which transitions of cases belong to it.
//!
//! Pure: cases and advisories go in, and the transitions come out, or the refusal.

use jiff::Timestamp;
use spacecp_contract::{Advisory, Digest, DocumentId, Tlp, encode};

use super::{
    advisory::faults,
    case::Case,
    case_store::CaseStoreError,
    id::CaseId,
    state_machine::{Entry, State, TransitionError},
    transition::{CaseTransition, Publication},
};
use crate::check::Fault;

/// Who publishes, and on which grounds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approval {
    /// Why an advisory is published that its finder has not approved of.
    pub without_review: Option<String>,
    /// Who publishes, for the cases that record it.
    pub by: Option<String>,
}

/// Why the disclosure policy forbids a broadcast.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A case that cannot be read may be about what is published.
    #[error("cannot find the cases of the broadcast documents: {0}")]
    Cases(#[from] CaseStoreError),
    /// An advisory that tells nobody what to do.
    #[error(
        "{0} has neither a solution nor a workaround, and the policy forbids publishing it. Discard it with \"discard-pending\""
    )]
    Unanswered(DocumentId),
    /// A case forbids the advisory by now, whatever it allowed when the advisory was signed.
    #[error("{advisory} is signed but cannot be published: {}. Discard it with \"discard-pending\"", fault.problem)]
    Fault {
        /// The advisory.
        advisory: DocumentId,
        /// What is wrong.
        fault: Fault,
    },
    /// A case that is not ready for a broadcast, or whose finder has not approved of the advisory.
    #[error("{advisory} is about {case}: {source}")]
    Transition {
        /// The advisory.
        advisory: DocumentId,
        /// The case.
        case: CaseId,
        /// What is wrong.
        source: TransitionError,
    },
    /// Cases record who publishes, and nobody was named.
    #[error("cases record who made each step: pass --by NAME or set SPACECP_BY")]
    Unnamed,
}

/// Refuses an advisory that tells nobody what to do.
///
/// # Errors
///
/// [`PolicyError::Unanswered`].
pub fn refuse_unanswered(advisory: &Advisory) -> Result<(), PolicyError> {
    if advisory.solution.trim().is_empty() && advisory.workarounds.is_empty() {
        return Err(PolicyError::Unanswered(advisory.id.clone()));
    }
    Ok(())
}

/// The transitions of these cases when this advisory is published at `at`.
///
/// # Errors
///
/// [`PolicyError`] where a case forbids it.
pub fn transitions(
    advisory: &Advisory,
    cases: &[Case],
    approval: &Approval,
    at: Timestamp,
) -> Result<Vec<CaseTransition>, PolicyError> {
    let mut transitions = Vec::new();
    let about = |case: &&Case| case.status().advisory() == Some(&advisory.id);
    for case in cases.iter().filter(about) {
        if let Some(fault) = faults(advisory, &[case]).into_iter().next() {
            let advisory = advisory.id.clone();
            return Err(PolicyError::Fault { advisory, fault });
        }
        let publications = publications(advisory, case, approval, at).map_err(|source| {
            PolicyError::Transition {
                advisory: advisory.id.clone(),
                case: case.id().clone(),
                source,
            }
        })?;
        for what in publications {
            let by = approval.by.as_deref().filter(|by| !by.trim().is_empty());
            transitions.push(CaseTransition {
                case: case.id().clone(),
                at,
                by: by.ok_or(PolicyError::Unnamed)?.to_owned(),
                what,
            });
        }
    }
    Ok(transitions)
}

/// What the broadcast of an advisory means for a case, each step tried on it.
fn publications(
    advisory: &Advisory,
    case: &Case,
    approval: &Approval,
    at: Timestamp,
) -> Result<Vec<Publication>, TransitionError> {
    let mut status = case.status().clone();
    let mut publications = Vec::new();
    if !status.state().is_published() {
        let approved = status.refuse_unreviewed(Some(&Digest::of(&encode(advisory))));
        let without_review = match (approved, &approval.without_review) {
            (Ok(()), _) => None,
            (Err(_), Some(reason)) => Some(reason.clone()),
            (Err(refused), None) => return Err(refused),
        };
        publications.push(Publication::Broadcast { without_review });
    }
    if advisory.tlp == Tlp::Clear && status.state() != State::Disclosed {
        publications.push(Publication::Disclosed);
    }
    for what in &publications {
        let transition = CaseTransition {
            case: case.id().clone(),
            at,
            by: String::new(),
            what: what.clone(),
        };
        status = status.after(&Entry {
            at,
            by: String::new(),
            event: transition.event(),
        })?;
    }
    Ok(publications)
}
