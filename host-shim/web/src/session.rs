//! Who is logged in at the stand-alone program. Sessions live in memory: they end with the process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, header};

use super::{Clocks, panel::Identity};
use crate::UserRole;

/// A session ends after so long without a request.
const IDLE: Duration = Duration::from_mins(30);

/// A session ends after so long in any case.
const LONGEST: Duration = Duration::from_hours(12);

/// Sessions that may be open at once; the one unused for the longest time makes room.
const MOST: usize = 1_000;

/// The sessions that are open, by their secret.
#[derive(Debug)]
pub(super) struct Sessions {
    open: Mutex<HashMap<String, Open>>,
    clocks: Arc<dyn Clocks>,
}

#[derive(Debug)]
struct Open {
    user: String,
    role: UserRole,
    began: Instant,
    used: Instant,
}

impl Sessions {
    pub(super) fn new(clocks: Arc<dyn Clocks>) -> Self {
        Self {
            open: Mutex::default(),
            clocks,
        }
    }

    /// Opens a session and returns the secret for the cookie.
    pub(super) fn open(&self, user: &str, role: UserRole) -> Result<String, getrandom::Error> {
        let secret = random()?;
        let now = self.clocks.instant();
        let mut open = self.lock();
        open.retain(|_, open| open.is_alive(now));
        if open.len() >= MOST
            && let Some(oldest) = open
                .iter()
                .min_by_key(|(_, open)| open.used)
                .map(|(secret, _)| secret.clone())
        {
            open.remove(&oldest);
        }
        open.insert(
            secret.clone(),
            Open {
                user: user.to_owned(),
                role,
                began: now,
                used: now,
            },
        );
        Ok(secret)
    }

    /// The session of a request, if it has one that has not ended.
    pub(super) fn of(&self, headers: &HeaderMap, cookie: &str) -> Option<Identity> {
        let secret = cookie_value(headers, cookie)?;
        let now = self.clocks.instant();
        let mut sessions = self.lock();
        let open = sessions.get_mut(secret).filter(|open| open.is_alive(now))?;
        open.used = now;
        Some(Identity {
            user: open.user.clone(),
            role: open.role,
            session: secret.to_owned(),
        })
    }

    /// Ends the session of a request.
    pub(super) fn close(&self, headers: &HeaderMap, cookie: &str) {
        if let Some(secret) = cookie_value(headers, cookie) {
            self.lock().remove(secret);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Open>> {
        // A panic elsewhere leaves the map as it was: every change is one call.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn is_alive(&self, now: Instant) -> bool {
        now.duration_since(self.used) < IDLE && now.duration_since(self.began) < LONGEST
    }
}

fn cookie_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    cookies.flat_map(|line| line.split(';')).find_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name).then_some(value)
    })
}

/// 256 bits that nobody can guess.
fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}
