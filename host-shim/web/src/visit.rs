//! Somebody at a page: whom the panel says they are, and the token that their forms carry.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::request::Parts,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Web, pages::Refusal, panel::Identity};
use crate::UserRole;
use spacecp_render::html::Said;

/// Visits that something is kept for; the one that was told something the longest time ago makes room.
const MOST: usize = 1_000;

/// Words that are kept for one visit.
const MOST_SAID: usize = 8;

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// Their name.
    pub(super) user: String,
    /// What they may do.
    pub(super) role: UserRole,
    /// The token that their forms carry.
    pub(super) csrf: String,
}

impl Session {
    pub(super) fn may_act(&self) -> bool {
        self.role == UserRole::Administrator
    }
}

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

/// Makes the token of a session out of its secret.
#[derive(Clone)]
pub(super) struct CsrfTokens([u8; 32]);

impl std::fmt::Debug for CsrfTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CsrfTokens")
    }
}

impl CsrfTokens {
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self(key))
    }

    fn session(&self, identity: Identity) -> Session {
        let mut token =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        // With its length before it, so that no name can lend characters to a secret.
        token.update(&(identity.user.len() as u64).to_be_bytes());
        token.update(identity.user.as_bytes());
        token.update(identity.session.as_bytes());
        Session {
            user: identity.user,
            role: identity.role,
            csrf: hex::encode(token.finalize().into_bytes()),
        }
    }
}

/// What is to be said to each visit on its next page.
#[derive(Debug, Default)]
pub(super) struct Notices(Mutex<HashMap<String, (Instant, Vec<Said>)>>);

impl Notices {
    /// Keeps words for the next page of a session.
    pub(super) fn say(&self, session: &Session, well: bool, words: String) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST
            && !kept.contains_key(&session.csrf)
            && let Some(oldest) = kept
                .iter()
                .min_by_key(|(_, (at, _))| *at)
                .map(|(session, _)| session.clone())
        {
            kept.remove(&oldest);
        }
        let (at, said) = kept
            .entry(session.csrf.clone())
            .or_insert_with(|| (Instant::now(), Vec::new()));
        *at = Instant::now();
        if said.len() == MOST_SAID {
            said.remove(0);
        }
        said.push(Said { well, words });
    }

    /// The words that were kept, once.
    pub(super) fn said(&self, session: &Session) -> Vec<Said> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&session.csrf)
            .map_or_else(Vec::new, |(_, said)| said)
    }
}
