//! Login and logout.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Form,
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::{
    Web,
    pages::{Refusal, frame},
    password,
};
use crate::{config::ServeConfig, render::html};

/// Wrong passwords after which somebody has to wait.
const FREE_ATTEMPTS: u32 = 5;

/// How long, the first time; twice as long each further time.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// Names and addresses that are remembered; more than this is an attack, and the oldest go.
const MOST_REMEMBERED: usize = 10_000;

/// Passwords that are hashed at once: each takes some 20 MiB, and strangers choose how many come.
const MOST_HASHED: usize = 4;

/// Attempts that have not succeeded, by user and by address.
#[derive(Debug)]
pub(super) struct Attempts {
    failures: Mutex<HashMap<(String, IpAddr), Failures>>,
    hashing: Semaphore,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            failures: Mutex::default(),
            hashing: Semaphore::new(MOST_HASHED),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Attempts {
    /// Begins an attempt, or says how long this user at this address has to wait still.
    ///
    /// It counts as failed from its beginning, so that many at once are as many as one after the
    /// other.
    fn begin(&self, key: &(String, IpAddr)) -> Result<(), Duration> {
        let mut all = self.lock();
        if let Some(left) = all.get(key).and_then(Failures::wait) {
            return Err(left);
        }
        if all.len() >= MOST_REMEMBERED
            && !all.contains_key(key)
            && let Some(oldest) = all
                .iter()
                .min_by_key(|(_, failures)| failures.last)
                .map(|(key, _)| key.clone())
        {
            all.remove(&oldest);
        }
        let failures = all.entry(key.clone()).or_insert(Failures {
            count: 0,
            last: Instant::now(),
        });
        failures.count = failures.count.saturating_add(1);
        failures.last = Instant::now();
        Ok(())
    }

    fn succeeded(&self, key: &(String, IpAddr)) {
        self.lock().remove(key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(String, IpAddr), Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the password is right, when its turn has come.
    async fn verify(&self, password: String, hash: Option<String>) -> bool {
        let Ok(_turn) = self.hashing.acquire().await else {
            return false;
        };
        let work = move || password::verify(&password, hash.as_deref());
        tokio::task::spawn_blocking(work).await.unwrap_or(false)
    }
}

impl Failures {
    fn wait(&self) -> Option<Duration> {
        let over = self.count.checked_sub(FREE_ATTEMPTS)?;
        let wait = FIRST_WAIT
            .saturating_mul(1 << over.min(20))
            .min(LONGEST_WAIT);
        wait.checked_sub(self.last.elapsed())
            .filter(|left| !left.is_zero())
    }
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    name: String,
    password: String,
}

#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) csrf: String,
}

/// The cookie's name. With https it has the prefix that binds it to this host.
pub(super) fn cookie_name(serve: &ServeConfig) -> &'static str {
    if serve.secure_cookie {
        "__Host-spacecp"
    } else {
        "spacecp"
    }
}

pub(super) async fn form(State(web): State<Web>, headers: HeaderMap) -> Response {
    if web.session(&headers).is_some() {
        return Redirect::to("/").into_response();
    }
    html::login(None, &frame(None, &[], "/login")).into_response()
}

pub(super) async fn attempt(
    State(web): State<Web>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Form(credentials): Form<Credentials>,
) -> Response {
    let key = (
        credentials.name.chars().take(100).collect::<String>(),
        peer.ip(),
    );
    if let Err(wait) = web.attempts.begin(&key) {
        let words = format!(
            "Too many wrong passwords. Please wait {} seconds.",
            wait.as_secs() + 1
        );
        let page = html::login(Some(&words), &frame(None, &[], "/login"));
        return (StatusCode::TOO_MANY_REQUESTS, page).into_response();
    }
    let serve = &web.shim.config().serve;
    let user = serve
        .users
        .iter()
        .find(|user| user.name == credentials.name)
        .cloned();
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let verified = web.attempts.verify(credentials.password, hash).await;
    let Some(user) = user.filter(|_| verified) else {
        tracing::warn!(user = key.0, peer = %peer.ip(), "a login failed");
        let page = html::login(
            Some("Name or password are wrong."),
            &frame(None, &[], "/login"),
        );
        return (StatusCode::UNAUTHORIZED, page).into_response();
    };
    web.attempts.succeeded(&key);
    let Ok(secret) = web.sessions.open(&user.name, user.role) else {
        return (
            StatusCode::INTERNAL_SERVER_ERROR,
            "The system has no randomness to give.",
        )
            .into_response();
    };
    tracing::info!(user = user.name, peer = %peer.ip(), "somebody logged in");
    with_cookie(serve, &secret, "")
}

pub(super) async fn logout(
    State(web): State<Web>,
    headers: HeaderMap,
    Form(token): Form<Token>,
) -> Result<Response, Refusal> {
    let session = web.authorised(&headers, &token.csrf, false)?;
    web.sessions.close(&session);
    Ok(with_cookie(&web.shim.config().serve, "", "; Max-Age=0"))
}

fn with_cookie(serve: &ServeConfig, value: &str, more: &str) -> Response {
    let secure = if serve.secure_cookie { "; Secure" } else { "" };
    let cookie = format!(
        "{}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{more}",
        cookie_name(serve)
    );
    let mut response = Redirect::to("/").into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
