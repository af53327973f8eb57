//! Corrections: plans, applications, what waits for the window, and what was done.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spacecp_contract::{Digest, DocumentId};
use spacecp_services::{
    ApplyRequest, Automation, Corrections, Feed, Redacted, ServiceError, Trust, automation,
    correction_id, tokens::Scope,
};
use utoipa::ToSchema;

use super::{Asked, Caller, MANY, Part, Problem, Sent, Web, json};
use spacecp_apply::apply::{self, Progress};
use spacecp_store::audit::Entry;

/// Preview of applying a correction to a component. Refused with `embargo` if the correction
/// is under embargo.
#[utoipa::path(get, path = "/api/v1/plans/{correction}/{component}", tag = "corrections",
    params(("correction" = String, Path, description = "Id of the correction."), ("component" = String, Path, description = "Name of the component on this panel.")),
    responses((status = 200, description = "The plan, as printed by apply --dry-run --json; `digest` identifies it.", body = serde_json::Value), (status = "default", body = Problem)))]
pub(super) async fn plan(
    State(feed): State<Feed>,
    State(corrections): State<Corrections>,
    caller: Caller,
    Path((correction, component)): Path<(String, String)>,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let id = correction_id(&correction)?;
    // Before anything is planned: why something does not fit says much of it.
    let index = feed.advisory_index().await?;
    if index.is_correction_embargoed(&id) {
        return Err(Problem::embargo());
    }
    Ok(json(
        index.redacted(corrections.plan(&id, &component).await?),
    ))
}

/// An apply run, as recorded in the journal. Without component, versions and reason if the correction is
/// under embargo.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Application {
    /// Id.
    id: String,
    /// The correction.
    correction: String,
    /// Its revision.
    revision: u64,
    /// Whether the correction is under embargo.
    embargo: bool,
    /// The component.
    component: Option<String>,
    /// The version before.
    from: Option<String>,
    /// The version afterwards.
    to: Option<String>,
    /// Time of the start.
    #[schema(value_type = String, format = DateTime)]
    began: Timestamp,
    /// Time of the end; none while in progress.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended: Option<Timestamp>,
    /// Who asked for it.
    by: String,
    /// Outcome: in-progress, applied, rolled-back or failed.
    #[schema(value_type = String)]
    outcome: apply::Outcome,
    /// Why it failed or was rolled back.
    reason: Option<String>,
    /// Whether it can be rolled back now.
    reversible: bool,
}

impl Application {
    fn of(application: apply::Application, spoken: bool) -> Self {
        let open = |text: String| spoken.then_some(text);
        Self {
            id: application.id,
            correction: application.correction.to_string(),
            revision: application.revision,
            embargo: !spoken,
            component: open(application.component),
            from: open(application.from),
            to: open(application.to),
            began: application.began,
            ended: application.ended,
            by: application.by,
            outcome: application.outcome,
            reason: application.reason.filter(|_| spoken),
            reversible: application.reversible,
        }
    }
}

/// Apply runs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Applications {
    /// The newest first.
    items: Vec<Application>,
}

/// Lists the apply runs of this panel, newest first.
#[utoipa::path(get, path = "/api/v1/applications", tag = "corrections",
    params(("limit" = Option<u32>, Query, description = "Maximum number of items: 100 by default, at most 1000.")),
    responses((status = 200, body = Applications), (status = "default", body = Problem)))]
pub(super) async fn applications(
    State(feed): State<Feed>,
    State(corrections): State<Corrections>,
    caller: Caller,
    Asked(part): Asked<Part>,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let index = feed.advisory_index().await?;
    let history = corrections.history(part.limit()).await?.into_iter();
    let items = history.map(|application| {
        let spoken = index.is_correction_public(&application.correction);
        Application::of(application, spoken)
    });
    Ok(json(index.redacted(Applications {
        items: items.collect(),
    })))
}

/// A request to apply a correction.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Apply {
    /// The correction.
    correction: String,
    /// The component.
    component: String,
    /// Digest of the reviewed plan: refused with `drifted` if anything has changed
    /// since. Without it, the current plan is used.
    #[serde(default)]
    plan: Option<String>,
    /// Confirms the warnings of the plan, such as overwriting local modifications; requires `plan`.
    #[serde(default)]
    overwrite: bool,
    /// Schedules the correction for the next maintenance window; requires `plan`.
    #[serde(default)]
    at_window: bool,
}

impl Apply {
    fn request(&self, by: String) -> Result<ApplyRequest, Problem> {
        let plan = self.plan.as_ref().map(|plan| plan.parse::<Digest>());
        let plan = plan
            .transpose()
            .map_err(|error| Problem::malformed(format!("plan: {error}")))?;
        if plan.is_none() && (self.overwrite || self.at_window) {
            return Err(Problem::malformed(
                "plan: required to overwrite or to schedule",
            ));
        }
        Ok(ApplyRequest {
            correction: correction_id(&self.correction)?,
            component: self.component.clone(),
            plan,
            overwrite: self.overwrite,
            by,
        })
    }
}

/// A job that was started; its address is also in the header `Location`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Begun {
    /// Number of the job.
    work: u64,
}

/// A scheduled correction.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Appointment {
    /// Id.
    number: i64,
    /// The correction.
    correction: String,
    /// The component.
    component: String,
    /// Who asked for it.
    by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    made: Timestamp,
    /// Start of the next maintenance window, if there is one.
    #[schema(value_type = Option<String>, format = DateTime)]
    window: Option<Timestamp>,
}

/// Applies a correction now, or schedules it for the next maintenance window.
#[utoipa::path(post, path = "/api/v1/applications", tag = "corrections", request_body = Apply,
    responses((status = 202, body = Begun, description = "Started; poll the job."), (status = 201, body = Appointment, description = "Scheduled for the next maintenance window."), (status = "default", body = Problem)))]
pub(super) async fn apply(
    State(web): State<Web>,
    State(feed): State<Feed>,
    State(automation): State<Automation>,
    State(corrections): State<Corrections>,
    caller: Caller,
    Sent(wish): Sent<Apply>,
) -> Result<Response, Problem> {
    caller.may(Scope::Apply)?;
    let request = wish.request(caller.name())?;
    let index = feed.advisory_index().await?;
    let hidden = index.is_correction_embargoed(&request.correction);
    // It may be applied; why it cannot be is for those who may know of it.
    let worded = |error: ServiceError| {
        if hidden {
            Problem::embargo()
        } else {
            error.into()
        }
    };
    if wish.at_window {
        let now = Timestamp::now();
        let made = automation.schedule(request, now).await.map_err(worded)?;
        let window = automation.next_window(now).await?;
        return Ok((
            StatusCode::CREATED,
            json(index.redacted(waiting(made, window))),
        )
            .into_response());
    }
    // What cannot be done is refused here and now, and not only in the work.
    corrections
        .plan(&request.correction, &request.component)
        .await
        .map_err(worded)?;
    let about = Some(request.correction.clone());
    let words = format!("Applying a correction to {}.", request.component);
    let work = async move |progress: Arc<dyn Progress>| {
        let application = corrections.apply(request, &*progress).await?;
        Ok(format!(
            "{} corrected: {} → {}.",
            application.component, application.from, application.to
        ))
    };
    Ok(begin(&web, words, about, work))
}

/// Rolls an apply run back.
#[utoipa::path(post, path = "/api/v1/applications/{id}/roll-back", tag = "corrections",
    params(("id" = String, Path, description = "Id of the apply run.")),
    responses((status = 202, body = Begun, description = "Started; poll the job."), (status = "default", body = Problem)))]
pub(super) async fn roll_back(
    State(web): State<Web>,
    State(corrections): State<Corrections>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caller.may(Scope::Apply)?;
    let about = corrections.correction_of(&id).await?;
    if about.is_none() {
        return Err(Problem::not_found("application", &id));
    }
    let by = caller.name();
    let work = async move |progress: Arc<dyn Progress>| {
        let application = corrections.roll_back(&id, false, &by, &*progress).await?;
        Ok(format!(
            "{} rolled back: {} → {}.",
            application.component, application.to, application.from
        ))
    };
    Ok(begin(
        &web,
        "Rolling back a correction.".to_owned(),
        about,
        work,
    ))
}

fn begin<F>(
    web: &Web,
    words: String,
    about: Option<DocumentId>,
    work: impl FnOnce(Arc<dyn Progress>) -> F,
) -> Response
where
    F: Future<Output = Result<String, ServiceError>> + Send + 'static,
{
    // Whoever began it asks for its end.
    let number = web.begin_work(words, about, work, |_, _| {});
    let place = web.site().at(&format!("/api/v1/work/{number}"));
    let mut response = (
        StatusCode::ACCEPTED,
        json(Redacted::without_documents(Begun { work: number })),
    )
        .into_response();
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// Progress of a job.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Work {
    /// Whether it has ended.
    ended: bool,
    /// Whether it succeeded; none before its end.
    well: Option<bool>,
    /// What is being done, or the outcome.
    words: String,
    /// Current step, as named in the journal.
    step: Option<String>,
    /// Files completed in this step.
    files_done: Option<u64>,
    /// Files in this step.
    files: Option<u64>,
}

/// Returns the progress of a job. Jobs are not kept over a restart of the panel; the outcome
/// is listed with the apply runs.
#[utoipa::path(get, path = "/api/v1/work/{number}", tag = "corrections",
    params(("number" = u64, Path, description = "Number of the job.")),
    responses((status = 200, body = Work), (status = "default", body = Problem)))]
pub(super) async fn work(
    State(web): State<Web>,
    State(feed): State<Feed>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    // Whoever may apply may see what became of it.
    caller
        .may(Scope::Read)
        .or_else(|_| caller.may(Scope::Apply))?;
    let known = number.parse().ok().and_then(|number| web.work(number));
    let (words, stage, about) = known.ok_or_else(|| Problem::not_found("work", &number))?;
    let index = feed.advisory_index().await?;
    let spoken = about.is_some_and(|about| index.is_correction_public(&about));
    let (well, words) = match (stage.outcome, spoken) {
        (Some((well, outcome)), true) => (Some(well), outcome),
        (None, true) => (None, words),
        (Some((well, _)), false) => (Some(well), "Job under embargo ended.".to_owned()),
        (None, false) => (None, "Job under embargo in progress.".to_owned()),
    };
    Ok(json(Redacted::without_documents(Work {
        ended: stage.ended,
        well,
        words,
        step: stage.step,
        files_done: stage.files.map(|(done, _)| done),
        files: stage.files.map(|(_, of)| of),
    })))
}

/// Scheduled corrections.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Appointments {
    /// The newest first.
    items: Vec<Appointment>,
}

/// Lists the scheduled corrections.
#[utoipa::path(get, path = "/api/v1/appointments", tag = "corrections",
    responses((status = 200, body = Appointments), (status = "default", body = Problem)))]
pub(super) async fn appointments(
    State(feed): State<Feed>,
    State(automation): State<Automation>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let index = feed.advisory_index().await?;
    let window = automation.next_window(Timestamp::now()).await?;
    let all = automation.scheduled(MANY).await?.into_iter();
    let items = all
        .filter(|one| one.state == automation::Kept::Waiting)
        .filter(|one| {
            let id = DocumentId::new(one.correction.clone());
            id.is_ok_and(|id| index.is_correction_public(&id))
        })
        .map(|one| waiting(one, window));
    Ok(json(index.redacted(Appointments {
        items: items.collect(),
    })))
}

fn waiting(one: automation::Appointment, window: Option<Timestamp>) -> Appointment {
    Appointment {
        number: one.number,
        correction: one.correction,
        component: one.component,
        by: one.by,
        made: one.made,
        window,
    }
}

/// Cancels a scheduled correction.
#[utoipa::path(delete, path = "/api/v1/appointments/{number}", tag = "corrections",
    params(("number" = i64, Path, description = "Number of the scheduled correction.")),
    responses((status = 204), (status = "default", body = Problem)))]
pub(super) async fn withdraw(
    State(automation): State<Automation>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    caller.may(Scope::Apply)?;
    let missing = |_| Problem::not_found("appointment", &number);
    let number: i64 = number.parse().map_err(missing)?;
    automation
        .cancel(number, &caller.name(), Timestamp::now())
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Entries of the audit log.
#[derive(Debug, Serialize)]
struct Audit {
    items: Vec<Entry>,
    /// The first verification failure, if any.
    fault: Option<String>,
}

/// Lists the newest entries of the audit log. Entries about embargoed advisories contain ids, person and
/// action only; use audit --json to verify the hashes.
#[utoipa::path(get, path = "/api/v1/audit", tag = "corrections",
    params(("limit" = Option<u32>, Query, description = "Maximum number of items: 100 by default, at most 1000.")),
    responses((status = 200, description = "The entries in `items`, newest first, and the first verification failure in `fault`.", body = serde_json::Value), (status = "default", body = Problem)))]
pub(super) async fn audit(
    State(trust): State<Trust>,
    State(feed): State<Feed>,
    caller: Caller,
    Asked(part): Asked<Part>,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let report = trust.audit(part.limit() as usize).await?;
    let index = feed.advisory_index().await?;
    let items = report.newest.into_iter().map(|recorded| recorded.entry);
    let fault = report.walked.fault.as_ref().map(ToString::to_string);
    Ok(json(index.redacted(Audit {
        items: items.collect(),
        fault,
    })))
}
