//! Corrections that an administrator wants applied at the next maintenance window.
//!
//! An appointment is a person's word about one plan, kept until a window opens. It is kept whether or not
//! automatic application is on, and it is about exactly the plan that was shown: where anything has
//! drifted from that, it fails and says so.

use jiff::Timestamp;
use serde::Serialize;
use spacecp_contract::Digest;
use sqlx::{Row, sqlite::SqliteRow};

use super::{
    AutomationError, Ledger,
    runs::{damaged, time},
};

/// What became of an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// It waits for the window.
    Waiting,
    /// The correction was applied.
    Applied,
    /// It was not, and the component is as it was.
    Failed,
    /// Somebody took the word back, or gave another one.
    Withdrawn,
}

impl Kept {
    fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }

    fn read(word: &str) -> Result<Self, AutomationError> {
        let all = [Self::Waiting, Self::Applied, Self::Failed, Self::Withdrawn];
        let found = all.into_iter().find(|state| state.word() == word);
        found.ok_or_else(|| damaged(&format!("unknown state {word:?} of a scheduled correction")))
    }
}

/// A correction that is to be applied at the next window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Appointment {
    /// Names it on this panel.
    pub number: i64,
    /// The correction.
    pub correction: String,
    /// Its revision.
    pub revision: u64,
    /// The component.
    pub component: String,
    /// The plan that was shown, and that alone.
    pub plan: Digest,
    /// Whether what wants a word was given it.
    pub overwrite: bool,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub made: Timestamp,
    /// What became of it.
    pub state: Kept,
    /// When it came to its end.
    pub ended: Option<Timestamp>,
    /// Why it failed, or what kept it waiting the last time.
    pub words: Option<String>,
    /// The application, if there was one; while it waits, the last attempt that did not get far.
    pub application: Option<String>,
}

/// What an appointment is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The correction.
    pub correction: String,
    /// Its revision.
    pub revision: u64,
    /// The component.
    pub component: String,
    /// The plan that was shown.
    pub plan: Digest,
    /// Whether what wants a word was given it.
    pub overwrite: bool,
    /// Who asks.
    pub by: String,
}

impl Ledger {
    /// Makes an appointment. One that waits for the same component is withdrawn: the later word counts.
    pub async fn appoint(
        &self,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<Appointment, AutomationError> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE appointments SET state = 'withdrawn', ended = ?, words = ? WHERE component = ? AND state = 'waiting'")
            .bind(now.as_second())
            .bind(format!("replaced by {}", wanted.by))
            .bind(&wanted.component)
            .execute(&mut *transaction)
            .await?;
        let made = sqlx::query(
            "INSERT INTO appointments (correction, revision, component, plan, overwrite, by, made, state) VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting') RETURNING *",
        )
        .bind(&wanted.correction)
        .bind(wanted.revision.cast_signed())
        .bind(&wanted.component)
        .bind(wanted.plan.to_string())
        .bind(wanted.overwrite)
        .bind(&wanted.by)
        .bind(now.as_second())
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        appointment(&made)
    }

    /// The newest appointments, at most `limit` of them: those that wait first.
    pub async fn appointments(&self, limit: u32) -> Result<Vec<Appointment>, AutomationError> {
        let rows = sqlx::query(
            "SELECT * FROM appointments ORDER BY state = 'waiting' DESC, number DESC LIMIT ?",
        )
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(appointment).collect()
    }

    /// The appointments that wait, in the order in which they were made.
    pub async fn waiting(&self) -> Result<Vec<Appointment>, AutomationError> {
        let rows =
            sqlx::query("SELECT * FROM appointments WHERE state = 'waiting' ORDER BY number")
                .fetch_all(self.pool())
                .await?;
        rows.iter().map(appointment).collect()
    }

    /// Says what became of an appointment that waits; one that has come to its end keeps it.
    pub async fn settle_appointment(
        &self,
        number: i64,
        state: Kept,
        words: Option<&str>,
        application: Option<&str>,
        now: Timestamp,
    ) -> Result<(), AutomationError> {
        let ended = (state != Kept::Waiting).then(|| now.as_second());
        sqlx::query("UPDATE appointments SET state = ?, ended = ?, words = ?, application = ? WHERE number = ? AND state = 'waiting'")
            .bind(state.word())
            .bind(ended)
            .bind(words)
            .bind(application)
            .bind(number)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Withdraws an appointment that waits, and gives it.
    pub async fn withdraw_appointment(
        &self,
        number: i64,
        by: &str,
        now: Timestamp,
    ) -> Result<Appointment, AutomationError> {
        let row = sqlx::query("UPDATE appointments SET state = 'withdrawn', ended = ?, words = ? WHERE number = ? AND state = 'waiting' RETURNING *")
            .bind(now.as_second())
            .bind(format!("cancelled by {by}"))
            .bind(number)
            .fetch_optional(self.pool())
            .await?;
        match row {
            Some(row) => appointment(&row),
            None => Err(AutomationError::NoAppointment { number }),
        }
    }
}

fn appointment(row: &SqliteRow) -> Result<Appointment, AutomationError> {
    let plan: &str = row.try_get("plan")?;
    let plan = plan
        .parse()
        .map_err(|error| damaged(&format!("the plan of an appointment: {error}")))?;
    Ok(Appointment {
        number: row.try_get("number")?,
        correction: row.try_get("correction")?,
        revision: row.try_get::<i64, _>("revision")?.cast_unsigned(),
        component: row.try_get("component")?,
        plan,
        overwrite: row.try_get("overwrite")?,
        by: row.try_get("by")?,
        made: time(row.try_get("made")?)?,
        state: Kept::read(row.try_get("state")?)?,
        ended: row
            .try_get::<Option<i64>, _>("ended")?
            .map(time)
            .transpose()?,
        words: row.try_get("words")?,
        application: row.try_get("application")?,
    })
}
