//! What runs did and what they held back, for the administrator who asks in the morning.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{Row, sqlite::SqliteRow};

use super::{AutomationError, Ledger};
use spacecp_store::StoreError;

/// Runs that are kept.
const MOST: i64 = 200;

/// Why a run came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// Its time had come.
    Due,
    /// Somebody asked for it.
    Asked,
}

impl Occasion {
    fn word(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Asked => "asked",
        }
    }
}

/// What became of one correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It may be applied now, and was only looked at.
    Due,
    /// It was begun, and how it ended is not known yet.
    UnderWay,
    /// It is applied.
    Applied,
    /// It failed, and the component is as it was.
    Failed,
    /// The plugin planned it, and the shim refused.
    Refused,
    /// It waits.
    Held,
}

/// One line of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The correction.
    pub correction: String,
    /// Its revision.
    pub revision: u64,
    /// The component.
    pub component: String,
    /// The advisories that it answers, as the plugin says.
    pub advisories: Vec<String>,
    /// What became of it.
    pub fate: Fate,
    /// Why, for a person.
    pub reason: String,
    /// The name of the refusal, if it was refused.
    #[serde(default)]
    pub refusal: Option<String>,
    /// When it will be due, where that is known.
    #[serde(default)]
    pub due: Option<Timestamp>,
    /// The application, if there was one.
    #[serde(default)]
    pub application: Option<String>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Run {
    /// Its number.
    pub number: i64,
    /// Why it came about.
    pub occasion: Occasion,
    /// When it began.
    pub began: Timestamp,
    /// When it ended; none for one that is under way or was cut off.
    pub ended: Option<Timestamp>,
    /// The missed window that it made up for.
    pub late_since: Option<Timestamp>,
    /// What kept it from going on, or what went wrong on the way.
    pub problem: Option<String>,
    /// What it did, in order, and then what it held back.
    pub lines: Vec<Line>,
}

/// A line whose end is not known.
#[derive(Debug, Clone)]
pub struct UnderWay {
    /// The run.
    pub run: i64,
    /// Its place in that.
    pub place: i64,
    /// When it began.
    pub began: Timestamp,
    /// The line.
    pub line: Line,
}

impl Ledger {
    /// Writes down that a run begins. Older runs than the newest 200 go.
    pub async fn begin_run(
        &self,
        occasion: Occasion,
        late_since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<i64, AutomationError> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let number = sqlx::query(
            "INSERT INTO automation_runs (occasion, began, late_since) VALUES (?, ?, ?)",
        )
        .bind(occasion.word())
        .bind(now.as_second())
        .bind(late_since.map(Timestamp::as_second))
        .execute(&mut *transaction)
        .await?
        .last_insert_rowid();
        sqlx::query("UPDATE automation SET announced = NULL, missed = NULL")
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM automation_runs WHERE number <= ?")
            .bind(number - MOST)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(number)
    }

    /// Writes a line, in place of the one that was there.
    pub async fn put_line(
        &self,
        run: i64,
        place: i64,
        line: &Line,
        now: Timestamp,
    ) -> Result<(), AutomationError> {
        sqlx::query(
            "INSERT INTO automation_lines (run, place, began, line) VALUES (?, ?, ?, ?) \
             ON CONFLICT (run, place) DO UPDATE SET line = excluded.line",
        )
        .bind(run)
        .bind(place)
        .bind(now.as_second())
        .bind(serde_json::to_string(line).expect("a line holds texts and numbers only"))
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Writes down that a run has ended.
    pub async fn end_run(
        &self,
        run: i64,
        problem: Option<&str>,
        now: Timestamp,
    ) -> Result<(), AutomationError> {
        sqlx::query("UPDATE automation_runs SET ended = ?, problem = ? WHERE number = ?")
            .bind(now.as_second())
            .bind(problem)
            .bind(run)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Lines of runs that were cut off: they say that something is under way, and nobody is at it.
    /// To be asked for by whoever holds the lock.
    pub async fn cut_off(&self) -> Result<Vec<UnderWay>, AutomationError> {
        let rows = sqlx::query(
            "SELECT run, place, began, line FROM automation_lines WHERE json_extract(line, '$.fate') = 'under-way'",
        )
        .fetch_all(self.pool())
        .await?;
        let read = |row: &SqliteRow| {
            Ok(UnderWay {
                run: row.try_get("run")?,
                place: row.try_get("place")?,
                began: time(row.try_get("began")?)?,
                line: line(row)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The newest runs, newest first.
    pub async fn runs(&self, limit: u32) -> Result<Vec<Run>, AutomationError> {
        let rows = sqlx::query("SELECT * FROM automation_runs ORDER BY number DESC LIMIT ?")
            .bind(limit)
            .fetch_all(self.pool())
            .await?;
        let mut runs = Vec::new();
        for row in &rows {
            runs.push(self.run(row).await?);
        }
        Ok(runs)
    }

    async fn run(&self, row: &SqliteRow) -> Result<Run, AutomationError> {
        let number: i64 = row.try_get("number")?;
        let lines = sqlx::query("SELECT line FROM automation_lines WHERE run = ? ORDER BY place")
            .bind(number)
            .fetch_all(self.pool())
            .await?;
        let lines: Result<Vec<Line>, AutomationError> = lines.iter().map(line).collect();
        let ended: Option<i64> = row.try_get("ended")?;
        let late_since: Option<i64> = row.try_get("late_since")?;
        Ok(Run {
            number,
            occasion: match row.try_get::<&str, _>("occasion")? {
                "due" => Occasion::Due,
                _ => Occasion::Asked,
            },
            began: time(row.try_get("began")?)?,
            ended: ended.map(time).transpose()?,
            late_since: late_since.map(time).transpose()?,
            problem: row.try_get("problem")?,
            lines: lines?,
        })
    }

    /// When the newest run began.
    pub(super) async fn last_run(&self) -> Result<Option<Timestamp>, AutomationError> {
        let row = sqlx::query("SELECT max(began) FROM automation_runs")
            .fetch_one(self.pool())
            .await?;
        row.try_get::<Option<i64>, _>(0)?.map(time).transpose()
    }
}

fn line(row: &SqliteRow) -> Result<Line, AutomationError> {
    let text: &str = row.try_get("line")?;
    serde_json::from_str(text).map_err(|error| damaged(&error.to_string()))
}

pub(super) fn time(second: i64) -> Result<Timestamp, AutomationError> {
    Timestamp::from_second(second).map_err(|error| damaged(&error.to_string()))
}

pub(super) fn damaged(what: &str) -> AutomationError {
    AutomationError::Store(StoreError::Damaged(format!(
        "cannot read the record of automatic application: {what}"
    )))
}
