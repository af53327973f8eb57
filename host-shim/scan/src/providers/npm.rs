//! Packages of npm: what `node_modules` holds, or what the lock files say where there is no such folder.
//!
//! The tree is what runs; a lock file may be older or newer than it, so it is asked only where there is
//! no tree. A package is named by its way through the tree, which is the same at every look and for
//! every version. What a package says that it depends on and node would not find in this tree is named: with
//! workspaces npm keeps it in a folder above the component.

use std::{
    collections::{BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;
use spacecp_contract::Ecosystem;

use super::{bun_lock, npm_lock, npm_reference::is_elsewhere, pnpm_lock, yarn_lock};
use crate::{
    Limit, Why,
    findings::Findings,
    ground::Kind,
    json::{self, Text},
    look::{Declared, Look},
    names,
};

const TREE: &str = "node_modules";

/// What the component itself needs.
const MANIFEST: &str = "package.json";

/// Packages that are named one by one, of those that are needed and not found in a lock file.
const MOST_MISSING: usize = 20;

/// How the name of a package begins that takes the place of all others of that name.
const EVERYWHERE: &str = "*/";

/// Where npm since version 7 writes down what it put into the tree, and from where.
const HIDDEN_LOCK: &str = "node_modules/.package-lock.json";

/// Bun's lock file before it was a text.
const BINARY_LOCK: &str = "bun.lockb";

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
    #[serde(default, rename = "devDependencies")]
    development: Value,
    /// What takes the place of whatever packages ask for: npm's, yarn's and pnpm's.
    #[serde(default)]
    overrides: Value,
    #[serde(default)]
    resolutions: Value,
    #[serde(default)]
    pnpm: Value,
    /// Where npm took it from, up to version 6.
    #[serde(default, rename = "_resolved")]
    taken_from: Text,
}

pub(super) fn look(look: &mut Look<'_>) {
    let manifest = look.text(
        Path::new(MANIFEST),
        Limit::DescriptorBytes,
        "npm root 2",
        |bytes| read(bytes, Vec::new()),
    );
    look.text(
        Path::new(HIDDEN_LOCK),
        Limit::DocumentBytes,
        "npm hidden lock",
        |bytes| Ok(npm_lock::forks(bytes)),
    );
    let mut packages = HashSet::new();
    let has_tree = tree(look, &mut packages);
    let mut declared = look.declared();
    forks(look, &packages, &declared);
    let is_in_no_tree = look.is_there(Path::new(PLUG_AND_PLAY));
    if has_tree && !is_in_no_tree {
        return missing(look, &packages, declared);
    }
    let found = locks(look);
    // Of a lock file that was not read it was said why.
    let locked = look.declared();
    if !locked.is_empty() || found && !look.is_there(Path::new(BINARY_LOCK)) {
        declared.extend(locked);
        not_locked(look, &packages, declared);
    }
    if found || has_tree {
        return;
    }
    let (place, what) = if manifest {
        (MANIFEST, "what it depends on")
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
        let reader = format!("lock 2 {lock}");
        found |= look.text(Path::new(lock), Limit::DocumentBytes, &reader, read);
    }
    if look.is_there(Path::new(BINARY_LOCK)) && !look.is_there(Path::new("bun.lock")) {
        let what = "a binary lock file of Bun (\"bun install --save-text-lockfile\" writes one that is read)";
        look.unread(Path::new(BINARY_LOCK), Why::NotRead(what.to_owned()));
        found = true;
    }
    found
}

/// Names what packages need and node would not find: it looks beside each folder on the way up.
fn missing(look: &mut Look<'_>, packages: &HashSet<PathBuf>, declared: Vec<Declared>) {
    for Declared {
        path: manifest,
        needs,
        ..
    } in declared
    {
        for need in needs.iter().filter(|need| need.is_required) {
            if found(&manifest, &need.name, packages).is_none() {
                let why = Why::Missing(format!(
                    "where {} {} is, which it depends on: it is not in {TREE}",
                    need.name, need.version
                ));
                look.unread(&manifest, why);
            }
        }
    }
}

/// Where node finds what a package needs.
fn found(manifest: &Path, name: &str, packages: &HashSet<PathBuf>) -> Option<PathBuf> {
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let mut places = folder.ancestors().map(|above| above.join(TREE).join(name));
    places.find(|place| packages.contains(place))
}

/// Takes from packages of the tree the version that they give themselves, where they were not taken from a registry.
fn forks(look: &mut Look<'_>, packages: &HashSet<PathBuf>, declared: &[Declared]) {
    for Declared { path, needs, .. } in declared {
        for need in needs.iter().filter(|need| is_elsewhere(&need.version)) {
            let why = format!(
                "from {}, where a version does not identify the contents",
                need.version
            );
            if let Some(name) = need.name.strip_prefix(EVERYWHERE) {
                let of_this_name = Path::new(TREE).join(name);
                for package in packages.iter().filter(|one| one.ends_with(&of_this_name)) {
                    look.doubt(&package.join(MANIFEST), &why);
                }
            } else if path == Path::new(HIDDEN_LOCK) {
                look.doubt(&Path::new(&need.name).join(MANIFEST), &why);
            } else if let Some(package) = found(path, &need.name, packages) {
                look.doubt(&package.join(MANIFEST), &why);
            }
        }
    }
}

/// Names what the component or a package in a lock file needs and no lock file lists.
fn not_locked(look: &mut Look<'_>, packages: &HashSet<PathBuf>, declared: Vec<Declared>) {
    let mut answered: BTreeSet<String> = BTreeSet::new();
    for one in &declared {
        answered.extend(one.answers.iter().cloned());
    }
    let mut named: BTreeSet<String> = BTreeSet::new();
    for Declared { path, needs, .. } in declared {
        for need in needs.into_iter().filter(|need| need.is_required) {
            let is_there =
                answered.contains(&need.name) || found(&path, &need.name, packages).is_some();
            if is_there || !named.insert(need.name.clone()) {
                continue;
            }
            if named.len() <= MOST_MISSING {
                let why = Why::Missing(format!(
                    "which version of {} {} is installed: it is depended on, and in no lock file",
                    need.name, need.version
                ));
                look.unread(&path, why);
            }
        }
    }
    let more = named.len().saturating_sub(MOST_MISSING) as u64;
    if more > 0 {
        look.unread(Path::new(MANIFEST), Why::More(more));
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
    let reader = format!("npm 2 {labels:?}");
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
    let is_root = labels.is_empty();
    needs(&said, is_root, &mut findings);
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
    let taken_from = said.taken_from.0.filter(|place| is_elsewhere(place));
    let version = match (taken_from, version.as_deref()) {
        (Some(place), _) => {
            let place: String = place.chars().take(200).collect();
            Err(format!("from {place}"))
        }
        (None, version) => version.ok_or_else(|| "no version in package.json".to_owned()),
    };
    findings.add(labels, names::package(&Ecosystem::Npm, &name), version, "");
    Ok(findings)
}

/// What is needed at all events, and whatever else may be there and is not from a registry. What is optional, for
/// development or expected of whoever uses the package may be left out.
fn needs(said: &Manifest, is_root: bool, findings: &mut Findings) {
    for (name, wanted) in npm_lock::needs(&said.dependencies, &said.optional) {
        findings.need(&name, &wanted, true);
    }
    let development = if is_root {
        &said.development
    } else {
        &Value::Null
    };
    for perhaps in [&said.optional, development] {
        elsewhere(perhaps, "", findings);
    }
    if is_root {
        let of_pnpm = said.pnpm.get("overrides").unwrap_or(&Value::Null);
        for instead in [&said.overrides, &said.resolutions, of_pnpm] {
            elsewhere(instead, EVERYWHERE, findings);
        }
    }
}

/// Those of these names and values that lead elsewhere.
fn elsewhere(wanted: &Value, before: &str, findings: &mut Findings) {
    for (name, place) in wanted.as_object().into_iter().flatten() {
        // "a>b", "**/b" and "b@1" say where or which; npm has what is inside a package within its name.
        let name = name.rsplit(['>', ' ']).next().unwrap_or(name);
        let name = name.trim_start_matches("**/");
        let end = name.get(1..).and_then(|rest| rest.find('@'));
        let name = end.and_then(|end| name.get(..=end)).unwrap_or(name);
        match place {
            Value::String(place) if is_elsewhere(place) => {
                findings.need(&format!("{before}{name}"), place, false);
            }
            Value::Object(inner) => {
                let own = inner.get(".").and_then(Value::as_str);
                if let Some(place) = own.filter(|place| is_elsewhere(place)) {
                    findings.need(&format!("{before}{name}"), place, false);
                }
                elsewhere(place, before, findings);
            }
            _ => {}
        }
    }
}
