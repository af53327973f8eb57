//! How notifications fare, for a page, a command and `doctor`.

use jiff::Timestamp;
use serde::Serialize;
use spacecp_contract::Severity;
use sqlx::{Row, sqlite::SqliteRow};

use super::{
    notice::{Kind, Notice, Subject},
    outbox::time,
    timing::{Digest, Timing},
};
use crate::config::{ChannelConfig, NotifyConfig};
use spacecp_store::{Store, StoreError};

/// Failures that a report lists.
const MOST_FAILURES: u32 = 50;

/// Failures in a row from which on a channel wants attention.
const TROUBLED: u32 = 3;

/// How notifications fare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NotifyReport {
    /// What this panel is called in notices.
    pub panel: String,
    /// Where its pages are.
    pub url: Option<String>,
    /// Hours after which a notice is given up.
    pub give_up_after_hours: u32,
    /// The channels, as they are configured.
    pub channels: Vec<ChannelReport>,
    /// What was given up, newest first.
    pub failures: Vec<GivenUp>,
}

/// How one channel fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ChannelReport {
    /// Its name.
    pub name: String,
    /// What it is, as `email`.
    pub kind: &'static str,
    /// Where it leads, as far as that may be shown.
    pub leads_to: String,
    /// The least severity that is told.
    pub minimum_severity: String,
    /// The same, to compare with.
    #[serde(skip)]
    pub minimum: Severity,
    /// What is told, if it is not everything.
    pub events: Option<Vec<Kind>>,
    /// When, in words.
    pub when: String,
    /// Notices that are still to be delivered.
    pub pending: u64,
    /// When the first of them is due.
    pub next_due: Option<Timestamp>,
    /// When it last took something.
    pub last_delivery: Option<Timestamp>,
    /// When it last failed.
    pub last_failure: Option<Timestamp>,
    /// Failures in a row.
    pub failed_in_a_row: u32,
    /// Until when it is left alone.
    pub not_before: Option<Timestamp>,
    /// Why it last failed.
    pub problem: Option<String>,
    /// Notices that were given up.
    pub given_up: u64,
}

impl ChannelReport {
    /// Whether somebody has to look at it: it fails again and again, or something was given up and
    /// nothing delivered since.
    pub fn wants_attention(&self) -> bool {
        let fails = self.last_failure > self.last_delivery;
        fails && (self.failed_in_a_row >= TROUBLED || self.given_up > 0)
    }
}

/// A notice that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GivenUp {
    /// The channel.
    pub channel: String,
    /// The number of the notice.
    pub notice: u64,
    /// What it is about; none under embargo.
    pub event: Option<Kind>,
    /// The advisories.
    pub advisories: Vec<String>,
    /// When it happened.
    pub at: Timestamp,
    /// When it was given up.
    pub ended: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it was not delivered.
    pub problem: String,
}

/// How notifications fare.
pub async fn report(store: &Store, config: &NotifyConfig) -> Result<NotifyReport, StoreError> {
    let mut channels = Vec::with_capacity(config.channels.len());
    for channel in &config.channels {
        channels.push(of_channel(store, channel).await?);
    }
    let rows = sqlx::query("SELECT d.channel, d.notice, d.attempts, d.ended, d.problem, n.at, n.notice AS text FROM notice_deliveries AS d JOIN notices AS n ON n.number = d.notice WHERE d.state = 'given-up' ORDER BY d.ended DESC, d.notice DESC LIMIT ?")
        .bind(MOST_FAILURES)
        .fetch_all(store.pool())
        .await?;
    Ok(NotifyReport {
        panel: config.panel.clone(),
        url: config.pages(),
        give_up_after_hours: config.give_up_after_hours,
        channels,
        failures: rows.iter().map(given_up).collect::<Result<_, _>>()?,
    })
}

async fn of_channel(store: &Store, channel: &ChannelConfig) -> Result<ChannelReport, StoreError> {
    let counted = sqlx::query("SELECT count(*) FILTER (WHERE state = 'pending') AS pending, min(due) FILTER (WHERE state = 'pending') AS next, count(*) FILTER (WHERE state = 'given-up') AS given_up FROM notice_deliveries WHERE channel = ?")
        .bind(&channel.name)
        .fetch_one(store.pool())
        .await?;
    let state = sqlx::query("SELECT * FROM notice_channels WHERE channel = ?")
        .bind(&channel.name)
        .fetch_optional(store.pool())
        .await?;
    let moment = |column: &str| -> Result<Option<Timestamp>, StoreError> {
        let second = state
            .as_ref()
            .map(|row| row.try_get::<Option<i64>, _>(column));
        second.transpose()?.flatten().map(time).transpose()
    };
    let attempts = state.as_ref().map(|row| row.try_get::<i64, _>("attempts"));
    let problem = state.as_ref().map(|row| row.try_get("problem"));
    let next: Option<i64> = counted.try_get("next")?;
    let count =
        |column: &str| Ok::<_, StoreError>(counted.try_get::<i64, _>(column)?.cast_unsigned());
    Ok(ChannelReport {
        name: channel.name.clone(),
        kind: channel.target.kind(),
        leads_to: channel.target.shown(),
        minimum_severity: channel.minimum_severity.name().to_owned(),
        minimum: channel.minimum_severity,
        events: (channel.events.len() < Kind::ALL.len())
            .then(|| channel.events.iter().copied().collect()),
        when: when(&channel.timing),
        pending: count("pending")?,
        next_due: next.map(time).transpose()?,
        last_delivery: moment("last_delivery")?,
        last_failure: moment("last_failure")?,
        not_before: moment("not_before")?,
        failed_in_a_row: attempts
            .transpose()?
            .map_or(0, |attempts| u32::try_from(attempts).unwrap_or(u32::MAX)),
        problem: problem.transpose()?.flatten(),
        given_up: count("given_up")?,
    })
}

fn given_up(row: &SqliteRow) -> Result<GivenUp, StoreError> {
    let damaged = |_| StoreError::Panel("unreadable notification".to_owned());
    let notice: Notice = serde_json::from_str(row.try_get("text")?).map_err(damaged)?;
    let (event, ids) = match notice.subject {
        Subject::Embargoed(ids) => (None, ids),
        Subject::Open(facts) => (Some(notice.kind), facts.advisories),
    };
    let ended: Option<i64> = row.try_get("ended")?;
    let problem: Option<String> = row.try_get("problem")?;
    Ok(GivenUp {
        channel: row.try_get("channel")?,
        notice: row.try_get::<i64, _>("notice")?.cast_unsigned(),
        event,
        advisories: ids.iter().map(ToString::to_string).collect(),
        at: time(row.try_get("at")?)?,
        ended: time(ended.unwrap_or_default())?,
        attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX),
        problem: problem.unwrap_or_default(),
    })
}

/// When a channel is spoken to, in words.
fn when(timing: &Timing) -> String {
    let zone = timing.zone.iana_name().unwrap_or("UTC");
    let clock = |time: jiff::civil::Time| time.strftime("%H:%M").to_string();
    let digest = match timing.digest {
        Digest::Immediate => "at once".to_owned(),
        Digest::Hourly => "every hour".to_owned(),
        Digest::Daily(at) => format!("daily at {} {zone}", clock(at)),
    };
    match timing.quiet {
        Some((from, to)) => {
            format!(
                "{digest}, quiet from {} to {} {zone}",
                clock(from),
                clock(to)
            )
        }
        None => digest,
    }
}
