//! A panel at night: two components, their flaws and corrections, a policy, and a clock that tests
//! set. Everything else is real: the feed, the store, the compiled plugin, the trees.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use spacecp_advisories::{
    App, Preview,
    automation::{Clock, Fate, Line, Occasion, Run},
    config::Config,
    store::Store,
};
use spacecp_contract::{
    Advisory, Affected, Correction, DocumentId, Restart, Tlp, VersionRange, VersionScheme,
};
use spacecp_publisher::corrections::{self, Built, Facts};
use spacecp_tests::{artifacts, compiled, vendor::Vendor};
use tempfile::TempDir;

use crate::tree::{lay, tree};

/// The flaw of the daemon, which is high, and its correction.
pub(crate) const DAEMON_FLAW: &str = "SPACECP-SA-2100-0001";
pub(crate) const DAEMON_FIX: &str = "SPACECP-SC-2100-0001";
/// The flaw of the module, which is medium, and its correction.
pub(crate) const MODULE_FLAW: &str = "SPACECP-SA-2100-0002";
pub(crate) const MODULE_FIX: &str = "SPACECP-SC-2100-0002";

/// Monday noon, far enough ahead that the journal, which keeps this machine's time, lies behind.
pub(crate) fn noon() -> Timestamp {
    "2100-03-01T12:00:00Z".parse().expect("a time")
}

pub(crate) fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

/// A clock that is set by hand.
#[derive(Debug)]
pub(crate) struct Hands(Mutex<Timestamp>);

impl Hands {
    pub(crate) fn at(time: Timestamp) -> Self {
        Self(Mutex::new(time))
    }

    pub(crate) fn set(&self, time: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = time;
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What differs from the usual night.
pub(crate) struct Night {
    /// The `[policy]` table of the configuration.
    pub(crate) policy: &'static str,
    /// The plugin.
    pub(crate) plugin: &'static str,
    /// What is done to the corrections before they are signed.
    pub(crate) change: fn(&mut Built),
    /// What is done to the advisories before they are signed.
    pub(crate) flaw: fn(&mut Advisory),
    /// How the module is stopped and started: its `[component.control]` table.
    pub(crate) control: &'static str,
}

impl Default for Night {
    fn default() -> Self {
        Self {
            policy: "automatic = true\nminimum-severity = \"low\"\n",
            plugin: artifacts::PLUGIN,
            change: |_| {},
            flaw: |_| {},
            control: "",
        }
    }
}

/// A panel on such a night.
pub(crate) struct Panel {
    folder: TempDir,
    pub(crate) vendor: Vendor,
    pub(crate) app: App,
    pub(crate) clock: Hands,
}

impl Panel {
    pub(crate) async fn on(night: Night) -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let root = folder.path();
        let mut vendor = Vendor::new(&root.join("desk"), "customers", noon())?;
        for (name, fix, flaw, severity) in [
            ("daemon", DAEMON_FIX, DAEMON_FLAW, HIGH),
            ("module", MODULE_FIX, MODULE_FLAW, MEDIUM),
        ] {
            lay(
                &root.join("panel").join(name),
                &tree("1.0.0", &[("a.js", "old")]),
            )?;
            vendor.publish_advisory(advisory(name, flaw, fix, severity, night.flaw)?)?;
            vendor.publish_answering(built(root, name, fix, flaw, 1, night.change)?)?;
        }
        vendor.sign_plugin(Path::new(night.plugin))?;
        vendor.enrol("panel", &root.join("state"))?;
        vendor.broadcast_until(noon() + hours(24 * 90))?;
        let config = configuration(root, &vendor, night.policy) + night.control;
        fs::write(root.join("panel.toml"), config)?;
        compiled::share(Path::new(env!("CARGO_TARGET_TMPDIR")), &root.join("state"))?;
        let app = App::open(Config::load(&root.join("panel.toml"))?).await?;
        Ok(Self {
            folder,
            vendor,
            app,
            clock: Hands::at(noon()),
        })
    }

    /// Its folder, which stays behind.
    pub(crate) fn leave(self) -> PathBuf {
        self.folder.keep()
    }

    /// The panel as it comes up again, after whatever became of the process.
    pub(crate) async fn come_up_again(&mut self) -> Result<()> {
        let config = Config::load(&self.config_path())?;
        self.app = App::open(config).await?;
        Ok(())
    }

    pub(crate) fn config_path(&self) -> PathBuf {
        self.folder.path().join("panel.toml")
    }

    pub(crate) fn component(&self, name: &str) -> PathBuf {
        self.folder.path().join("panel").join(name)
    }

    pub(crate) fn version(&self, name: &str) -> Result<String> {
        let text = fs::read_to_string(self.component(name).join("VERSION"))?;
        Ok(text.trim().to_owned())
    }

    /// One run, now.
    pub(crate) async fn run(&self) -> Result<Run> {
        Ok(self
            .app
            .panel
            .automation
            .run(Occasion::Asked, None, &self.clock)
            .await?)
    }

    /// What the scheduler does at a time.
    pub(crate) async fn at(&self, time: Timestamp) -> Result<Option<Run>> {
        self.clock.set(time);
        Ok(self.app.panel.automation.run_if_due(&self.clock).await?.1)
    }

    /// What a run would do, once the feed has been heard.
    pub(crate) async fn foresee(&self) -> Result<Preview> {
        Ok(self
            .app
            .panel
            .automation
            .preview(None, self.clock.now())
            .await?)
    }

    /// Has the vendor publish another revision of a correction.
    pub(crate) fn revise(
        &mut self,
        name: &str,
        revision: u64,
        change: fn(&mut Built),
    ) -> Result<()> {
        let (fix, flaw) = match name {
            "daemon" => (DAEMON_FIX, DAEMON_FLAW),
            _ => (MODULE_FIX, MODULE_FLAW),
        };
        let built = built(self.folder.path(), name, fix, flaw, revision, change)?;
        self.vendor.publish_answering(built)?;
        self.vendor.broadcast_until(noon() + hours(24 * 90))?;
        Ok(())
    }

    /// What the hostile plugin will ask for.
    pub(crate) async fn ask_for(&self, wanted: &str) -> Result<()> {
        let store = Store::open(&self.folder.path().join("state/store.sqlite")).await?;
        let write = ("plan".to_owned(), Some(wanted.as_bytes().to_vec()));
        store.state_commit(&[write]).await?;
        store.close().await;
        Ok(())
    }
}

/// Lines in short: what became of which correction.
pub(crate) fn fates(lines: &[Line]) -> Vec<(&str, Fate)> {
    lines
        .iter()
        .map(|line| (line.correction.as_str(), line.fate))
        .collect()
}

/// The line about a correction.
pub(crate) fn line_of<'a>(lines: &'a [Line], correction: &str) -> Result<&'a Line> {
    let mut lines = lines.iter();
    lines
        .find(|line| line.correction == correction)
        .with_context(|| format!("there is a line about {correction}"))
}

const HIGH: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N";
const MEDIUM: &str = "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N";

fn advisory(
    name: &str,
    flaw: &str,
    fix: &str,
    severity: &str,
    change: fn(&mut Advisory),
) -> Result<Advisory> {
    let mut advisory = Advisory {
        id: DocumentId::new(flaw)?,
        revision: 1,
        audience: "customers".parse()?,
        published: noon(),
        modified: noon(),
        withdrawn: None,
        aliases: Vec::new(),
        title: format!("A flaw in the {name}"),
        issue: "It is flawed.".to_owned(),
        impacts: "Bad things.".to_owned(),
        solution: "Apply the correction.".to_owned(),
        workarounds: Vec::new(),
        severity: vec![severity.to_owned()],
        cwe: Vec::new(),
        known_exploited: false,
        tlp: Tlp::Clear,
        embargo_until: None,
        affected: vec![Affected {
            component: format!("spacecp:{name}").parse()?,
            scheme: VersionScheme::Semver,
            ranges: vec![range()],
            versions: Vec::new(),
            unlisted: None,
        }],
        not_affected: Vec::new(),
        corrections: vec![DocumentId::new(fix)?],
        credits: Vec::new(),
        references: Vec::new(),
        supersedes: Vec::new(),
        timeline: Vec::new(),
        notice: None,
        source: None,
    };
    change(&mut advisory);
    Ok(advisory)
}

fn range() -> VersionRange {
    VersionRange {
        introduced: "0".to_owned(),
        fixed: Some("1.0.1".to_owned()),
        last_affected: None,
        limit: None,
    }
}

fn built(
    root: &Path,
    name: &str,
    fix: &str,
    flaw: &str,
    revision: u64,
    change: fn(&mut Built),
) -> Result<Built> {
    let old = root.join(format!("vendor/{name}/old"));
    let new = root.join(format!("vendor/{name}/new"));
    lay(&old, &tree("1.0.0", &[("a.js", "old")]))?;
    lay(&new, &tree("1.0.1", &[("a.js", "new")]))?;
    let facts = Facts {
        id: fix.parse()?,
        revision,
        audience: "customers".parse()?,
        published: noon(),
        advisories: vec![flaw.parse()?],
        component: format!("spacecp:{name}").parse()?,
        scheme: VersionScheme::Semver,
        from: range(),
        to: "1.0.1".to_owned(),
        requires: Vec::new(),
        restart: Restart::None,
        ignored: Vec::new(),
    };
    let mut built = corrections::build(&old, &new, facts)?;
    change(&mut built);
    Ok(built)
}

/// Makes a correction fail after the exchange: the tree does not say the version that it leads to.
pub(crate) fn does_not_lead_there(built: &mut Built) {
    "1.0.9".clone_into(&mut built.correction.to);
}

/// The same, for the daemon alone.
pub(crate) fn the_daemons_does_not_lead_there(built: &mut Built) {
    if is_the_daemons(&built.correction) {
        does_not_lead_there(built);
    }
}

/// Has the module's correction restart it.
pub(crate) fn the_modules_restarts_it(built: &mut Built) {
    if !is_the_daemons(&built.correction) {
        built.correction.restart = Restart::Component;
    }
}

fn is_the_daemons(correction: &Correction) -> bool {
    correction.id.as_str() == DAEMON_FIX
}

fn configuration(root: &Path, vendor: &Vendor, policy: &str) -> String {
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    let component = |name: &str| {
        format!(
            "[[component]]\nname = {name:?}\nadvisory-name = \"spacecp:{name}\"\nscheme = \"semver\"\nfolder = {}\nversion = {{ file = \"VERSION\" }}\n",
            quoted(&root.join("panel").join(name))
        )
    };
    format!(
        "state = {state}\n[feed]\nfrom = {feed}\naudience = \"customers\"\nroot = {pinned}\n[plugin]\nmanifest = {manifest}\ncomponent = {plugin}\n[policy]\n{policy}\n{daemon}{module}",
        state = quoted(&root.join("state")),
        feed = quoted(vendor.feed_dir()),
        pinned = quoted(vendor.root_path()),
        manifest = quoted(vendor.plugin_manifest()),
        plugin = quoted(vendor.plugin_component()),
        daemon = component("daemon"),
        module = component("module"),
    )
}
