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

/// Wrong passwords, by user and by address.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<(String, IpAddr), Failures>>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Attempts {
    /// How long this user at this address has to wait still.
    fn wait(&self, key: &(String, IpAddr)) -> Option<Duration> {
        let failures = *self.lock().get(key)?;
        let over = failures.count.checked_sub(FREE_ATTEMPTS)?;
        let wait = FIRST_WAIT
            .saturating_mul(1 << over.min(20))
            .min(LONGEST_WAIT);
        wait.checked_sub(failures.last.elapsed())
            .filter(|left| !left.is_zero())
    }

    fn failed(&self, key: (String, IpAddr)) {
        let mut all = self.lock();
        if all.len() >= MOST_REMEMBERED
            && let Some(oldest) = all
                .iter()
                .min_by_key(|(_, failures)| failures.last)
                .map(|(key, _)| key.clone())
        {
            all.remove(&oldest);
        }
        let failures = all.entry(key).or_insert(Failures {
            count: 0,
            last: Instant::now(),
        });
        failures.count += 1;
        failures.last = Instant::now();
    }

    fn succeeded(&self, key: &(String, IpAddr)) {
        self.lock().remove(key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(String, IpAddr), Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
    if let Some(wait) = web.attempts.wait(&key) {
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
    let verified = tokio::task::spawn_blocking(move || {
        password::verify(&credentials.password, hash.as_deref())
    })
    .await;
    let Some(user) = user.filter(|_| verified.unwrap_or(false)) else {
        tracing::warn!(user = key.0, peer = %peer.ip(), "a login failed");
        web.attempts.failed(key);
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
