//! The plugin's pages, for a browser or a script, and the shim's own words when there is none.

use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use serde::Deserialize;

use super::{Web, login::cookie_name, session::Session};
use crate::{
    plugin::{
        PluginError,
        bindings::exports::spacecp::advisories::pages::{Page, Place, Request},
    },
    render::{
        self,
        html::{self, Frame, Said},
        json,
    },
    shim::{ShimError, audit_blocks, trust_page},
};

/// Entries of the audit log that the history shows.
const ENTRIES: usize = 200;

/// The longest search.
const LONGEST_SEARCH: usize = 200;

#[derive(Deserialize)]
pub(super) struct Search {
    q: Option<String>,
}

/// Why somebody does not get what they asked for.
pub(super) enum Refusal {
    /// Nobody is logged in.
    LogIn,
    /// They may not act.
    Viewer,
    /// The form does not belong to their session.
    Token,
    /// The shim says why.
    Shim(ShimError),
}

impl From<ShimError> for Refusal {
    fn from(error: ShimError) -> Self {
        Self::Shim(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::LogIn => Redirect::to("/login").into_response(),
            Self::Viewer => shim_page(
                StatusCode::FORBIDDEN,
                "You may read, not act",
                "Ask an administrator of this panel.",
                None,
            )
            .into_response(),
            Self::Token => shim_page(
                StatusCode::FORBIDDEN,
                "This form is out of date",
                "Go back, load the page again, and repeat what you did.",
                None,
            )
            .into_response(),
            Self::Shim(error) => {
                let (status, title) = match &error {
                    ShimError::NotFound { .. }
                    | ShimError::Plugin(PluginError::NotFound { .. }) => {
                        (StatusCode::NOT_FOUND, "There is nothing here")
                    }
                    ShimError::Decision(error) if error.is_not_found() => {
                        (StatusCode::NOT_FOUND, "There is nothing here")
                    }
                    ShimError::Decision(_) => (StatusCode::CONFLICT, "That was not decided"),
                    ShimError::NoPlugin(_) | ShimError::Plugin(_) => {
                        (StatusCode::SERVICE_UNAVAILABLE, "The plugin has no answer")
                    }
                    _ => (StatusCode::INTERNAL_SERVER_ERROR, "That did not work"),
                };
                shim_page(status, title, &error.to_string(), None).into_response()
            }
        }
    }
}

impl Web {
    /// Who is asking.
    pub(super) fn session(&self, headers: &HeaderMap) -> Option<Session> {
        self.sessions
            .of(headers, cookie_name(&self.shim.config().serve))
    }

    /// Who is asking, if the form is theirs and they may do what it asks for.
    pub(super) fn authorised(
        &self,
        headers: &HeaderMap,
        csrf: &str,
        to_act: bool,
    ) -> Result<Session, Refusal> {
        let session = self.session(headers).ok_or(Refusal::LogIn)?;
        // Both are random and as long as each other; a comparison in time that depends on the
        // contents tells nothing that 256 bits do not hide.
        if session.csrf != csrf {
            return Err(Refusal::Token);
        }
        if to_act && !session.may_act() {
            return Err(Refusal::Viewer);
        }
        Ok(session)
    }

    async fn page(
        &self,
        headers: &HeaderMap,
        place: Place,
        search: Option<String>,
    ) -> Result<Response, Refusal> {
        let session = self.session(headers).ok_or(Refusal::LogIn)?;
        let path = render::path(&place);
        let page = self.compose(&session, place, search).await?;
        Ok(self.drawn(headers, &session, &page, &path))
    }

    async fn compose(
        &self,
        session: &Session,
        place: Place,
        search: Option<String>,
    ) -> Result<Page, ShimError> {
        let request = Request {
            place,
            search,
            now: Timestamp::now().as_second(),
            may_act: session.may_act(),
        };
        self.shim.page(&request).await
    }

    /// The page in the form that is asked for.
    fn drawn(&self, headers: &HeaderMap, session: &Session, page: &Page, path: &str) -> Response {
        if wants_json(headers) {
            return as_json(page);
        }
        let said = self.sessions.said(session);
        html::page(page, &frame(Some(session), &said, path)).into_response()
    }
}

/// What is under embargo is shown to whoever is logged in, and not given out in a form made for
/// passing on.
pub(super) fn embargoed() -> Response {
    let words = "Something on this page is under embargo, so it is not given out as JSON.\n";
    (StatusCode::FORBIDDEN, words).into_response()
}

/// A value of the shim's own.
pub(super) fn as_json_value(value: &serde_json::Value) -> Response {
    let json = (header::CONTENT_TYPE, "application/json");
    ([json], value.to_string()).into_response()
}

fn as_json(page: &Page) -> Response {
    if page.embargo {
        return embargoed();
    }
    as_json_value(&json::page(page))
}

pub(super) fn wants_json(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    accepted
        .split(',')
        .next()
        .is_some_and(|first| first.trim().starts_with("application/json"))
}

pub(super) async fn overview(
    State(web): State<Web>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    web.page(&headers, Place::Overview, None).await
}

pub(super) async fn advisories(
    State(web): State<Web>,
    headers: HeaderMap,
    Query(search): Query<Search>,
) -> Result<Response, Refusal> {
    let words = search
        .q
        .map(|words| words.chars().take(LONGEST_SEARCH).collect::<String>());
    web.page(
        &headers,
        Place::Advisories,
        words.filter(|words| !words.trim().is_empty()),
    )
    .await
}

pub(super) async fn advisory(
    State(web): State<Web>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    web.page(&headers, Place::Advisory(id), None).await
}

pub(super) async fn history(
    State(web): State<Web>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let session = web.session(&headers).ok_or(Refusal::LogIn)?;
    let report = web.shim.audit(ENTRIES).await?;
    let mut page = web.compose(&session, Place::History, None).await?;
    // The shim's own words, below the plugin's.
    page.blocks.extend(audit_blocks(&report));
    Ok(web.drawn(&headers, &session, &page, &render::path(&Place::History)))
}

/// The shim's own page: it is there when the plugin is not.
pub(super) async fn trust(State(web): State<Web>, headers: HeaderMap) -> Result<Response, Refusal> {
    let session = web.session(&headers).ok_or(Refusal::LogIn)?;
    let now = Timestamp::now();
    let report = web.shim.trust_report(now).await?;
    if wants_json(&headers) {
        return Ok(as_json_value(&serde_json::json!(report)));
    }
    let said = web.sessions.said(&session);
    let frame = frame(Some(&session), &said, html::TRUST);
    Ok(html::page(&trust_page(&report, now), &frame).into_response())
}

pub(super) async fn missing(State(web): State<Web>, headers: HeaderMap) -> Response {
    let session = web.session(&headers);
    shim_page(
        StatusCode::NOT_FOUND,
        "There is nothing here",
        "The address leads nowhere.",
        session.as_ref(),
    )
    .into_response()
}

/// A page in the shim's own words.
pub(super) fn shim_page(
    status: StatusCode,
    title: &str,
    words: &str,
    session: Option<&Session>,
) -> impl IntoResponse {
    (
        status,
        html::plain(title, &[words.to_owned()], &frame(session, &[], "")),
    )
}

/// What the panel adds to a page.
pub(super) fn frame<'a>(
    session: Option<&'a Session>,
    notices: &'a [Said],
    path: &'a str,
) -> Frame<'a> {
    Frame {
        user: session.map(|session| session.user.as_str()),
        may_act: session.is_some_and(Session::may_act),
        csrf: session.map_or("", |session| session.csrf.as_str()),
        notices,
        path,
    }
}
