//! Work that goes on behind a page: who began it, how far it is, and what is to be said at its end.
//!
//! It lives in memory: what became of work that a restart cut off is in the journal, and the history
//! shows that.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, stream};
use spacecp_contract::DocumentId;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::{Web, refusal::Refusal, request_auth::Visit, visitor::Session};
use spacecp_apply::apply::Progress;
use spacecp_render::{
    html,
    progress::{Stage, list},
};
use spacecp_services::ServiceError;

/// Marks an answer on which our own script may run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Live;

impl Web {
    /// Begins work that goes on when the browser has gone, and leads to the page that shows it. What is to
    /// be said at its end is said to whoever began it.
    pub(super) fn set_to_work<F>(
        &self,
        session: &Session,
        words: String,
        about: Option<DocumentId>,
        work: impl FnOnce(Arc<dyn Progress>) -> F,
    ) -> Response
    where
        F: Future<Output = Result<String, ServiceError>> + Send + 'static,
    {
        let (web, session) = (self.clone(), session.clone());
        let number = self.begin_work(words, about, work, move |well, words| {
            web.notices.say(&session, well, words);
        });
        self.lead(&format!("/progress/{number}"))
    }

    /// Begins work that goes on when whoever began it has gone, and says its number. `at_end` hears whether
    /// it went well, and the words about it.
    pub(super) fn begin_work<F>(
        &self,
        words: String,
        about: Option<DocumentId>,
        work: impl FnOnce(Arc<dyn Progress>) -> F,
        at_end: impl FnOnce(bool, String) + Send + 'static,
    ) -> u64
    where
        F: Future<Output = Result<String, ServiceError>> + Send + 'static,
    {
        let (number, under_way) = self.works.begin(words, about);
        let working = tokio::spawn(work(under_way.clone()));
        tokio::spawn(async move {
            let (well, words) = match working.await {
                Ok(Ok(words)) => (true, words),
                Ok(Err(error)) => (false, error.to_string()),
                Err(error) => {
                    tracing::error!(%error, "background job panicked");
                    (
                        false,
                        "Internal error; see the log, and the history for the outcome.".to_owned(),
                    )
                }
            };
            at_end(well, words.clone());
            under_way.stage.send_modify(|stage| {
                stage.outcome = Some((well, words));
                stage.ended = true;
            });
        });
        number
    }

    /// The words and the present stage of work that was begun here, if it is remembered, and the correction
    /// that it is about.
    pub(super) fn work(&self, number: u64) -> Option<(String, Stage, Option<DocumentId>)> {
        let under_way = self.works.of(number)?;
        let stage = under_way.stage.borrow().clone();
        Some((under_way.words.clone(), stage, under_way.about.clone()))
    }
}

/// The page of work under way; of work that has ended, or that nobody remembers, the history.
pub(super) async fn page(
    State(web): State<Web>,
    visit: Visit,
    Path(number): Path<u64>,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let Some(under_way) = web.works.of(number) else {
        return Ok(web.lead("/history"));
    };
    let stage = under_way.stage.borrow().clone();
    if stage.ended {
        return Ok(web.lead("/history"));
    }
    let site = web.site();
    let progress = list(
        &stage,
        &under_way.words,
        &site.at(&format!("/progress/{number}/events")),
        &site.at("/history"),
    );
    let frame = web.frame(Some(&session), &[], "");
    let page = html::live("At work", &progress, &frame);
    Ok((Extension(Live), page).into_response())
}

/// The same as events: one for each stage, and one for the end.
pub(super) async fn events(
    State(web): State<Web>,
    visit: Visit,
    Path(number): Path<u64>,
) -> Result<Response, Refusal> {
    visit.known()?;
    let Some(under_way) = web.works.of(number) else {
        return Ok(web.lead("/history"));
    };
    let Ok(permit) = web.works.streams.clone().try_acquire_owned() else {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    };
    let stages = stages(under_way.stage.subscribe(), permit);
    Ok(Sse::new(stages)
        .keep_alive(KeepAlive::default())
        .into_response())
}

/// The present stage, each that follows, and the end. A browser that is slow misses some in between.
fn stages(
    stage: watch::Receiver<Stage>,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(Some((stage, true, permit)), async |following| {
        let (mut stage, first, permit) = following?;
        if !first && stage.changed().await.is_err() {
            return Some((Ok(Event::default().event("end").data("end")), None));
        }
        let present = stage.borrow_and_update().clone();
        if present.ended {
            return Some((Ok(Event::default().event("end").data("end")), None));
        }
        let told = serde_json::to_string(&present).expect("a stage holds texts and numbers only");
        Some((
            Ok(Event::default().event("stage").data(told)),
            Some((stage, false, permit)),
        ))
    })
}
