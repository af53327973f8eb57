//! The plugin's pages, for a browser or a script, and the shim's own words when there is none.

use axum::{
    Extension,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use maud::Markup;
use spacecp_contract::DocumentId;

use super::{
    Web,
    forms::{appointments, notifications},
    marks,
    visit::{Session, Visit},
};
use spacecp_notify::Mark;
use spacecp_panel::shim::{ShimError, audit_blocks, trust_page};
use spacecp_plugin_host::{
    PluginError,
    bindings::exports::spacecp::advisories::pages::{Listing, Page, Place, Request},
};
use spacecp_render::{
    self as render, Asked,
    html::{self, Frame, Said},
    json, whole,
};
use spacecp_services::automation::AutomationError;

/// Entries of the audit log that the history shows.
const ENTRIES: usize = 200;

/// Appointments that the history shows.
const APPOINTMENTS: u32 = 20;

/// Why somebody does not get what they asked for.
pub(super) enum Refusal {
    /// Nobody is logged in.
    LogIn {
        /// The path that they asked for.
        asked: Option<String>,
    },
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

/// A refusal before it is drawn: the guard knows where the pages are and how they look.
#[derive(Debug, Clone)]
pub(super) enum Undrawn {
    /// The browser is to go to the login.
    LogIn {
        /// The path that was asked for.
        asked: Option<String>,
    },
    /// A page in the shim's own words.
    Page {
        /// Its title.
        title: &'static str,
        /// Its words.
        words: String,
    },
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let page = |status: StatusCode, title, words: String| {
            (status, Extension(Undrawn::Page { title, words })).into_response()
        };
        match self {
            Self::LogIn { asked } => {
                (StatusCode::SEE_OTHER, Extension(Undrawn::LogIn { asked })).into_response()
            }
            Self::Viewer => page(
                StatusCode::FORBIDDEN,
                "Administrator role required",
                "Ask an administrator of this panel.".to_owned(),
            ),
            Self::Token => page(
                StatusCode::FORBIDDEN,
                "Form expired",
                "Go back, reload the page and repeat the action.".to_owned(),
            ),
            Self::Shim(error) => {
                let (status, title) = match &error {
                    ShimError::NotFound { .. }
                    | ShimError::Plugin(PluginError::NotFound { .. }) => {
                        (StatusCode::NOT_FOUND, "Page not found")
                    }
                    ShimError::Decision(error) if error.is_not_found() => {
                        (StatusCode::NOT_FOUND, "Page not found")
                    }
                    ShimError::NotCorrectable { .. } => {
                        (StatusCode::CONFLICT, "No correction applicable")
                    }
                    ShimError::Decision(_) => (StatusCode::CONFLICT, "Decision not recorded"),
                    ShimError::Automation(AutomationError::NoAppointment { .. }) => {
                        (StatusCode::NOT_FOUND, "Page not found")
                    }
                    ShimError::NoPlugin(_) | ShimError::Plugin(_) => {
                        (StatusCode::SERVICE_UNAVAILABLE, "Plugin call failed")
                    }
                    _ => (StatusCode::INTERNAL_SERVER_ERROR, "Request failed"),
                };
                page(status, title, error.to_string())
            }
        }
    }
}

impl Web {
    /// Leads the browser to one of our own paths.
    pub(super) fn lead(&self, own: &str) -> Response {
        Redirect::to(&self.site().at(own)).into_response()
    }

    /// A page in the shim's own words.
    pub(super) fn plain(
        &self,
        status: StatusCode,
        title: &str,
        words: &str,
        session: Option<&Session>,
    ) -> Response {
        let page = html::plain(title, &[words.to_owned()], &self.frame(session, &[], ""));
        (status, page).into_response()
    }

    /// What the panel adds to a page.
    pub(super) fn frame<'a>(
        &'a self,
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
            site: self.site(),
        }
    }

    async fn page(
        &self,
        visit: Visit,
        headers: &HeaderMap,
        place: Place,
        listing: Listing,
    ) -> Result<Response, Refusal> {
        let session = visit.known()?;
        let path = render::path(&place);
        let mut page = self.compose(&session, place, listing).await?;
        if !wants_json(headers) {
            let mentioned = marks::mentioned(&page);
            let marks = self.shim.marks(&session.user, &mentioned).await?;
            marks::mark(&mut page, &marks);
        }
        Ok(self.drawn(headers, &session, &page, &path))
    }

    /// What an advisory is to its reader alone, noted as read from now on.
    async fn for_the_reader(
        &self,
        session: &Session,
        id: &DocumentId,
        frame: &Frame<'_>,
    ) -> Result<Markup, ShimError> {
        let Some(revision) = self.shim.opened(&session.user, id).await? else {
            return Ok(Markup::default());
        };
        let state = self.shim.read_state(&session.user).await?;
        let dismissed = state.mark(id, revision) == Some(Mark::Dismissed);
        let form = notifications::of_advisory(id, revision, dismissed, frame);
        Ok(form)
    }

    pub(super) async fn compose(
        &self,
        session: &Session,
        place: Place,
        listing: Listing,
    ) -> Result<Page, ShimError> {
        self.shim.page(&request(session, place, listing)).await
    }

    /// The page in the form that is asked for.
    pub(super) fn drawn(
        &self,
        headers: &HeaderMap,
        session: &Session,
        page: &Page,
        path: &str,
    ) -> Response {
        if wants_json(headers) {
            return as_json(page);
        }
        let said = self.notices.said(session);
        html::page(page, &self.frame(Some(session), &said, path)).into_response()
    }
}

fn request(session: &Session, place: Place, listing: Listing) -> Request {
    Request {
        place,
        listing,
        now: Timestamp::now().as_second(),
        may_act: session.may_act(),
    }
}

/// What is under embargo is shown to whoever is logged in, and not given out in a form made for
/// passing on.
pub(super) fn embargoed() -> Response {
    let words = "The page contains embargoed advisories and is not available as JSON.\n";
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
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    web.page(visit, &headers, Place::Overview, whole()).await
}

pub(super) async fn advisories(
    State(web): State<Web>,
    visit: Visit,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    web.page(visit, &headers, Place::Advisories, asked.listing())
        .await
}

pub(super) async fn components(
    State(web): State<Web>,
    visit: Visit,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    web.page(visit, &headers, Place::Components, asked.listing())
        .await
}

/// Whoever opens the page of an advisory has read it, as it is now.
pub(super) async fn advisory(
    State(web): State<Web>,
    visit: Visit,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let place = Place::Advisory(id.clone());
    let path = render::path(&place);
    if wants_json(&headers) {
        // Under embargo it is refused, so that nobody reads it.
        return Ok(as_json(&web.compose(&session, place, whole()).await?));
    }
    let request = request(&session, place, whole());
    let page = web.shim.advisory_page(&session.user, &request).await?;
    let said = web.notices.said(&session);
    let frame = web.frame(Some(&session), &said, &path);
    let form = match DocumentId::new(id) {
        Ok(id) => web.for_the_reader(&session, &id, &frame).await?,
        Err(_) => Markup::default(),
    };
    Ok(html::page_above(&page, &form, &frame).into_response())
}

pub(super) async fn history(
    State(web): State<Web>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let report = web.shim.audit(ENTRIES).await?;
    let mut page = web.compose(&session, Place::History, whole()).await?;
    // The shim's own words, below the plugin's.
    page.blocks.extend(audit_blocks(&report));
    let appointments = web.shim.appointments(APPOINTMENTS).await?;
    let entries: Vec<_> = report.newest.iter().map(|one| &one.entry).collect();
    let beside = serde_json::json!([entries, appointments]);
    page.embargo |= web.shim.is_secret(&beside).await;
    if wants_json(&headers) {
        return Ok(as_json(&page));
    }
    let said = web.notices.said(&session);
    let path = render::path(&Place::History);
    let frame = web.frame(Some(&session), &said, &path);
    let window = web.shim.next_window(Timestamp::now()).await?;
    let waiting = appointments::section(&appointments, window, &frame);
    Ok(html::page_around(&waiting, &page, &frame).into_response())
}

/// The shim's own page: it is there when the plugin is not.
pub(super) async fn trust(
    State(web): State<Web>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let now = Timestamp::now();
    let report = web.shim.trust_report(now).await?;
    if wants_json(&headers) {
        return Ok(as_json_value(&serde_json::json!(report)));
    }
    let said = web.notices.said(&session);
    let frame = web.frame(Some(&session), &said, html::TRUST);
    Ok(html::page(&trust_page(&report, now), &frame).into_response())
}

pub(super) async fn missing(State(web): State<Web>, visit: Visit) -> Response {
    web.plain(
        StatusCode::NOT_FOUND,
        "Page not found",
        "The address does not exist.",
        visit.session(),
    )
}
