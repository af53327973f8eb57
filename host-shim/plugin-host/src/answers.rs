//! Bounds the texts of what the plugin answers: the panel stores them, logs them and sends them on.
//!
//! What only explains is cut. A name that is cut would be another name, so that it is refused.

use super::bindings::exports::spacecp::advisories::{
    automation::Action,
    exposure::{ExposureReport, Verdict},
};

/// Bytes of a text that explains something.
const LONGEST_REASON: usize = 4 << 10;

/// Bytes of a name: of a component, which may have a path in it, or of a document.
const LONGEST_NAME: usize = 8 << 10;

/// Cuts the reasons of a report; an error where it has a name that is too long.
pub(super) fn bound_report(report: &mut ExposureReport) -> Result<(), String> {
    let repeated = report.repeated.iter_mut();
    let repeated = repeated.map(|one| (&mut one.verdict, one.same_flaw_as.as_str()));
    let verdicts = report.verdicts.iter_mut().map(|one| (one, ""));
    for (verdict, same_flaw_as) in verdicts.chain(repeated) {
        check_name(same_flaw_as)?;
        bound_verdict(verdict)?;
    }
    for one in &mut report.unreadable {
        check_name(&one.document.id)?;
        cut(&mut one.reason);
    }
    Ok(())
}

fn bound_verdict(verdict: &mut Verdict) -> Result<(), String> {
    check_name(&verdict.advisory.id)?;
    check_name(&verdict.component)?;
    check_name(verdict.correction.as_ref().map_or("", |one| &one.id))?;
    cut(&mut verdict.title);
    cut(&mut verdict.reason);
    if let Some(version) = &mut verdict.version {
        cut(version);
    }
    Ok(())
}

/// Cuts the reasons of a plan; an error where it has a name that is too long.
pub(super) fn bound_plan(plan: &mut [Action]) -> Result<(), String> {
    for action in plan {
        check_name(&action.correction.id)?;
        check_name(&action.component)?;
        action.advisories.iter().try_for_each(|id| check_name(id))?;
        cut(&mut action.reason);
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), String> {
    if name.len() <= LONGEST_NAME {
        return Ok(());
    }
    let length = name.len();
    Err(format!(
        "it has a name of {length} bytes, and {LONGEST_NAME} are allowed"
    ))
}

fn cut(text: &mut String) {
    text.truncate(text.floor_char_boundary(LONGEST_REASON));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::{
        exports::spacecp::advisories::automation::Decision, spacecp::advisories::types::DocumentRef,
    };

    fn action(component: usize, reason: usize) -> Action {
        Action {
            correction: DocumentRef {
                id: "SPACECP-SC-2026-0001".to_owned(),
                revision: 1,
            },
            component: "x".repeat(component),
            decision: Decision::Hold,
            reason: "é".repeat(reason),
            advisories: Vec::new(),
            due: None,
        }
    }

    #[test]
    fn a_reason_that_is_too_long_is_cut() {
        let mut plan = [action(10, 10), action(10, LONGEST_REASON)];
        assert_eq!(bound_plan(&mut plan), Ok(()));
        assert_eq!(plan[0].reason.len(), 20);
        assert_eq!(plan[1].reason.len(), LONGEST_REASON);
    }

    #[test]
    fn a_name_that_is_too_long_is_refused() {
        assert_eq!(bound_plan(&mut [action(LONGEST_NAME, 0)]), Ok(()));
        assert!(bound_plan(&mut [action(LONGEST_NAME + 1, 0)]).is_err());
    }
}
