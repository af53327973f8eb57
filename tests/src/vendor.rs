//! A vendor with fresh keys, on top of the real publisher.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use spacecp_tests::vendor::Vendor;
//!
//! let folder = tempfile::tempdir()?;
//! let mut vendor = Vendor::new(folder.path(), "customers", jiff::Timestamp::now())?;
//! vendor.broadcast()?;
//! # Ok(())
//! # }
//! ```

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use spacecp_advisories::{
    identity,
    trust::{Unverified, workflow::Pin},
};
use spacecp_contract::{
    Advisory, Audience, ComponentName, Correction, DocumentId, Restart, Role, VersionRange,
    VersionScheme,
};
use spacecp_publisher::{
    corrections::{self, Built, Facts},
    feed::Feed,
    keys::{self, SecretKey},
    panels::Panels,
    plugins,
    publish::{Broadcast, Consent, PublishService},
    recovery::{Reason, Recover, RecoveryService},
    roots, sign,
    signing::SigningService,
};

use crate::{
    catalog::{self, Fix},
    ground::Ground,
};

/// The keys of every role, one each.
#[derive(Debug)]
pub struct Keys {
    /// Signs roots.
    pub root: SecretKey,
    /// Signs heads and indexes.
    pub feed: SecretKey,
    /// Signs advisories.
    pub advisory: SecretKey,
    /// Signs corrections.
    pub correction: SecretKey,
    /// Signs plugin manifests.
    pub plugin: SecretKey,
}

impl Keys {
    /// Five keys that nobody has seen before.
    pub fn generate() -> Result<Self> {
        Ok(Self {
            root: SecretKey::generate()?,
            feed: SecretKey::generate()?,
            advisory: SecretKey::generate()?,
            correction: SecretKey::generate()?,
            plugin: SecretKey::generate()?,
        })
    }

    /// The same, kept in the files of a desk, so that the vendor's program can sign with them.
    pub fn kept_in(folder: &Path) -> Result<Self> {
        let made = |name| -> Result<SecretKey> {
            keys::create(folder, name, None)?;
            Ok(SecretKey::load(&keys::paths(folder, name).0, || None)?)
        };
        Ok(Self {
            root: made("root")?,
            feed: made("feed")?,
            advisory: made("advisory")?,
            correction: made("correction")?,
            plugin: made("plugin")?,
        })
    }

    /// The key of a role.
    pub fn of(&self, role: Role) -> &SecretKey {
        match role {
            Role::Root => &self.root,
            Role::Feed => &self.feed,
            Role::Advisory => &self.advisory,
            Role::Correction => &self.correction,
            Role::Plugin => &self.plugin,
        }
    }

    /// Who holds what, one key a role.
    pub fn holders(&self) -> roots::Holders {
        Role::ALL
            .into_iter()
            .fold(roots::Holders::default(), |holders, role| {
                holders.with(role, self.of(role).public().clone())
            })
    }
}

/// A vendor, its keys, and its feed.
#[derive(Debug)]
pub struct Vendor {
    keys: Keys,
    feed: Feed,
    signed: BTreeSet<DocumentId>,
    panels: Panels,
    audience: Audience,
    now: Timestamp,
    root_path: PathBuf,
    plugin_manifest: PathBuf,
    plugin_component: PathBuf,
}

impl Vendor {
    /// A vendor that keeps everything below `folder`, with a first root issued at `now`.
    pub fn new(folder: &Path, audience: &str, now: Timestamp) -> Result<Self> {
        Self::with_keys(folder, Keys::generate()?, audience, now)
    }

    /// The same, with these keys.
    pub fn with_keys(folder: &Path, keys: Keys, audience: &str, now: Timestamp) -> Result<Self> {
        let audience = Audience::new(audience)?;
        let feed = Feed::at(folder.join("feed"));
        let expires = now + SignedDuration::from_hours(24 * 365);
        let root = roots::root(audience.clone(), 1, &keys.holders(), now, expires);
        let root = sign::sign(root, &[&keys.root])?;
        SigningService::of(&feed).add_root(&root)?;
        let desk = folder.join("desk");
        let (feed, panels) = (feed.with_desk(&desk)?, Panels::of_desk(&desk));
        // What the vendor hands over with the installation: the same root, out of band.
        let handed = folder.join("hand-over");
        fs::create_dir_all(&handed)?;
        let root_path = handed.join("1.root");
        fs::write(&root_path, &root.bytes)?;
        fs::write(handed.join("1.root.minisig"), &root.signatures)?;
        Ok(Self {
            keys,
            feed,
            signed: BTreeSet::new(),
            panels,
            audience,
            now,
            root_path,
            plugin_manifest: handed.join("advisories.manifest"),
            plugin_component: handed.join("advisories.wasm"),
        })
    }

    /// The same vendor at another time.
    pub fn at(&mut self, now: Timestamp) -> &mut Self {
        self.now = now;
        self
    }

    /// The time by which it signs.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Its keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Its feed.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// What publishes in its feed.
    pub fn publisher(&self) -> PublishService<'_> {
        PublishService::of(&self.feed)
    }

    /// What signs for its feed.
    pub fn signing(&self) -> SigningService<'_> {
        SigningService::of(&self.feed)
    }

    /// What recovers its feed.
    pub fn recovery(&self) -> RecoveryService<'_> {
        RecoveryService::of(&self.feed)
    }

    /// The desk.
    pub fn desk_dir(&self) -> PathBuf {
        self.feed_dir().with_file_name("desk")
    }

    /// The folder of the desk where what is signed waits for its broadcast.
    pub fn waiting_dir(&self) -> PathBuf {
        self.desk_dir().join("signed").join(self.audience.as_str())
    }

    /// The panels that may read what is under embargo.
    pub fn panels(&self) -> &Panels {
        &self.panels
    }

    /// Enrols the panel with this state folder, which gets its identity now if it has none: what is broadcast
    /// from now on it can read, whatever is under embargo. Gives its recipient.
    pub fn enrol(&self, name: &str, state: &Path) -> Result<String> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(state)?;
        let identity = identity::load_or_make(state, self.now)?;
        let panel = self.panels.enrol(name, &identity.recipient(), self.now)?;
        Ok(panel.recipient)
    }

    /// The folder that panels follow.
    pub fn feed_dir(&self) -> &Path {
        self.feed.folder()
    }

    /// The first root, as it is handed over.
    pub fn root_path(&self) -> &Path {
        &self.root_path
    }

    /// The first root, as a panel pins it.
    pub fn pin(&self) -> Result<Pin> {
        let signatures = self.root_path.with_extension("root.minisig");
        let (bytes, signatures) = (fs::read(&self.root_path)?, fs::read(signatures)?);
        let offered = Unverified {
            bytes: &bytes,
            signatures: &signatures,
        };
        Ok(Pin::root(offered, &self.audience)?)
    }

    /// The plugin's signed manifest.
    pub fn plugin_manifest(&self) -> &Path {
        &self.plugin_manifest
    }

    /// The plugin's component.
    pub fn plugin_component(&self) -> &Path {
        &self.plugin_component
    }

    /// Signs an advisory; panels see it after the next broadcast. One for everybody goes out then, whatever
    /// date was planned: this vendor means what it does.
    pub fn publish_advisory(&mut self, advisory: Advisory) -> Result<()> {
        self.signed.insert(advisory.id.clone());
        let audience = advisory.audience.clone();
        self.signing()
            .add(advisory, &audience, &[&self.keys.advisory])?;
        Ok(())
    }

    /// Builds a correction of the demo from two grounds and signs it.
    pub fn publish_correction(
        &mut self,
        fix: &Fix,
        before: &Ground,
        after: &Ground,
    ) -> Result<Correction> {
        let (old, new) = ((fix.folder)(before), (fix.folder)(after));
        let built = corrections::build(&old, &new, self.facts(fix)?)
            .with_context(|| format!("the correction {} cannot be built", fix.id))?;
        self.publish_built(built)
    }

    /// Signs a correction that was built elsewhere, and an advisory for everybody in the place of each that it
    /// answers and that nobody has signed: without it the correction would not go out.
    pub fn publish_answering(&mut self, built: Built) -> Result<Correction> {
        for id in &built.correction.advisories {
            if !self.signed.contains(id) {
                let mut advisory = catalog::advisories(self.now).remove(0);
                advisory.id = id.clone();
                advisory.audience = self.audience.clone();
                advisory.corrections.clear();
                self.publish_advisory(advisory)?;
            }
        }
        self.publish_built(built)
    }

    /// Signs a correction that was built elsewhere.
    pub fn publish_built(&mut self, built: Built) -> Result<Correction> {
        Ok(self
            .signing()
            .add_correction(built, &[&self.keys.correction])?
            .document)
    }

    /// What a correction of the demo says beside its files.
    pub fn facts(&self, fix: &Fix) -> Result<Facts> {
        let [from, to] = fix.versions;
        let advisories: Result<Vec<DocumentId>, _> = fix
            .advisories
            .iter()
            .map(|id| DocumentId::new(*id))
            .collect();
        Ok(Facts {
            id: DocumentId::new(fix.id)?,
            revision: 1,
            audience: self.audience.clone(),
            published: self.now,
            advisories: advisories?,
            component: ComponentName::new(fix.component)?,
            scheme: VersionScheme::Semver,
            from: VersionRange {
                introduced: from.to_owned(),
                fixed: Some(to.to_owned()),
                last_affected: None,
                limit: None,
            },
            to: to.to_owned(),
            requires: Vec::new(),
            restart: Restart::Component,
            ignored: fix.ignored.iter().map(|path| (*path).to_owned()).collect(),
        })
    }

    /// Signs a plugin and puts manifest and component where they are handed over.
    pub fn sign_plugin(&mut self, component: &Path) -> Result<()> {
        self.release_plugin(component, 1)
    }

    /// The same as this release of it.
    pub fn release_plugin(&mut self, component: &Path, release: u64) -> Result<()> {
        let bytes = fs::read(component)?;
        let version = semver::Version::parse(env!("CARGO_PKG_VERSION"))?;
        let manifest = plugins::manifest("advisories", &version, release, &bytes, self.now);
        let manifest = sign::sign(manifest, &[&self.keys.plugin])?;
        fs::write(&self.plugin_component, &bytes)?;
        fs::write(&self.plugin_manifest, &manifest.bytes)?;
        fs::write(
            self.plugin_manifest.with_extension("manifest.minisig"),
            &manifest.signatures,
        )?;
        Ok(())
    }

    /// Has the desk take the folder for what it has published, for tests that put roots and heads there by hand.
    /// Nothing changes where the folder is none that could be believed.
    pub fn believe_folder(&self) -> Result<()> {
        let record = self.desk_dir().join("records");
        let record = record.join(format!("{}.jsonl", self.audience));
        let before = fs::read(&record)?;
        fs::remove_file(&record)?;
        let why = Reason {
            by: "the test".to_owned(),
            reason: "it put something there by hand".to_owned(),
            seen: None,
        };
        if self
            .recovery()
            .recover(Recover::Feed, &why, self.now)
            .is_err()
        {
            fs::write(&record, before)?;
        }
        Ok(())
    }

    /// Makes everything current for a week.
    pub fn broadcast(&mut self) -> Result<Broadcast> {
        self.broadcast_until(self.now + SignedDuration::from_hours(24 * 7))
    }

    /// Makes everything current until `expires`.
    pub fn broadcast_until(&mut self, expires: Timestamp) -> Result<Broadcast> {
        let consent = Consent {
            disclose: self.signed.clone(),
            ..Consent::default()
        };
        let publisher = self.publisher().with_consent(consent);
        Ok(publisher.broadcast(self.now, expires, &[&self.keys.feed])?)
    }
}
