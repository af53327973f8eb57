//! What was decided about exposures: workarounds in place, risks accepted.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use spacecp_contract::DocumentId;
use spacecp_services::{
    Decisions, Feed,
    decisions::{self, Decision, Wish},
    tokens::Scope,
};
use utoipa::ToSchema;

use super::{Caller, Problem, Sent, json};

/// Decisions about advisories that are not under embargo.
#[derive(Debug, Serialize)]
struct DecisionList {
    items: Vec<Decision>,
}

/// Lists the decisions that are valid, have expired or were reopened.
#[utoipa::path(get, path = "/api/v1/decisions", tag = "decisions", responses(
    (status = 200, description = "The newest decision for each advisory and component, as printed by workaround list --json and accept --list --json, in `items`.", body = serde_json::Value),
    (status = "default", body = Problem)
))]
pub(super) async fn decisions(
    State(feed): State<Feed>,
    State(decisions): State<Decisions>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let index = feed.advisory_index().await?;
    let mut items = decisions.current().await?;
    items.retain(|decision| index.is_public(&decision.advisory));
    Ok(json(index.redacted(DecisionList { items })))
}

/// A decision: a workaround is in place or, without one, a risk is accepted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decide {
    /// The advisory.
    advisory: String,
    /// The reviewed revision.
    revision: u64,
    /// The workaround, by its id within the advisory; none to accept the risk.
    #[serde(default)]
    workaround: Option<String>,
    /// The component; none for every component.
    #[serde(default)]
    component: Option<String>,
    /// End: a day (inclusive) or a time. Required to accept a risk.
    #[serde(default)]
    until: Option<String>,
    /// Reason. Required to accept a risk.
    #[serde(default)]
    reason: Option<String>,
}

/// Marks a workaround as in place, or accepts a risk.
#[utoipa::path(post, path = "/api/v1/decisions", tag = "decisions", request_body = Decide, responses(
    (status = 201, description = "The decision.", body = serde_json::Value),
    (status = "default", body = Problem)
))]
pub(super) async fn decide(
    State(feed): State<Feed>,
    State(decisions): State<Decisions>,
    caller: Caller,
    Sent(wish): Sent<Decide>,
) -> Result<Response, Problem> {
    caller.may(Scope::Decide)?;
    let missing = |_| Problem::not_found("advisory", &wish.advisory);
    let advisory = DocumentId::new(wish.advisory.clone()).map_err(missing)?;
    let index = feed.advisory_index().await?;
    if !index.is_public(&advisory) {
        // Its revision and workarounds are more than its id.
        return Err(Problem::embargo());
    }
    let until = wish.until.as_deref().map(decisions::until).transpose();
    let until = until.map_err(|error| Problem::malformed(format!("until: {error}")))?;
    let made = decisions
        .decide(&Wish {
            workaround: wish.workaround,
            advisory,
            shown: Some(wish.revision),
            component: wish.component,
            by: caller.name(),
            until,
            reason: wish.reason,
        })
        .await?;
    Ok((StatusCode::CREATED, json(index.redacted(made))).into_response())
}

/// Withdraws a decision.
#[utoipa::path(delete, path = "/api/v1/decisions/{number}", tag = "decisions",
    params(("number" = u64, Path, description = "Number of the decision.")),
    responses((status = 204), (status = "default", body = Problem)))]
pub(super) async fn take_back(
    State(decisions): State<Decisions>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    caller.may(Scope::Decide)?;
    let missing = || Problem::not_found("decision", &number);
    let wanted: u64 = number.parse().map_err(|_| missing())?;
    let all = decisions.current().await?;
    let decision = all
        .iter()
        .find(|decision| decision.number == wanted)
        .ok_or_else(missing)?;
    decisions
        .withdraw(wanted, decision.kind, &caller.name())
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
