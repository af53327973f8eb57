//! A panel whose pages nobody serves, so that nothing is told but when a test says so.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use jiff::Timestamp;
use spacecp_advisories::{App, config::Config, notify::Delivered};
use spacecp_contract::{Advisory, Document, DocumentId};
use spacecp_tests::{
    artifacts,
    catalog::{self, Fix},
    compiled,
    ground::{Age, Ground},
    vendor::Vendor,
};
use tempfile::TempDir;

/// The secret that webhooks are signed with.
pub(super) const SECRET: &str = "a secret that nobody guesses";

/// A vendor, a panel and its configuration.
pub(super) struct Stage {
    folder: TempDir,
    vendor: Vendor,
    ground: Ground,
}

impl Stage {
    /// A panel that has heard the whole catalogue.
    pub(super) async fn with_catalogue() -> Result<Self> {
        let mut stage = Self::empty()?;
        for advisory in catalog::advisories(Timestamp::now()) {
            stage.vendor.publish_advisory(advisory)?;
        }
        for correction in catalog::corrections() {
            stage.publish_correction(&correction)?;
        }
        stage.vendor.broadcast()?;
        stage.hear("").await?;
        Ok(stage)
    }

    /// A panel that has heard these advisories.
    pub(super) async fn with(advisories: Vec<Advisory>) -> Result<Self> {
        let mut stage = Self::empty()?;
        for advisory in advisories {
            stage.vendor.publish_advisory(advisory)?;
        }
        stage.vendor.broadcast()?;
        stage.hear("").await?;
        Ok(stage)
    }

    fn empty() -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let root = folder.path();
        let mut vendor = Vendor::new(
            &root.join("vendor/desk"),
            catalog::AUDIENCE,
            Timestamp::now(),
        )?;
        vendor.sign_plugin(Path::new(artifacts::PLUGIN))?;
        let ground = Ground::lay(&root.join("panel"), Age::Flawed)?;
        compiled::share(Path::new(env!("CARGO_TARGET_TMPDIR")), &root.join("state"))?;
        vendor.enrol("panel", &root.join("state"))?;
        fs::write(root.join("secret"), format!("{SECRET}\n"))?;
        Ok(Self {
            folder,
            vendor,
            ground,
        })
    }

    /// The folder of the configuration; `secret` in it has [`SECRET`].
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of the vendor's feed.
    pub(super) fn feed(&self) -> &Path {
        self.vendor.feed_dir()
    }

    /// The plugin's component.
    pub(super) fn plugin(&self) -> &Path {
        self.vendor.plugin_component()
    }

    /// Has the vendor sign a correction; panels see it after the next broadcast.
    pub(super) fn publish_correction(&mut self, fix: &Fix) -> Result<()> {
        let (before, after) = (
            self.folder.path().join("before"),
            self.folder.path().join("after"),
        );
        let before = Ground::lay(&before, Age::Flawed)?;
        let after = Ground::lay(&after, Age::Corrected)?;
        self.vendor.publish_correction(fix, &before, &after)?;
        Ok(())
    }

    /// Writes the configuration with these channels, and says where it is.
    pub(super) fn configure(&self, notify: &str) -> Result<PathBuf> {
        let root = self.folder.path();
        let quoted = |path: &Path| format!("{:?}", path.display().to_string());
        let text = format!(
            "state = {state}\n\
             [feed]\nfrom = {feed}\naudience = {audience:?}\nroot = {pinned}\n\
             [plugin]\nmanifest = {manifest}\ncomponent = {component}\n\
             [notify]\npanel = \"Node 7\"\nurl = \"https://panel.example/\"\n{notify}\n{inventory}",
            state = quoted(&root.join("state")),
            feed = quoted(self.vendor.feed_dir()),
            audience = catalog::AUDIENCE,
            pinned = quoted(self.vendor.root_path()),
            manifest = quoted(self.vendor.plugin_manifest()),
            component = quoted(self.vendor.plugin_component()),
            inventory = self.ground.inventory_toml(),
        );
        let path = root.join("panel.toml");
        fs::write(&path, text)?;
        Ok(path)
    }

    /// The panel, with these channels.
    pub(super) async fn open(&self, notify: &str) -> Result<App> {
        Ok(App::open(Config::load(&self.configure(notify)?)?).await?)
    }

    async fn hear(&self, notify: &str) -> Result<()> {
        self.open(notify).await?.panel.feed.sync().await?;
        Ok(())
    }

    /// Has the vendor publish another revision of an advisory, and the panel hear it.
    pub(super) async fn revise(&mut self, app: &App, advisory: Advisory) -> Result<()> {
        self.vendor
            .at(Timestamp::now())
            .publish_advisory(advisory)?;
        self.vendor.broadcast()?;
        app.panel.feed.sync().await?;
        Ok(())
    }
}

/// The same advisory with another revision.
pub(super) fn revised(advisory: &Advisory, change: impl FnOnce(&mut Advisory)) -> Advisory {
    let mut next = advisory.clone();
    next.revision = advisory.revision() + 1;
    next.modified = Timestamp::now();
    change(&mut next);
    next
}

/// The advisory of the catalogue with this id.
pub(super) fn of_catalogue(name: &str) -> Advisory {
    let mut all = catalog::advisories(Timestamp::now()).into_iter();
    all.find(|advisory| advisory.id.as_str() == name).unwrap()
}

/// An advisory about the daemon, without a correction.
pub(super) fn about_the_daemon() -> Advisory {
    let mut advisory = of_catalogue(catalog::CONSOLE);
    advisory.corrections.clear();
    advisory
}

pub(super) fn id(name: &str) -> DocumentId {
    DocumentId::new(name).unwrap()
}

/// A webhook of this name, with more lines for its table.
pub(super) fn webhook(name: &str, address: &str, more: &str) -> String {
    format!(
        "[[notify.channel]]\nname = {name:?}\nkind = \"webhook\"\nurl = {address:?}\nsecret-file = \"secret\"\n{more}\n"
    )
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What a look has delivered, and what failed.
pub(super) fn counted(told: Delivered) -> [u64; 4] {
    [told.new, told.delivered, told.failed, told.given_up]
}
