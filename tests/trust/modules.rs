//! Modules of a crate import each other in one direction only.
//!
//! Reads `use` declarations and `crate::`/`super::` paths as text. A module is a file or directory directly below the
//! directory that is looked at; what is re-exported there counts as the module that it comes from.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;

/// The directories without circles. None leaves this list; one that becomes free of circles enters it.
const FREE_OF_CIRCLES: [&str; 9] = [
    "host-shim/fs/src",
    "host-shim/notify/src",
    "host-shim/render/src",
    "host-shim/src",
    "host-shim/src/cli",
    "host-shim/web/src",
    "host-shim/web/src/api",
    "publisher/src",
    "publisher/formats/src",
];

/// What each module imports of its siblings.
type Imports = BTreeMap<String, BTreeSet<String>>;

fn rust_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

/// A file without comments and unit tests.
fn code(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file)?;
    let text = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// The paths of a `use` tree, each with its segments.
fn paths(tree: &str, prefix: &[String], found: &mut Vec<Vec<String>>) {
    let (mut depth, mut begin) = (0_usize, 0);
    let ends = tree.char_indices().filter(|(_, letter)| {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        *letter == ',' && depth == 0
    });
    let ends: Vec<usize> = ends.map(|(at, _)| at).chain([tree.len()]).collect();
    for end in ends {
        let branch = tree[begin..end].trim();
        begin = (end + 1).min(tree.len());
        let (head, group) = branch.split_once('{').unwrap_or((branch, ""));
        let head = head.split(" as ").next().unwrap_or_default();
        let segments = head.split("::").map(|one| one.trim().to_owned());
        let segments = segments.filter(|one| !one.is_empty());
        let path: Vec<String> = prefix.iter().cloned().chain(segments).collect();
        match group.rsplit_once('}') {
            Some((inner, _)) => paths(inner, &path, found),
            None if path.len() > prefix.len() => found.push(path),
            None => {}
        }
    }
}

/// Every path that a text imports or names from its crate or its parent.
fn named(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for part in code.split("use ").skip(1) {
        if let Some((tree, _)) = part.split_once(';') {
            paths(tree, &[], &mut found);
        }
    }
    for root in ["crate::", "super::"] {
        for part in code.split(root).skip(1) {
            let is_path = |letter: &char| letter.is_alphanumeric() || "_:".contains(*letter);
            let path: String = part.chars().take_while(is_path).collect();
            let path = format!("{root}{path}");
            found.push(path.split("::").map(str::to_owned).collect());
        }
    }
    found
}

/// What the modules below a directory of a crate import of each other.
fn imports(source: &Path) -> Result<Imports> {
    let at_root = source.ends_with("src");
    let mut modules: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let mut root = String::new();
    for file in rust_files(source)? {
        let relative = file.strip_prefix(source)?;
        let first = relative.iter().next().unwrap_or_default().to_string_lossy();
        let name = first.trim_end_matches(".rs").to_owned();
        match name.as_str() {
            "lib" | "mod" | "main" => root.push_str(&code(&file)?),
            _ => modules.entry(name).or_default().push(file),
        }
    }
    let mut exported = BTreeMap::new();
    for path in named(&root) {
        if let (Some(first), Some(last)) = (path.first(), path.last())
            && modules.contains_key(first)
        {
            exported.insert(last.clone(), first.clone());
        }
    }
    let mut imports = Imports::new();
    for (module, files) in &modules {
        for file in files {
            let depth = file.strip_prefix(source)?.components().count();
            let is_module_file = file.file_name().is_some_and(|name| name == "mod.rs");
            let to_directory = depth - usize::from(is_module_file);
            for path in named(&code(file)?) {
                let ups = path.iter().take_while(|one| *one == "super").count();
                let rest = match path.first().map(String::as_str) {
                    Some("crate") if at_root => &path[1..],
                    Some("super") if ups == to_directory => &path[ups..],
                    _ => continue,
                };
                let Some(name) = rest.first() else { continue };
                let target = exported.get(name).unwrap_or(name);
                if target != module && modules.contains_key(target) {
                    let entry = imports.entry(module.clone()).or_default();
                    entry.insert(target.clone());
                }
            }
        }
    }
    Ok(imports)
}

/// The modules that import each other, directly or by way of others.
fn circle(imports: &Imports) -> BTreeSet<String> {
    let mut left: BTreeSet<String> = imports.keys().cloned().collect();
    loop {
        let imports_left = |module: &String| {
            let targets = imports.get(module).into_iter().flatten();
            targets.clone().any(|target| left.contains(target))
        };
        let is_imported = |module: &String| {
            left.iter()
                .any(|other| imports.get(other).is_some_and(|all| all.contains(module)))
        };
        let next: BTreeSet<String> = left
            .iter()
            .filter(|module| imports_left(module) && is_imported(module))
            .cloned()
            .collect();
        if next.len() == left.len() {
            return next;
        }
        left = next;
    }
}

#[test]
fn modules_import_each_other_in_one_direction_only() -> Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let workspace = workspace.unwrap_or(Path::new("."));
    for directory in FREE_OF_CIRCLES {
        let imports = imports(&workspace.join(directory))?;
        let circle = circle(&imports);
        assert!(circle.is_empty(), "{directory}: {circle:?} of {imports:?}");
    }
    Ok(())
}

#[test]
fn a_circle_is_found_by_way_of_groups_of_imports_and_of_others() {
    let import = |text: &str| named(text).into_iter().flatten().collect::<BTreeSet<_>>();
    assert!(import("use super::{a::B, c::{D, e::F}};").contains("e"));
    let of = |pairs: &[(&str, &str)]| {
        let mut imports = Imports::new();
        for (one, other) in pairs {
            let targets = imports.entry((*one).to_owned()).or_default();
            targets.insert((*other).to_owned());
        }
        circle(&imports)
    };
    assert_eq!(
        of(&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]).len(),
        3
    );
    assert!(of(&[("a", "b"), ("b", "c"), ("a", "c")]).is_empty());
}
