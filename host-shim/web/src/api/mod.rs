//! The API for programs, version 1: JSON over HTTP, described by `OpenAPI`, reached with tokens.
//!
//! Says nothing of what is under embargo but its id: a program passes on what it reads. What the pages
//! refuse is refused here, too; a token can do nothing that an administrator cannot.

mod access;
mod applications;
mod decisions;
mod exposures;
mod feed;
mod local;
mod problem;
mod reading;

use axum::{
    Router,
    http::{Uri, header},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde::{Deserialize, Serialize};
use spacecp_services::Redacted;
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::state::{AppState, Web};
pub(super) use access::Caller;
pub(super) use problem::{MEDIA_TYPE, Problem};
use reading::{Asked, Sent};

/// Where the API begins, below the base of the pages.
const BEGIN: &str = "/api/";

/// Where the metrics are: asked for by programs, too.
const METRICS: &str = "/metrics";

/// Items of a list where nobody asks for another number.
const FEW: u32 = 100;

/// Items of a list at most.
const MANY: u32 = 1_000;

/// The description of the API.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "SpaceCP advisories of a panel",
        version = "1.0.0",
        description = "Security advisories received by a panel, verdicts for its installed components, and corrections.\n\nEvery request requires an API token of the panel (`spacecp-advisories token new`) with a sufficient scope. Embargoed documents appear with their id and `embargo: true` only. Errors are problems according to RFC 9457, distinguished by `code`. Version 1 may gain fields but loses none: ignore unknown fields. Times are UTC."
    ),
    paths(
        exposures::status,
        exposures::components,
        exposures::exposures,
        exposures::record,
        feed::advisories,
        feed::advisory,
        feed::sync,
        feed::trust,
        applications::plan,
        applications::applications,
        applications::apply,
        applications::roll_back,
        applications::work,
        applications::appointments,
        applications::withdraw,
        applications::audit,
        decisions::decisions,
        decisions::decide,
        decisions::take_back,
        local::unread,
        local::decisions,
        local::decide,
        local::withdraw,
    ),
    components(schemas(Problem)),
    modifiers(&Bearer),
    security(("token" = []))
)]
struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("spacecp_ and 64 hexadecimal digits")
            .build();
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(token));
    }
}

/// The routes, below the base of the pages.
pub(super) fn routes() -> Router<AppState> {
    let v1 = Router::new()
        .route("/openapi.json", get(description))
        .route("/status", get(exposures::status))
        .route("/components", get(exposures::components))
        .route("/exposures", get(exposures::exposures))
        .route("/record", get(exposures::record))
        .route("/advisories", get(feed::advisories))
        .route("/advisories/{id}", get(feed::advisory))
        .route("/sync", post(feed::sync))
        .route("/trust", get(feed::trust))
        .route("/plans/{correction}/{*component}", get(applications::plan))
        .route(
            "/applications",
            get(applications::applications).post(applications::apply),
        )
        .route(
            "/applications/{id}/roll-back",
            post(applications::roll_back),
        )
        .route("/work/{number}", get(applications::work))
        .route("/appointments", get(applications::appointments))
        .route("/appointments/{number}", delete(applications::withdraw))
        .route("/audit", get(applications::audit))
        .route(
            "/decisions",
            get(decisions::decisions).post(decisions::decide),
        )
        .route("/decisions/{number}", delete(decisions::take_back))
        .route("/unread", get(local::unread))
        .route(
            "/local-decisions",
            get(local::decisions).post(local::decide),
        )
        .route("/local-decisions/{number}", delete(local::withdraw));
    Router::new().nest("/api/v1", v1)
}

/// Whether an address, without the base of the pages, is one of the API.
pub(super) fn is_below(uri: &Uri, base: &str) -> bool {
    let own = uri.path().strip_prefix(base).unwrap_or(uri.path());
    own.starts_with(BEGIN) || own == METRICS
}

/// The description itself needs no token: it says nothing of this panel.
async fn description() -> Response {
    json(Redacted::without_documents(Description::openapi()))
}

/// Answers with a redacted view. There is no other way to answer with JSON.
fn json<T: Serialize>(view: Result<Redacted<T>, serde_json::Error>) -> Response {
    match view.and_then(|view| serde_json::to_string(&view)) {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot serialise API response");
            Problem::of_status(axum::http::StatusCode::INTERNAL_SERVER_ERROR).into_response()
        }
    }
}

/// Part of a list.
#[derive(Debug, Serialize, ToSchema)]
struct List<T> {
    /// The items.
    items: Vec<T>,
    /// Cursor of the next page, to be passed as `after`. None at the end.
    next: Option<String>,
}

/// Which part of a list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Part {
    /// Items after this one.
    after: Option<String>,
    /// Items at most.
    limit: Option<u32>,
}

impl Part {
    fn limit(&self) -> u32 {
        self.limit.unwrap_or(FEW).clamp(1, MANY)
    }

    /// The part of these items, which are in the order of their keys.
    fn of<T>(&self, items: impl IntoIterator<Item = (String, T)>) -> List<T> {
        let after = self.after.as_deref();
        let mut left = items
            .into_iter()
            .filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
        let mut part = Vec::new();
        let mut last = None;
        for (key, item) in left.by_ref().take(self.limit() as usize) {
            last = Some(key);
            part.push(item);
        }
        let more = left.next().is_some();
        List {
            items: part,
            next: last.filter(|_| more),
        }
    }
}
