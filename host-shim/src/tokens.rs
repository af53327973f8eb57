//! Tokens by which programs reach the API: who has which, and what each may do.
//!
//! Of a token only the SHA-256 digest is kept: whoever reads the store cannot use it. That is enough
//! without salt or stretching, since a token is 256 bits that nobody chose. Making and revoking one is
//! in the audit log, in the same transaction.

use std::{collections::BTreeSet, str::FromStr};

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    audit::{self, Event, What},
    store::{Store, StoreError},
};

/// What every token begins with, so that one is known where it should not lie.
const PREFIX: &str = "spacecp_";

/// Characters of a name.
const LONGEST_NAME: usize = 60;

/// Tokens that may be good at once.
const MOST: i64 = 500;

/// Seconds for which the time of the last use is not written again.
const GRAIN: i64 = 60;

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Read what the panel knows.
    Read,
    /// Apply corrections and take applications back.
    Apply,
    /// Mark workarounds and accept risks.
    Decide,
    /// Ask the feed for news.
    Sync,
    /// Read the metrics, and nothing else.
    Metrics,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Read,
        Self::Apply,
        Self::Decide,
        Self::Sync,
        Self::Metrics,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Apply => "apply",
            Self::Decide => "decide",
            Self::Sync => "sync",
            Self::Metrics => "metrics",
        }
    }
}

impl FromStr for Scope {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let mut all = Self::ALL.into_iter();
        all.find(|scope| scope.as_str() == text)
            .ok_or_else(|| TokenError::Scope(text.chars().take(40).collect()))
    }
}

/// One token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Names it on this panel for good.
    pub number: u64,
    /// Its name.
    pub name: String,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// Who made it.
    pub by: String,
    /// When.
    pub made: Timestamp,
    /// Until when it is good; none for as long as nobody revokes it.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub used: Option<Timestamp>,
}

impl Token {
    /// Whether it opens anything at `now`.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}

/// A token that somebody wants.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Its name.
    pub name: String,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// Until when it is good.
    pub expires: Option<Timestamp>,
    /// Who makes it.
    pub by: String,
}

/// Why a token was not made or revoked. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// No such scope.
    #[error("there is no scope {0:?}; there are read, apply, decide, sync and metrics")]
    Scope(String),
    /// Nothing that it could be used for.
    #[error("a token without a scope opens nothing: name at least one")]
    NoScope,
    /// A name that nobody could show.
    #[error("the name of a token has 1 to {LONGEST_NAME} characters, and no control characters")]
    Name,
    /// Another good one has the name.
    #[error("there is a token {0:?} already; revoke it first, or choose another name")]
    Taken(String),
    /// It would have ended already.
    #[error("{0} has passed: a token is good for a time to come")]
    Passed(Timestamp),
    /// Too many are good at once.
    #[error("there are {MOST} tokens already: revoke those that are no longer needed")]
    TooMany,
    /// No such token, or it is revoked already.
    #[error("there is no token {0:?} to revoke")]
    NotFound(String),
    /// The system gave no randomness.
    #[error("the system has no randomness to make a token with")]
    Randomness,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for TokenError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Makes a token and returns it with its secret, which nobody can say again.
pub async fn make(
    store: &Store,
    wish: &Wish,
    now: Timestamp,
) -> Result<(Token, String), TokenError> {
    check(wish, now)?;
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| TokenError::Randomness)?;
    let secret = format!("{PREFIX}{}", hex::encode(bytes));
    let scopes: Vec<&str> = wish.scopes.iter().map(|scope| scope.as_str()).collect();
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    let (taken, good): (bool, i64) = sqlx::query_as(
        "SELECT coalesce(max(name = ?), 0), count(*) FROM tokens WHERE revoked IS NULL",
    )
    .bind(&wish.name)
    .fetch_one(&mut *transaction)
    .await?;
    if taken {
        return Err(TokenError::Taken(wish.name.clone()));
    }
    if good >= MOST {
        return Err(TokenError::TooMany);
    }
    let number: i64 = sqlx::query_scalar(
        "INSERT INTO tokens (name, hash, scopes, by, made, expires) VALUES (?, ?, ?, ?, ?, ?) RETURNING number",
    )
    .bind(&wish.name)
    .bind(digest(&secret))
    .bind(scopes.join(" "))
    .bind(&wish.by)
    .bind(now.as_second())
    .bind(wish.expires.map(Timestamp::as_second))
    .fetch_one(&mut *transaction)
    .await?;
    let event = Event {
        reason: Some(format!("{}: {}", wish.name, scopes.join(", "))),
        until: wish.expires,
        ..Event::new(What::TokenMade, &wish.by)
    };
    audit::append(&mut transaction, &event, now).await?;
    transaction.commit().await?;
    let made = Token {
        number: number.cast_unsigned(),
        name: wish.name.clone(),
        scopes: wish.scopes.clone(),
        by: wish.by.clone(),
        made: now,
        expires: wish.expires,
        revoked: None,
        used: None,
    };
    Ok((made, secret))
}

/// Revokes the good token of this name, or of this number.
pub async fn revoke(
    store: &Store,
    which: &str,
    by: &str,
    now: Timestamp,
) -> Result<Token, TokenError> {
    let mut transaction = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    let row = sqlx::query(
        "UPDATE tokens SET revoked = ?1 WHERE revoked IS NULL AND number = \
         (SELECT number FROM tokens WHERE revoked IS NULL AND (name = ?2 OR CAST(number AS TEXT) = ?2) \
          ORDER BY name = ?2 DESC LIMIT 1) RETURNING *",
    )
    .bind(now.as_second())
    .bind(which)
    .fetch_optional(&mut *transaction)
    .await?;
    let row = row.ok_or_else(|| TokenError::NotFound(which.chars().take(80).collect()))?;
    let token = token(&row)?;
    let event = Event {
        reason: Some(token.name.clone()),
        ..Event::new(What::TokenRevoked, by)
    };
    audit::append(&mut transaction, &event, now).await?;
    // Whatever it was stolen for does not happen at the next window.
    sqlx::query("UPDATE appointments SET state = 'withdrawn', ended = ?, words = 'its token was revoked' WHERE state = 'waiting' AND by = ?")
        .bind(now.as_second())
        .bind(format!("token {}", token.name))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(token)
}

/// Every token that was ever made, the newest first.
pub async fn all(store: &Store) -> Result<Vec<Token>, StoreError> {
    let rows = sqlx::query("SELECT * FROM tokens ORDER BY number DESC")
        .fetch_all(store.pool())
        .await?;
    rows.iter().map(token).collect()
}

/// The token with this secret, if it is good; notes that it was used.
pub async fn find(
    store: &Store,
    secret: &str,
    now: Timestamp,
) -> Result<Option<Token>, StoreError> {
    let fits = secret.len() == PREFIX.len() + 64 && secret.starts_with(PREFIX);
    if !fits {
        return Ok(None);
    }
    // Found by its digest: how long that takes tells nothing of any other.
    let row = sqlx::query("SELECT * FROM tokens WHERE hash = ?")
        .bind(digest(secret))
        .fetch_optional(store.pool())
        .await?;
    let Some(found) = row.as_ref().map(token).transpose()? else {
        return Ok(None);
    };
    if !found.is_good(now) {
        return Ok(None);
    }
    let second = now.as_second();
    if found
        .used
        .is_none_or(|used| used.as_second() < second - GRAIN)
    {
        sqlx::query("UPDATE tokens SET used = ? WHERE number = ?")
            .bind(second)
            .bind(found.number.cast_signed())
            .execute(store.pool())
            .await?;
    }
    Ok(Some(found))
}

fn check(wish: &Wish, now: Timestamp) -> Result<(), TokenError> {
    let fits = (1..=LONGEST_NAME).contains(&wish.name.chars().count());
    if !fits || wish.name.chars().any(char::is_control) {
        return Err(TokenError::Name);
    }
    if wish.scopes.is_empty() {
        return Err(TokenError::NoScope);
    }
    match wish.expires {
        Some(expires) if expires <= now => Err(TokenError::Passed(expires)),
        _ => Ok(()),
    }
}

fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

fn token(row: &SqliteRow) -> Result<Token, StoreError> {
    let damaged = |what: String| StoreError::Panel(format!("a token: {what}"));
    let time =
        |second: i64| Timestamp::from_second(second).map_err(|error| damaged(error.to_string()));
    let scopes: String = row.try_get("scopes")?;
    let scopes = scopes.split(' ').map(Scope::from_str);
    let moment = |column: &str| -> Result<Option<Timestamp>, StoreError> {
        row.try_get::<Option<i64>, _>(column)?.map(time).transpose()
    };
    Ok(Token {
        number: row.try_get::<i64, _>("number")?.cast_unsigned(),
        name: row.try_get("name")?,
        scopes: scopes
            .collect::<Result<_, _>>()
            .map_err(|error| damaged(error.to_string()))?,
        by: row.try_get("by")?,
        made: time(row.try_get("made")?)?,
        expires: moment("expires")?,
        revoked: moment("revoked")?,
        used: moment("used")?,
    })
}
