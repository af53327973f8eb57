//! A web server on this machine that takes notices, or does not.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde_json::Value;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

/// What a receiver does with one request.
#[derive(Debug, Clone)]
pub(super) enum Habit {
    /// Takes it.
    Takes,
    /// Answers with this status.
    Answers(u16),
    /// Asks to be left alone for so many seconds.
    Asks(u32),
    /// Sends whoever asks elsewhere.
    Redirects(String),
    /// Never answers.
    Hangs,
    /// Takes it, and never stops talking.
    Talks,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Request {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Every byte of it that says something.
    pub(super) fn everything(&self) -> String {
        format!(
            "{} {} {:?} {}",
            self.method, self.path, self.headers, self.body
        )
    }
}

#[derive(Default)]
struct Behind {
    habits: Mutex<VecDeque<Habit>>,
    requests: Mutex<Vec<Request>>,
    asked: Notify,
}

/// The server; it stops when dropped.
pub(super) struct Receiver {
    port: u16,
    behind: Arc<Behind>,
    serving: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Receiver {
    /// A receiver that does this with the first requests, and takes what follows.
    pub(super) async fn that(habits: impl IntoIterator<Item = Habit>) -> Result<Self> {
        Self::on(0, habits).await
    }

    /// The same on this port.
    pub(super) async fn on(port: u16, habits: impl IntoIterator<Item = Habit>) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let port = listener.local_addr()?.port();
        let behind = Arc::new(Behind::default());
        behind.habits.lock().unwrap().extend(habits);
        let app = Router::new().fallback(answer).with_state(behind.clone());
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self {
            port,
            behind,
            serving,
        })
    }

    pub(super) async fn that_takes_everything() -> Result<Self> {
        Self::that([]).await
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        let requests = self.behind.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets what came so far, and hands it over.
    pub(super) fn take(&self) -> Vec<Request> {
        let requests = self.behind.requests.lock();
        std::mem::take(&mut *requests.unwrap_or_else(PoisonError::into_inner))
    }

    /// The notices that came to a webhook: what happened, and the advisory.
    pub(super) fn told(&self) -> Vec<(String, String)> {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let told = self.take().into_iter().flat_map(|request| {
            let body = request.json();
            body["notices"].as_array().cloned().unwrap_or_default()
        });
        told.map(|notice| (word(&notice["event"]), word(&notice["advisories"][0])))
            .collect()
    }

    /// Waits until somebody asks.
    pub(super) async fn asked(&self) -> Result<()> {
        let patience = std::time::Duration::from_mins(1);
        let asked = tokio::time::timeout(patience, self.behind.asked.notified()).await;
        asked.context("nobody asked within a minute")
    }
}

async fn answer(
    State(behind): State<Arc<Behind>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = Request {
        method,
        path: uri.to_string(),
        headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    behind.requests.lock().unwrap().push(request);
    behind.asked.notify_one();
    let habit = behind.habits.lock().unwrap().pop_front();
    match habit.unwrap_or(Habit::Takes) {
        Habit::Takes => StatusCode::NO_CONTENT.into_response(),
        Habit::Answers(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Habit::Asks(seconds) => (
            StatusCode::TOO_MANY_REQUESTS,
            [(header::RETRY_AFTER, seconds.to_string())],
        )
            .into_response(),
        Habit::Redirects(to) => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
        }
        Habit::Hangs => std::future::pending().await,
        Habit::Talks => {
            let piece = Bytes::from(vec![b'a'; 1 << 16]);
            let endless = stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone()));
            Body::from_stream(endless).into_response()
        }
    }
}
