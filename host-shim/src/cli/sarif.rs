//! Verdicts as SARIF 2.1.0 (OASIS), for tools that gather findings.
//!
//! An advisory is a rule, an exposure a result. What is given here is given out as it is: whoever calls
//! hides what may not be passed on.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::plugin::bindings::exports::spacecp::advisories::{
    exposure::{Status, Verdict},
    pages::Severity,
};
use crate::services::{counted_status, mark_word, matters};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What kept the verdicts from being about everything.
#[derive(Debug)]
pub(super) struct Problem {
    /// Of which kind it is.
    pub(super) id: &'static str,
    /// Whether nobody has acknowledged it.
    pub(super) is_serious: bool,
    pub(super) place: Option<String>,
    pub(super) words: String,
}

impl Problem {
    /// SARIF 2.1.0, section 3.58.
    fn notification(&self) -> Value {
        let mut notification = json!({
            "descriptor": { "id": self.id },
            "level": if self.is_serious { "error" } else { "note" },
            "message": { "text": self.words },
        });
        if let Some(place) = &self.place {
            // A path within an archive is no address.
            notification["locations"] = json!([{ "logicalLocations": [{ "fullyQualifiedName": place, "kind": "resource" }] }]);
        }
        notification
    }
}

/// These verdicts, and those of notices, as a SARIF log. Only what is exposed or undecided is a result; where there were
/// problems, what is not there says nothing, and the log says so.
pub(super) fn log(verdicts: &[Verdict], notices: &[Verdict], problems: &[Problem]) -> Value {
    let told = verdicts.iter();
    let told = told.filter(|one| matters(one));
    let told: Vec<&Verdict> = told.collect();
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    for verdict in told.iter().copied().chain(notices) {
        rules
            .entry(&verdict.advisory.id)
            .or_insert_with(|| rule(verdict));
    }
    let places: BTreeMap<&str, usize> = rules
        .keys()
        .enumerate()
        .map(|(place, id)| (*id, place))
        .collect();
    let results = told.iter().map(|one| result(one, &places));
    let noticed = notices.iter().map(|one| notice(one, &places));
    let results: Vec<Value> = results.chain(noticed).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "spacecp-advisories",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_values().collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": !problems.iter().any(|problem| problem.is_serious),
                "toolExecutionNotifications":
                    problems.iter().map(Problem::notification).collect::<Vec<_>>(),
            }],
            "results": results,
        }],
    })
}

fn rule(verdict: &Verdict) -> Value {
    let mut rule = json!({
        "id": verdict.advisory.id,
        "shortDescription": { "text": verdict.title },
        "properties": {
            "revision": verdict.advisory.revision,
            "known-exploited": verdict.known_exploited,
            "tags": ["security"],
        },
    });
    if let Some(score) = verdict.score {
        // What gatherers of findings sort by; a text, as they want it.
        rule["properties"]["security-severity"] = json!(format!("{}.{}", score / 10, score % 10));
    }
    rule
}

fn result(verdict: &Verdict, places: &BTreeMap<&str, usize>) -> Value {
    let version = verdict.version.as_deref().unwrap_or("(unknown version)");
    let reason = &verdict.reason;
    let words = match counted_status(verdict) {
        Status::Affected if verdict.status != Status::Affected => format!(
            "{} {version} is fixed, but an earlier version still runs: {reason}",
            verdict.component
        ),
        Status::Affected => format!("{} {version} is affected: {reason}", verdict.component),
        _ => format!(
            "Whether {} {version} is affected is unknown: {reason}",
            verdict.component
        ),
    };
    let mut result = json!({
        "ruleId": verdict.advisory.id,
        "ruleIndex": places.get(verdict.advisory.id.as_str()),
        "level": level(verdict),
        "kind": if counted_status(verdict) == Status::Affected { "fail" } else { "review" },
        "message": { "text": words },
        "locations": [{ "logicalLocations": [{ "name": verdict.component, "kind": "module" }] }],
        "partialFingerprints": {
            "exposure/v1": format!("{}/{}", verdict.advisory.id, verdict.component),
        },
    });
    if let Some(mark) = verdict.mark {
        result["properties"] = json!({ "mark": mark_word(mark) });
    }
    result
}

/// A notice is no failure: it informs.
fn notice(verdict: &Verdict, places: &BTreeMap<&str, usize>) -> Value {
    let mut result = result(verdict, places);
    result["level"] = json!("none");
    result["kind"] = json!("informational");
    result["message"] = json!({ "text": format!("{}: {}", verdict.component, verdict.title) });
    result
}

/// SARIF 2.1.0 (section 3.27.10): a result that is not a failure has the level "none".
fn level(verdict: &Verdict) -> &'static str {
    if counted_status(verdict) != Status::Affected {
        return "none";
    }
    match verdict.severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium | Severity::Unrated => "warning",
        Severity::Low | Severity::None => "note",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_of_a_scan_that_could_not_read_everything_says_so() {
        let log = log(
            &[],
            &[],
            &[Problem {
                id: "unread-path",
                is_serious: true,
                place: Some("/srv/a.jar!/b.jar".to_owned()),
                words: "why".to_owned(),
            }],
        );
        let invocation = &log["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        let told = &invocation["toolExecutionNotifications"][0];
        assert_eq!(told["message"]["text"], "why");
        let place = &told["locations"][0]["logicalLocations"][0]["fullyQualifiedName"];
        assert_eq!(place, "/srv/a.jar!/b.jar");
        let whole = super::log(&[], &[], &[]);
        assert_eq!(
            whole["runs"][0]["invocations"][0]["executionSuccessful"],
            true
        );
    }
}
