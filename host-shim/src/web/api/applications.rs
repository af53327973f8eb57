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
use utoipa::ToSchema;

use super::{Asked, Caller, MANY, Part, Problem, Sent, Web, json};
use crate::{
    apply::{self, Progress},
    audit::{Entry, Event},
    automation,
    shim::{ApplyRequest, ShimError, correction_id},
    tokens::Scope,
};

/// What applying a correction to a component would do. Refused with `embargo` where what it
/// corrects is under one.
#[utoipa::path(get, path = "/api/v1/plans/{correction}/{component}", tag = "corrections",
    params(("correction" = String, Path, description = "The correction's id."), ("component" = String, Path, description = "The component's name on this panel.")),
    responses((status = 200, description = "The plan, the same as on the pages and from apply --dry-run --json; `digest` names it.", body = serde_json::Value), (status = "default", body = Problem)))]
pub(super) async fn plan(
    State(web): State<Web>,
    caller: Caller,
    Path((correction, component)): Path<(String, String)>,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let id = correction_id(&correction)?;
    // Before anything is planned: why something does not fit says much of it.
    if web.shim.catalogue().await?.hides_correction(&id) {
        return Err(Problem::embargo());
    }
    Ok(json(&web.shim.plan(&id, &component).await?))
}

/// An application, as the journal has it. Where what was corrected is under embargo, the component, the
/// versions and the reason are left out.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Application {
    /// Names it.
    id: String,
    /// The correction.
    correction: String,
    /// Its revision.
    revision: u64,
    /// Whether what it corrects is under embargo.
    embargo: bool,
    /// The component.
    component: Option<String>,
    /// The version before.
    from: Option<String>,
    /// The version afterwards.
    to: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    began: Timestamp,
    /// When it came to its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended: Option<Timestamp>,
    /// Who asked for it.
    by: String,
    /// What became of it: in-progress, applied, rolled-back or failed.
    #[schema(value_type = String)]
    outcome: apply::Outcome,
    /// Why it failed or was rolled back.
    reason: Option<String>,
    /// Whether it can be taken back now.
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

/// Applications.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Applications {
    /// The newest first.
    items: Vec<Application>,
}

/// What was applied here, newest first.
#[utoipa::path(get, path = "/api/v1/applications", tag = "corrections",
    params(("limit" = Option<u32>, Query, description = "At most so many: 100 if it is not said, 1000 at most.")),
    responses((status = 200, body = Applications), (status = "default", body = Problem)))]
pub(super) async fn applications(
    State(web): State<Web>,
    caller: Caller,
    Asked(part): Asked<Part>,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let catalogue = web.shim.catalogue().await?;
    let history = web.shim.history(part.limit()).await?.into_iter();
    let items = history.map(|application| {
        let spoken = catalogue.speaks_of_correction(&application.correction);
        Application::of(application, spoken)
    });
    Ok(json(&Applications {
        items: items.collect(),
    }))
}

/// What is to be applied.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Apply {
    /// The correction.
    correction: String,
    /// The component.
    component: String,
    /// The digest of the plan that was looked at: refused with `drifted` when anything has changed
    /// since. None to take the plan as it is now.
    #[serde(default)]
    plan: Option<String>,
    /// Whether what wants a word in the plan is given it; needs `plan`.
    #[serde(default)]
    overwrite: bool,
    /// Whether it waits for the next window; needs `plan`.
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
                "plan: say which plan was looked at, to overwrite or to wait for the window",
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

/// Work that was begun: its address is in the header `Location`, too.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Begun {
    /// The number of the work.
    work: u64,
}

/// An application that waits for the next window.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Appointment {
    /// Names it.
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
    /// When the next window opens, if one is in sight.
    #[schema(value_type = Option<String>, format = DateTime)]
    window: Option<Timestamp>,
}

/// Applies a correction, at once or at the next window.
#[utoipa::path(post, path = "/api/v1/applications", tag = "corrections", request_body = Apply,
    responses((status = 202, body = Begun, description = "It has begun: follow the work."), (status = 201, body = Appointment, description = "It waits for the window."), (status = "default", body = Problem)))]
pub(super) async fn apply(
    State(web): State<Web>,
    caller: Caller,
    Sent(wish): Sent<Apply>,
) -> Result<Response, Problem> {
    caller.may(Scope::Apply)?;
    let request = wish.request(caller.name())?;
    let hidden = web
        .shim
        .catalogue()
        .await?
        .hides_correction(&request.correction);
    // It may be applied; why it cannot be is for those who may know of it.
    let worded = |error: ShimError| {
        if hidden {
            Problem::embargo()
        } else {
            error.into()
        }
    };
    if wish.at_window {
        let now = Timestamp::now();
        let made = web.shim.appoint(request, now).await.map_err(worded)?;
        let window = web.shim.next_window(now).await?;
        return Ok((StatusCode::CREATED, json(&waiting(made, window))).into_response());
    }
    // What cannot be done is refused here and now, and not only in the work.
    web.shim
        .plan(&request.correction, &request.component)
        .await
        .map_err(worded)?;
    let (shim, about) = (web.shim.clone(), Some(request.correction.clone()));
    let words = format!("{} is being corrected.", request.component);
    let work = async move |progress: Arc<dyn Progress>| {
        let application = shim.apply(request, &*progress).await?;
        Ok(format!(
            "{} is corrected: {} → {}.",
            application.component, application.from, application.to
        ))
    };
    Ok(begin(&web, words, about, work))
}

/// Takes an application back.
#[utoipa::path(post, path = "/api/v1/applications/{id}/roll-back", tag = "corrections",
    params(("id" = String, Path, description = "The application.")),
    responses((status = 202, body = Begun, description = "It has begun: follow the work."), (status = "default", body = Problem)))]
pub(super) async fn roll_back(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caller.may(Scope::Apply)?;
    let about = web.shim.correction_of(&id).await?;
    if about.is_none() {
        return Err(Problem::not_found("application", &id));
    }
    let (shim, by) = (web.shim.clone(), caller.name());
    let work = async move |progress: Arc<dyn Progress>| {
        let application = shim.roll_back(&id, false, &by, &*progress).await?;
        Ok(format!(
            "{} was rolled back: {} → {}.",
            application.component, application.to, application.from
        ))
    };
    Ok(begin(
        &web,
        "A correction is being taken back.".to_owned(),
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
    F: Future<Output = Result<String, ShimError>> + Send + 'static,
{
    // Whoever began it asks for its end.
    let number = web.begin_work(words, about, work, |_, _| {});
    let place = web.site().at(&format!("/api/v1/work/{number}"));
    let mut response = (StatusCode::ACCEPTED, json(&Begun { work: number })).into_response();
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// How far work is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Work {
    /// Whether it has come to its end.
    ended: bool,
    /// Whether that was a good one; none before it.
    well: Option<bool>,
    /// What is being done, or what became of it.
    words: String,
    /// The step that was begun last, as the journal calls it.
    step: Option<String>,
    /// Files of this step that are done.
    files_done: Option<u64>,
    /// All files of this step.
    files: Option<u64>,
}

/// How far work is that was begun here. It is forgotten when the panel is restarted: what became of it
/// is among the applications.
#[utoipa::path(get, path = "/api/v1/work/{number}", tag = "corrections",
    params(("number" = u64, Path, description = "The number of the work.")),
    responses((status = 200, body = Work), (status = "default", body = Problem)))]
pub(super) async fn work(
    State(web): State<Web>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    // Whoever may apply may see what became of it.
    caller
        .may(Scope::Read)
        .or_else(|_| caller.may(Scope::Apply))?;
    let known = number.parse().ok().and_then(|number| web.work(number));
    let (words, stage, about) = known.ok_or_else(|| Problem::not_found("work", &number))?;
    let catalogue = web.shim.catalogue().await?;
    let spoken = about.is_some_and(|about| catalogue.speaks_of_correction(&about));
    let (well, words) = match (stage.outcome, spoken) {
        (Some((well, outcome)), true) => (Some(well), outcome),
        (None, true) => (None, words),
        (Some((well, _)), false) => (Some(well), "Work under embargo has ended.".to_owned()),
        (None, false) => (None, "Work under embargo goes on.".to_owned()),
    };
    Ok(json(&Work {
        ended: stage.ended,
        well,
        words,
        step: stage.step,
        files_done: stage.files.map(|(done, _)| done),
        files: stage.files.map(|(_, of)| of),
    }))
}

/// What waits for the window.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Appointments {
    /// The newest first.
    items: Vec<Appointment>,
}

/// What waits for the next window.
#[utoipa::path(get, path = "/api/v1/appointments", tag = "corrections",
    responses((status = 200, body = Appointments), (status = "default", body = Problem)))]
pub(super) async fn appointments(
    State(web): State<Web>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let catalogue = web.shim.catalogue().await?;
    let window = web.shim.next_window(Timestamp::now()).await?;
    let all = web.shim.appointments(MANY).await?.into_iter();
    let items = all
        .filter(|one| one.state == automation::Kept::Waiting)
        .filter(|one| {
            let id = DocumentId::new(one.correction.clone());
            id.is_ok_and(|id| catalogue.speaks_of_correction(&id))
        })
        .map(|one| waiting(one, window));
    Ok(json(&Appointments {
        items: items.collect(),
    }))
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

/// Has an application no longer wait for the window.
#[utoipa::path(delete, path = "/api/v1/appointments/{number}", tag = "corrections",
    params(("number" = i64, Path, description = "Its number.")),
    responses((status = 204), (status = "default", body = Problem)))]
pub(super) async fn withdraw(
    State(web): State<Web>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    caller.may(Scope::Apply)?;
    let missing = |_| Problem::not_found("appointment", &number);
    let number: i64 = number.parse().map_err(missing)?;
    web.shim
        .withdraw_appointment(number, &caller.name(), Timestamp::now())
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Part of the audit log.
#[derive(Debug, Serialize)]
struct Audit {
    items: Vec<Entry>,
    /// The first thing that is wrong with the log, if anything is.
    fault: Option<String>,
}

/// The newest entries of the audit log. Of one about what is under embargo the ids, who and what are
/// there; what it takes to check the hashes is in audit --json.
#[utoipa::path(get, path = "/api/v1/audit", tag = "corrections",
    params(("limit" = Option<u32>, Query, description = "At most so many: 100 if it is not said, 1000 at most.")),
    responses((status = 200, description = "The entries below `items`, newest first, and what is wrong with the log as `fault`.", body = serde_json::Value), (status = "default", body = Problem)))]
pub(super) async fn audit(
    State(web): State<Web>,
    caller: Caller,
    Asked(part): Asked<Part>,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let report = web.shim.audit(part.limit() as usize).await?;
    let catalogue = web.shim.catalogue().await?;
    let spoken = |event: &Event| {
        let mut advisories = event.advisories.iter();
        advisories.all(|id| catalogue.speaks_of(id))
            && event
                .correction
                .iter()
                .all(|id| catalogue.speaks_of_correction(id))
    };
    let items = report.newest.iter().map(|recorded| {
        let mut entry = recorded.entry.clone();
        if !spoken(&entry.event) {
            let event = entry.event;
            entry.event = Event {
                advisories: event.advisories,
                correction: event.correction,
                ..Event::new(event.what, event.who)
            };
        }
        entry
    });
    let fault = report.walked.fault.as_ref().map(ToString::to_string);
    Ok(json(&Audit {
        items: items.collect(),
        fault,
    }))
}
