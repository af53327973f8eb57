//! The plugin's pages, for a browser or a script, and the shim's own words when there is none.

use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use maud::Markup;
use spacecp_contract::DocumentId;
use spacecp_services::{Automation, Decisions, Exposure, Feed, Trust, audit_blocks, trust_page};

use super::{
    Web,
    forms::{self, appointments},
    marks,
    refusal::Refusal,
    request_auth::Visit,
    visitor::Session,
};
use spacecp_notify::{Mark, Notifications, NotifyError};
use spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::{
    Listing, Page, Place, Request,
};
use spacecp_render::{
    self as render, Asked,
    html::{self, Frame, Said},
    json, whole,
};

/// Entries of the audit log that the history shows.
const ENTRIES: usize = 200;

/// Appointments that the history shows.
const APPOINTMENTS: u32 = 20;

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

/// A page of the plugin, with what is new to its reader marked.
async fn listed(
    web: &Web,
    exposure: &Exposure,
    notifications: &Notifications,
    session: &Session,
    headers: &HeaderMap,
    (place, listing): (Place, Listing),
) -> Result<Response, Refusal> {
    let path = render::path(&place);
    let mut page = exposure.page(&request(session, place, listing)).await?;
    if !wants_json(headers) {
        let mentioned = marks::mentioned(&page);
        let marks = notifications.marks(&session.user, &mentioned).await?;
        marks::mark(&mut page, &marks);
    }
    Ok(web.drawn(headers, session, &page, &path))
}

/// What an advisory is to its reader alone, noted as read from now on.
async fn for_the_reader(
    notifications: &Notifications,
    session: &Session,
    id: &DocumentId,
    frame: &Frame<'_>,
) -> Result<Markup, NotifyError> {
    let Some(revision) = notifications.opened(&session.user, id).await? else {
        return Ok(Markup::default());
    };
    let state = notifications.read_state(&session.user).await?;
    let dismissed = state.mark(id, revision) == Some(Mark::Dismissed);
    Ok(forms::notifications::of_advisory(
        id, revision, dismissed, frame,
    ))
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
    State(exposure): State<Exposure>,
    State(notifications): State<Notifications>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let asked = (Place::Overview, whole());
    listed(&web, &exposure, &notifications, &session, &headers, asked).await
}

pub(super) async fn advisories(
    State(web): State<Web>,
    State(exposure): State<Exposure>,
    State(notifications): State<Notifications>,
    visit: Visit,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let asked = (Place::Advisories, asked.listing());
    listed(&web, &exposure, &notifications, &session, &headers, asked).await
}

pub(super) async fn components(
    State(web): State<Web>,
    State(exposure): State<Exposure>,
    State(decisions): State<Decisions>,
    State(notifications): State<Notifications>,
    visit: Visit,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let listing = (Place::Components, asked.listing());
    if wants_json(&headers) || !session.may_act() {
        return listed(&web, &exposure, &notifications, &session, &headers, listing).await;
    }
    let (place, listing) = listing;
    let path = render::path(&place);
    let mut page = exposure.page(&request(&session, place, listing)).await?;
    let mentioned = marks::mentioned(&page);
    let marks = notifications.marks(&session.user, &mentioned).await?;
    marks::mark(&mut page, &marks);
    let inventory = exposure.inventory().await;
    let decided = decisions.current_locally().await?;
    let said = web.notices.said(&session);
    let frame = web.frame(Some(&session), &said, &path);
    let forms = forms::local::section(&inventory, &decided, &frame);
    Ok(html::page_above(&page, &forms, &frame).into_response())
}

/// Whoever opens the page of an advisory has read it, as it is now.
pub(super) async fn advisory(
    State(web): State<Web>,
    State(notifications): State<Notifications>,
    State(exposure): State<Exposure>,
    visit: Visit,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let place = Place::Advisory(id.clone());
    let path = render::path(&place);
    if wants_json(&headers) {
        // Under embargo it is refused, so that nobody reads it.
        let page = exposure.page(&request(&session, place, whole())).await?;
        return Ok(as_json(&page));
    }
    let request = request(&session, place, whole());
    let page = exposure.advisory_page(&session.user, &request).await?;
    let said = web.notices.said(&session);
    let frame = web.frame(Some(&session), &said, &path);
    let form = match DocumentId::new(id) {
        Ok(id) => for_the_reader(&notifications, &session, &id, &frame).await?,
        Err(_) => Markup::default(),
    };
    Ok(html::page_above(&page, &form, &frame).into_response())
}

pub(super) async fn history(
    State(web): State<Web>,
    State(exposure): State<Exposure>,
    State(trust): State<Trust>,
    State(automation): State<Automation>,
    State(feed): State<Feed>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let report = trust.audit(ENTRIES).await?;
    let mut page = exposure
        .page(&request(&session, Place::History, whole()))
        .await?;
    // The shim's own words, below the plugin's.
    page.blocks.extend(audit_blocks(&report));
    let appointments = automation.scheduled(APPOINTMENTS).await?;
    let entries: Vec<_> = report.newest.iter().map(|one| &one.entry).collect();
    let beside = serde_json::json!([entries, appointments]);
    page.embargo |= feed.is_under_embargo(&beside).await;
    if wants_json(&headers) {
        return Ok(as_json(&page));
    }
    let said = web.notices.said(&session);
    let path = render::path(&Place::History);
    let frame = web.frame(Some(&session), &said, &path);
    let window = automation.next_window(Timestamp::now()).await?;
    let waiting = appointments::section(&appointments, window, &frame);
    Ok(html::page_around(&waiting, &page, &frame).into_response())
}

/// The shim's own page: it is there when the plugin is not.
pub(super) async fn trust(
    State(web): State<Web>,
    State(trust): State<Trust>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let now = Timestamp::now();
    let report = trust.report(now).await?;
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
