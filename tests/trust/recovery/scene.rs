//! A feed that is signed by hand, a thief with its keys, and a panel that may read its sealed side.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use spacecp_advisories::{
    fetch::Source,
    identity,
    store::Store,
    sync::{Follower, Mirror, SyncError, SyncReport},
    trust::workflow::Pin,
};
use spacecp_contract::{Advisory, Digest, DocumentKind, Limits, Tlp, encode};
use spacecp_publisher::corrections::{self, Built};
use spacecp_tests::{
    catalog,
    ground::{Age, Ground},
    hand_signed::{HandSigned, Name, Side},
    vendor::Vendor,
};
use sqlx::{Column, Row};
use tempfile::TempDir;

use crate::{
    private::stage::patience,
    scene::{advisory, noon},
};

/// A vendor's feed, and a panel that follows it.
pub(super) struct Scene {
    pub(super) folder: TempDir,
    pub(super) vendor: HandSigned,
    pub(super) panel: Panel,
}

/// A panel with an identity and a store of its own.
pub(super) struct Panel {
    pub(super) state: PathBuf,
    pub(super) store: Store,
    follower: Follower,
    pin: Pin,
}

/// An advisory of this name, of which everybody may know.
pub(super) fn public(id: &str, revision: u64) -> Advisory {
    let mut public = advisory(revision);
    public.id = id.parse().expect("an id");
    public
}

/// An advisory of this name under embargo.
pub(super) fn sealed(id: &str, revision: u64) -> Advisory {
    let mut sealed = public(id, revision);
    sealed.tlp = Tlp::AmberStrict;
    sealed
}

/// A correction of this name for an advisory, with the files that it brings.
pub(super) fn correction(folder: &Path, id: &str, advisory: &str) -> Result<Built> {
    let lay = |name: &str, age| Ground::lay(&folder.join(format!("{id}-{name}")), age);
    let (before, after) = (lay("before", Age::Flawed)?, lay("after", Age::Corrected)?);
    let [_, _, fix] = catalog::corrections();
    let vendor = Vendor::new(
        &folder.join(format!("{id}-vendor")),
        catalog::AUDIENCE,
        noon(),
    )?;
    let mut facts = vendor.facts(&fix)?;
    facts.id = id.parse()?;
    facts.advisories = vec![advisory.parse()?];
    let (old, new) = ((fix.folder)(&before), (fix.folder)(&after));
    // What each brings is its own.
    std::fs::write(new.join("of-the-correction.js"), format!("// {id}\n"))?;
    Ok(corrections::build(&old, &new, facts)?)
}

impl Scene {
    /// A vendor with one public advisory and one under embargo, and a panel that has read both.
    pub(super) async fn followed() -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let feed = folder.path().join("feed");
        let mut vendor = HandSigned::new(&feed, catalog::AUDIENCE, noon())?;
        let panel = Panel::of(&vendor, folder.path().join("panel")).await?;
        vendor.recipients.push(panel.recipient()?);
        vendor.list(public("SPACECP-SA-2026-0001", 1).into(), Side::Public);
        vendor.list(sealed("SPACECP-SA-2026-0002", 1).into(), Side::Sealed);
        vendor.publish()?;
        panel.sync().await?;
        Ok(Self {
            folder,
            vendor,
            panel,
        })
    }
}

impl Panel {
    pub(super) async fn of(vendor: &HandSigned, state: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&state)?;
        let store = Store::open(&state.join("store.sqlite")).await?;
        let (pin, address) = (vendor.pin()?, vendor.folder().display().to_string());
        Ok(Self {
            follower: follower(&address, &store, pin.clone(), &state)?,
            pin,
            state,
            store,
        })
    }

    /// The same feed followed from another address.
    pub(super) fn follower_at(&self, address: &str) -> Result<Follower> {
        follower(address, &self.store, self.pin.clone(), &self.state)
    }

    pub(super) fn recipient(&self) -> Result<String> {
        Ok(identity::load_or_make(&self.state, noon())?.recipient())
    }

    pub(super) async fn sync(&self) -> Result<SyncReport, SyncError> {
        self.follower.sync(noon()).await
    }

    /// What the stream of documents gives out, by name: revision and digest.
    pub(super) async fn given_out(&self) -> Result<BTreeSet<(Name, u64, Digest)>> {
        let (mut after, mut given) = (None, BTreeSet::new());
        loop {
            let batch = self.store.documents_since(after, 3).await?;
            for document in batch.documents {
                let name = (document.kind, document.id.parse()?);
                given.insert((name, document.revision, Digest::of(&document.bytes)));
            }
            if batch.complete {
                return Ok(given);
            }
            after = Some(batch.next);
        }
    }

    /// The ids of what is given out.
    pub(super) async fn ids(&self) -> Result<Vec<String>> {
        let given = self.given_out().await?.into_iter();
        Ok(given.map(|((_, id), _, _)| id.to_string()).collect())
    }

    /// Whether what is stored under this name is given out for acting on it.
    pub(super) async fn acts_on(&self, kind: DocumentKind, id: &str) -> Result<bool> {
        Ok(self.store.document(kind, id).await?.is_some())
    }

    /// The corrections that are current.
    pub(super) async fn corrections(&self) -> Result<Vec<String>> {
        let corrections = self.follower.corrections().await?.into_iter();
        Ok(corrections.map(|one| one.id.to_string()).collect())
    }

    /// The tables of what was received in which these words are.
    pub(super) async fn tables_with(&self, words: &str) -> Result<Vec<String>> {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.store.feed_path());
        let pool = sqlx::SqlitePool::connect_with(options).await?;
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
                .fetch_all(&pool)
                .await?;
        let mut found = Vec::new();
        for table in tables {
            let rows = format!("SELECT * FROM {table}");
            let rows = sqlx::query(sqlx::AssertSqlSafe(rows))
                .fetch_all(&pool)
                .await?;
            let has = rows.iter().any(|row| {
                row.columns().iter().any(|column| {
                    let bytes: Option<Vec<u8>> = row.try_get_unchecked(column.ordinal()).ok();
                    bytes.is_some_and(|bytes| holds(&bytes, words.as_bytes()))
                })
            });
            if has {
                found.push(table);
            }
        }
        pool.close().await;
        Ok(found)
    }

    /// How many rows a table of what was received has.
    pub(super) async fn rows(&self, table: &str) -> Result<i64> {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.store.feed_path());
        let pool = sqlx::SqlitePool::connect_with(options).await?;
        let count = format!("SELECT count(*) FROM {table}");
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(count));
        let count = count.fetch_one(&pool).await?;
        pool.close().await;
        Ok(count)
    }
}

fn follower(address: &str, store: &Store, pin: Pin, state: &Path) -> Result<Follower> {
    let mirror = Mirror {
        address: address.to_owned(),
        source: Arc::new(Source::new(address, patience())?),
    };
    let follower = Follower::new(vec![mirror], store.clone(), pin, catalog::AUDIENCE.parse()?);
    Ok(follower.reading_as(state.to_owned()))
}

fn holds(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|part| part == words)
}

/// The digest by which an index names a document that was not changed when it was signed.
pub(super) fn digest(advisory: &Advisory) -> Digest {
    Digest::of(&encode(advisory))
}

/// What bytes are a document of.
pub(super) fn title(bytes: &[u8]) -> Result<String> {
    let advisory: Advisory =
        spacecp_contract::decode(bytes, &Limits::default()).context("it is an advisory")?;
    Ok(advisory.title)
}
