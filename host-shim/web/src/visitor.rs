//! Somebody at a page: whom the panel says they are, the token that their forms carry, and what is to be said to them.
//! Knows neither requests nor how the pages are mounted.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::panel::Identity;
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

    pub(super) fn session(&self, identity: Identity) -> Session {
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
