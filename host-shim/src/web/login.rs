//! Login and logout of the stand-alone program.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Form,
    extract::{ConnectInfo, FromRef, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::{StandAlone, Web, pages::Refusal, password, visit::Visit};
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

/// What the login is answered from.
#[derive(Debug, Clone)]
pub(super) struct Doors {
    pub(super) web: Web,
    pub(super) panel: Arc<StandAlone>,
}

impl FromRef<Doors> for Web {
    fn from_ref(doors: &Doors) -> Self {
        doors.web.clone()
    }
}

impl Doors {
    fn serve(&self) -> &ServeConfig {
        &self.web.shim.config().serve
    }

    /// The form once more, with what was wrong.
    fn again(&self, status: StatusCode, words: &str) -> Response {
        let page = html::login(Some(words), &self.web.frame(None, &[], "/login"));
        (status, page).into_response()
    }

    fn with_cookie(&self, value: &str, more: &str) -> Response {
        let serve = self.serve();
        let secure = if serve.secure_cookie { "; Secure" } else { "" };
        let cookie = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{more}",
            cookie_name(serve)
        );
        let mut response = self.web.lead("/");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

pub(super) async fn form(State(doors): State<Doors>, visit: Visit) -> Response {
    if visit.session().is_some() {
        return doors.web.lead("/");
    }
    html::login(None, &doors.web.frame(None, &[], "/login")).into_response()
}

pub(super) async fn attempt(
    State(doors): State<Doors>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Response {
    let key = (
        credentials.name.chars().take(100).collect::<String>(),
        peer.ip(),
    );
    if let Err(wait) = doors.panel.attempts.begin(&key) {
        let words = format!(
            "Too many wrong passwords. Please wait {} seconds.",
            wait.as_secs() + 1
        );
        return doors.again(StatusCode::TOO_MANY_REQUESTS, &words);
    }
    let serve = doors.serve();
    let user = serve
        .users
        .iter()
        .find(|user| user.name == credentials.name)
        .cloned();
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let verified = doors
        .panel
        .attempts
        .verify(credentials.password, hash)
        .await;
    let Some(user) = user.filter(|_| verified) else {
        tracing::warn!(user = key.0, peer = %peer.ip(), "a login failed");
        return doors.again(StatusCode::UNAUTHORIZED, "Name or password are wrong.");
    };
    doors.panel.attempts.succeeded(&key);
    // Whoever logs in again leaves nothing behind that still opens these pages.
    doors.panel.sessions.close(&headers, cookie_name(serve));
    let Ok(secret) = doors.panel.sessions.open(&user.name, user.role) else {
        return (
            StatusCode::INTERNAL_SERVER_ERROR,
            "The system has no randomness to give.",
        )
            .into_response();
    };
    tracing::info!(user = user.name, peer = %peer.ip(), "somebody logged in");
    doors.with_cookie(&secret, "")
}

pub(super) async fn logout(
    State(doors): State<Doors>,
    visit: Visit,
    headers: HeaderMap,
    Form(token): Form<Token>,
) -> Result<Response, Refusal> {
    visit.authorised(&token.csrf, false)?;
    let cookie = cookie_name(doors.serve());
    doors.panel.sessions.close(&headers, cookie);
    Ok(doors.with_cookie("", "; Max-Age=0"))
}
