//! What an administrator decides: a workaround in place, a risk accepted, and either taken back.

use axum::{Form, extract::State, response::Response};
use serde::Deserialize;
use spacecp_contract::DocumentId;

use super::{Web, refusal::Refusal, request_auth::Visit, visitor::Session};
use spacecp_services::{
    Decisions, ServiceError,
    decisions::{self, Decision, Kind, Wish},
};

#[derive(Deserialize)]
pub(super) struct Decide {
    csrf: String,
    advisory: String,
    revision: u64,
    workaround: Option<String>,
    /// Empty for every component.
    component: String,
    /// Empty for as long as nothing changes.
    until: String,
    reason: String,
}

#[derive(Deserialize)]
pub(super) struct TakeBack {
    csrf: String,
    decision: u64,
}

pub(super) async fn mark_workaround(
    State(web): State<Web>,
    State(service): State<Decisions>,
    visit: Visit,
    Form(form): Form<Decide>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let workaround = form.workaround.clone().unwrap_or_default();
    decide(&web, &service, &session, form, Some(workaround)).await
}

pub(super) async fn accept_risk(
    State(web): State<Web>,
    State(service): State<Decisions>,
    visit: Visit,
    Form(form): Form<Decide>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    decide(&web, &service, &session, form, None).await
}

pub(super) async fn lift_workaround(
    State(web): State<Web>,
    State(service): State<Decisions>,
    visit: Visit,
    Form(form): Form<TakeBack>,
) -> Result<Response, Refusal> {
    take_back(&web, &service, visit, &form, Kind::Workaround).await
}

pub(super) async fn withdraw_acceptance(
    State(web): State<Web>,
    State(service): State<Decisions>,
    visit: Visit,
    Form(form): Form<TakeBack>,
) -> Result<Response, Refusal> {
    take_back(&web, &service, visit, &form, Kind::Acceptance).await
}

async fn decide(
    web: &Web,
    service: &Decisions,
    session: &Session,
    form: Decide,
    workaround: Option<String>,
) -> Result<Response, Refusal> {
    let advisory = DocumentId::new(form.advisory.clone()).map_err(|_| ServiceError::NotFound {
        what: "advisory",
        name: form.advisory,
    })?;
    let given = |text: String| Some(text).filter(|text| !text.trim().is_empty());
    let until = given(form.until).map(|text| decisions::until(text.trim()));
    let outcome = match until.transpose() {
        Err(error) => Err(error.into()),
        Ok(until) => {
            let wish = Wish {
                workaround,
                advisory: advisory.clone(),
                shown: Some(form.revision),
                component: given(form.component),
                by: session.user.clone(),
                until,
                reason: given(form.reason),
            };
            service.decide(&wish).await
        }
    };
    Ok(tell(web, session, &advisory, outcome))
}

async fn take_back(
    web: &Web,
    service: &Decisions,
    visit: Visit,
    form: &TakeBack,
    kind: Kind,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let lifted = service.withdraw(form.decision, kind, &session.user).await?;
    let advisory = lifted.advisory.clone();
    Ok(tell(web, &session, &advisory, Ok(lifted)))
}

/// Says what was decided on the page of the advisory, and leads there.
fn tell(
    web: &Web,
    session: &Session,
    advisory: &DocumentId,
    outcome: Result<Decision, ServiceError>,
) -> Response {
    match outcome {
        Ok(decision) => web.notices.say(session, true, words(&decision)),
        Err(error) => web.notices.say(session, false, error.to_string()),
    }
    web.lead(&format!("/advisories/{advisory}"))
}

fn words(decision: &Decision) -> String {
    let whose = decision.component.as_deref().unwrap_or("every component");
    let until = decision.until.map_or(String::new(), |until| {
        until.strftime(" until %Y-%m-%d %H:%M UTC").to_string()
    });
    match (&decision.workaround, &decision.end) {
        (Some(workaround), None) => {
            format!("Workaround {workaround} marked as in place for {whose}{until}.")
        }
        (None, None) => format!("Risk accepted for {whose}{until}."),
        (Some(workaround), Some(_)) => {
            format!("Workaround {workaround} no longer marked as in place for {whose}.")
        }
        (None, Some(_)) => format!("Acceptance withdrawn for {whose}."),
    }
}
