//! Pages that the shim composes from what it has recorded: exposure over time, and what a correction
//! changes.

use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use maud::{Markup, html};
use serde::Deserialize;
use spacecp_contract::DocumentId;

use super::{
    Web,
    pages::{Refusal, as_json_value, embargoed, wants_json},
    visit::Visit,
};
use crate::{
    decisions, exposures,
    render::html::{self, EXPOSURE, Frame},
    shim::{ShimError, changes_page, exposure_page},
};

/// The longest name that is asked for.
const LONGEST: usize = 200;

/// What is asked of the record of exposures; what is empty or no time counts as not said.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    advisory: Option<String>,
    component: Option<String>,
    from: Option<String>,
    until: Option<String>,
}

impl Asked {
    fn query(&self) -> exposures::Query {
        let named = |text: &Option<String>| {
            let text = text.as_deref().map(str::trim).unwrap_or_default();
            (!text.is_empty()).then(|| text.chars().take(LONGEST).collect())
        };
        exposures::Query {
            advisory: named(&self.advisory),
            component: named(&self.component),
            from: self.from.as_deref().and_then(begin_of_day),
            until: self
                .until
                .as_deref()
                .and_then(|text| decisions::until(text).ok()),
        }
    }
}

fn begin_of_day(text: &str) -> Option<Timestamp> {
    let day: Date = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()
}

pub(super) async fn exposure(
    State(web): State<Web>,
    visit: Visit,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let query = asked.query();
    let record = web.shim.exposure_record(&query, Timestamp::now()).await?;
    if wants_json(&headers) {
        if record.is_under_embargo() {
            return Ok(embargoed());
        }
        return Ok(as_json_value(&serde_json::json!(record)));
    }
    let said = web.notices.said(&session);
    let frame = web.frame(Some(&session), &said, EXPOSURE);
    let page = exposure_page(&record, &query);
    Ok(html::page_around(&form(&asked, &frame), &page, &frame).into_response())
}

fn form(asked: &Asked, frame: &Frame<'_>) -> Markup {
    let value = |text: &Option<String>| text.clone().unwrap_or_default();
    html! {
        form.filter method="get" action=(frame.site.at(EXPOSURE)) role="search" {
            label.words { span { "Exposed to" } input type="text" name="advisory" value=(value(&asked.advisory)) placeholder="any advisory" maxlength=(LONGEST); }
            label { span { "Component" } input type="text" name="component" value=(value(&asked.component)) placeholder="any" maxlength=(LONGEST); }
            label { span { "From" } input type="date" name="from" value=(value(&asked.from)); }
            label { span { "Until" } input type="date" name="until" value=(value(&asked.until)); }
            button type="submit" { "Was I exposed?" }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Which {
    correction: String,
    component: String,
}

pub(super) async fn changes(
    State(web): State<Web>,
    visit: Visit,
    Query(which): Query<Which>,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let correction =
        DocumentId::new(which.correction.clone()).map_err(|_| ShimError::NotFound {
            what: "correction",
            name: which.correction,
        })?;
    let (plan, differences, embargo) = web.shim.changes(&correction, &which.component).await?;
    let page = changes_page(&plan, &differences, embargo);
    Ok(html::page(&page, &web.frame(Some(&session), &[], "")).into_response())
}
