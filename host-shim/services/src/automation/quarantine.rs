//! Never the same failure twice: what is not applied by itself any more.
//!
//! A revision of a correction that failed on a component is kept here until another revision comes
//! or an administrator releases it. What an administrator took back counts as well: it would not do
//! to put it back in the next night.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row;

use super::{AutomationError, Ledger, runs::time};
use spacecp_apply::apply::{Application, Outcome};

/// A revision of a correction that is not applied to a component by itself any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quarantine {
    /// The correction.
    pub correction: String,
    /// The revision.
    pub revision: u64,
    /// The component.
    pub component: String,
    /// Since when.
    pub since: Timestamp,
    /// Why, for a person.
    pub reason: String,
}

impl Quarantine {
    /// Whether it is about this.
    pub fn holds(&self, correction: &str, revision: u64, component: &str) -> bool {
        self.correction == correction && self.revision == revision && self.component == component
    }
}

impl Ledger {
    /// Puts a revision into quarantine for a component.
    pub async fn quarantine(&self, quarantine: &Quarantine) -> Result<(), AutomationError> {
        sqlx::query(
            "INSERT OR REPLACE INTO quarantine (correction, revision, component, since, reason) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(&quarantine.correction)
        .bind(quarantine.revision.cast_signed())
        .bind(&quarantine.component)
        .bind(quarantine.since.as_second())
        .bind(&quarantine.reason)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// What is in quarantine. `history` is what was applied, newest first.
    pub async fn quarantined(
        &self,
        history: &[Application],
    ) -> Result<Vec<Quarantine>, AutomationError> {
        let rows = sqlx::query("SELECT * FROM quarantine ORDER BY since, correction, component")
            .fetch_all(self.pool())
            .await?;
        let mut kept = Vec::new();
        for row in &rows {
            kept.push(Quarantine {
                correction: row.try_get("correction")?,
                revision: row.try_get::<i64, _>("revision")?.cast_unsigned(),
                component: row.try_get("component")?,
                since: time(row.try_get("since")?)?,
                reason: row.try_get("reason")?,
            });
        }
        let releases = self.releases().await?;
        for taken in taken_back(history, &releases) {
            let there = kept
                .iter()
                .any(|kept| kept.holds(&taken.correction, taken.revision, &taken.component));
            if !there {
                kept.push(taken);
            }
        }
        Ok(kept)
    }

    async fn releases(&self) -> Result<BTreeMap<(String, String), Timestamp>, AutomationError> {
        let rows = sqlx::query("SELECT correction, component, at FROM quarantine_releases")
            .fetch_all(self.pool())
            .await?;
        let mut releases = BTreeMap::new();
        for row in &rows {
            let names = (row.try_get("correction")?, row.try_get("component")?);
            releases.insert(names, time(row.try_get("at")?)?);
        }
        Ok(releases)
    }

    /// Releases what is in quarantine under this correction.
    pub async fn release(
        &self,
        quarantined: &[&Quarantine],
        by: &str,
        now: Timestamp,
    ) -> Result<(), AutomationError> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        for quarantine in quarantined {
            sqlx::query("DELETE FROM quarantine WHERE correction = ? AND component = ?")
                .bind(&quarantine.correction)
                .bind(&quarantine.component)
                .execute(&mut *transaction)
                .await?;
            sqlx::query(
                "INSERT OR REPLACE INTO quarantine_releases (correction, component, at, by) VALUES (?, ?, ?, ?)",
            )
            .bind(&quarantine.correction)
            .bind(&quarantine.component)
            .bind(now.as_second())
            .bind(by)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// What somebody took back last and nobody has released since.
fn taken_back(
    history: &[Application],
    releases: &BTreeMap<(String, String), Timestamp>,
) -> Vec<Quarantine> {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    let mut taken = Vec::new();
    for application in history {
        let names = (
            application.correction.as_str(),
            application.component.as_str(),
        );
        // Only what became of it last counts.
        if seen.contains(&names) {
            continue;
        }
        seen.push(names);
        let since = application.ended.unwrap_or(application.began);
        let released = releases.get(&(names.0.to_owned(), names.1.to_owned()));
        if application.outcome != Outcome::RolledBack || released.is_some_and(|at| *at >= since) {
            continue;
        }
        let reason = application
            .reason
            .as_deref()
            .unwrap_or("it was rolled back");
        taken.push(Quarantine {
            correction: names.0.to_owned(),
            revision: application.revision,
            component: names.1.to_owned(),
            since,
            reason: reason.to_owned(),
        });
    }
    taken
}
