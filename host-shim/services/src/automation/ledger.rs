//! The policy in force, this host's seed, and what is due when: one durable row.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::{Row, SqlitePool};

use super::{
    Agenda, AutomationError,
    runs::{damaged, time},
};
use crate::policy::Policy;
use spacecp_store::Store;

/// What automatic application remembers. It owns the tables of migrations 5 and 8 and no
/// others.
#[derive(Debug, Clone)]
pub struct Ledger {
    store: Store,
}

/// A policy, and who decided it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// The policy, as they wanted it.
    pub policy: Policy,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Ledger {
    /// The ledger in this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    pub(super) fn pool(&self) -> &SqlitePool {
        self.store.pool()
    }

    /// This host's seed: made by chance once, and kept.
    pub async fn seed(&self) -> Result<u64, AutomationError> {
        let read = "SELECT seed FROM automation WHERE only = 1";
        if let Some(row) = sqlx::query(read).fetch_optional(self.pool()).await? {
            return Ok(row.try_get::<i64, _>(0)?.cast_unsigned());
        }
        let mut seed = [0; 8];
        getrandom::fill(&mut seed)
            .map_err(|error| AutomationError::Randomness(error.to_string()))?;
        // Whoever comes second takes what the first one has made.
        sqlx::query("INSERT OR IGNORE INTO automation (only, seed) VALUES (1, ?)")
            .bind(i64::from_le_bytes(seed))
            .execute(self.pool())
            .await?;
        let row = sqlx::query(read).fetch_one(self.pool()).await?;
        Ok(row.try_get::<i64, _>(0)?.cast_unsigned())
    }

    /// The policy that an administrator has decided, if one has.
    pub async fn decided(&self) -> Result<Option<Decided>, AutomationError> {
        let row = sqlx::query(
            "SELECT policy, decided, decided_by FROM automation WHERE policy IS NOT NULL",
        )
        .fetch_optional(self.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let policy = serde_json::from_str(row.try_get("policy")?)
            .map_err(|error| damaged(&format!("the policy: {error}")))?;
        Ok(Some(Decided {
            policy,
            by: row.try_get("decided_by")?,
            at: time(row.try_get("decided")?)?,
        }))
    }

    /// Puts a policy in force. It has been held against the ceiling.
    pub async fn decide(
        &self,
        policy: &Policy,
        by: &str,
        now: Timestamp,
    ) -> Result<(), AutomationError> {
        self.seed().await?;
        // Other windows are other promises.
        sqlx::query(
            "UPDATE automation SET policy = ?, decided = ?, decided_by = ?, announced = NULL, missed = NULL",
        )
        .bind(serde_json::to_string(policy).expect("a policy holds texts and numbers only"))
        .bind(now.as_second())
        .bind(by)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// What is remembered about runs.
    pub async fn agenda(&self) -> Result<Agenda, AutomationError> {
        self.seed().await?;
        let row = sqlx::query("SELECT announced, missed FROM automation WHERE only = 1")
            .fetch_one(self.pool())
            .await?;
        let instant = |column: &str| -> Result<Option<Timestamp>, AutomationError> {
            row.try_get::<Option<i64>, _>(column)?.map(time).transpose()
        };
        Ok(Agenda {
            last: self.last_run().await?,
            announced: instant("announced")?,
            missed: instant("missed")?,
        })
    }

    /// Remembers what was promised and missed.
    pub async fn promise(&self, agenda: &Agenda) -> Result<(), AutomationError> {
        sqlx::query("UPDATE automation SET announced = ?, missed = ?")
            .bind(agenda.announced.map(Timestamp::as_second))
            .bind(agenda.missed.map(Timestamp::as_second))
            .execute(self.pool())
            .await?;
        Ok(())
    }
}
