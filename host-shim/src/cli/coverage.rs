//! What was looked at to find components, how much, and what was not read: in one line, in JSON and for SARIF.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    config::AcknowledgedPath,
    inventory::{Report, Unread},
    services::Panel,
};

/// What a scan covered.
#[derive(Debug)]
pub(super) struct Coverage {
    report: Arc<Report>,
    /// What the administrator has looked at, and whose time is not over.
    acknowledged: Vec<AcknowledgedPath>,
}

impl Coverage {
    /// The last scan, beside the acknowledgements of the configuration that hold at `now`.
    pub(super) async fn of(
        panel: &Panel,
        acknowledged: &[AcknowledgedPath],
        now: Timestamp,
    ) -> Self {
        let acknowledged = acknowledged.iter();
        let acknowledged = acknowledged.filter(|one| one.is_current(now));
        Self {
            report: panel.exposure.scan_report().await,
            acknowledged: acknowledged.cloned().collect(),
        }
    }

    fn acknowledgement(&self, unread: &Unread) -> Option<&AcknowledgedPath> {
        let mut acknowledged = self.acknowledged.iter();
        acknowledged.find(|one| one.covers(&unread.at))
    }

    /// The paths that were not read and that nobody has acknowledged, each with why.
    pub(super) fn unread(&self) -> impl Iterator<Item = (&str, String)> {
        let unread = self.report.unread.iter();
        let unread = unread.filter(|unread| self.acknowledgement(unread).is_none());
        unread.map(|unread| (unread.at.as_str(), unread.why.to_string()))
    }

    /// The paths that were not read and are acknowledged, each with why, and with the reason for that.
    pub(super) fn acknowledged(&self) -> impl Iterator<Item = (&str, String)> {
        let unread = self.report.unread.iter();
        unread.filter_map(|unread| {
            let reason = &self.acknowledgement(unread)?.reason;
            let words = format!("{} (acknowledged: {reason})", unread.why);
            Some((unread.at.as_str(), words))
        })
    }

    /// All of it in one line; nothing where nothing is scanned.
    pub(super) fn line(&self) -> Option<String> {
        self.report.summary()
    }

    /// The same for programs, with each path that was not read.
    pub(super) fn json(&self) -> Value {
        let unread = self.report.unread.iter().map(|unread| {
            json!({
                "path": unread.at,
                "reason": unread.why.to_string(),
                "provider": unread.provider,
                "inventory": unread.job,
                "acknowledged": self.acknowledgement(unread).map(|one| json!({
                    "reason": one.reason,
                    "until": one.until,
                })),
            })
        });
        json!({
            "summary": self.line(),
            "scanned": self.report.looked,
            "files": self.report.files(),
            "components": self.report.found.len(),
            "unread": unread.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Provider, Unread, Why};

    #[test]
    fn one_line_says_what_was_looked_at_and_json_each_path_that_was_not_read() {
        let report = Report {
            looked: vec!["npm: /srv/a".to_owned()],
            files_read: 2,
            files_unchanged: 3,
            unread: vec![Unread {
                job: "a".to_owned(),
                provider: Provider::Npm,
                at: "/srv/a/package-lock.json".to_owned(),
                why: Why::NotAFile,
            }],
            ..Report::default()
        };
        let mut coverage = Coverage {
            report: Arc::new(report),
            acknowledged: Vec::new(),
        };
        assert_eq!(
            coverage.line().as_deref(),
            Some("Scanned 1 place: 5 files, 0 components found; 1 path could not be read.")
        );
        let json = coverage.json();
        assert_eq!(json["files"], 5);
        assert_eq!(json["unread"][0]["path"], "/srv/a/package-lock.json");
        assert_eq!(json["unread"][0]["reason"], "not a regular file");
        assert_eq!(json["unread"][0]["provider"], "npm");
        assert_eq!(coverage.unread().count(), 1);
        coverage.acknowledged.push(AcknowledgedPath {
            path: "/srv/a".into(),
            reason: "looked at".to_owned(),
            until: jiff::civil::date(2026, 12, 31),
        });
        assert_eq!(coverage.unread().count(), 0);
        assert_eq!(coverage.acknowledged().count(), 1);
        assert_eq!(
            coverage.json()["unread"][0]["acknowledged"]["until"],
            "2026-12-31"
        );
    }
}
