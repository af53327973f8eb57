//! Pages that the shim composes from what it has recorded: exposure over time, and what a correction
//! changes.

use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;

use super::{
    Web,
    forms::exposures::{Fields, LONGEST_NAME, form},
    pages::{as_json_value, embargoed, wants_json},
    refusal::Refusal,
    request_auth::Visit,
};
use spacecp_render::html::{self, EXPOSURE};
use spacecp_services::{
    Corrections, Exposure, Question, changes_page, correction_id, decisions, exposure_page,
};

/// What is asked of the record of exposures; what is empty or no time counts as not said.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    advisory: String,
    #[serde(default)]
    component: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
}

impl Asked {
    fn question(&self) -> Question {
        let named = |text: &str| {
            let text = text.trim();
            (!text.is_empty()).then(|| text.chars().take(LONGEST_NAME).collect())
        };
        Question {
            flaw: named(&self.advisory),
            component: named(&self.component),
            from: begin_of_day(&self.from),
            until: decisions::until(&self.until).ok(),
        }
    }

    fn fields(&self) -> Fields<'_> {
        Fields {
            advisory: &self.advisory,
            component: &self.component,
            from: &self.from,
            until: &self.until,
        }
    }
}

pub(super) fn begin_of_day(text: &str) -> Option<Timestamp> {
    let day: Date = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()
}

pub(super) async fn exposure(
    State(web): State<Web>,
    State(exposure): State<Exposure>,
    visit: Visit,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let question = asked.question();
    let record = exposure
        .exposure_record(&question, Timestamp::now())
        .await?;
    if wants_json(&headers) {
        if record.is_under_embargo() {
            return Ok(embargoed());
        }
        return Ok(as_json_value(&serde_json::json!(record)));
    }
    let said = web.notices.said(&session);
    let frame = web.frame(Some(&session), &said, EXPOSURE);
    let page = exposure_page(&record, &question);
    Ok(html::page_around(&form(asked.fields(), &frame), &page, &frame).into_response())
}

#[derive(Debug, Deserialize)]
pub(super) struct Which {
    correction: String,
    component: String,
}

pub(super) async fn changes(
    State(web): State<Web>,
    State(corrections): State<Corrections>,
    visit: Visit,
    Query(which): Query<Which>,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let correction = correction_id(&which.correction)?;
    let (plan, differences, embargo) = corrections
        .changes(&correction, &which.component, &session.user)
        .await?;
    let page = changes_page(&plan, &differences, embargo);
    Ok(html::page(&page, &web.frame(Some(&session), &[], "")).into_response())
}
