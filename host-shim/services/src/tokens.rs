//! Tokens by which programs reach the API: who has which, and what each may do.
//!
//! Of a token only the SHA-256 digest is kept: whoever reads the store cannot use it. That is enough
//! without salt or stretching, since a token is 256 bits that nobody chose. Making and revoking one is
//! in the audit log, in the same transaction.

mod service;

use std::{collections::BTreeSet, str::FromStr};

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use spacecp_store::{
    Store, StoreError,
    audit::{self, Event, What},
};
use sqlx::{Row, sqlite::SqliteRow};

pub use service::Tokens;

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
    #[error("unknown scope {0:?}; the scopes are read, apply, decide, sync and metrics")]
    Scope(String),
    /// Nothing that it could be used for.
    #[error("the token has no scope; name at least one")]
    NoScope,
    /// A name that nobody could show.
    #[error(
        "invalid token name: it must have 1 to {LONGEST_NAME} characters and no control characters"
    )]
    Name,
    /// Another good one has the name.
    #[error("a token named {0:?} already exists; revoke it first, or choose another name")]
    Taken(String),
    /// It would have ended already.
    #[error("{0} has passed; the expiry of a token must be in the future")]
    Passed(Timestamp),
    /// Too many are good at once.
    #[error("limit of {MOST} tokens reached; revoke tokens that are no longer needed")]
    TooMany,
    /// No such token, or it is revoked already.
    #[error("no token {0:?} to revoke")]
    NotFound(String),
    /// The system gave no randomness.
    #[error("cannot create a token: the system's random number generator failed")]
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
        let noted = sqlx::query("UPDATE tokens SET used = ? WHERE number = ?")
            .bind(second)
            .bind(found.number.cast_signed())
            .execute(store.pool())
            .await;
        // When a token was used last is for people to know; that it cannot be noted shuts nobody out.
        if let Err(error) = noted {
            let error = StoreError::from(error);
            tracing::warn!(token = found.name, %error, "cannot record the last use of a token");
        }
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

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);
    const INSTANT: SignedDuration = SignedDuration::from_nanos(1);
    const SECOND: SignedDuration = SignedDuration::from_secs(1);

    fn wish(name: &str) -> Wish {
        Wish {
            name: name.to_owned(),
            scopes: [Scope::Read].into(),
            expires: None,
            by: "somebody".to_owned(),
        }
    }

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("store.sqlite")).await;
        (folder, store.expect("a store"))
    }

    #[test]
    fn a_name_has_1_to_60_characters_whatever_their_bytes_and_no_control_characters() {
        for (name, fits) in [
            (String::new(), false),
            ("a".to_owned(), true),
            ("ä".repeat(60), true),
            ("a".repeat(61), false),
            ("a\nb".to_owned(), false),
        ] {
            let checked = check(&wish(&name), NOW);
            assert_eq!(checked.is_ok(), fits, "{name}");
            assert_eq!(matches!(checked, Err(TokenError::Name)), !fits);
        }
    }

    #[test]
    fn a_token_is_for_something() {
        let nothing = Wish {
            scopes: BTreeSet::new(),
            ..wish("backup")
        };
        assert!(matches!(check(&nothing, NOW), Err(TokenError::NoScope)));
    }

    #[test]
    fn a_token_ends_in_the_time_to_come() {
        for (expires, fits) in [(NOW - INSTANT, false), (NOW, false), (NOW + INSTANT, true)] {
            let token = Wish {
                expires: Some(expires),
                ..wish("backup")
            };
            let checked = check(&token, NOW);
            assert_eq!(checked.is_ok(), fits, "{expires}");
            assert_eq!(matches!(checked, Err(TokenError::Passed(_))), !fits);
        }
    }

    #[test]
    fn a_token_is_good_until_the_instant_before_it_expires_and_never_once_it_is_revoked() {
        let token = Token {
            number: 1,
            name: "backup".to_owned(),
            scopes: [Scope::Read].into(),
            by: "somebody".to_owned(),
            made: NOW,
            expires: Some(NOW),
            revoked: None,
            used: None,
        };
        assert!(token.is_good(NOW - INSTANT));
        assert!(!token.is_good(NOW));
        assert!(!token.is_good(NOW + INSTANT));
        let without_end = Token {
            expires: None,
            ..token
        };
        assert!(without_end.is_good(Timestamp::MAX));
        let revoked = Token {
            revoked: Some(NOW),
            ..without_end
        };
        assert!(!revoked.is_good(NOW - INSTANT));
    }

    #[tokio::test]
    async fn a_token_opens_nothing_from_the_second_on_at_which_it_expires() {
        let (_folder, store) = store().await;
        let short = Wish {
            expires: Some(NOW + SECOND),
            ..wish("short")
        };
        let (_, secret) = make(&store, &short, NOW).await.expect("it is made");
        for (now, good) in [(NOW, true), (NOW + SECOND, false)] {
            let found = find(&store, &secret, now).await.expect("the store answers");
            assert_eq!(found.is_some(), good, "{now}");
        }
    }

    #[tokio::test]
    async fn a_secret_is_the_prefix_and_64_digits_and_nothing_else_is_looked_for() {
        let (_folder, store) = store().await;
        let (made, secret) = make(&store, &wish("backup"), NOW)
            .await
            .expect("it is made");
        assert_eq!(secret.len(), "spacecp_".len() + 64);
        let found = find(&store, &secret, NOW).await.expect("the store answers");
        assert_eq!(found, Some(made));
        let other_prefix = secret.replace("spacecp_", "elsewhr_");
        let other_secret = format!("spacecp_{}", "0".repeat(64));
        for secret in [
            &secret[1..],
            &other_prefix,
            &other_secret,
            &format!("{secret}0"),
            "",
        ] {
            let found = find(&store, secret, NOW).await.expect("the store answers");
            assert_eq!(found, None, "{secret}");
        }
    }

    #[tokio::test]
    async fn the_time_of_the_last_use_is_written_again_after_more_than_a_minute() {
        let (_folder, store) = store().await;
        let (_, secret) = make(&store, &wish("backup"), NOW)
            .await
            .expect("it is made");
        for (later, used) in [(0, 0), (59, 0), (60, 0), (61, 61), (121, 61), (122, 122)] {
            let now = NOW + SignedDuration::from_secs(later);
            find(&store, &secret, now).await.expect("the store answers");
            let tokens = all(&store).await.expect("the store answers");
            let expected = NOW + SignedDuration::from_secs(used);
            assert_eq!(tokens[0].used, Some(expected), "{later} seconds later");
        }
    }

    #[tokio::test]
    async fn five_hundred_tokens_may_be_good_at_once_and_not_one_more() {
        let (_folder, store) = store().await;
        let add = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) \
            INSERT INTO tokens (name, hash, scopes, by, made) \
            SELECT 'token ' || i, CAST(i AS BLOB), 'read', 'somebody', 0 FROM n";
        let added = sqlx::query(add).bind(MOST - 1).execute(store.pool()).await;
        added.expect("rows");
        let (last, _) = make(&store, &wish("last"), NOW)
            .await
            .expect("it is the 500th");
        let refused = make(&store, &wish("one more"), NOW).await;
        assert!(matches!(refused, Err(TokenError::TooMany)));
        let revoked = revoke(&store, "last", "somebody", NOW)
            .await
            .expect("it is there");
        assert_eq!(revoked.number, last.number);
        let again = make(&store, &wish("one more"), NOW).await;
        assert!(again.is_ok(), "what is revoked makes room");
    }

    #[tokio::test]
    async fn a_token_is_revoked_by_its_name_before_another_by_its_number() {
        let (_folder, store) = store().await;
        let (first, _) = make(&store, &wish("backup"), NOW)
            .await
            .expect("it is made");
        let named = wish(&first.number.to_string());
        let (second, _) = make(&store, &named, NOW).await.expect("it is made");
        for expected in [&second, &first] {
            let which = first.number.to_string();
            let revoked = revoke(&store, &which, "somebody", NOW).await;
            let revoked = revoked.expect("it is there");
            assert_eq!(
                (revoked.number, revoked.revoked),
                (expected.number, Some(NOW))
            );
        }
        let gone = revoke(&store, "backup", "somebody", NOW).await;
        assert!(matches!(gone, Err(TokenError::NotFound(_))));
    }

    #[tokio::test]
    async fn two_good_tokens_never_have_one_name() {
        let (_folder, store) = store().await;
        make(&store, &wish("backup"), NOW)
            .await
            .expect("it is made");
        let refused = make(&store, &wish("backup"), NOW).await;
        assert!(matches!(refused, Err(TokenError::Taken(name)) if name == "backup"));
        revoke(&store, "backup", "somebody", NOW)
            .await
            .expect("it is there");
        make(&store, &wish("backup"), NOW)
            .await
            .expect("the name is free again");
    }

    #[test]
    fn every_scope_is_read_back_from_its_word() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse::<Scope>().ok(), Some(scope));
        }
        assert!(matches!(
            "write".parse::<Scope>(),
            Err(TokenError::Scope(_))
        ));
    }
}
