//! Lock files of Python's installers, and lists of requirements as far as they pin versions.

use std::path::Path;

use serde_json::Value;

use super::{python::add, walk};
use crate::{Limit, Why, findings::Findings, json, look::Look, text};

/// What they are called.
pub(super) const LOCKS: [&str; 4] = ["poetry.lock", "uv.lock", "Pipfile.lock", "requirements.txt"];

pub(super) fn look(look: &mut Look<'_>, path: &Path) {
    let read = match walk::name_of(path).as_str() {
        "poetry.lock" | "uv.lock" => toml,
        "Pipfile.lock" => pipfile,
        _ => |bytes: &[u8]| Ok(requirements(bytes)),
    };
    if !look.text(path, Limit::DocumentBytes, "python", read) {
        look.unread(path, Why::Io("not found".to_owned()));
    }
}

fn elsewhere(what: &str) -> String {
    format!("from {what}, where a version does not identify the contents")
}

/// `poetry.lock` and `uv.lock`: tables `[[package]]`.
fn toml(bytes: &[u8]) -> Result<Findings, Why> {
    let lock: toml::Table = toml::from_str(&text::decode(bytes))
        .map_err(|error| Why::malformed("a lock file of Python's", error.message()))?;
    let packages = match lock.get("package") {
        None => return Ok(Findings::default()),
        Some(packages) => packages.as_array(),
    };
    let packages =
        packages.ok_or_else(|| Why::malformed("a lock file of Python's", "no list of packages"))?;
    let mut findings = Findings::default();
    for package in packages {
        let said = |name: &str| package.get(name).and_then(toml::Value::as_str);
        let source = package.get("source").and_then(toml::Value::as_table);
        // What the lock file belongs to.
        if source.is_some_and(is_root) {
            continue;
        }
        let Some(name) = said("name") else {
            let why = Why::Missing("the name of a package in the lock file".to_owned());
            findings.unread(String::new(), why);
            continue;
        };
        let version = match source.and_then(origin) {
            Some(origin) => Err(elsewhere(origin)),
            None => said("version").ok_or_else(|| "no version in the lock file".to_owned()),
        };
        add(name, version, &mut findings);
    }
    Ok(findings)
}

fn is_root(source: &toml::Table) -> bool {
    let mut places = ["virtual", "editable"].into_iter();
    places.any(|kind| source.get(kind).and_then(toml::Value::as_str) == Some("."))
}

/// Where a package comes from that is of no index: poetry says the type, uv has a key for each.
fn origin(source: &toml::Table) -> Option<&str> {
    let kind = source.get("type").and_then(toml::Value::as_str);
    if let Some(kind) = kind {
        return (kind != "legacy").then_some(kind);
    }
    let mut kinds = source.keys().map(String::as_str);
    kinds.find(|kind| *kind != "registry")
}

fn pipfile(bytes: &[u8]) -> Result<Findings, Why> {
    let lock: Value = json::read(bytes)?;
    let mut findings = Findings::default();
    let lists = ["default", "develop"].map(|list| lock.get(list).and_then(Value::as_object));
    if lists.iter().all(Option::is_none) {
        return Err(Why::malformed("a Pipfile.lock", "no packages listed"));
    }
    for (name, package) in lists.into_iter().flatten().flatten() {
        let version = json::text_of(package, "version");
        let pinned = version
            .as_deref()
            .and_then(|version| version.strip_prefix("=="));
        let version = pinned.ok_or_else(|| elsewhere("a repository or a file"));
        add(name, version, &mut findings);
    }
    Ok(findings)
}

/// `requirements.txt`: one requirement a line, with comments, options and lines that go on
/// (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>).
fn requirements(bytes: &[u8]) -> Findings {
    let text = text::decode(bytes)
        .replace("\r\n", "\n")
        .replace("\\\n", " ");
    let mut findings = Findings::default();
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.split(" #").next().unwrap_or(line).trim();
        if line.starts_with('-') {
            option(line, &mut findings);
            continue;
        }
        // Behind the requirement stand markers and options.
        let line = line.split([';']).next().unwrap_or(line);
        let line = line.split(" --").next().unwrap_or(line).trim();
        let end =
            line.find(|letter: char| !(letter.is_ascii_alphanumeric() || "._-".contains(letter)));
        let (name, asked) = line.split_at(end.unwrap_or(line.len()));
        let is_alone = asked.starts_with(['/', ':', '+']) || name.is_empty();
        if is_alone {
            let shown: String = line.chars().take(200).collect();
            let why = Why::Missing(format!("which package {shown:?} is"));
            findings.unread(String::new(), why);
            continue;
        }
        let asked = asked.trim();
        let asked = match asked
            .strip_prefix('[')
            .and_then(|asked| asked.split_once(']'))
        {
            Some((_, behind)) => behind.trim(),
            None => asked,
        };
        let version = pinned(asked).ok_or_else(|| {
            let shown: String = line.chars().take(200).collect();
            format!("{shown:?} does not pin a version")
        });
        add(name, version, &mut findings);
    }
    findings
}

fn pinned(asked: &str) -> Option<&str> {
    let version = asked
        .strip_prefix("===")
        .or_else(|| asked.strip_prefix("=="))?;
    let version = version.trim();
    let is_one = !version.is_empty() && !version.contains([',', '*', ' ', '=', '<', '>']);
    is_one.then_some(version)
}

/// Names what an option brings that is not in this list.
fn option(line: &str, findings: &mut Findings) {
    let brings = ["-r", "--requirement", "-e", "--editable"];
    let (name, value) = line.split_once([' ', '=']).unwrap_or((line, ""));
    if brings.contains(&name)
        || brings
            .iter()
            .any(|short| short.len() == 2 && line.starts_with(short))
    {
        let value: String = value.trim().chars().take(200).collect();
        let why = Why::Missing(format!("what {name} {value} brings, to which it refers"));
        findings.unread(String::new(), why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listed(found: &Findings) -> Vec<String> {
        let entries = found.entries.iter();
        entries
            .map(|entry| {
                let version = entry.version.as_deref().unwrap_or("?");
                format!("{} {version}", entry.advisory_name)
            })
            .collect()
    }

    #[test]
    fn locked_packages_of_the_index_are_known_by_their_version() {
        let poetry = "[[package]]\nname = \"Django\"\nversion = \"4.2\"\n[[package]]\nname = \"x\"\nversion = \"1\"\n[package.source]\ntype = \"git\"\nurl = \"u\"\n[[package]]\nversion = \"1\"\n";
        let found = toml(poetry.as_bytes()).unwrap();
        assert_eq!(listed(&found), ["pypi:django 4.2", "pypi:x ?"]);
        assert_eq!(found.unread.len(), 1);
        let uv = "version = 1\n[[package]]\nname = \"mine\"\nversion = \"0\"\nsource = { virtual = \".\" }\n[[package]]\nname = \"a_b\"\nversion = \"1.0\"\nsource = { registry = \"https://pypi.org/simple\" }\n[[package]]\nname = \"c\"\nversion = \"1\"\nsource = { git = \"u\" }\n";
        let found = toml(uv.as_bytes()).unwrap();
        assert_eq!(listed(&found), ["pypi:a-b 1.0", "pypi:c ?"]);
        let pipfile = br#"{"_meta":{},"default":{"requests":{"version":"==2.28.1"},"y":{"git":"u"}},"develop":{"pytest":{"version":"==7.0"}}}"#;
        let found = super::pipfile(pipfile).unwrap();
        assert_eq!(
            listed(&found),
            ["pypi:requests 2.28.1", "pypi:y ?", "pypi:pytest 7.0"]
        );
    }

    #[test]
    fn only_pins_say_what_is_installed_and_all_else_is_named() {
        let list = "# tools\nDjango[argon2]==4.2 ; python_version > '3' # why\nrequests>=2\nflask\nsix === 1.16 \\\n  --hash=sha256:00\nx @ https://example.com/x.whl\nnumpy==1.*\n-r more.txt\n--index-url https://example.com\n./local\nhttps://example.com/y.whl\n";
        let found = requirements(list.as_bytes());
        let expected = [
            "pypi:django 4.2",
            "pypi:requests ?",
            "pypi:flask ?",
            "pypi:six 1.16",
            "pypi:x ?",
            "pypi:numpy ?",
        ];
        assert_eq!(listed(&found), expected);
        assert_eq!(found.unread.len(), 3, "{:?}", found.unread);
    }

    proptest! {
        #[test]
        fn every_line_is_listed_or_named(lines in prop::collection::vec("[a-z]{1,4}(==|>=|~=|@|\\[x\\]==| )?[0-9]?", 0..9)) {
            let found = requirements(lines.join("\n").as_bytes());
            prop_assert_eq!(found.entries.len() + found.unread.len(), lines.len());
        }

        #[test]
        fn no_bytes_end_the_process(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (requirements(&bytes), toml(&bytes), pipfile(&bytes));
        }
    }
}
