//! Which program asks, what it may do, and how often.

use std::net::IpAddr;

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{StatusCode, header, request::Parts},
};

use super::{Problem, Web};
use crate::{client::Client, rate_limit::seconds};
use spacecp_services::{
    Tokens,
    tokens::{Scope, Token},
};

/// A program whose token is good.
#[derive(Debug, Clone)]
pub(crate) struct Caller(Token);

impl Caller {
    /// Whether its token may be used for this.
    pub(crate) fn may(&self, scope: Scope) -> Result<(), Problem> {
        if self.0.scopes.contains(&scope) {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "scope",
            "Insufficient scope",
            format!(
                "token {} lacks the scope {}; an administrator can create one that has it",
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
    Tokens: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let web = Web::from_ref(state);
        let secret = bearer(parts)
            .ok_or_else(|| unauthorised("send an API token: authorization: Bearer spacecp_…"))?;
        if let Some(token) = Tokens::from_ref(state).find(secret).await? {
            let tokens = web.paces.tokens.as_ref();
            let counted = tokens.map(|pace| pace.count(&token.number));
            counted.unwrap_or(Ok(())).map_err(too_often)?;
            return Ok(Self(token));
        }
        let client = parts.extensions.get::<Client>();
        let address = client.map_or(IpAddr::from([0; 4]), |client| client.network());
        let counted = web.paces.guesses.as_ref().map(|pace| pace.count(&address));
        counted.unwrap_or(Ok(())).map_err(too_often)?;
        tracing::warn!(%address, "API request rejected: invalid token");
        Err(unauthorised(
            "invalid token: it is unknown, revoked or expired",
        ))
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
    Problem::new(StatusCode::UNAUTHORIZED, "token", "Token required", detail)
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
