//! Whoever sends a request, asked of the panel, and whether they may do what it asks for.

use std::convert::Infallible;

use axum::{
    extract::{FromRef, FromRequestParts},
    http::request::Parts,
};

use super::{Web, refusal::Refusal, visitor::Session};

/// Whoever sends a request.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    session: Option<Session>,
    /// The path that they asked for, to lead back to after the login.
    asked: Option<String>,
}

impl Visit {
    pub(super) fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Who it is, if the panel knows them.
    pub(super) fn known(self) -> Result<Session, Refusal> {
        self.session.ok_or(Refusal::LogIn { asked: self.asked })
    }

    /// Who it is, if the form is theirs and they may do what it asks for.
    pub(super) fn authorised(self, csrf: &str, to_act: bool) -> Result<Session, Refusal> {
        let session = self.known()?;
        // Both are random and as long as each other; a comparison in time that depends on the
        // contents tells nothing that 256 bits do not hide.
        if session.csrf != csrf {
            return Err(Refusal::Token);
        }
        if to_act && !session.may_act() {
            return Err(Refusal::Viewer);
        }
        Ok(session)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit
where
    Web: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let web = Web::from_ref(state);
        let identity = web.application.identify(parts).await;
        let asked = (parts.method == axum::http::Method::GET).then(|| {
            let asked = parts.uri.path_and_query();
            asked.map_or_else(|| "/".to_owned(), ToString::to_string)
        });
        Ok(Self {
            session: identity.map(|identity| web.csrf.session(identity)),
            asked,
        })
    }
}
