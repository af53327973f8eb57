//! A component's tree before and after, a signed correction between them, and a panel that has the
//! first one installed.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use anyhow::{Context, Result};
use jiff::Timestamp;
use spacecp_advisories::{
    apply::{Application, Applier, ApplyError, Exchange, NoFaults, Order, Part, Plan, Steps},
    config::{ComponentConfig, ControlConfig, HealthConfig, VersionConfig},
    control::Configured,
    fetch::{Patience, Source},
    inventory::Inventory,
    store::Store,
    sync::{Follower, Mirror},
    trust::{AnyDocument, Verified},
};
use spacecp_contract::{
    ComponentName, Correction, Digest, DocumentKind, TreePath, VersionRange, VersionScheme,
};
use spacecp_publisher::corrections::{self, Facts};
use spacecp_tests::{ground::write, vendor::Vendor};
use tempfile::TempDir;
use walkdir::WalkDir;

use crate::service::Service;

pub(crate) const CORRECTION: &str = "SPACECP-SC-2026-0001";

pub(crate) fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().expect("a time")
}

/// Files by path; a text that begins with `#!` is executable.
pub(crate) type Tree = BTreeMap<String, String>;

pub(crate) fn tree(version: &str, files: &[(&str, &str)]) -> Tree {
    let own = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    own.chain([("VERSION".to_owned(), format!("{version}\n"))])
        .collect()
}

pub(crate) fn old() -> Tree {
    tree(
        "1.0.0",
        &[
            ("lib/a.js", "a of 1"),
            ("lib/gone.js", "goes"),
            ("deep/down/only.js", "goes too"),
            ("bin/run", "#!/bin/sh\n"),
            ("same.txt", "same"),
        ],
    )
}

pub(crate) fn new() -> Tree {
    tree(
        "1.0.1",
        &[
            ("lib/a.js", "a of 1.0.1"),
            ("lib/new/b.js", "b"),
            ("bin/run", "#!/bin/sh\necho new\n"),
            ("same.txt", "same"),
        ],
    )
}

pub(crate) fn lay(folder: &Path, tree: &Tree) -> Result<()> {
    fs::create_dir_all(folder)?;
    for (path, text) in tree {
        write(folder, path, text)?;
        let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
        fs::set_permissions(folder.join(path), fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// What lies in a folder: files with their contents and modes, links, and empty folders.
pub(crate) fn look(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for entry in WalkDir::new(folder).min_depth(1) {
        let entry = entry?;
        let path = entry.path().strip_prefix(folder)?.display().to_string();
        let kind = entry.file_type();
        if kind.is_file() {
            let mode = entry.metadata()?.permissions().mode() & 0o777;
            found.insert(
                path,
                format!("{mode:o} {}", fs::read_to_string(entry.path())?),
            );
        } else if kind.is_symlink() {
            found.insert(
                path,
                format!("-> {}", fs::read_link(entry.path())?.display()),
            );
        } else if kind.is_dir() && fs::read_dir(entry.path())?.next().is_none() {
            found.insert(path, "empty folder".to_owned());
        }
    }
    Ok(found)
}

/// A panel with a component in its old version, and a correction for it.
pub(crate) struct Panel {
    /// Before the folder: it is ended by what is written there.
    service: Option<Service>,
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
    pub(crate) correction: Verified<Correction>,
    pub(crate) source: Source,
    pub(crate) vendor: Vendor,
    keep: Vec<String>,
    control: Option<ControlConfig>,
    health: Vec<HealthConfig>,
}

impl Panel {
    pub(crate) async fn new(old: &Tree, new: &Tree) -> Result<Self> {
        Self::with(old, new, |_| {}).await
    }

    pub(crate) async fn with(
        old: &Tree,
        new: &Tree,
        change: impl FnOnce(&mut corrections::Built),
    ) -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let at = |name: &str| folder.path().join(name);
        lay(&at("vendor/old"), old)?;
        lay(&at("vendor/new"), new)?;
        lay(&at("panel/component"), old)?;
        let mut vendor = Vendor::new(&at("vendor/desk"), "customers", now())?;
        let version = |tree: &Tree| tree["VERSION"].trim().to_owned();
        let mut built = corrections::build(
            &at("vendor/old"),
            &at("vendor/new"),
            facts(&version(old), &version(new))?,
        )?;
        change(&mut built);
        vendor.publish_answering(built)?;
        vendor.broadcast()?;
        let store = Store::open(&at("store.sqlite")).await?;
        let source = Source::new(
            &vendor.feed_dir().display().to_string(),
            Patience::default(),
        )?;
        let audience = "customers".parse()?;
        let pin = vendor.pin()?;
        let mirror = Mirror {
            address: "the vendor's folder".to_owned(),
            source: Arc::new(source.clone()),
        };
        Follower::new(vec![mirror], store.clone(), pin, audience)
            .sync(now())
            .await?;
        let correction = match store.document(DocumentKind::Correction, CORRECTION).await? {
            Some(AnyDocument::Correction(correction)) => correction,
            other => anyhow::bail!("no correction: {other:?}"),
        };
        Ok(Self {
            folder,
            store,
            correction,
            source,
            vendor,
            keep: Vec::new(),
            service: None,
            control: None,
            health: Vec::new(),
        })
    }

    /// The same with run-time data.
    pub(crate) fn keeping(mut self, keep: &[&str]) -> Self {
        self.keep = keep.iter().map(|path| (*path).to_owned()).collect();
        self
    }

    /// The same with a component that can be stopped, started and looked at.
    pub(crate) fn served(mut self) -> Result<Self> {
        let service = Service::new(self.folder.path(), "component")?;
        self.control = Some(service.control());
        self.health = service.health();
        self.service = Some(service);
        Ok(self)
    }

    /// What runs of the component.
    pub(crate) fn service(&self) -> &Service {
        self.service.as_ref().expect("it is served")
    }

    /// The same with so many seconds for every health check.
    pub(crate) fn patient_for(mut self, seconds: u64) -> Self {
        for health in &mut self.health {
            health.within = seconds;
        }
        self
    }

    fn change_control(mut self, change: impl FnOnce(&mut ControlConfig)) -> Self {
        change(self.control.as_mut().expect("it is served"));
        self
    }

    /// The same with so many seconds to stop.
    pub(crate) fn stopping_within(self, seconds: u64) -> Self {
        self.change_control(|control| control.stop_within = seconds)
    }

    /// The same with another program to start it.
    pub(crate) fn with_start(self, program: &str) -> Self {
        self.change_control(|control| control.start = vec![program.to_owned()])
    }

    /// The same where nobody can say whether it runs.
    pub(crate) fn not_knowing_what_runs(self) -> Self {
        self.change_control(|control| control.running.clear())
    }

    pub(crate) fn component(&self) -> std::path::PathBuf {
        self.folder.path().join("panel/component")
    }

    fn configured(&self) -> ComponentConfig {
        let (control, health) = (self.control.clone(), self.health.clone());
        ComponentConfig {
            keep: self.keep.clone(),
            ..configured(self.folder.path(), "component", control, health)
        }
    }

    pub(crate) fn inventory(&self) -> Inventory {
        Inventory::read(&[self.configured()])
    }

    pub(crate) fn applier(&self, exchange: Exchange, steps: Arc<dyn Steps>) -> Applier {
        Applier::new(self.store.clone())
            .controlled_by(Arc::new(Configured::new(&[self.configured()])))
            .with(exchange, steps)
    }

    pub(crate) fn plain(&self) -> Applier {
        self.applier(Exchange::Atomic, Arc::new(NoFaults))
    }

    pub(crate) async fn plan(&self) -> Result<Plan, ApplyError> {
        let inventory = self.inventory();
        self.plain()
            .plan(&self.correction, &inventory.components[0], &inventory)
            .await
    }

    pub(crate) async fn apply_with(
        &self,
        applier: &Applier,
        id: &str,
        shown: Option<Digest>,
        overwrite: bool,
    ) -> Result<Application, ApplyError> {
        let inventory = self.inventory();
        let order = Order {
            parts: vec![Part {
                correction: &self.correction,
                component: &inventory.components[0],
            }],
            inventory: &inventory,
            shown,
            overwrite,
            by: "a test",
            id: id.to_owned(),
            now: now(),
        };
        let mut applied = applier.apply(order, &self.source, &()).await?;
        Ok(applied.remove(0))
    }

    pub(crate) async fn apply(&self) -> Result<Application, ApplyError> {
        self.apply_with(&self.plain(), "first", None, false).await
    }

    pub(crate) fn holds(&self, tree: &Tree) -> Result<bool> {
        let expected = spacecp_tests::scratch::folder()?;
        lay(expected.path(), tree)?;
        Ok(look(&self.component())? == look(expected.path())?)
    }

    /// What lies beside the component, but for its lock.
    pub(crate) fn left_over(&self) -> Result<Vec<String>> {
        let beside = self.folder.path().join("panel/.spacecp-advisories");
        let mut names = Vec::new();
        for entry in fs::read_dir(&beside).context("nothing was applied here")? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.retain(|name| !name.ends_with(".lock"));
        Ok(names)
    }
}

/// A component as a panel's configuration has it.
pub(crate) fn configured(
    panel: &Path,
    name: &str,
    control: Option<ControlConfig>,
    health: Vec<HealthConfig>,
) -> ComponentConfig {
    ComponentConfig {
        scan: std::collections::BTreeSet::new(),
        scan_except: Vec::new(),
        name: name.to_owned(),
        advisory_name: ComponentName::new(format!("spacecp:{}", name.replace('/', "-")))
            .expect("a name"),
        scheme: VersionScheme::Semver,
        folder: panel.join("panel").join(name),
        version: VersionConfig {
            file: TreePath::new("VERSION").expect("a path"),
            pattern: None,
            pointer: None,
        },
        keep: Vec::new(),
        control,
        health,
    }
}

fn facts(from: &str, to: &str) -> Result<Facts> {
    facts_of(CORRECTION, "component", from, to)
}

/// What a correction of a component says beside its files.
pub(crate) fn facts_of(id: &str, component: &str, from: &str, to: &str) -> Result<Facts> {
    Ok(Facts {
        id: id.parse()?,
        revision: 1,
        audience: "customers".parse()?,
        published: now(),
        advisories: vec!["SPACECP-SA-2026-0001".parse()?],
        component: format!("spacecp:{component}").parse()?,
        scheme: VersionScheme::Semver,
        from: VersionRange {
            introduced: from.to_owned(),
            fixed: Some(to.to_owned()),
            last_affected: None,
            limit: None,
        },
        to: to.to_owned(),
        requires: Vec::new(),
        restart: spacecp_contract::Restart::None,
        ignored: Vec::new(),
    })
}
