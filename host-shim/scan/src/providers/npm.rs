//! Packages of npm: what `node_modules` holds, or what the lock files say where there is no such folder.
//!
//! The tree is what runs; a lock file may be older or newer than it, so it is asked only where there is
//! no tree. A package is named by its way through the tree, which is the same at every look and for
//! every version. What a package says that it depends on and node would not find in this tree is named: with
//! workspaces npm keeps it in a folder above the component.

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;
use spacecp_contract::Ecosystem;

use super::{bun_lock, npm_lock, pnpm_lock, yarn_lock};
use crate::{
    Limit, Why,
    findings::Findings,
    ground::Kind,
    json::{self, Item, Text},
    look::Look,
    names,
};

const TREE: &str = "node_modules";

/// Where yarn says where packages are that are in no tree.
const PLUG_AND_PLAY: &str = ".pnp.cjs";

type Read = fn(&[u8]) -> Result<Findings, Why>;

/// The lock files, and how each is read. Of npm's own the first counts.
const LOCKS: [(&str, Read); 5] = [
    ("npm-shrinkwrap.json", npm_lock::read),
    ("package-lock.json", npm_lock::read),
    ("yarn.lock", yarn_lock::read),
    ("pnpm-lock.yaml", pnpm_lock::read),
    ("bun.lock", bun_lock::read),
];

/// A folder of packages.
struct Tree {
    listed: Vec<(PathBuf, Kind)>,
    /// The labels of the packages around it.
    above: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    name: Text,
    #[serde(default)]
    version: Text,
    #[serde(default)]
    dependencies: Value,
    #[serde(default, rename = "optionalDependencies")]
    optional: Value,
}

pub(super) fn look(look: &mut Look<'_>) {
    let manifest = look.text(
        Path::new("package.json"),
        Limit::DescriptorBytes,
        "npm root",
        |bytes| read(bytes, Vec::new()),
    );
    let mut packages = HashSet::new();
    let has_tree = tree(look, &mut packages);
    let needs = look.needs();
    let is_elsewhere = look.is_there(Path::new(PLUG_AND_PLAY));
    if has_tree && !is_elsewhere {
        return missing(look, &packages, needs);
    }
    let found = locks(look);
    if found || has_tree {
        return;
    }
    let (place, what) = if manifest {
        ("package.json", "what it depends on")
    } else {
        ("", "what is installed")
    };
    let why = format!("{what}: there is neither node_modules nor a lock file");
    look.unread(Path::new(place), Why::Missing(why));
}

/// Whether there is a lock file, after reading all that there are.
fn locks(look: &mut Look<'_>) -> bool {
    let mut found = false;
    for (lock, read) in LOCKS {
        // npm prefers the first.
        if found && lock == "package-lock.json" {
            continue;
        }
        let reader = format!("lock {lock}");
        found |= look.text(Path::new(lock), Limit::DocumentBytes, &reader, read);
    }
    if look.is_there(Path::new("bun.lockb")) && !look.is_there(Path::new("bun.lock")) {
        let what = "a binary lock file of Bun (\"bun install --save-text-lockfile\" writes one that is read)";
        look.unread(Path::new("bun.lockb"), Why::NotRead(what.to_owned()));
        found = true;
    }
    found
}

/// Names what packages need and node would not find: it looks beside each folder on the way up.
fn missing(
    look: &mut Look<'_>,
    packages: &HashSet<PathBuf>,
    needs: Vec<(PathBuf, Vec<crate::findings::Need>)>,
) {
    for (manifest, needs) in needs {
        let folder = manifest.parent().unwrap_or(Path::new(""));
        for need in needs {
            let is_found = folder
                .ancestors()
                .any(|above| packages.contains(&above.join(TREE).join(&need.name)));
            if !is_found {
                let name: String = need.name.chars().take(214).collect();
                let why = Why::Missing(format!(
                    "where {name} {} is, which it depends on: it is not in {TREE}",
                    need.version
                ));
                look.unread(&manifest, why);
            }
        }
    }
}

/// Whether there is a tree with a package in it, after going through it.
fn tree(look: &mut Look<'_>, packages: &mut HashSet<PathBuf>) -> bool {
    let Some(top) = look.listed(Path::new(TREE)) else {
        return false;
    };
    let mut waiting = vec![Tree {
        listed: top,
        above: Vec::new(),
    }];
    while let Some(Tree { listed, above }) = waiting.pop() {
        for (path, kind) in listed {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if kind == Kind::File || kind == Kind::Other {
                continue;
            }
            match name.as_str() {
                // The stores of pnpm and npm: each package has a tree of its own, in which it lies itself.
                ".pnpm" | ".store" => {
                    let stores = look.list(&path).into_iter();
                    for (store, _) in stores.filter(|(_, kind)| *kind == Kind::Folder) {
                        waiting.push(Tree {
                            listed: look.list(&store.join(TREE)),
                            above: above.clone(),
                        });
                    }
                }
                hidden if hidden.starts_with('.') => {}
                scope if scope.starts_with('@') => {
                    for (path, kind) in look.list(&path) {
                        if matches!(kind, Kind::Folder | Kind::Link) {
                            let inner = path.file_name().unwrap_or_default().to_string_lossy();
                            let label = format!("{scope}/{inner}");
                            waiting.extend(package(look, &path, &above, &label));
                            packages.insert(path);
                        }
                    }
                }
                label => {
                    waiting.extend(package(look, &path, &above, label));
                    packages.insert(path);
                }
            }
        }
    }
    !packages.is_empty()
}

/// Reads one package; its own tree, if it has one.
fn package(look: &mut Look<'_>, folder: &Path, above: &[String], label: &str) -> Option<Tree> {
    let mut labels = above.to_vec();
    labels.push(label.to_owned());
    let manifest = folder.join("package.json");
    // The same file may be read for two components, and be called otherwise in each.
    let reader = format!("npm {labels:?}");
    let found = look.text(&manifest, Limit::DescriptorBytes, &reader, |bytes| {
        read(bytes, labels.clone())
    });
    if !found {
        look.unread(
            folder,
            Why::Missing("which package it is: no package.json".to_owned()),
        );
    }
    // Where a link leads may be reached in no other way, as a workspace; a circle of them ends where a
    // folder was listed before.
    Some(Tree {
        listed: look.listed(&folder.join(TREE))?,
        above: labels,
    })
}

/// What a `package.json` says. Without labels it is the component's own, which need not say anything.
fn read(bytes: &[u8], labels: Vec<String>) -> Result<Findings, Why> {
    let said: Manifest = json::read(bytes)?;
    let mut findings = Findings::default();
    needs(&said, &mut findings);
    let is_root = labels.is_empty();
    let Some(name) = said.name.0 else {
        if is_root {
            return Ok(findings);
        }
        return Err(Why::Missing("which package it is".to_owned()));
    };
    let version = said.version.0;
    if is_root && version.is_none() {
        return Ok(findings);
    }
    let labels = if is_root { vec![name.clone()] } else { labels };
    let version = version.as_deref();
    let version = version.ok_or_else(|| "no version in package.json".to_owned());
    findings.add(labels, names::package(&Ecosystem::Npm, &name), version, "");
    Ok(findings)
}

/// What is needed at all events. What is optional, for development or expected of whoever uses the package may be
/// left out.
fn needs(said: &Manifest, findings: &mut Findings) {
    let needed: Result<BTreeMap<String, Item<String>>, _> =
        BTreeMap::deserialize(&said.dependencies);
    let is_optional = |name: &str| said.optional.get(name).is_some();
    // Anything but names and versions there is nothing that npm would install.
    for (name, version) in needed.unwrap_or_default() {
        if is_optional(&name) {
            continue;
        }
        match version {
            Item::Good(version) => findings.need(&name, &version),
            Item::Odd(_) => findings.need(&name, "(unknown version)"),
        }
    }
}
