//! A feed that is signed by hand: with a vendor's keys, or with those that a thief has of it. It refuses nothing.
//!
//! A clone signs with the keys of the original and writes into the same folder, as a thief does.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashSet},
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use age::Recipient as _;
use age_core::{
    format::{FileKey, Stanza},
    secrecy::ExposeSecret,
};
use anyhow::{Context, Result};
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use spacecp_advisories::trust::{Unverified, sealed::STANZA, workflow::Pin};
use spacecp_contract::{
    Advisory, Audience, Blob, Correction, Digest, Document, DocumentId, DocumentKind, FeedPath,
    Head, Index, IndexEntry, ObjectKey, PluginManifest, Role, Root, Sealed, SealedEntry,
    SealedIndex, SealedObject, SealedPayload, capsule,
    envelope::{self, ENVELOPE, Tag},
};
use spacecp_publisher::{
    corrections::Built,
    keys::SecretKey,
    roots::{self, Holders},
    sign::{Signed, sign},
};

/// The two sides of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Everybody may read it.
    Public,
    /// It is encrypted to the recipients.
    Sealed,
}

/// A document that is to be listed.
#[derive(Debug, Clone)]
pub enum Unsigned {
    /// An advisory.
    Advisory(Box<Advisory>),
    /// A correction, and what it brings.
    Correction(Box<Built>),
}

/// What names a document.
pub type Name = (DocumentKind, DocumentId);

/// A feed, and what signs it.
#[derive(Debug, Clone)]
pub struct HandSigned {
    folder: PathBuf,
    keys: BTreeMap<Role, Arc<SecretKey>>,
    now: Timestamp,
    /// The newest root.
    pub root: Root,
    /// The sequence of the newest head.
    pub sequence: u64,
    /// What is listed next, and where.
    pub listed: BTreeMap<Name, (Unsigned, Side)>,
    /// Whom the sealed side is encrypted to.
    pub recipients: Vec<String>,
    /// Whether there is a sealed side.
    pub has_sealed_side: bool,
    /// Whether the sealed index has the payloads of its corrections.
    pub lists_payloads: bool,
}

/// What an index lists.
#[derive(Debug, Clone)]
pub struct Published {
    /// The digest of its bytes.
    pub index: Digest,
    /// What it lists itself.
    pub public: Vec<IndexEntry>,
    /// What the sealed index lists that it names.
    pub sealed: Vec<IndexEntry>,
    /// The payloads that the sealed index has.
    pub payloads: Vec<Digest>,
    /// Who can open that.
    pub recipients: Vec<String>,
}

impl HandSigned {
    /// A feed with a first root and nothing else.
    pub fn new(folder: &Path, audience: &str, now: Timestamp) -> Result<Self> {
        let mut keys = BTreeMap::new();
        for role in Role::ALL {
            keys.insert(role, Arc::new(SecretKey::generate()?));
        }
        let expires = now + SignedDuration::from_hours(24 * 365);
        let audience = Audience::new(audience)?;
        let root = roots::root(audience, 1, &holders(&keys), now, expires);
        let feed = Self {
            folder: folder.to_owned(),
            keys,
            now,
            root,
            sequence: 0,
            listed: BTreeMap::new(),
            recipients: Vec::new(),
            has_sealed_side: true,
            lists_payloads: true,
        };
        feed.put_root()?;
        Ok(feed)
    }

    /// The folder that panels follow.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The key that holds a role at present.
    pub fn key(&self, role: Role) -> &SecretKey {
        &self.keys[&role]
    }

    /// The first root, as a panel pins it.
    pub fn pin(&self) -> Result<Pin> {
        let read = |path: &FeedPath| fs::read(self.path(path));
        let first = FeedPath::root(1);
        let (bytes, signatures) = (read(&first)?, read(&first.signatures())?);
        let offered = Unverified {
            bytes: &bytes,
            signatures: &signatures,
        };
        Ok(Pin::root(offered, &self.root.audience)?)
    }

    /// Lists a document from the next broadcast on.
    pub fn list(&mut self, document: Unsigned, side: Side) {
        self.listed.insert(document.name(), (document, side));
    }

    /// Gives an advisory that is listed another revision.
    pub fn revise(&mut self, id: &DocumentId, revision: u64) -> Result<()> {
        let name = (DocumentKind::Advisory, id.clone());
        let (document, _) = self.listed.get_mut(&name).context("it is listed")?;
        if let Unsigned::Advisory(advisory) = document {
            advisory.revision = revision;
        }
        Ok(())
    }

    /// A root that takes every role but that of roots from whoever has a key of it now, and starts sequences and
    /// revisions afresh: the recovery from stolen keys.
    pub fn recover(&mut self) -> Result<()> {
        self.recover_keeping(&[])
    }

    /// The same where the keys of these roles were not stolen, and stay.
    pub fn recover_keeping(&mut self, kept: &[Role]) -> Result<()> {
        let stolen = |role: &Role| *role != Role::Root && !kept.contains(role);
        for role in Role::ALL.into_iter().filter(stolen) {
            self.keys.insert(role, Arc::new(SecretKey::generate()?));
        }
        self.root.sequence_epoch += 1;
        self.sequence = 0;
        self.next_root()
    }

    /// A root that gives one role to another key.
    pub fn rotate(&mut self, role: Role) -> Result<()> {
        self.keys.insert(role, Arc::new(SecretKey::generate()?));
        self.next_root()
    }

    fn next_root(&mut self) -> Result<()> {
        let (before, expires) = (self.root.clone(), self.root.expires);
        let holders = holders(&self.keys);
        let version = before.version + 1;
        self.root = roots::root(before.audience, version, &holders, self.now, expires);
        self.root.sequence_epoch = before.sequence_epoch;
        self.put_root()
    }

    fn put_root(&self) -> Result<()> {
        let signed = sign(self.root.clone(), &[self.key(Role::Root)])?;
        self.put(&FeedPath::root(self.root.version), &signed)
    }

    /// Signs a plugin's manifest.
    pub fn sign_plugin(&self, manifest: PluginManifest) -> Result<Signed<PluginManifest>> {
        Ok(sign(manifest, &[self.key(Role::Plugin)])?)
    }

    /// Makes what is listed current under the next sequence.
    pub fn publish(&mut self) -> Result<Published> {
        self.sequence = self.sequence.saturating_add(1);
        let (mut public, mut sealed, mut payloads) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (document, side) in self.listed.values() {
            match side {
                Side::Public => public.push(self.put_public(document)?),
                Side::Sealed => sealed.push(self.seal_document(document, &mut payloads)?),
            }
        }
        if !self.lists_payloads {
            payloads.clear();
        }
        let digests = payloads.keys().copied().collect();
        let entries: Vec<_> = sealed.iter().map(|entry| entry.document.clone()).collect();
        let side = self.seal_side(sealed, payloads.into_values().collect())?;
        let index = Index {
            audience: self.root.audience.clone(),
            sequence: self.sequence,
            documents: public.clone(),
            sealed: self.has_sealed_side.then_some(side),
        };
        let index = sign(index, &[self.key(Role::Feed)])?;
        self.put(&FeedPath::index(self.sequence), &index)?;
        self.put_head(&index)?;
        Ok(Published {
            index: Digest::of(&index.bytes),
            public,
            sealed: if self.has_sealed_side {
                entries
            } else {
                Vec::new()
            },
            payloads: digests,
            recipients: self.recipients.clone(),
        })
    }

    /// Signs a head of the present sequence that names this index.
    pub fn put_head(&self, index: &Signed<Index>) -> Result<()> {
        let head = Head {
            audience: self.root.audience.clone(),
            sequence: self.sequence,
            issued: self.now,
            expires: self.now + SignedDuration::from_hours(24 * 7),
            index: Digest::of(&index.bytes),
            index_length: index.bytes.len() as u64,
            root_version: self.root.version,
        };
        self.put(&FeedPath::head(), &sign(head, &[self.key(Role::Feed)])?)
    }

    fn put_public(&self, document: &Unsigned) -> Result<IndexEntry> {
        let (entry, bytes, signatures) = self.signed(document)?;
        let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
        self.write(&path, &bytes)?;
        self.write(&path.signatures(), signatures.as_bytes())?;
        for (digest, bytes) in document.payload() {
            self.write(&FeedPath::blob(digest), bytes)?;
        }
        Ok(entry)
    }

    fn seal_document(
        &self,
        document: &Unsigned,
        payloads: &mut BTreeMap<Digest, SealedPayload>,
    ) -> Result<SealedEntry> {
        for (digest, bytes) in document.payload() {
            let blob = blob(bytes);
            let object = self.seal(bytes)?;
            payloads.insert(*digest, SealedPayload { blob, object });
        }
        let (document, bytes, signatures) = self.signed(document)?;
        let parts = [&bytes[..], signatures.as_bytes()];
        let contents = capsule::pack(&parts).context("they are short")?;
        let object = self.seal(&contents)?;
        Ok(SealedEntry { document, object })
    }

    fn seal_side(
        &self,
        documents: Vec<SealedEntry>,
        payloads: Vec<SealedPayload>,
    ) -> Result<Sealed> {
        let index = SealedIndex::new(self.root.audience.clone(), documents, payloads);
        let contents = capsule::pack(&[&index.to_bytes()]).context("it is short")?;
        let index = self.seal(&contents)?;
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|error| anyhow::anyhow!("{error}"))?;
        let mut records = Vec::new();
        for recipient in &self.recipients {
            let envelope = wrapped(recipient, &index.key)?;
            records.push((Tag::of(&nonce, recipient), envelope));
        }
        records.sort_by_key(|(tag, _)| *tag);
        let bucket = envelope::cut(&records, 1).remove(0);
        self.write(&FeedPath::sealed(&Digest::of(&bucket)), &bucket)?;
        Ok(Sealed {
            nonce,
            index: index.blob(),
            buckets: vec![blob(&bucket)],
        })
    }

    fn signed(&self, document: &Unsigned) -> Result<(IndexEntry, Vec<u8>, String)> {
        match document {
            Unsigned::Advisory(advisory) => {
                listed(sign((**advisory).clone(), &[self.key(Role::Advisory)])?)
            }
            Unsigned::Correction(built) => listed(sign(
                built.correction.clone(),
                &[self.key(Role::Correction)],
            )?),
        }
    }

    /// Seals contents into the feed.
    fn seal(&self, contents: &[u8]) -> Result<SealedObject> {
        let keeper = Keeper(RefCell::new(None));
        let recipients = std::iter::once(&keeper as &dyn age::Recipient);
        let mut bytes = Vec::new();
        let mut sealing = age::Encryptor::with_recipients(recipients)?.wrap_output(&mut bytes)?;
        sealing.write_all(contents)?;
        sealing.finish()?;
        let object = SealedObject {
            digest: Digest::of(&bytes),
            length: bytes.len() as u64,
            key: keeper.0.into_inner().context("age made a key")?,
        };
        self.write(&FeedPath::sealed(&object.digest), &bytes)?;
        Ok(object)
    }

    fn put<T: Document>(&self, path: &FeedPath, signed: &Signed<T>) -> Result<()> {
        self.write(path, &signed.bytes)?;
        self.write(&path.signatures(), signed.signatures.as_bytes())
    }

    fn write(&self, path: &FeedPath, bytes: &[u8]) -> Result<()> {
        let at = self.path(path);
        fs::create_dir_all(at.parent().context("it lies in a folder")?)?;
        Ok(fs::write(at, bytes)?)
    }

    /// Where a file of the feed lies.
    pub fn path(&self, path: &FeedPath) -> PathBuf {
        self.folder.join(path.as_str())
    }
}

impl Unsigned {
    /// What names it.
    pub fn name(&self) -> Name {
        match self {
            Self::Advisory(advisory) => (DocumentKind::Advisory, advisory.id.clone()),
            Self::Correction(built) => (DocumentKind::Correction, built.correction.id.clone()),
        }
    }

    fn payload(&self) -> impl Iterator<Item = (&Digest, &Vec<u8>)> {
        let built = match self {
            Self::Advisory(_) => None,
            Self::Correction(built) => Some(built),
        };
        built.into_iter().flat_map(|built| &built.payload)
    }
}

impl From<Advisory> for Unsigned {
    fn from(advisory: Advisory) -> Self {
        Self::Advisory(Box::new(advisory))
    }
}

impl From<Built> for Unsigned {
    fn from(built: Built) -> Self {
        Self::Correction(Box::new(built))
    }
}

impl From<Correction> for Unsigned {
    fn from(correction: Correction) -> Self {
        Self::from(Built {
            correction,
            payload: BTreeMap::new(),
        })
    }
}

fn holders(keys: &BTreeMap<Role, Arc<SecretKey>>) -> Holders {
    let keys = keys.iter();
    keys.fold(Holders::default(), |holders, (role, key)| {
        holders.with(*role, key.public().clone())
    })
}

fn listed<T: Document>(signed: Signed<T>) -> Result<(IndexEntry, Vec<u8>, String)> {
    let entry = IndexEntry {
        kind: T::KIND,
        id: DocumentId::new(signed.document.name())?,
        revision: signed.document.revision(),
        digest: Digest::of(&signed.bytes),
        length: signed.bytes.len() as u64,
    };
    Ok((entry, signed.bytes, signed.signatures))
}

fn blob(bytes: &[u8]) -> Blob {
    Blob {
        digest: Digest::of(bytes),
        length: bytes.len() as u64,
    }
}

/// Remembers the key of a file, as the vendor's own sealing does.
struct Keeper(RefCell<Option<ObjectKey>>);

impl age::Recipient for Keeper {
    fn wrap_file_key(
        &self,
        key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        *self.0.borrow_mut() = Some(ObjectKey::from_bytes(*key.expose_secret()));
        let stanza = Stanza {
            tag: STANZA.to_owned(),
            args: Vec::new(),
            body: Vec::new(),
        };
        Ok((vec![stanza], HashSet::new()))
    }
}

/// An envelope for a panel.
fn wrapped(recipient: &str, key: &ObjectKey) -> Result<[u8; ENVELOPE]> {
    let recipient: age::x25519::Recipient = recipient.parse().map_err(anyhow::Error::msg)?;
    let key = FileKey::init_with_mut(|bytes| bytes.copy_from_slice(key.as_bytes()));
    let (stanzas, _) = recipient.wrap_file_key(&key)?;
    let share = BASE64_STANDARD_NO_PAD.decode(&stanzas[0].args[0])?;
    let envelope = [share, stanzas[0].body.clone()].concat();
    envelope.try_into().ok().context("it has 64 bytes")
}
