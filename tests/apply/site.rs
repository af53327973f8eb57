//! One panel with a component and a correction, prepared once and copied for every end of the world.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use spacecp_advisories::{
    apply::{
        Application, Applier, ApplyError, Exchange, Faults, NoFaults, Order, Outcome, Part, Steps,
    },
    config::{ComponentConfig, VersionConfig},
    fetch::{Patience, Source},
    inventory::Inventory,
    store::Store,
    trust::{AnyDocument, Verified},
};
use spacecp_contract::{ComponentName, Correction, DocumentKind, TreePath, VersionScheme};
use spacecp_publisher::corrections::Built;
use spacecp_tests::ground::write;
use tempfile::TempDir;
use walkdir::WalkDir;

use crate::tree::{CORRECTION, Panel, Tree, now};

/// What the component writes at run time; one of it lies where the new version has no folder.
const KEEP: [&str; 3] = ["data/", "settings.json", "deep/run/"];

/// A panel that is closed, to be copied.
pub(crate) struct Template {
    folder: TempDir,
}

impl Template {
    /// A component with everything in it that a tree can have, and run-time data.
    pub(crate) async fn new(
        old: &Tree,
        new: &Tree,
        change: impl FnOnce(&mut Built),
    ) -> Result<Self> {
        let panel = Panel::with(old, new, change).await?;
        let component = panel.component();
        write(&component, "data/world/level", "played for years")?;
        write(&component, "settings.json", "mine")?;
        write(&component, "deep/run/socket.log", "today")?;
        fs::set_permissions(component.join("deep"), fs::Permissions::from_mode(0o2750))?;
        symlink("same.txt", component.join("link"))?;
        symlink("/nowhere/at/all", component.join("dangling"))?;
        fs::create_dir(component.join("empty"))?;
        fs::set_permissions(component.join("empty"), fs::Permissions::from_mode(0o711))?;
        write(&component, "odd", "")?;
        fs::rename(
            component.join("odd"),
            component.join(OsStr::from_bytes(b"odd \xff")),
        )?;
        // Where the file system has no extended attributes, there are none to lose.
        let _ = xattr::set(component.join("same.txt"), "user.test", b"kept");
        Self::of(panel).await
    }

    /// What a panel has on its disk.
    pub(crate) async fn of(panel: Panel) -> Result<Self> {
        panel.store.close().await;
        let folder = spacecp_tests::scratch::folder()?;
        copy(panel.folder.path(), &folder.path().join("whole"))?;
        Ok(Self { folder })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("whole")
    }

    /// The component's tree, as it is before anything.
    pub(crate) fn old(&self) -> Result<Seen> {
        see(&self.path().join("panel/component"))
    }

    /// A copy that nobody else has.
    pub(crate) fn copy(&self) -> Result<Copy> {
        let folder = spacecp_tests::scratch::folder()?;
        copy(&self.path(), &folder.path().join("whole"))?;
        Ok(Copy { folder })
    }
}

/// A copy of a panel.
pub(crate) struct Copy {
    folder: TempDir,
}

impl Copy {
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("whole")
    }

    pub(crate) async fn open(&self) -> Result<Site> {
        Site::open(&self.path()).await
    }
}

/// Copies a folder with everything that belongs to it.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    let status = Command::new("cp").arg("-a").args([from, to]).status()?;
    ensure!(
        status.success(),
        "cp -a {} {}",
        from.display(),
        to.display()
    );
    Ok(())
}

/// A panel at work.
pub(crate) struct Site {
    folder: PathBuf,
    store: Store,
    correction: Verified<Correction>,
    source: Source,
}

impl Site {
    pub(crate) async fn open(folder: &Path) -> Result<Self> {
        let store = Store::open(&folder.join("store.sqlite")).await?;
        let feed = folder.join("vendor/desk/feed");
        let correction = match store.document(DocumentKind::Correction, CORRECTION).await? {
            Some(AnyDocument::Correction(correction)) => correction,
            other => anyhow::bail!("no correction: {other:?}"),
        };
        Ok(Self {
            folder: folder.to_owned(),
            store,
            correction,
            source: Source::new(&feed.display().to_string(), Patience::default())?,
        })
    }

    pub(crate) fn component(&self) -> PathBuf {
        self.folder.join("panel/component")
    }

    fn inventory(&self) -> Inventory {
        Inventory::read(&[ComponentConfig {
            scan: std::collections::BTreeSet::new(),
            scan_except: Vec::new(),
            name: "component".to_owned(),
            advisory_name: ComponentName::new("spacecp:component").expect("a name"),
            scheme: VersionScheme::Semver,
            folder: self.component(),
            version: VersionConfig {
                file: TreePath::new("VERSION").expect("a path"),
                pattern: None,
                pointer: None,
            },
            keep: KEEP.map(str::to_owned).to_vec(),
            control: None,
            health: Vec::new(),
        }])
    }

    pub(crate) fn applier(&self, exchange: Exchange, faults: Arc<dyn Faults>) -> Applier {
        self.ending(exchange, Arc::new(NoFaults))
            .with_faults(faults)
    }

    pub(crate) fn ending(&self, exchange: Exchange, steps: Arc<dyn Steps>) -> Applier {
        Applier::new(self.store.clone()).with(exchange, steps)
    }

    pub(crate) fn plain(&self) -> Applier {
        self.applier(Exchange::Atomic, Arc::new(NoFaults))
    }

    pub(crate) async fn apply(
        &self,
        applier: &Applier,
        id: &str,
    ) -> Result<Application, ApplyError> {
        let inventory = self.inventory();
        let order = Order {
            parts: vec![Part {
                correction: &self.correction,
                component: &inventory.components[0],
            }],
            inventory: &inventory,
            shown: None,
            overwrite: false,
            by: "a test",
            id: id.to_owned(),
            now: now(),
        };
        let mut applied = applier.apply(order, &self.source, &()).await?;
        Ok(applied.remove(0))
    }

    pub(crate) async fn roll_back(
        &self,
        applier: &Applier,
        id: &str,
    ) -> Result<Application, ApplyError> {
        applier.roll_back(id, false, "for a test", now(), &()).await
    }

    pub(crate) fn seen(&self) -> Result<Seen> {
        see(&self.component())
    }

    /// Everything below the folder beside the component, but for its lock and for what files were like.
    pub(crate) fn left_over(&self) -> Result<Vec<String>> {
        let beside = self.folder.join("panel/.spacecp-advisories");
        let mut names = Vec::new();
        if beside.exists() {
            for entry in WalkDir::new(&beside).min_depth(1).max_depth(2) {
                let entry = entry?;
                names.push(entry.path().strip_prefix(&beside)?.display().to_string());
            }
        }
        let is_left = |name: &str| {
            let name = Path::new(name);
            name.extension().is_none_or(|end| end != "lock")
                && name.file_stem().is_none_or(|stem| stem != "stamps")
        };
        names.retain(|name| is_left(name));
        names.sort();
        Ok(names)
    }

    /// Recovers as a panel does when it starts, and shows that the component is exactly one of the
    /// two trees, that the journal knows which, that nothing is left over, and that the next
    /// application works. Gives the outcome.
    pub(crate) async fn survived(&self, trees: &Trees) -> Result<Outcome> {
        let plain = self.plain();
        plain.recover(now()).await.context("recovery")?;
        let seen = self.seen()?;
        let history = plain.history(10).await?;
        let outcome = history
            .first()
            .map_or(Outcome::Failed, |newest| newest.outcome);
        let expected = match outcome {
            Outcome::Applied => &trees.new,
            Outcome::Failed | Outcome::RolledBack => &trees.old,
            Outcome::InProgress => anyhow::bail!("recovery left it under way: {history:?}"),
        };
        ensure!(
            seen == *expected,
            "the journal says {outcome:?}, and the tree is not that one: {}",
            difference(&seen, expected)
        );
        let newest = history.first().map_or("", |newest| newest.id.as_str());
        // The tree that is not live stays for a while.
        let kept = if matches!(outcome, Outcome::Applied | Outcome::RolledBack) {
            vec![newest.to_owned(), format!("{newest}/tree")]
        } else {
            Vec::new()
        };
        let left_over = self.left_over()?;
        ensure!(left_over == kept, "left over: {left_over:?}");
        if outcome == Outcome::Applied {
            ensure!(history[0].reversible, "it cannot be taken back");
            self.roll_back(&plain, newest)
                .await
                .context("taking back afterwards")?;
            let seen = self.seen()?;
            ensure!(
                seen == trees.old,
                "taken back: {}",
                difference(&seen, &trees.old)
            );
        }
        self.apply(&plain, "next")
            .await
            .context("the next application")?;
        let seen = self.seen()?;
        ensure!(
            seen == trees.new,
            "applied again: {}",
            difference(&seen, &trees.new)
        );
        Ok(outcome)
    }

    pub(crate) async fn close(self) {
        self.store.close().await;
    }
}

/// The two trees that may be found.
pub(crate) struct Trees {
    pub(crate) old: Seen,
    pub(crate) new: Seen,
}

/// Everything in a tree, by path.
pub(crate) type Seen = BTreeMap<PathBuf, Thing>;

/// One thing in a tree: kind and contents, mode, owner, extended attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Thing {
    contents: Contents,
    mode: u32,
    owner: (u32, u32),
    attributes: Vec<(std::ffi::OsString, Vec<u8>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Contents {
    File(Vec<u8>),
    Link(PathBuf),
    Folder,
    Other,
}

/// Looks at a tree, its own folder included.
pub(crate) fn see(folder: &Path) -> Result<Seen> {
    let mut seen = BTreeMap::new();
    for entry in WalkDir::new(folder) {
        let entry = entry?;
        let path = entry.path();
        let metadata = fs::symlink_metadata(path)?;
        let contents = match metadata.file_type() {
            kind if kind.is_file() => Contents::File(fs::read(path)?),
            kind if kind.is_symlink() => Contents::Link(fs::read_link(path)?),
            kind if kind.is_dir() => Contents::Folder,
            _ => Contents::Other,
        };
        let mut attributes = Vec::new();
        for name in xattr::list(path).into_iter().flatten() {
            let value = xattr::get(path, &name)?.unwrap_or_default();
            attributes.push((name, value));
        }
        let thing = Thing {
            contents,
            mode: metadata.mode() & 0o7777,
            owner: (metadata.uid(), metadata.gid()),
            attributes,
        };
        seen.insert(path.strip_prefix(folder)?.to_owned(), thing);
    }
    Ok(seen)
}

/// What is not as it should be, for people.
pub(crate) fn difference(seen: &Seen, expected: &Seen) -> String {
    let mut lines = Vec::new();
    for (path, thing) in expected {
        match seen.get(path) {
            None => lines.push(format!("{} is missing", path.display())),
            Some(other) if other != thing => {
                lines.push(format!(
                    "{} is {other:?} instead of {thing:?}",
                    path.display()
                ));
            }
            Some(_) => {}
        }
    }
    let more = seen.keys().filter(|path| !expected.contains_key(*path));
    lines.extend(more.map(|path| format!("{} is one too many", path.display())));
    lines.join("; ")
}
