//! Who is told what happens, and what each person has read and dismissed.

use axum::{
    Form,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Deserialize;
use spacecp_contract::DocumentId;
use spacecp_notify::{Notifications, NotifyError, notifications_page};

use super::{
    Web,
    forms::notifications,
    pages::{as_json_value, wants_json},
    refusal::Refusal,
    request_auth::Visit,
    visitor::Session,
};
use spacecp_render::html::{self, NOTIFICATIONS};
use spacecp_services::ServiceError;

#[derive(Deserialize)]
pub(super) struct Token {
    csrf: String,
}

#[derive(Deserialize)]
pub(super) struct Test {
    csrf: String,
    channel: String,
}

#[derive(Deserialize)]
pub(super) struct Dismiss {
    csrf: String,
    advisory: String,
    revision: u64,
}

#[derive(Deserialize)]
pub(super) struct Undismiss {
    csrf: String,
    advisory: String,
    /// Empty for every component.
    component: String,
}

pub(super) async fn page(
    State(web): State<Web>,
    State(notifications): State<Notifications>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let report = notifications.report().await?;
    if wants_json(&headers) {
        return Ok(as_json_value(&serde_json::json!(report)));
    }
    let state = notifications.read_state(&session.user).await?;
    let said = web.notices.said(&session);
    let frame = web.frame(Some(&session), &said, NOTIFICATIONS);
    let forms = maud::html! {
        (notifications::channels(&report, &frame))
        (notifications::reader(&state, &frame))
    };
    Ok(html::page_above(&notifications_page(&report), &forms, &frame).into_response())
}

pub(super) async fn test(
    State(web): State<Web>,
    State(notifications): State<Notifications>,
    visit: Visit,
    Form(form): Form<Test>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let sent = notifications.test(&form.channel, &session.user).await;
    let outcome = sent.map(|()| format!("Test notification delivered to {}.", form.channel));
    Ok(tell(&web, &session, outcome, NOTIFICATIONS))
}

pub(super) async fn retry(
    State(web): State<Web>,
    State(notifications): State<Notifications>,
    visit: Visit,
    Form(form): Form<Token>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let again = notifications.retry(Timestamp::now()).await;
    let outcome = again.map(|count| format!("Retrying {count} deliveries."));
    Ok(tell(&web, &session, outcome, NOTIFICATIONS))
}

/// Whoever may read may say what they have read.
pub(super) async fn read_all(
    State(web): State<Web>,
    State(notifications): State<Notifications>,
    visit: Visit,
    Form(form): Form<Token>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, false)?;
    let outcome = notifications.mark_all_read(&session.user).await;
    let outcome = outcome.map(|()| "All advisories marked as read.".to_owned());
    Ok(tell(&web, &session, outcome, NOTIFICATIONS))
}

pub(super) async fn dismiss(
    State(web): State<Web>,
    State(notifications): State<Notifications>,
    visit: Visit,
    Form(form): Form<Dismiss>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, false)?;
    let id = advisory(form.advisory)?;
    let outcome = notifications
        .dismiss(&session.user, &id, form.revision, None)
        .await;
    let outcome = outcome.map(|()| format!("{id} dismissed for you."));
    Ok(tell(&web, &session, outcome, &format!("/advisories/{id}")))
}

pub(super) async fn undismiss(
    State(web): State<Web>,
    State(notifications): State<Notifications>,
    visit: Visit,
    Form(form): Form<Undismiss>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, false)?;
    let id = advisory(form.advisory)?;
    let component = Some(form.component.as_str()).filter(|name| !name.is_empty());
    let outcome = notifications.undismiss(&session.user, &id, component).await;
    let outcome = outcome.map(|()| format!("{id} restored."));
    Ok(tell(&web, &session, outcome, NOTIFICATIONS))
}

fn advisory(id: String) -> Result<DocumentId, ServiceError> {
    DocumentId::new(id.clone()).map_err(|_| ServiceError::NotFound {
        what: "advisory",
        name: id,
    })
}

/// Keeps the outcome for the page that it leads to.
fn tell(
    web: &Web,
    session: &Session,
    outcome: Result<String, NotifyError>,
    page: &str,
) -> Response {
    match outcome {
        Ok(words) => web.notices.say(session, true, words),
        Err(error) => web.notices.say(session, false, error.to_string()),
    }
    web.lead(page)
}
