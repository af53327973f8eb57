//! A panel with one component, whose feed is signed by hand. Everything else is real: the store, the compiled
//! plugin, the tree.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use jiff::Timestamp;
use spacecp_advisories::{
    App, ApplyRequest,
    automation::{Occasion, Run},
    config::Config,
    identity,
};
use spacecp_contract::{
    Advisory, Affected, DocumentId, FeedPath, Restart, Tlp, VersionRange, VersionScheme,
};
use spacecp_publisher::{
    corrections::{self, Built, Facts},
    plugins,
};
use spacecp_tests::{
    artifacts, compiled,
    hand_signed::{HandSigned, Side},
};
use tempfile::TempDir;

use crate::{
    night::Hands,
    tree::{lay, tree},
};

/// The component on this panel.
pub(super) const DAEMON: &str = "daemon";

/// A vendor, and a panel that applies what the vendor says.
pub(super) struct Panel {
    pub(super) folder: TempDir,
    pub(super) vendor: HandSigned,
    pub(super) app: App,
}

impl Panel {
    /// A panel that follows the feed's folder, with these lines more in its policy.
    pub(super) async fn new(policy: &str) -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let root = folder.path();
        let mut vendor = HandSigned::new(&root.join("feed"), "customers", Timestamp::now())?;
        lay(&root.join(DAEMON), &tree("1.0.0", &[("a.js", "old")]))?;
        compiled::share(Path::new(env!("CARGO_TARGET_TMPDIR")), &root.join("state"))?;
        let identity = identity::load_or_make(&root.join("state"), Timestamp::now())?;
        vendor.recipients.push(identity.recipient());
        vendor.list(advisory("SPACECP-SA-2026-0001", None)?.into(), Side::Public);
        vendor.publish()?;
        hand_over_plugin(root, &vendor)?;
        let address = vendor.folder().display().to_string();
        let config = configuration(root, &vendor, &address, policy);
        fs::write(root.join("panel.toml"), config)?;
        let app = App::open(Config::load(&root.join("panel.toml"))?).await?;
        app.panel.feed.sync().await?;
        Ok(Self {
            folder,
            vendor,
            app,
        })
    }

    /// The same panel, started again.
    pub(super) async fn again(mut self) -> Result<Self> {
        self.app = App::open(Config::load(&self.folder.path().join("panel.toml"))?).await?;
        Ok(self)
    }

    /// The same panel, following the feed at another address.
    pub(super) async fn following(self, address: &str) -> Result<Self> {
        let config = configuration(self.folder.path(), &self.vendor, address, "");
        fs::write(self.folder.path().join("panel.toml"), config)?;
        self.again().await
    }

    /// The same panel with another component of the same kind.
    pub(super) async fn with_another(self, name: &str) -> Result<Self> {
        let folder = self.folder.path().join(name);
        lay(&folder, &tree("1.0.0", &[("a.js", "old")]))?;
        let path = self.folder.path().join("panel.toml");
        let another = format!(
            "[[component]]\nname = {name:?}\nadvisory-name = \"spacecp:daemon\"\nscheme = \"semver\"\n\
             folder = {:?}\nversion = {{ file = \"VERSION\" }}\n",
            folder.display().to_string()
        );
        fs::write(&path, fs::read_to_string(&path)? + &another)?;
        self.again().await
    }

    /// Has whoever holds these keys broadcast an advisory with its correction, and the panel take it.
    pub(super) async fn told_by(
        &self,
        feed: &mut HandSigned,
        number: u16,
        side: Side,
    ) -> Result<Built> {
        self.told_as(feed, number, side, |_| {}).await
    }

    /// The same with a correction that was changed before it was signed.
    pub(super) async fn told_as(
        &self,
        feed: &mut HandSigned,
        number: u16,
        side: Side,
        change: impl FnOnce(&mut Built),
    ) -> Result<Built> {
        let (flaw, fix) = (flaw(number), fix(number));
        let mut advisory = advisory(&flaw, Some(&fix))?;
        if side == Side::Sealed {
            advisory.tlp = Tlp::AmberStrict;
        }
        let mut built = built(self.folder.path(), &fix, &flaw)?;
        change(&mut built);
        feed.list(advisory.into(), side);
        feed.list(built.clone().into(), side);
        feed.publish()?;
        self.app.panel.feed.sync().await?;
        Ok(built)
    }

    /// One run of automatic application, now.
    pub(super) async fn run(&self) -> Result<Run> {
        let clock = Hands::at(Timestamp::now());
        Ok(self
            .app
            .panel
            .automation
            .run(Occasion::Asked, None, &clock)
            .await?)
    }

    pub(super) fn version(&self) -> Result<String> {
        let text = fs::read_to_string(self.folder.path().join(DAEMON).join("VERSION"))?;
        Ok(text.trim().to_owned())
    }

    /// A request to apply a correction.
    pub(super) fn request(number: u16) -> Result<ApplyRequest> {
        Ok(ApplyRequest {
            correction: DocumentId::new(fix(number))?,
            component: DAEMON.to_owned(),
            plan: None,
            overwrite: false,
            by: "ada".to_owned(),
        })
    }

    pub(super) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }
}

/// The id of an advisory.
pub(super) fn flaw(number: u16) -> String {
    format!("SPACECP-SA-2026-{number:04}")
}

/// The id of its correction.
pub(super) fn fix(number: u16) -> String {
    format!("SPACECP-SC-2026-{number:04}")
}

/// Signs the plugin by the key of now, and puts it where the panel looks for it.
pub(super) fn hand_over_plugin(root: &Path, vendor: &HandSigned) -> Result<()> {
    let bytes = fs::read(artifacts::PLUGIN)?;
    let version = semver::Version::parse(env!("CARGO_PKG_VERSION"))?;
    let manifest = plugins::manifest("advisories", &version, 1, &bytes, Timestamp::now());
    let manifest = vendor.sign_plugin(manifest)?;
    fs::write(root.join("plugin.wasm"), bytes)?;
    fs::write(root.join("plugin.manifest"), manifest.bytes)?;
    Ok(fs::write(
        root.join("plugin.manifest.minisig"),
        manifest.signatures,
    )?)
}

fn advisory(id: &str, correction: Option<&str>) -> Result<Advisory> {
    let now = Timestamp::now();
    Ok(Advisory {
        id: id.parse()?,
        revision: 1,
        audience: "customers".parse()?,
        published: now,
        modified: now,
        withdrawn: None,
        aliases: Vec::new(),
        title: format!("A flaw called {id}"),
        issue: "It is flawed.".to_owned(),
        impacts: "Bad things.".to_owned(),
        solution: "Apply the correction.".to_owned(),
        workarounds: Vec::new(),
        severity: vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N".to_owned()],
        cwe: Vec::new(),
        known_exploited: false,
        tlp: Tlp::Clear,
        embargo_until: None,
        affected: vec![Affected {
            component: "spacecp:daemon".parse()?,
            scheme: VersionScheme::Semver,
            ranges: vec![range(if correction.is_some() {
                "1.0.1"
            } else {
                "0.9.0"
            })],
            versions: Vec::new(),
            unlisted: None,
        }],
        not_affected: Vec::new(),
        corrections: correction
            .map(DocumentId::new)
            .transpose()?
            .into_iter()
            .collect(),
        credits: Vec::new(),
        references: Vec::new(),
        supersedes: Vec::new(),
        timeline: Vec::new(),
        notice: None,
        source: None,
    })
}

fn range(fixed: &str) -> VersionRange {
    VersionRange {
        introduced: "0".to_owned(),
        fixed: Some(fixed.to_owned()),
        last_affected: None,
        limit: None,
    }
}

fn built(root: &Path, fix: &str, flaw: &str) -> Result<Built> {
    let (old, new) = (root.join("before"), root.join(format!("after-{fix}")));
    lay(&old, &tree("1.0.0", &[("a.js", "old")]))?;
    lay(&new, &tree("1.0.1", &[("a.js", fix)]))?;
    let facts = Facts {
        id: fix.parse()?,
        revision: 1,
        audience: "customers".parse()?,
        published: Timestamp::now(),
        advisories: vec![flaw.parse()?],
        component: "spacecp:daemon".parse()?,
        scheme: VersionScheme::Semver,
        from: range("1.0.1"),
        to: "1.0.1".to_owned(),
        requires: Vec::new(),
        restart: Restart::None,
        ignored: Vec::new(),
    };
    Ok(corrections::build(&old, &new, facts)?)
}

fn configuration(root: &Path, vendor: &HandSigned, address: &str, policy: &str) -> String {
    let quoted = |path: PathBuf| format!("{:?}", path.display().to_string());
    format!(
        "state = {state}\n[feed]\nfrom = {address:?}\naudience = \"customers\"\nroot = {pinned}\n\
         [plugin]\nmanifest = {manifest}\ncomponent = {plugin}\n\
         [policy]\nautomatic = true\nminimum-severity = \"low\"\n{policy}\n\
         [[component]]\nname = {DAEMON:?}\nadvisory-name = \"spacecp:daemon\"\nscheme = \"semver\"\n\
         folder = {daemon}\nversion = {{ file = \"VERSION\" }}\n",
        state = quoted(root.join("state")),
        pinned = quoted(vendor.path(&FeedPath::root(1))),
        manifest = quoted(root.join("plugin.manifest")),
        plugin = quoted(root.join("plugin.wasm")),
        daemon = quoted(root.join(DAEMON)),
    )
}
