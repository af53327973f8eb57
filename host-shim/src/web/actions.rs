//! What an administrator has done: apply, roll back, sync.
//!
//! Each is a task of its own: a browser that goes away does not stop an application half-way.

use axum::{Form, extract::State, response::Response};
use serde::Deserialize;
use spacecp_contract::{Digest, DocumentId};

use super::{
    Web,
    login::Token,
    pages::Refusal,
    visit::{Session, Visit},
};
use crate::shim::{ApplyRequest, ShimError};

#[derive(Deserialize)]
pub(super) struct Apply {
    csrf: String,
    correction: String,
    component: String,
    plan: String,
    overwrite: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RollBack {
    csrf: String,
    application: String,
}

pub(super) async fn apply(
    State(web): State<Web>,
    visit: Visit,
    Form(form): Form<Apply>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let not_found = |what, name: &str| ShimError::NotFound {
        what,
        name: name.to_owned(),
    };
    let correction = DocumentId::new(form.correction.clone())
        .map_err(|_| not_found("correction", &form.correction))?;
    // A page always shows a plan; an action without one did not come from it.
    let plan: Digest = form
        .plan
        .parse()
        .map_err(|_| not_found("plan", &form.plan))?;
    let request = ApplyRequest {
        correction,
        component: form.component,
        plan: Some(plan),
        overwrite: form.overwrite.is_some(),
        by: session.user.clone(),
    };
    let shim = web.shim.clone();
    let outcome = on_its_own(async move { shim.apply(request, &()).await }).await;
    Ok(tell(
        &web,
        &session,
        outcome.map(|application| {
            format!(
                "{} is corrected: {} → {}.",
                application.component, application.from, application.to
            )
        }),
    ))
}

pub(super) async fn roll_back(
    State(web): State<Web>,
    visit: Visit,
    Form(form): Form<RollBack>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let (shim, by) = (web.shim.clone(), session.user.clone());
    let outcome =
        on_its_own(async move { shim.roll_back(&form.application, false, &by, &()).await }).await;
    Ok(tell(
        &web,
        &session,
        outcome.map(|application| {
            format!(
                "{} was rolled back: {} → {}.",
                application.component, application.to, application.from
            )
        }),
    ))
}

pub(super) async fn sync(
    State(web): State<Web>,
    visit: Visit,
    Form(form): Form<Token>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let outcome = web.shim.sync().await;
    let (well, words) = match outcome {
        Ok(report) if report.changed => (
            true,
            format!(
                "{} new or changed documents were received.",
                report.accepted.len()
            ),
        ),
        Ok(_) => (true, "The vendor has nothing new to say.".to_owned()),
        Err(error) => (false, format!("The feed could not be followed: {error}")),
    };
    web.notices.say(&session, well, words);
    Ok(web.lead("/"))
}

/// Keeps the outcome for the history page and leads there.
fn tell(web: &Web, session: &Session, outcome: Result<String, ShimError>) -> Response {
    match outcome {
        Ok(words) => web.notices.say(session, true, words),
        Err(error) => web.notices.say(session, false, error.to_string()),
    }
    web.lead("/history")
}

async fn on_its_own<T: Send + 'static>(
    work: impl Future<Output = Result<T, ShimError>> + Send + 'static,
) -> Result<T, ShimError> {
    match tokio::spawn(work).await {
        Ok(outcome) => outcome,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
