//! Ruby's gems: those that are installed, or those of the lock file where none is.
//!
//! Installed gems have their specification in `specifications/` (<https://guides.rubygems.org/specification-reference/>);
//! `Gemfile.lock` is Bundler's.

use std::path::Path;

use spacecp_contract::Ecosystem;

use super::walk;
use crate::{Limit, Why, findings::Findings, look::Look, names, text};

const LOCKS: [&str; 2] = ["Gemfile.lock", "gems.locked"];

/// Where Debian's own packages put specifications: their versions have corrections that rubygems.org's have not.
const OF_THE_DISTRIBUTION: &str = "rubygems-integration";

pub(super) fn look(look: &mut Look<'_>, file: Option<&Path>) {
    let before = look.count();
    if let Some(file) = file {
        lock(look, file);
    } else {
        let mut locks = Vec::new();
        walk::files(look, |look, path| {
            let name = walk::name_of(path);
            if LOCKS.contains(&name.as_str()) {
                locks.push(path.to_owned());
            } else if name.ends_with(".gemspec")
                && (walk::is_within(path, "specifications")
                    || walk::is_within(path, "specifications/default"))
            {
                installed(look, path);
            }
        });
        if look.count() == before {
            for path in &locks {
                lock(look, path);
            }
        }
    }
    if look.count() == before {
        let why = format!(
            "what is installed: there are neither specifications of gems nor {}",
            LOCKS[0]
        );
        look.unread(file.unwrap_or(Path::new("")), Why::Missing(why));
    }
}

fn lock(look: &mut Look<'_>, path: &Path) {
    let read = |bytes: &[u8]| Ok(locked(bytes));
    if !look.text(path, Limit::DocumentBytes, "ruby", read) {
        look.unread(path, Why::Io("not found".to_owned()));
    }
}

fn installed(look: &mut Look<'_>, path: &Path) {
    let mut around = path.ancestors();
    let is_own = around.any(|directory| directory.ends_with(OF_THE_DISTRIBUTION));
    let reader = if is_own { "ruby of the system" } else { "ruby" };
    look.text(path, Limit::DescriptorBytes, reader, |bytes| {
        specification(bytes, is_own)
    });
}

/// The gem that a specification is of: `# stub: NAME VERSION PLATFORM …`, or `s.name = "…"` where it is older.
fn specification(bytes: &[u8], is_own: bool) -> Result<Findings, Why> {
    let text = text::decode(bytes);
    let stub = text.lines().find_map(|line| line.strip_prefix("# stub: "));
    let mut words = stub.unwrap_or("").split(' ');
    let assigned = |field: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| {
            let (_, value) = line.split_once(field)?;
            let value = value.trim_start().strip_prefix('=')?.trim_start();
            let value = value.strip_prefix(['"', '\''])?;
            value.split(['"', '\'']).next()
        })
    };
    let name = words.next().filter(|name| !name.is_empty());
    let name = name.or_else(|| assigned(".name"));
    let name = name.ok_or_else(|| Why::Missing("which gem it is".to_owned()))?;
    let version = words.next().or_else(|| assigned(".version"));
    let version = match version {
        Some(version) if is_own => Err(format!(
            "{version} is a package of the distribution, which may have corrected it"
        )),
        version => version.ok_or_else(|| "no version in its specification".to_owned()),
    };
    let mut findings = Findings::default();
    add(name, version, &mut findings);
    Ok(findings)
}

/// The gems of a lock file: below `specs:` four blanks deep. Those of `GEM` come from a source of gems, those of `GIT`
/// and `PATH` may hold anything.
fn locked(bytes: &[u8]) -> Findings {
    let text = text::decode(bytes);
    let mut findings = Findings::default();
    let (mut section, mut specs) = ("", false);
    for line in text.lines() {
        let depth = line.len() - line.trim_start_matches(' ').len();
        let said = line.trim();
        match depth {
            0 if !said.is_empty() => (section, specs) = (said, false),
            2 => specs = said == "specs:",
            4 if specs => gem(section, said, &mut findings),
            _ => {}
        }
    }
    if findings.count() == 0 {
        let why = Why::malformed("a Gemfile.lock", "no gems listed");
        findings.unread(String::new(), why);
    }
    findings
}

/// `name (version-platform)`.
fn gem(section: &str, said: &str, findings: &mut Findings) {
    let (name, rest) = said.split_once(" (").unwrap_or((said, ""));
    let version = rest.trim_end_matches([')', '!']);
    let version = version.split('-').next().unwrap_or(version);
    let version = match section {
        "GEM" | "PLUGIN SOURCE" if version.is_empty() => {
            Err("no version in the lock file".to_owned())
        }
        "GEM" | "PLUGIN SOURCE" => Ok(version),
        other => Err(format!(
            "from {}, where a version does not identify the contents",
            other.to_lowercase()
        )),
    };
    add(name, version, findings);
}

fn add(name: &str, version: Result<&str, String>, findings: &mut Findings) {
    let named = names::package(&Ecosystem::Gem, name);
    findings.add(vec![name.to_owned()], named, version, "");
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
    fn gems_of_a_lock_file_are_known_by_their_version_and_those_of_repositories_are_not() {
        let lock = "GIT\n  remote: https://example.com/x\n  revision: abc\n  specs:\n    x (1.0)\n      rails (>= 5)\n\nGEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.15.0-x86_64-linux)\n      racc (~> 1.4)\n    rails (7.0.4)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  rails\n\nBUNDLED WITH\n   2.3.7\n";
        let found = locked(lock.as_bytes());
        let expected = ["gem:x ?", "gem:nokogiri 1.15.0", "gem:rails 7.0.4"];
        assert_eq!(listed(&found), expected);
        assert_eq!(locked(b"").unread.len(), 1);
    }

    #[test]
    fn a_specification_says_which_gem_it_is_of() {
        let new = b"# -*- encoding: utf-8 -*-\n# stub: rails 7.0.4 ruby lib\n\nGem::Specification.new do |s|\n";
        let old = b"Gem::Specification.new do |s|\n  s.name = %q{x}\n  s.name = \"rails\".freeze\n  s.version = \"7.0.4\"\n";
        for text in [&new[..], old] {
            let found = specification(text, false).unwrap();
            assert_eq!(listed(&found), ["gem:rails 7.0.4"]);
        }
        assert_eq!(listed(&specification(new, true).unwrap()), ["gem:rails ?"]);
        assert!(specification(b"", false).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_end_the_process(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (specification(&bytes, false), locked(&bytes));
        }
    }
}
