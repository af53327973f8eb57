//! What lies outside of a component, and must stay as it is whatever the component's user does.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};
use spacecp_tests::ground::write;
use walkdir::WalkDir;

/// A user with no rights, as whom components run here.
pub(crate) const NOBODY: u32 = 65534;

/// What no file that a component's user may read is ever to hold.
pub(crate) const SECRET: &str = "nobody else's business";

/// Gives a path to somebody, with everything below it.
pub(crate) fn give(path: &Path, owner: u32) -> Result<()> {
    let owners = format!("{owner}:{owner}");
    let status = Command::new("chown")
        .args(["-hR", &owners])
        .arg(path)
        .status()?;
    ensure!(status.success(), "chown {}", path.display());
    Ok(())
}

/// A directory with everything that somebody may want to reach.
pub(crate) struct Outside {
    path: PathBuf,
    before: BTreeMap<PathBuf, Stamp>,
}

/// What changes when somebody writes to it, gives it away, changes its mode, or reads it.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    mode: u32,
    owner: (u32, u32),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    /// Of files only: looking at this directory reads directories.
    read: Option<(i64, i64)>,
}

impl Outside {
    pub(crate) fn lay(site: &Path) -> Result<Self> {
        let path = site.join("outside");
        for file in [
            "secret",
            "VERSION",
            "a.js",
            "lib/a.js",
            "world/level",
            "tree/VERSION",
            "first/start.lock",
            "shut/inner",
        ] {
            write(&path, file, SECRET)?;
            fs::set_permissions(path.join(file), fs::Permissions::from_mode(0o600))?;
        }
        fs::set_permissions(path.join("shut"), fs::Permissions::from_mode(0o500))?;
        // Not what anybody who sets a mode sets.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o751))?;
        let before = stamps(&path)?;
        Ok(Self { path, before })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn secret(&self) -> PathBuf {
        self.path.join("secret")
    }

    pub(crate) fn is_as_it_was(&self) -> Result<()> {
        let now = stamps(&self.path)?;
        ensure!(
            now == self.before,
            "before {:#?}\nnow {now:#?}",
            self.before
        );
        Ok(())
    }
}

fn stamps(path: &Path) -> Result<BTreeMap<PathBuf, Stamp>> {
    let mut stamps = BTreeMap::new();
    for entry in WalkDir::new(path) {
        let entry = entry?;
        let there = entry.metadata()?;
        let stamp = Stamp {
            inode: there.ino(),
            mode: there.mode(),
            owner: (there.uid(), there.gid()),
            size: there.len(),
            modified: (there.mtime(), there.mtime_nsec()),
            changed: (there.ctime(), there.ctime_nsec()),
            read: there.is_file().then(|| (there.atime(), there.atime_nsec())),
        };
        stamps.insert(entry.into_path(), stamp);
    }
    Ok(stamps)
}
