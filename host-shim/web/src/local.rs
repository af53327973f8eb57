//! What an administrator decides about this machine: a path acknowledged, a version set, and either withdrawn.

use axum::{Form, extract::State, response::Response};
use serde::Deserialize;
use spacecp_services::{
    Decisions, ServiceError,
    decisions::{
        self, State as Standing,
        local::{LocalDecision, NewLocalDecision, Subject},
    },
};

use super::{Web, refusal::Refusal, request_auth::Visit, visitor::Session};

#[derive(Deserialize)]
pub(super) struct Acknowledge {
    csrf: String,
    place: String,
    reason: String,
    until: String,
}

#[derive(Deserialize)]
pub(super) struct SetVersion {
    csrf: String,
    component: String,
    version: String,
    reason: String,
    until: String,
}

#[derive(Deserialize)]
pub(super) struct Withdraw {
    csrf: String,
    decision: u64,
}

pub(super) async fn acknowledge(
    State(web): State<Web>,
    State(service): State<Decisions>,
    visit: Visit,
    Form(form): Form<Acknowledge>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let about = Subject::Unread(form.place);
    let words = (form.reason, form.until);
    let outcome = decide(&service, &session, about, words).await;
    Ok(tell(&web, &session, outcome))
}

pub(super) async fn set_version(
    State(web): State<Web>,
    State(service): State<Decisions>,
    visit: Visit,
    Form(form): Form<SetVersion>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let about = Subject::Version {
        component: form.component,
        version: form.version,
    };
    let words = (form.reason, form.until);
    let outcome = decide(&service, &session, about, words).await;
    Ok(tell(&web, &session, outcome))
}

pub(super) async fn withdraw(
    State(web): State<Web>,
    State(service): State<Decisions>,
    visit: Visit,
    Form(form): Form<Withdraw>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let outcome = service.withdraw_local(form.decision, &session.user).await;
    Ok(tell(&web, &session, outcome))
}

async fn decide(
    service: &Decisions,
    session: &Session,
    about: Subject,
    (reason, until): (String, String),
) -> Result<Vec<LocalDecision>, ServiceError> {
    let until = Some(until).filter(|text| !text.trim().is_empty());
    let until = until
        .map(|text| decisions::until(text.trim()))
        .transpose()?;
    let wish = NewLocalDecision {
        about,
        by: session.user.clone(),
        until,
        reason: Some(reason),
    };
    service.decide_locally(&wish).await
}

/// Says what was decided on the page of the components, and leads there.
fn tell(
    web: &Web,
    session: &Session,
    outcome: Result<Vec<LocalDecision>, ServiceError>,
) -> Response {
    match outcome {
        Ok(decided) => {
            for decision in decided.iter().take(5) {
                web.notices.say(session, true, words(decision));
            }
        }
        Err(error) => web.notices.say(session, false, error.to_string()),
    }
    web.lead("/components")
}

fn words(decision: &LocalDecision) -> String {
    let subject = &decision.subject;
    let until = decision.until.strftime("%Y-%m-%d %H:%M UTC");
    match (&decision.version, decision.state) {
        (None, Standing::Standing) => format!("Acknowledged {subject} until {until}."),
        (None, _) => format!("Acknowledgement of {subject} withdrawn."),
        (Some(version), Standing::Standing) => {
            format!("Version of {subject} set to {version} until {until}.")
        }
        (Some(version), _) => format!("Version {version} of {subject} withdrawn."),
    }
}
