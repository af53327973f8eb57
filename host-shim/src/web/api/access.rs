//! Which program asks, what it may do, and how often.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRef, FromRequestParts},
    http::{StatusCode, header, request::Parts},
};

use super::{Problem, Web};
use crate::{
    tokens::{Scope, Token},
    web::pace::{Pace, seconds},
};

/// Requests a minute that one address may send with a token that opens nothing.
const GUESSES_PER_MINUTE: u32 = 30;

/// Counts the requests of programs.
#[derive(Debug)]
pub(in crate::web) struct Paces {
    tokens: Option<Pace<u64>>,
    guesses: Option<Pace<IpAddr>>,
}

impl Paces {
    pub(in crate::web) fn of(requests_per_minute: u32) -> Self {
        Self {
            tokens: Pace::of(requests_per_minute),
            guesses: Pace::of(GUESSES_PER_MINUTE),
        }
    }
}

/// A program whose token is good.
#[derive(Debug, Clone)]
pub(in crate::web) struct Caller(Token);

impl Caller {
    /// Whether its token may be used for this.
    pub(in crate::web) fn may(&self, scope: Scope) -> Result<(), Problem> {
        if self.0.scopes.contains(&scope) {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "scope",
            "The token is not for this",
            format!(
                "the token {} has no scope {}; an administrator makes one that has",
                self.0.name,
                scope.as_str()
            ),
        ))
    }

    /// What it is called in the journal and the audit log.
    pub(super) fn name(&self) -> String {
        format!("token {}", self.0.name)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    Web: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let web = Web::from_ref(state);
        let secret = bearer(parts).ok_or_else(|| {
            unauthorised("send a token of this panel's: authorization: Bearer spacecp_…")
        })?;
        match web.shim.token(secret).await? {
            Some(token) => {
                let counted = web
                    .paces
                    .tokens
                    .as_ref()
                    .map(|pace| pace.count(&token.number));
                counted.unwrap_or(Ok(())).map_err(too_often)?;
                Ok(Self(token))
            }
            None => {
                let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
                let address = address.map_or(IpAddr::from([0; 4]), |connected| connected.0.ip());
                let counted = web.paces.guesses.as_ref().map(|pace| pace.count(&address));
                counted.unwrap_or(Ok(())).map_err(too_often)?;
                tracing::warn!(%address, "a token that opens nothing was sent to the API");
                Err(unauthorised(
                    "this token opens nothing: it is unknown, revoked, or has expired",
                ))
            }
        }
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(secret.trim())
}

fn unauthorised(detail: &str) -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "token",
        "A token is needed",
        detail,
    )
}

fn too_often(wait: std::time::Duration) -> Problem {
    let seconds = seconds(wait);
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too-often",
        "Too many requests",
        format!("wait {seconds} seconds before the next request"),
    )
    .after(seconds)
}
