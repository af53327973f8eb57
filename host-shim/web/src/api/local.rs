//! What could not be read on this machine, and what was decided about that.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spacecp_apply::inventory::{Acknowledgement, Unread};
use spacecp_services::{
    Decisions, Exposure, Redacted,
    decisions::{
        self,
        local::{LocalDecision, NewLocalDecision, Subject},
    },
    tokens::Scope,
};
use utoipa::ToSchema;

use super::{Caller, Problem, Sent, json};

/// What was looked at to find components, and what could not be read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Coverage {
    /// What was looked at and how much, in one line.
    summary: String,
    /// The paths that could not be read.
    items: Vec<UnreadPath>,
}

/// A path that could not be read.
#[derive(Debug, Serialize, ToSchema)]
struct UnreadPath {
    /// The path; `!/` goes into an archive.
    path: String,
    /// Why it could not be read.
    reason: String,
    /// Its acknowledgement; none while it counts as unread.
    acknowledged: Option<Acknowledged>,
}

/// An acknowledgement that holds.
#[derive(Debug, Serialize, ToSchema)]
struct Acknowledged {
    /// Number of the decision.
    number: u64,
    /// Who acknowledged it.
    by: String,
    /// Why.
    reason: String,
    /// Until when.
    #[schema(value_type = String, format = "date-time")]
    until: Timestamp,
}

fn unread_path(unread: &Unread, acknowledged: Option<&Acknowledgement>) -> UnreadPath {
    UnreadPath {
        path: unread.at.clone(),
        reason: unread.why.to_string(),
        acknowledged: acknowledged.map(|one| Acknowledged {
            number: one.number,
            by: one.by.clone(),
            reason: one.reason.clone(),
            until: one.until,
        }),
    }
}

/// Lists the paths that could not be read, with the reason and the acknowledgement of each.
#[utoipa::path(get, path = "/api/v1/unread", tag = "decisions",
    responses((status = 200, body = Coverage), (status = "default", body = Problem)))]
pub(super) async fn unread(
    State(exposure): State<Exposure>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let inventory = exposure.inventory().await;
    let unread = inventory.unread.iter().map(|one| unread_path(one, None));
    let acknowledged = inventory.acknowledged.iter();
    let acknowledged = acknowledged.map(|(one, why)| unread_path(one, Some(why)));
    Ok(json(Redacted::without_documents(Coverage {
        summary: inventory.coverage.clone(),
        items: unread.chain(acknowledged).collect(),
    })))
}

#[derive(Debug, Serialize)]
struct DecisionList {
    items: Vec<LocalDecision>,
}

/// Lists the acknowledged paths and the versions that were set, as far as they are valid, have expired or were reopened.
#[utoipa::path(get, path = "/api/v1/local-decisions", tag = "decisions", responses(
    (status = 200, description = "The newest decision for each path and component, as printed by unread list --json and set-version --list --json, in `items`.", body = serde_json::Value),
    (status = "default", body = Problem)
))]
pub(super) async fn decisions(
    State(decisions): State<Decisions>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let items = decisions.current_locally().await?;
    Ok(json(Redacted::without_documents(DecisionList { items })))
}

/// A decision about this machine: a path that could not be read is acknowledged, or the version of a component is set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DecideLocally {
    /// The path to acknowledge, with everything inside it that could not be read.
    #[serde(default)]
    path: Option<String>,
    /// The component whose version is set.
    #[serde(default)]
    component: Option<String>,
    /// Its version.
    #[serde(default)]
    version: Option<String>,
    /// End: a day (inclusive) or a time.
    until: String,
    /// Reason.
    reason: String,
}

/// Acknowledges a path that could not be read, or sets the version of a component.
#[utoipa::path(post, path = "/api/v1/local-decisions", tag = "decisions", request_body = DecideLocally, responses(
    (status = 201, description = "The decisions, one for each path that could not be read, in `items`.", body = serde_json::Value),
    (status = "default", body = Problem)
))]
pub(super) async fn decide(
    State(decisions): State<Decisions>,
    caller: Caller,
    Sent(wish): Sent<DecideLocally>,
) -> Result<Response, Problem> {
    caller.may(Scope::Decide)?;
    let about = match (wish.path, wish.component, wish.version) {
        (Some(path), None, None) => Subject::Unread(path),
        (None, Some(component), Some(version)) => Subject::Version { component, version },
        _ => {
            let words = "send either path, or component and version";
            return Err(Problem::malformed(words.to_owned()));
        }
    };
    let until = decisions::until(&wish.until)
        .map_err(|error| Problem::malformed(format!("until: {error}")))?;
    let wish = NewLocalDecision {
        about,
        by: caller.name(),
        until: Some(until),
        reason: Some(wish.reason),
    };
    let items = decisions.decide_locally(&wish).await?;
    Ok((
        StatusCode::CREATED,
        json(Redacted::without_documents(DecisionList { items })),
    )
        .into_response())
}

/// Withdraws a decision about this machine.
#[utoipa::path(delete, path = "/api/v1/local-decisions/{number}", tag = "decisions",
    params(("number" = u64, Path, description = "Number of the decision.")),
    responses((status = 204), (status = "default", body = Problem)))]
pub(super) async fn withdraw(
    State(decisions): State<Decisions>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    caller.may(Scope::Decide)?;
    let missing = || Problem::not_found("decision", &number);
    let wanted: u64 = number.parse().map_err(|_| missing())?;
    decisions.withdraw_local(wanted, &caller.name()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
