//! Modules that a `go.mod` requires (<https://go.dev/ref/mod#go-mod-file>): what a program would be built with, where
//! none is there that says what it was built with. `go.sum` is no list of what is used, and is not read.

use std::collections::BTreeMap;

use spacecp_contract::Ecosystem;

use crate::{findings::Findings, names, text};

/// A requirement: which version, or why it is not known.
type Required = BTreeMap<String, Result<String, String>>;

/// The modules that it requires, and Go itself as `stdlib`.
pub(super) fn read(bytes: &[u8]) -> Findings {
    let text = text::decode(bytes);
    let (mut required, mut replaced, mut block) = (Required::new(), Required::new(), "");
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or(line).trim();
        if line == ")" {
            block = "";
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().map(unquoted).collect();
        let (verb, words) = match (block, words.as_slice()) {
            ("", [verb, "("]) => {
                block = match *verb {
                    "require" => "require",
                    "replace" => "replace",
                    _ => "other",
                };
                continue;
            }
            ("", [verb, words @ ..]) => (*verb, words),
            (block, words) => (block, words),
        };
        match (verb, words) {
            ("require", [path, version, ..]) => {
                let version = version.strip_prefix('v').unwrap_or(version);
                required.insert((*path).to_owned(), Ok(version.to_owned()));
            }
            ("replace", [path, rest @ ..]) => replace(path, rest, &mut replaced),
            // The language's version; which toolchain builds it is said by that alone.
            ("toolchain", [version]) => {
                let version = version.strip_prefix("go").unwrap_or(version).to_owned();
                required.insert("stdlib".to_owned(), Ok(version));
            }
            _ => {}
        }
    }
    let mut findings = Findings::default();
    for (path, version) in &required {
        let version = replaced.get(path).unwrap_or(version);
        let version = version.as_deref().map_err(Clone::clone);
        let named = names::package(&Ecosystem::Go, path);
        findings.add(vec![path.clone()], named, version, "");
    }
    findings
}

/// `OLD [VERSION] => NEW [VERSION]`: what takes the place of a module is another, or lies in a directory.
fn replace(path: &str, rest: &[&str], replaced: &mut Required) {
    let place = rest.iter().position(|word| *word == "=>");
    let new = place
        .and_then(|place| rest.get(place + 1..))
        .unwrap_or_default();
    let version = match new {
        [new, version] if *new == path => {
            Ok(version.strip_prefix('v').unwrap_or(version).to_owned())
        }
        [new, version] => Err(format!("replaced by {new} {version}")),
        [new, ..] => Err(format!("replaced by the directory {new}")),
        [] => Err("replaced by something that is not said".to_owned()),
    };
    replaced.insert(path.to_owned(), version);
}

fn unquoted(word: &str) -> &str {
    word.trim_matches(['"', '`'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_required_is_listed_and_what_takes_its_place_is_said() {
        let text = "module example.com/a\n\ngo 1.21\ntoolchain go1.21.5\n\nrequire golang.org/x/net v0.17.0 // indirect\nrequire (\n\tgithub.com/X/y v2.0.0+incompatible\n\t\"example.com/b\" v0.0.0-20230101000000-abcdefabcdef\n\texample.com/c v1.0.0\n)\nreplace example.com/c => ../c\nreplace (\n\texample.com/b => example.com/b v1.2.0\n)\nexclude example.com/d v1.0.0\n";
        let found = read(text.as_bytes()).entries;
        let found = found.iter().map(|entry| {
            let version = entry.version.as_deref().unwrap_or("?");
            format!("{} {version}", entry.advisory_name)
        });
        assert!(found.eq([
            "golang:example.com/b 1.2.0",
            "golang:example.com/c ?",
            "golang:github.com/x/y 2.0.0+incompatible",
            "golang:golang.org/x/net 0.17.0",
            "golang:stdlib 1.21.5",
        ]));
    }

    proptest! {
        #[test]
        fn no_text_ends_the_process(text in "(require|replace|=>|\\(|\\)|v1|a|\n| ){0,20}") {
            read(text.as_bytes());
        }
    }
}
