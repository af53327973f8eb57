//! What an administrator has done: apply, roll back, sync.
//!
//! Each is a task of its own: a browser that goes away does not stop an application half-way.

use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use spacecp_contract::Digest;
use spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::{Page, Tone};
use spacecp_render::{
    html::{self, Frame, token},
    page_builder::{notice, paragraph},
    text::visible,
};
use spacecp_services::{
    ApplyRequest, Automation, Corrections, Feed, RollbackPreview, ServiceError, correction_id,
};

use super::{Web, login::Token, refusal::Refusal, request_auth::Visit, visitor::Session};

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
    /// Given once what the rollback reopens was shown.
    confirmed: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Withdraw {
    csrf: String,
    appointment: i64,
}

impl Apply {
    /// What is asked for, by whom.
    fn request(self, session: &Session) -> Result<ApplyRequest, ServiceError> {
        let correction = correction_id(&self.correction)?;
        // A page always shows a plan; an action without one did not come from it.
        let plan: Digest = self.plan.parse().map_err(|_| ServiceError::NotFound {
            what: "plan",
            name: self.plan,
        })?;
        Ok(ApplyRequest {
            correction,
            component: self.component,
            plan: Some(plan),
            overwrite: self.overwrite.is_some(),
            by: session.user.clone(),
        })
    }
}

pub(super) async fn apply(
    State(web): State<Web>,
    State(corrections): State<Corrections>,
    visit: Visit,
    Form(form): Form<Apply>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let request = form.request(&session)?;
    let words = format!("Applying a correction to {}.", request.component);
    let about = Some(request.correction.clone());
    Ok(
        web.set_to_work(&session, words, about, |progress| async move {
            let application = corrections.apply(request, &*progress).await?;
            Ok(format!(
                "{} corrected: {} → {}.",
                application.component, application.from, application.to
            ))
        }),
    )
}

/// Has the plan that was shown carried out at the next window.
pub(super) async fn schedule(
    State(web): State<Web>,
    State(automation): State<Automation>,
    visit: Visit,
    Form(form): Form<Apply>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let now = Timestamp::now();
    let made = automation.schedule(form.request(&session)?, now).await;
    let window = automation.next_window(now).await?;
    let when = window.map_or(String::new(), |window| {
        window.strftime(", %Y-%m-%d %H:%M UTC").to_string()
    });
    Ok(tell(
        &web,
        &session,
        made.map(|made| {
            format!(
                "{} scheduled for the next maintenance window{when}: {} will be applied unless the plan changes.",
                made.component, made.correction
            )
        }),
    ))
}

pub(super) async fn withdraw_appointment(
    State(web): State<Web>,
    State(automation): State<Automation>,
    visit: Visit,
    Form(form): Form<Withdraw>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let withdrawn = automation
        .cancel(form.appointment, &session.user, Timestamp::now())
        .await;
    Ok(tell(
        &web,
        &session,
        withdrawn.map(|one| {
            format!(
                "{} for {} is no longer scheduled.",
                one.correction, one.component
            )
        }),
    ))
}

pub(super) async fn roll_back(
    State(web): State<Web>,
    State(corrections): State<Corrections>,
    State(feed): State<Feed>,
    visit: Visit,
    Form(form): Form<RollBack>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    if form.confirmed.is_none()
        && let Some(preview) = corrections.preview_rollback(&form.application).await?
    {
        // Where it cannot be read what is under embargo, everything may be.
        let index = feed.advisory_index().await.ok();
        let is_public = |advisory: &String| {
            index
                .as_ref()
                .is_some_and(|index| index.is_public(advisory))
        };
        let embargo = !preview.reopens.iter().all(is_public);
        let frame = web.frame(Some(&session), &[], "/history");
        return Ok(confirm_rollback(&preview, embargo, &frame).into_response());
    }
    let by = session.user.clone();
    let words = "Rolling back a correction.".to_owned();
    let about = corrections.correction_of(&form.application).await?;
    Ok(
        web.set_to_work(&session, words, about, |progress| async move {
            let application = corrections
                .roll_back(&form.application, false, &by, &*progress)
                .await?;
            Ok(format!(
                "{} rolled back: {} → {}.",
                application.component, application.to, application.from
            ))
        }),
    )
}

/// Says what a rollback reopens, and asks.
fn confirm_rollback(preview: &RollbackPreview, embargo: bool, frame: &Frame<'_>) -> Markup {
    let mut blocks = vec![paragraph(format!(
        "The files of {} {} are restored; its run-time data stays as it is.",
        preview.component, preview.to
    ))];
    let tone = if preview.reopens.is_empty() {
        Tone::Information
    } else {
        Tone::Danger
    };
    blocks.push(notice(tone, preview.words()));
    let page = Page {
        title: format!("Roll back {}", preview.component),
        blocks,
        embargo,
    };
    let form = html! {
        form.action method="post" action=(frame.site.at("/roll-back")) {
            (token(frame))
            input type="hidden" name="application" value=(preview.apply_run);
            input type="hidden" name="confirmed" value="yes";
            button.primary type="submit" { "Roll back: " (visible(&preview.component)) " → " (visible(&preview.to)) }
        }
        p { a href=(frame.site.at("/history")) { "Cancel" } }
    };
    html::page_above(&page, &form, frame)
}

pub(super) async fn sync(
    State(web): State<Web>,
    State(feed): State<Feed>,
    visit: Visit,
    Form(form): Form<Token>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let outcome = feed.sync().await;
    let (well, words) = match outcome {
        Ok(report) if report.changed => (
            true,
            format!(
                "{} new or changed documents received.",
                report.accepted.len()
            ),
        ),
        Ok(_) => (true, "No changes in the feed.".to_owned()),
        Err(error) => (false, format!("Sync failed: {error}")),
    };
    web.notices.say(&session, well, words);
    Ok(web.lead("/"))
}

/// Keeps the outcome for the history page and leads there.
fn tell(web: &Web, session: &Session, outcome: Result<String, ServiceError>) -> Response {
    match outcome {
        Ok(words) => web.notices.say(session, true, words),
        Err(error) => web.notices.say(session, false, error.to_string()),
    }
    web.lead("/history")
}
