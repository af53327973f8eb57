//! A vendor with something under embargo, and panels of which some may read it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use jiff::Timestamp;
use spacecp_advisories::{
    fetch::{Patience, Source},
    store::Store,
    sync::{Follower, Mirror, SyncError, SyncReport},
    trust::workflow::Trusted,
};
use spacecp_contract::{
    Advisory, Correction, Digest, Document, DocumentId, FeedPath, Head, Index, IndexEntry, Limits,
    Sealed, Tlp, TrustedComment, decode, encode,
};
use spacecp_publisher::sign::{Signed, sign, sign_bytes};
use spacecp_tests::{
    catalog,
    feed_server::FeedServer,
    ground::{Age, Ground},
    vendor::Vendor,
};
use tempfile::TempDir;
use walkdir::WalkDir;

use crate::scene::{advisory, noon};

/// A vendor and its feed, with one public advisory.
pub(super) struct Stage {
    pub(super) folder: TempDir,
    pub(super) vendor: Vendor,
    pub(super) server: FeedServer,
}

/// A panel with an identity and a store of its own.
pub(super) struct Panel {
    pub(super) state: PathBuf,
    pub(super) store: Store,
    address: String,
    vendor: spacecp_advisories::trust::workflow::Pin,
}

/// The advisory of the demo that is under embargo, with the correction that it names.
pub(super) fn secret(revision: u64) -> Advisory {
    let mut secret = catalog::advisories(noon()).remove(3);
    secret.revision = revision;
    secret
}

/// The same without a correction.
pub(super) fn bare(revision: u64) -> Advisory {
    let mut secret = secret(revision);
    secret.corrections.clear();
    secret
}

/// What it is when everybody may know.
pub(super) fn disclosed(revision: u64) -> Advisory {
    let mut disclosed = bare(revision);
    disclosed.tlp = Tlp::Clear;
    disclosed.embargo_until = None;
    disclosed
}

impl Stage {
    /// With nothing broadcast yet.
    pub(super) async fn new() -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let mut vendor = Vendor::new(&folder.path().join("vendor"), catalog::AUDIENCE, noon())?;
        vendor.publish_advisory(advisory(1))?;
        fs::create_dir_all(vendor.feed_dir())?;
        let server = FeedServer::start(vendor.feed_dir().to_owned()).await?;
        Ok(Self {
            folder,
            vendor,
            server,
        })
    }

    /// A panel that may read what is broadcast from now on.
    pub(super) async fn entitled(&self, name: &str) -> Result<Panel> {
        let panel = self.panel(name).await?;
        self.vendor.enrol(name, &panel.state)?;
        Ok(panel)
    }

    /// A panel that follows the feed, and that nobody enrolled.
    pub(super) async fn panel(&self, name: &str) -> Result<Panel> {
        let state = self.folder.path().join("panels").join(name);
        fs::create_dir_all(&state)?;
        Ok(Panel {
            store: Store::open(&state.join("store.sqlite")).await?,
            state,
            address: self.server.url(),
            vendor: self.vendor.pin()?,
        })
    }

    /// Signs the correction of what is secret.
    pub(super) fn correct(&mut self) -> Result<Correction> {
        let lay = |name: &str, age| Ground::lay(&self.folder.path().join(name), age);
        let (before, after) = (lay("before", Age::Flawed)?, lay("after", Age::Corrected)?);
        let [_, _, fix] = catalog::corrections();
        self.vendor.publish_correction(&fix, &before, &after)
    }

    /// The index that is current.
    pub(super) fn index(&self) -> Result<Index> {
        let head = self.vendor.feed().head()?.context("it was broadcast")?;
        Ok(self.vendor.feed().index(head.sequence)?)
    }

    /// What it says of the private side.
    pub(super) fn sealed(&self) -> Result<Sealed> {
        self.index()?.sealed.context("it has a private side")
    }

    /// Signs another index as the vendor would never do, under a new head.
    pub(super) fn sign_index(&self, change: impl FnOnce(&mut Index)) -> Result<()> {
        let head = self.vendor.feed().head()?.context("it was broadcast")?;
        let mut index = self.index()?;
        index.sequence += 1;
        change(&mut index);
        let key = &self.vendor.keys().feed;
        let index = sign(index, &[key])?;
        let head = Head {
            sequence: head.sequence + 1,
            index: Digest::of(&index.bytes),
            index_length: index.bytes.len() as u64,
            ..head
        };
        self.put(&FeedPath::index(head.sequence), &index)?;
        self.put(&FeedPath::head(), &sign(head, &[key])?)
    }

    /// The same with an index that no vendor could sign, for it contradicts itself.
    pub(super) fn sign_unseen(&self, change: impl FnOnce(&mut Index)) -> Result<()> {
        let head = self.vendor.feed().head()?.context("it was broadcast")?;
        let known = self.vendor.feed().index(1)?;
        let mut index = Index {
            sequence: head.sequence + 1,
            ..known
        };
        change(&mut index);
        let key = &self.vendor.keys().feed;
        let bytes = encode(&index);
        let signatures = sign_bytes(&bytes, &TrustedComment::of(&index), &[key])?;
        let head = Head {
            sequence: head.sequence + 1,
            index: Digest::of(&bytes),
            index_length: bytes.len() as u64,
            ..head
        };
        let index = Signed {
            document: index,
            bytes,
            signatures,
        };
        self.put(&FeedPath::index(head.sequence), &index)?;
        self.put(&FeedPath::head(), &sign(head, &[key])?)
    }

    /// Puts something signed where everybody finds it.
    pub(super) fn put<T: Document>(&self, path: &FeedPath, signed: &Signed<T>) -> Result<()> {
        self.write(path, &signed.bytes)?;
        self.write(&path.signatures(), signed.signatures.as_bytes())
    }

    /// Puts bytes where everybody finds them.
    pub(super) fn write(&self, path: &FeedPath, bytes: &[u8]) -> Result<()> {
        let at = self.path(path);
        fs::create_dir_all(at.parent().context("it lies in a folder")?)?;
        Ok(fs::write(at, bytes)?)
    }

    pub(super) fn path(&self, path: &FeedPath) -> PathBuf {
        self.vendor.feed_dir().join(path.as_str())
    }

    /// Every file of the feed with its contents.
    pub(super) fn files(&self) -> Result<Vec<(PathBuf, Vec<u8>)>> {
        files(self.vendor.feed_dir())
    }
}

/// Every file below a folder, with its contents.
pub(super) fn files(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() {
            files.push((entry.path().to_owned(), fs::read(entry.path())?));
        }
    }
    Ok(files)
}

/// What an index would say of a signed document.
pub(super) fn entry<T: Document>(signed: &Signed<T>) -> Result<IndexEntry> {
    Ok(IndexEntry {
        kind: T::KIND,
        id: DocumentId::new(signed.document.name())?,
        revision: signed.document.revision(),
        digest: Digest::of(&signed.bytes),
        length: signed.bytes.len() as u64,
    })
}

impl Panel {
    pub(super) fn follower(&self) -> Result<Follower> {
        self.follower_from(&self.address, Source::new(&self.address, patience())?)
    }

    pub(super) fn follower_from(&self, address: &str, source: Source) -> Result<Follower> {
        let mirror = Mirror {
            address: address.to_owned(),
            source: Arc::new(source),
        };
        let (store, pin) = (self.store.clone(), self.vendor.clone());
        let follower = Follower::new(vec![mirror], store, pin, catalog::AUDIENCE.parse()?);
        Ok(follower.reading_as(self.state.clone()))
    }

    pub(super) async fn sync(&self) -> Result<SyncReport, SyncError> {
        self.sync_at(noon()).await
    }

    pub(super) async fn sync_at(&self, now: Timestamp) -> Result<SyncReport, SyncError> {
        let follower = self.follower().expect("address and root are good");
        follower.sync(now).await
    }

    /// What it holds: ids and revisions, in the order of the ids.
    pub(super) async fn held(&self) -> Result<Vec<(String, u64)>> {
        let documents = self.store.documents_since(None, 1_000).await?.documents;
        let held = documents.into_iter();
        let mut held: Vec<_> = held.map(|one| (one.id, one.revision)).collect();
        held.sort();
        Ok(held)
    }

    /// Whether it holds the secret, and in which revision.
    pub(super) async fn knows(&self) -> Result<Option<u64>> {
        let held = self.held().await?;
        let mut held = held.into_iter().filter(|(id, _)| id == catalog::BACKUP);
        Ok(held.next().map(|(_, revision)| revision))
    }

    pub(super) async fn trusted(&self) -> Result<Trusted> {
        Ok(Arc::unwrap_or_clone(self.store.trusted().await?))
    }

    /// Whether there was an envelope for it; none if it did not look.
    pub(super) async fn entitled(&self) -> Result<Option<bool>> {
        let reading = self.trusted().await?.reading;
        Ok(reading.map(|reading| reading.entitled))
    }

    /// Shows that it refuses what the feed has, with these words, and that nothing has changed.
    pub(super) async fn refuses(&self, words: &str) -> Result<()> {
        let (held, before) = (self.held().await?, self.trusted().await?);
        let refused = self.sync().await;
        let error = refused
            .map(|report| format!("{report:?}"))
            .expect_err("it was accepted")
            .to_string();
        assert!(error.contains(words), "{words:?} is not in: {error}");
        assert_eq!(self.held().await?, held, "a refused sync changes nothing");
        let after = self.trusted().await?;
        assert_eq!(
            (after.head, after.index, after.private, after.reading),
            (before.head, before.index, before.private, before.reading)
        );
        Ok(())
    }
}

/// No test waits longer.
pub(crate) fn patience() -> Patience {
    Patience {
        connect: std::time::Duration::from_secs(2),
        idle: std::time::Duration::from_secs(2),
        document: std::time::Duration::from_secs(5),
        ..Patience::default()
    }
}

/// The advisory that is in these bytes.
pub(super) fn decoded(bytes: &[u8]) -> Result<Advisory> {
    Ok(decode(bytes, &Limits::default())?)
}
