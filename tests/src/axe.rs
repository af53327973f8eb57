//! axe-core as a peer: what on a page is against WCAG 2.2 AA.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{browser::Browser, npm};

/// The script, as its package has it.
#[derive(Debug)]
pub struct Axe(String);

impl Axe {
    /// Brings the package, if it is not there.
    pub fn bring() -> Result<Self> {
        let script = npm::package("axe-core")?.join("axe.min.js");
        Ok(Self(fs::read_to_string(script)?))
    }

    /// What axe finds on the page as it is shown now, each with where it is.
    pub async fn violations(&self, browser: &Browser) -> Result<Vec<String>> {
        let ask = "const done = arguments[arguments.length - 1]; \
            const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']; \
            axe.run(document, { runOnly: rules, resultTypes: ['violations'] }) \
            .then(found => done({ rules: found.passes.length, violations: found.violations }), \
            error => done({ error: String(error) }));";
        let found = browser
            .run_to_the_end(&format!("{}\n{ask}", self.0))
            .await?;
        let passed = found["rules"].as_u64().unwrap_or_default();
        ensure!(passed > 5, "axe looked at nothing: {}", found["error"]);
        let violations = found["violations"].as_array().context("a list")?.iter();
        Ok(violations.map(described).collect())
    }
}

fn described(violation: &Value) -> String {
    let nodes = violation["nodes"].as_array().into_iter().flatten();
    let places = nodes.map(|node| format!("  {} {}", node["html"], node["failureSummary"]));
    let places: Vec<_> = places.take(3).collect();
    format!(
        "{}: {}\n{}",
        violation["id"],
        violation["help"],
        places.join("\n")
    )
}
