//! Packages of npm: what `node_modules` holds, or what the lock file says where there is no such folder.
//!
//! The tree is what runs; a lock file may be older or newer than it, so it is asked only where there is
//! no tree. A package is named by its way through the tree, which is the same at every look and for
//! every version.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use spacecp_contract::Ecosystem;

use super::npm_lock;
use crate::{Limit, Why, findings::Findings, ground::Kind, look::Look, names};

const TREE: &str = "node_modules";

/// A folder of packages.
struct Tree {
    listed: Vec<(PathBuf, Kind)>,
    /// The labels of the packages around it.
    above: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    name: Option<String>,
    version: Option<String>,
}

pub(super) fn look(look: &mut Look<'_>) {
    let manifest = look.text(
        Path::new("package.json"),
        Limit::DescriptorBytes,
        "npm root",
        |bytes| read(bytes, Vec::new()),
    );
    if tree(look) {
        return;
    }
    // npm prefers the first; the third is what it left in a tree whose packages are elsewhere.
    let locks = ["npm-shrinkwrap.json", "package-lock.json"];
    let mut locks = locks.into_iter().map(Path::new);
    let found = locks.any(|lock| look.text(lock, Limit::DocumentBytes, "npm lock", npm_lock::read));
    if !found && !manifest {
        let why = Why::Missing(
            "what is installed: there is neither node_modules nor a lock file".to_owned(),
        );
        look.unread(Path::new(""), why);
    } else if !found {
        let why = Why::Missing(
            "what it depends on: there is neither node_modules nor a lock file".to_owned(),
        );
        look.unread(Path::new("package.json"), why);
    }
}

/// Whether there is a tree with a package in it, after going through it.
fn tree(look: &mut Look<'_>) -> bool {
    let Some(top) = look.listed(Path::new(TREE)) else {
        return false;
    };
    let mut any = false;
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
                            any = true;
                            waiting.extend(package(look, &path, &above, &label));
                        }
                    }
                }
                label => {
                    any = true;
                    waiting.extend(package(look, &path, &above, label));
                }
            }
        }
    }
    any
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
    let said: Manifest =
        serde_json::from_slice(bytes).map_err(|error| Why::malformed("JSON", error))?;
    let mut findings = Findings::default();
    let is_root = labels.is_empty();
    let Some(name) = said.name else {
        if is_root {
            return Ok(findings);
        }
        return Err(Why::Missing("which package it is".to_owned()));
    };
    if is_root && said.version.is_none() {
        return Ok(findings);
    }
    let labels = if is_root { vec![name.clone()] } else { labels };
    let version = said.version.as_deref();
    let version = version.ok_or_else(|| "no version in package.json".to_owned());
    findings.add(labels, names::package(&Ecosystem::Npm, &name), version, "");
    Ok(findings)
}
