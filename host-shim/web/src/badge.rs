//! How the panel stands, in a few words, for the panel's own navigation: as a picture, as JSON and as a
//! piece of HTML. Numbers only: nothing on it names an advisory.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use maud::html;
use serde::Serialize;

use super::{Web, pages::as_json_value, refusal::Refusal, request_auth::Visit};
use spacecp_notify::Notifications;
use spacecp_services::{Exposure, Feed, ServiceError};

/// How a panel stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Badge {
    /// Components looked at.
    pub components: u32,
    /// Components that are exposed.
    pub exposed: u32,
    /// Components of which nobody can say.
    pub undecided: u32,
    /// Those of the exposed that are fixed and wait for a restart only.
    pub restart_pending: u32,
    /// Places that could not be read.
    pub unread: u32,
    /// The worst severity among the exposures, without those under embargo.
    pub worst: Option<String>,
    /// Whether the vendor's last word is there and still good.
    pub current: bool,
}

impl Badge {
    /// How this panel stands now.
    pub async fn of(
        exposure: &Exposure,
        feed: &Feed,
        now: Timestamp,
    ) -> Result<Self, ServiceError> {
        let report = exposure.report().await?;
        let summary = &report.summary;
        let freshness = feed.freshness().await?;
        Ok(Self {
            components: summary.components,
            exposed: summary.exposed,
            restart_pending: summary.restart_pending,
            undecided: summary.undecided,
            unread: summary.unread,
            worst: feed
                .advisory_index()
                .await?
                .worst(&report)
                .map(str::to_owned),
            current: freshness.sequence.is_some() && !freshness.is_stale(now),
        })
    }

    /// The few words.
    pub fn words(&self) -> String {
        match (self.exposed, self.unknown(), self.current) {
            (0, 0, true) => "none affected".to_owned(),
            (0, 0, false) => "sync overdue".to_owned(),
            (0, unknown, _) => format!("{unknown} unknown"),
            (exposed, ..) if exposed == self.restart_pending => {
                format!("{exposed} of {} wait for a restart", self.components)
            }
            (exposed, ..) => format!("{exposed} of {} affected", self.components),
        }
    }

    /// Of how much nobody can say.
    fn unknown(&self) -> u32 {
        self.undecided.saturating_add(self.unread)
    }

    fn tone(&self) -> (&'static str, &'static str) {
        match (self.exposed, self.unknown(), self.current) {
            (0, 0, true) => ("good", "#14663a"),
            (0, ..) => ("warning", "#7a4a00"),
            _ => ("danger", "#a31621"),
        }
    }
}

pub(super) async fn json(
    State(exposure): State<Exposure>,
    State(feed): State<Feed>,
    visit: Visit,
) -> Result<Response, Refusal> {
    visit.known()?;
    let badge = Badge::of(&exposure, &feed, Timestamp::now()).await?;
    Ok(as_json_value(&serde_json::json!(badge)))
}

/// A link to the pages, with how the panel stands, to be put into another page of the same host.
pub(super) async fn fragment(
    State(web): State<Web>,
    State(exposure): State<Exposure>,
    State(feed): State<Feed>,
    State(notifications): State<Notifications>,
    visit: Visit,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let badge = Badge::of(&exposure, &feed, Timestamp::now()).await?;
    // What somebody has dismissed is still counted, and no longer calls out to them.
    let quiet = badge.exposed > 0 && notifications.dismissed_all(&session.user).await?;
    let (tone, dismissed) = if quiet {
        ("dismissed", ", dismissed by you")
    } else {
        (badge.tone().0, "")
    };
    let piece = html! {
        a.spacecp-advisories data-tone=(tone) href=(web.site().at("/")) { "Security: " (badge.words()) (dismissed) }
    };
    Ok(piece.into_response())
}

pub(super) async fn picture(
    State(exposure): State<Exposure>,
    State(feed): State<Feed>,
    visit: Visit,
) -> Result<Response, Refusal> {
    visit.known()?;
    let badge = Badge::of(&exposure, &feed, Timestamp::now()).await?;
    let words = badge.words();
    // Nobody can measure a stranger's font: a little more than the widest that is common.
    let width = 74 + 8 * words.chars().count() as u64;
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height="24" role="img" aria-label=(format!("security: {words}")) font-family="Verdana, 'DejaVu Sans', sans-serif" font-size="12" fill="#ffffff" {
            rect width="66" height="24" rx="4" fill="#414b5f" {}
            rect x="62" width=(width - 62) height="24" rx="4" fill=(badge.tone().1) {}
            text x="8" y="16" { "security" }
            text x="70" y="16" { (words) }
        }
    };
    let kind = [(header::CONTENT_TYPE, "image/svg+xml")];
    Ok((kind, picture.into_string()).into_response())
}
