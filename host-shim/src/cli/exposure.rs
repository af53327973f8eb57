//! `exposure`: from when until when this panel was exposed to what.

use jiff::Timestamp;
use serde_json::json;

use super::{CommandError, Ending, Output, filter_args::Exposure, redacted_output::RedactedOutput};
use crate::{
    decisions,
    services::{Panel, Question, exposure_page},
};

pub(super) async fn exposure(
    panel: &Panel,
    asked: &Exposure,
    out: &Output,
) -> Result<Ending, CommandError> {
    let question = Question {
        flaw: asked.advisory.clone(),
        component: asked.component.clone(),
        from: asked
            .from
            .as_deref()
            .map(|text| day("--from", text))
            .transpose()?,
        until: asked
            .until
            .as_deref()
            .map(|text| decisions::until(text).map_err(|_| no_time("--until", text)))
            .transpose()?,
    };
    let record = panel
        .exposure
        .exposure_record(&question, Timestamp::now())
        .await?;
    if !out.json {
        let page = exposure_page(&record, &question);
        out.page(&page)?;
        return Ok(Ending::Well);
    }
    let shown = json!({
        "began": record.began,
        "component": record.component,
        "unknown_advisory": record.unknown_advisory,
        "periods": record.periods,
        "more": record.more,
    });
    RedactedOutput::of(panel, out).await.value(&shown).await?;
    Ok(Ending::Well)
}

/// The beginning of a day in UTC, or a time.
fn day(option: &str, text: &str) -> Result<Timestamp, CommandError> {
    let day = text.parse::<jiff::civil::Date>().ok();
    let begin = day.and_then(|day| {
        jiff::tz::TimeZone::UTC
            .to_timestamp(day.at(0, 0, 0, 0))
            .ok()
    });
    begin
        .or_else(|| text.parse().ok())
        .ok_or_else(|| no_time(option, text))
}

fn no_time(option: &str, text: &str) -> CommandError {
    CommandError::Usage(format!(
        "{option}: invalid time {text:?}; use a day such as 2026-11-01 or a time such as 2026-11-01T18:00:00Z"
    ))
}
