//! What was looked at to find components, how much, and what was not read: in one line, in JSON and for SARIF.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    inventory::{Acknowledgement, Inventory, Report, Unread},
    services::Panel,
};

/// What a scan covered.
#[derive(Debug)]
pub(super) struct Coverage {
    report: Arc<Report>,
    inventory: Arc<Inventory>,
}

impl Coverage {
    /// The last scan, with what is acknowledged of it.
    pub(super) async fn of(panel: &Panel) -> Self {
        Self {
            inventory: panel.exposure.inventory().await,
            report: panel.exposure.scan_report().await,
        }
    }

    /// The paths that were not read and that nobody has acknowledged, each with why.
    pub(super) fn unread(&self) -> impl Iterator<Item = (&str, String)> {
        let unread = self.inventory.unread.iter();
        unread.map(|unread| (unread.at.as_str(), unread.why.to_string()))
    }

    /// The paths that were not read and are acknowledged, each with why, and with the reason for that.
    pub(super) fn acknowledged(&self) -> impl Iterator<Item = (&str, String)> {
        let acknowledged = self.inventory.acknowledged.iter();
        acknowledged.map(|(unread, one)| {
            let words = format!("{} (acknowledged: {})", unread.why, one.reason);
            (unread.at.as_str(), words)
        })
    }

    /// All of it in one line.
    pub(super) fn line(&self) -> &str {
        &self.inventory.coverage
    }

    /// What is installed, and what of it runs.
    pub(super) fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// What could not be said of processes, in one line; nothing where all could be examined.
    pub(super) fn unexamined(&self) -> Option<String> {
        let words = self.inventory.running.unexamined()?;
        Some(format!("Processes: {words}."))
    }

    /// The same for programs, with each path that was not read.
    pub(super) fn json(&self) -> Value {
        let unread = self.inventory.unread.iter().map(|unread| (unread, None));
        let acknowledged = self.inventory.acknowledged.iter();
        let acknowledged = acknowledged.map(|(unread, one)| (unread, Some(one)));
        let listed = unread.chain(acknowledged).map(listed);
        json!({
            "summary": self.line(),
            "scanned": self.report.looked,
            "files": self.report.files(),
            "components": self.report.found.len(),
            "unread": listed.collect::<Vec<_>>(),
            "processes": {
                "denied": self.inventory.running.denied,
                "problem": self.inventory.running.problem,
            },
        })
    }
}

fn listed((unread, acknowledged): (&Unread, Option<&Acknowledgement>)) -> Value {
    json!({
        "path": unread.at,
        "reason": unread.why.to_string(),
        "provider": unread.provider,
        "inventory": unread.job,
        "acknowledged": acknowledged.map(|one| json!({
            "number": one.number,
            "by": one.by,
            "reason": one.reason,
            "until": one.until,
        })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Provider, Unread, Why};

    #[test]
    fn one_line_says_what_was_looked_at_and_json_each_path_that_was_not_read() {
        let at = "/srv/a/package-lock.json";
        let report = Report {
            looked: vec!["npm: /srv/a".to_owned()],
            files_read: 2,
            files_unchanged: 3,
            unread: vec![Unread {
                job: "a".to_owned(),
                provider: Provider::Npm,
                at: at.to_owned(),
                why: Why::NotAFile,
            }],
            ..Report::default()
        };
        let inventory = Inventory::read(&[]).with(&report);
        let before = inventory.fingerprint;
        let mut coverage = Coverage {
            report: Arc::new(report),
            inventory: Arc::new(inventory),
        };
        let line = "Scanned 1 place: 5 files, 0 components found; 1 path could not be read.";
        assert_eq!(coverage.line(), line);
        let json = coverage.json();
        assert_eq!(json["files"], 5);
        assert_eq!(json["unread"][0]["path"], at);
        assert_eq!(json["unread"][0]["reason"], "not a regular file");
        assert_eq!(json["unread"][0]["provider"], "npm");
        assert_eq!(json["unread"][0]["acknowledged"], Value::Null);
        assert_eq!(coverage.unread().count(), 1);

        let acknowledgement = Acknowledgement {
            number: 7,
            place: at.to_owned(),
            why: "not a regular file".to_owned(),
            by: "ada".to_owned(),
            reason: "looked at".to_owned(),
            until: "2026-12-31T23:59:59Z".parse().unwrap(),
        };
        let inventory = Inventory::clone(&coverage.inventory);
        coverage.inventory = Arc::new(inventory.with_decisions(&[acknowledgement], &[]));
        assert_ne!(coverage.inventory.fingerprint, before);
        assert_eq!(coverage.unread().count(), 0);
        assert_eq!(coverage.acknowledged().count(), 1);
        assert_eq!(
            coverage.line(),
            format!("{line} 1 of these is acknowledged.")
        );
        assert_eq!(coverage.json()["unread"][0]["acknowledged"]["number"], 7);
    }

    #[test]
    fn where_nothing_is_scanned_the_line_says_so() {
        let coverage = Coverage {
            report: Arc::default(),
            inventory: Arc::new(Inventory::read(&[])),
        };
        let words = "Nothing is scanned, and no components are configured.";
        assert_eq!(coverage.json()["summary"], words);
    }
}
