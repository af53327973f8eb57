//! Who may know whom: the crates of the workspace, and what each of them may depend on.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// Each crate with the crates of the workspace that it knows. Dependencies point upwards in this list only; the
/// crate of the tests knows all of them and is left out.
const KNOWS: &[(&str, &[&str])] = &[
    ("spacecp-contract", &[]),
    ("spacecp-advisories-plugin", &["spacecp-contract"]),
    ("spacecp-fs", &["spacecp-contract"]),
    ("spacecp-manual", &[]),
    ("spacecp-trust", &["spacecp-contract"]),
    ("spacecp-scan", &["spacecp-contract"]),
    ("spacecp-plugin-host", &["spacecp-contract"]),
    (
        "spacecp-render",
        &["spacecp-contract", "spacecp-plugin-host"],
    ),
    (
        "spacecp-store",
        &["spacecp-contract", "spacecp-fs", "spacecp-trust"],
    ),
    (
        "spacecp-feed",
        &[
            "spacecp-contract",
            "spacecp-fs",
            "spacecp-store",
            "spacecp-trust",
        ],
    ),
    (
        "spacecp-apply",
        &[
            "spacecp-contract",
            "spacecp-feed",
            "spacecp-fs",
            "spacecp-scan",
            "spacecp-store",
            "spacecp-trust",
        ],
    ),
    (
        "spacecp-services",
        &[
            "spacecp-apply",
            "spacecp-contract",
            "spacecp-feed",
            "spacecp-fs",
            "spacecp-plugin-host",
            "spacecp-render",
            "spacecp-scan",
            "spacecp-store",
            "spacecp-trust",
        ],
    ),
    (
        "spacecp-notify",
        &[
            "spacecp-apply",
            "spacecp-contract",
            "spacecp-feed",
            "spacecp-fs",
            "spacecp-plugin-host",
            "spacecp-render",
            "spacecp-services",
            "spacecp-store",
            "spacecp-trust",
        ],
    ),
    (
        "spacecp-web",
        &[
            "spacecp-apply",
            "spacecp-contract",
            "spacecp-notify",
            "spacecp-plugin-host",
            "spacecp-render",
            "spacecp-services",
            "spacecp-store",
        ],
    ),
    (
        "spacecp-advisories",
        &[
            "spacecp-apply",
            "spacecp-contract",
            "spacecp-feed",
            "spacecp-fs",
            "spacecp-manual",
            "spacecp-notify",
            "spacecp-plugin-host",
            "spacecp-render",
            "spacecp-scan",
            "spacecp-services",
            "spacecp-store",
            "spacecp-trust",
            "spacecp-web",
        ],
    ),
    ("spacecp-formats", &["spacecp-contract"]),
    (
        "spacecp-publisher",
        &[
            "spacecp-contract",
            "spacecp-formats",
            "spacecp-manual",
            "spacecp-trust",
        ],
    ),
    ("spacecp-hostile-guest", &[]),
];

/// The crate of the tests.
const TESTS: &str = "spacecp-tests";

/// What signs: the vendor's program alone may have any of it.
const SIGNS: [&str; 2] = ["minisign", "spacecp-publisher"];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    /// None for a dependency of the crate itself, beside those of its tests and its build script.
    kind: Option<String>,
}

/// The crates of the workspace, and what every crate of the whole tree depends on, tests left out.
struct Graph {
    workspace: BTreeSet<String>,
    knows: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn read() -> Result<Self> {
        let version = cargo(&["-vV"])?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.context("cargo says which machine it is for")?;
        let metadata = cargo(&[
            "metadata",
            "--format-version",
            "1",
            "--offline",
            // What other systems need has not been fetched.
            "--filter-platform",
            host,
        ])?;
        let metadata: Metadata = serde_json::from_str(&metadata)?;
        let names: BTreeMap<&str, &str> = metadata
            .packages
            .iter()
            .map(|package| (package.id.as_str(), package.name.as_str()))
            .collect();
        let name = |id: &str| names[id].to_owned();
        // Several versions of one crate count as one.
        let mut knows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in &metadata.resolve.nodes {
            let own = |one: &&Dependency| one.dep_kinds.iter().any(|kind| kind.kind.is_none());
            let dependencies = node.deps.iter().filter(own).map(|one| name(&one.pkg));
            knows
                .entry(name(&node.id))
                .or_default()
                .extend(dependencies);
        }
        let workspace = metadata.workspace_members.iter().map(|id| name(id));
        Ok(Self {
            workspace: workspace.collect(),
            knows,
        })
    }

    /// Everything that a crate has in it.
    fn reach<'a>(&'a self, from: &'a str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(next) = open.pop() {
            let known = self.knows.get(next).into_iter().flatten();
            open.extend(known.map(String::as_str).filter(|one| reached.insert(*one)));
        }
        reached
    }
}

/// What cargo says in this workspace.
fn cargo(arguments: &[&str]) -> Result<String> {
    let program = std::env::var_os("CARGO").context("cargo runs the tests")?;
    let output = Command::new(program)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()?;
    let failure = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo {arguments:?}: {failure}");
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn every_crate_knows_only_those_that_it_may() -> Result<()> {
    let graph = Graph::read()?;
    let found: BTreeMap<&str, BTreeSet<&str>> = graph
        .workspace
        .iter()
        .filter(|name| *name != TESTS)
        .map(|name| {
            let known = graph.knows[name].iter().map(String::as_str);
            let ours = known.filter(|one| graph.workspace.contains(*one));
            (name.as_str(), ours.collect())
        })
        .collect();
    let allowed: BTreeMap<&str, BTreeSet<&str>> = KNOWS
        .iter()
        .map(|(name, knows)| (*name, knows.iter().copied().collect()))
        .collect();
    assert_eq!(found, allowed);
    Ok(())
}

#[test]
fn no_crate_is_listed_before_one_that_it_knows() {
    let mut listed = BTreeSet::new();
    for (name, knows) in KNOWS {
        let later: Vec<&&str> = knows.iter().filter(|one| !listed.contains(*one)).collect();
        assert_eq!(later, Vec::<&&str>::new(), "{name}");
        listed.insert(*name);
    }
}

#[test]
fn no_code_that_signs_is_in_the_panels_program() -> Result<()> {
    let graph = Graph::read()?;
    let panel = graph.reach("spacecp-advisories");
    assert!(panel.contains("minisign-verify"), "what verifies is found");
    let signs: Vec<&str> = SIGNS
        .into_iter()
        .filter(|one| panel.contains(one))
        .collect();
    assert_eq!(signs, Vec::<&str>::new());
    assert!(graph.reach("spacecp-publisher").contains("minisign"));
    Ok(())
}
