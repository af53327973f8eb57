//! Login and logout of the stand-alone program.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Extension, Form,
    extract::{FromRef, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use url::form_urlencoded;

use super::{
    StandAlone, Web,
    client::Client,
    local_path::LocalPath,
    refusal::Refusal,
    request_auth::Visit,
    stand_alone::cookie_name,
    totp::{Enrolments, TotpError},
};
use crate::{ServeConfig, UserConfig};
use spacecp_render::html;

#[derive(Deserialize)]
pub(super) struct Credentials {
    name: String,
    password: String,
    /// The one-time code; empty where there is none.
    #[serde(default)]
    code: String,
    /// The page that was asked for before the login; empty where there was none.
    #[serde(default)]
    next: String,
}

/// What the address of the login says beside its path.
#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

/// The address of the login at `path`, which leads back to `asked` afterwards.
pub(super) fn address(path: &str, asked: Option<&str>) -> String {
    let Some(asked) = asked.and_then(page_after) else {
        return path.to_owned();
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", asked)
        .finish();
    format!("{path}?{query}")
}

/// The page that a login leads to, if `next` is one of these pages and not the overview, where a login leads
/// anyway. Anybody can have a browser open the login with a `next` of theirs, so it must not leave this origin.
fn page_after(next: &str) -> Option<&str> {
    let path = next.split(['?', '#']).next().unwrap_or_default();
    if ["/", "/login", "/logout"].contains(&path) {
        return None;
    }
    LocalPath::new(next).ok().map(|_| next)
}

#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) csrf: String,
}

/// What the login is answered from.
#[derive(Debug, Clone)]
pub(super) struct LoginState {
    pub(super) web: Web,
    pub(super) panel: Arc<StandAlone>,
}

impl FromRef<LoginState> for Web {
    fn from_ref(doors: &LoginState) -> Self {
        doors.web.clone()
    }
}

impl LoginState {
    fn serve(&self) -> &ServeConfig {
        &self.web.serve
    }

    /// The form, with what was wrong if anything was.
    fn drawn(&self, status: StatusCode, words: Option<&str>, next: &str) -> Response {
        // Where the secrets cannot be read, the form asks for a code in vain and says why afterwards.
        let codes = Enrolments::read(&self.serve().totp)
            .map_or(true, |enrolments| enrolments.users().next().is_some());
        let frame = self.web.frame(None, &[], "/login");
        (status, html::login(words, codes, page_after(next), &frame)).into_response()
    }

    /// Whether the second factor is there, for those who have one.
    async fn second_factor(&self, user: &str, code: &str) -> Result<bool, TotpError> {
        let now = self.panel.clocks.time();
        let enrolments = Enrolments::read(&self.serve().totp)?;
        let store = self.panel.backend.panel.store();
        enrolments.accept(user, code, now, store).await
    }

    /// Who logs in with these, or the answer to somebody who does not.
    async fn enter(
        &self,
        credentials: &Credentials,
        address: IpAddr,
    ) -> Result<UserConfig, Response> {
        let attempts = &self.panel.attempts;
        let Some(_under_way) = attempts.enter() else {
            let words = "Too many simultaneous logins. Wait a moment and try again.";
            return Err(self.drawn(
                StatusCode::SERVICE_UNAVAILABLE,
                Some(words),
                &credentials.next,
            ));
        };
        let attempt = attempts.begin(&credentials.name, address).map_err(|wait| {
            let words = format!(
                "Too many failed logins. Wait {} seconds.",
                wait.as_secs() + 1
            );
            self.drawn(
                StatusCode::TOO_MANY_REQUESTS,
                Some(&words),
                &credentials.next,
            )
        })?;
        let mut users = self.serve().users.iter();
        let user = users.find(|user| user.name == credentials.name).cloned();
        let hash = user.as_ref().map(|user| user.password_hash.clone());
        let verified = attempts.verify(credentials.password.clone(), hash).await;
        let Some(user) = user.filter(|_| verified) else {
            return Err(self.wrong(credentials, address));
        };
        match self.second_factor(&user.name, &credentials.code).await {
            Ok(true) => {
                attempts.succeeded(attempt);
                Ok(user)
            }
            Ok(false) => Err(self.wrong(credentials, address)),
            Err(error) => {
                tracing::error!(%error, "login disabled: cannot use the TOTP secrets");
                let words = "Login is disabled: the TOTP secrets cannot be used. See the log.";
                Err(self.drawn(
                    StatusCode::SERVICE_UNAVAILABLE,
                    Some(words),
                    &credentials.next,
                ))
            }
        }
    }

    /// One answer whatever was wrong: it must not tell which of them was right.
    fn wrong(&self, credentials: &Credentials, address: IpAddr) -> Response {
        let user: String = credentials.name.chars().take(100).collect();
        tracing::warn!(user, peer = %address, "login failed");
        let words = "Wrong name, password or code.";
        self.drawn(StatusCode::UNAUTHORIZED, Some(words), &credentials.next)
    }

    fn with_cookie(&self, value: &str, more: &str, to: &str) -> Response {
        let serve = self.serve();
        let secure = if serve.secure_cookie { "; Secure" } else { "" };
        let cookie = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{more}",
            cookie_name(serve)
        );
        let mut response = self.web.lead(to);
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

pub(super) async fn form(
    State(doors): State<LoginState>,
    visit: Visit,
    Query(Next { next }): Query<Next>,
) -> Response {
    if visit.session().is_some() {
        return doors.web.lead(page_after(&next).unwrap_or("/"));
    }
    doors.drawn(StatusCode::OK, None, &next)
}

pub(super) async fn attempt(
    State(doors): State<LoginState>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Response {
    let user = match doors.enter(&credentials, client.0).await {
        Ok(user) => user,
        Err(answer) => return answer,
    };
    // Whoever logs in again leaves nothing behind that still opens these pages.
    let cookie = cookie_name(doors.serve());
    doors.panel.sessions.close(&headers, cookie);
    let Ok(secret) = doors.panel.sessions.open(&user.name, user.role) else {
        return (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal error: the system's random number generator failed.",
        )
            .into_response();
    };
    tracing::info!(user = user.name, peer = %client.0, "user logged in");
    let to = page_after(&credentials.next).unwrap_or("/");
    doors.with_cookie(&secret, "", to)
}

pub(super) async fn logout(
    State(doors): State<LoginState>,
    visit: Visit,
    headers: HeaderMap,
    Form(token): Form<Token>,
) -> Result<Response, Refusal> {
    visit.authorised(&token.csrf, false)?;
    let cookie = cookie_name(doors.serve());
    doors.panel.sessions.close(&headers, cookie);
    Ok(doors.with_cookie("", "; Max-Age=0", "/"))
}
