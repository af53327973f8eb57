//! A vendor, its feed over HTTP, and a panel that follows it.

use std::{fs, path::Path, sync::Arc};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use spacecp_advisories::{
    fetch::{Patience, Source},
    store::{Store, StoreError},
    sync::{Follower, Mirror, SyncError, SyncReport},
    trust::workflow::Trusted,
};
use spacecp_contract::{Advisory, Audience};
use spacecp_tests::{catalog, feed_server::FeedServer, vendor::Vendor};
use tempfile::TempDir;
use walkdir::WalkDir;

pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    pub(crate) vendor: Vendor,
    pub(crate) server: FeedServer,
    pub(crate) store: Store,
    pub(crate) now: Timestamp,
}

pub(crate) fn noon() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().expect("a time")
}

pub(crate) fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

/// An advisory of the demo that needs no correction.
pub(crate) fn advisory(revision: u64) -> Advisory {
    let mut advisory = catalog::advisories(noon()).remove(2);
    advisory.corrections.clear();
    advisory.revision = revision;
    advisory
}

impl Scene {
    /// A feed of one advisory, not followed yet.
    pub(crate) async fn new() -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let mut vendor = Vendor::new(&folder.path().join("vendor"), catalog::AUDIENCE, noon())?;
        vendor.publish_advisory(advisory(1))?;
        vendor.broadcast()?;
        let server = FeedServer::start(vendor.feed_dir().to_owned()).await?;
        let store = Store::open(&folder.path().join("store.sqlite")).await?;
        Ok(Self {
            folder,
            vendor,
            server,
            store,
            now: noon(),
        })
    }

    /// The same, followed once.
    pub(crate) async fn followed() -> Result<Self> {
        let scene = Self::new().await?;
        scene.sync().await?;
        scene.server.asked();
        Ok(scene)
    }

    /// Where the panel's identity is; none is enrolled unless a test does that.
    pub(crate) fn state(&self) -> std::path::PathBuf {
        self.folder.path().to_owned()
    }

    pub(crate) fn follower_of(&self, address: &str) -> Result<Follower> {
        let patience = Patience {
            connect: std::time::Duration::from_secs(2),
            idle: std::time::Duration::from_millis(600),
            document: std::time::Duration::from_secs(3),
            slowest: 1 << 20,
            ..Patience::default()
        };
        self.follower_from(address, Source::new(address, patience)?)
    }

    /// The follower of a feed that is reached in another way than by its address.
    pub(crate) fn follower_from(&self, address: &str, source: Source) -> Result<Follower> {
        let source = Arc::new(source);
        let audience = Audience::new(catalog::AUDIENCE)?;
        Ok(Follower::new(
            vec![Mirror {
                address: address.to_owned(),
                source,
            }],
            self.store.clone(),
            self.vendor.pin()?,
            audience,
        )
        .reading_as(self.state()))
    }

    pub(crate) async fn sync_with(&self, address: &str) -> Result<SyncReport, SyncError> {
        self.follower_of(address)
            .expect("the address and the pinned root are good")
            .sync(self.now)
            .await
    }

    pub(crate) async fn sync(&self) -> Result<SyncReport, SyncError> {
        self.sync_with(&self.server.url()).await
    }

    /// Changes what is stored of the feed, as somebody with a database program would.
    pub(crate) async fn statement(&self, statement: &str) -> Result<()> {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.store.feed_path());
        let mut connection = sqlx::ConnectOptions::connect(&options).await?;
        let query = sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()));
        let changed = query.execute(&mut connection).await?;
        anyhow::ensure!(changed.rows_affected() > 0, "it changed nothing");
        Ok(sqlx::Connection::close(connection).await?)
    }

    /// Lets go of the store's files.
    pub(crate) async fn close_feed(&self) {
        self.store.close().await;
    }

    /// What the panel believes of the feed.
    pub(crate) async fn believed(&self) -> Result<Trusted, StoreError> {
        Ok(Arc::unwrap_or_clone(self.store.trusted().await?))
    }

    /// Everything that the panel trusts.
    pub(crate) async fn trusted(&self) -> Result<String> {
        let trusted = self.store.trusted().await?;
        let documents = self.store.documents_since(None, 10_000).await?;
        let listed: Vec<_> = documents
            .documents
            .iter()
            .map(|document| (&document.id, document.revision, &document.bytes))
            .collect();
        Ok(format!(
            "{:?} {:?} {:?} {listed:?}",
            trusted.root, trusted.head, trusted.index
        ))
    }

    /// Publishes news, lets `tamper` spoil them, and shows that the panel refuses them with an error
    /// that says `words`, keeps what it trusts, and accepts the honest news afterwards.
    pub(crate) async fn refuses(
        &mut self,
        words: &str,
        tamper: impl FnOnce(&mut Vendor) -> Result<()>,
    ) -> Result<()> {
        self.vendor.publish_advisory(advisory(2))?;
        self.vendor.broadcast()?;
        let honest = self.folder.path().join("honest");
        copy(self.vendor.feed_dir(), &honest)?;
        let before = self.trusted().await?;
        tamper(&mut self.vendor)?;
        let refused = self.sync().await;
        let error = refused
            .map(|report| format!("{report:?}"))
            .expect_err("it was accepted");
        assert!(
            error.to_string().contains(words),
            "{words:?} is not in: {error}"
        );
        assert_eq!(
            self.trusted().await?,
            before,
            "a refused sync changes nothing"
        );
        assert_eq!(
            self.store.freshness().await?.problem,
            Some(error.to_string()),
            "the pages say why"
        );
        fs::remove_dir_all(self.vendor.feed_dir())?;
        copy(&honest, self.vendor.feed_dir())?;
        let report = self.sync().await?;
        assert_eq!(
            (report.changed, report.sequence),
            (true, 2),
            "the next honest sync succeeds"
        );
        assert_eq!(self.store.freshness().await?.problem, None);
        Ok(())
    }
}

/// Copies a folder of files and folders.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in WalkDir::new(from) {
        let entry = entry?;
        let target = to.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
