//! Yarn's lock file: the first version (<https://classic.yarnpkg.com/lang/en/docs/yarn-lock/>) and Berry's, which is
//! YAML (<https://yarnpkg.com/advanced/lexicon>).
//!
//! Both have one entry a line that begins at its left edge, and what is said of it below, so that both are read line by
//! line: what is odd costs its own entry.

use crate::{Why, findings::Findings, text};

use super::{
    npm_lock::{add, odd},
    npm_reference::is_elsewhere,
};

/// One entry.
#[derive(Debug, Default)]
struct Entry {
    /// The first of what it answers, as `lodash@^4.17.0`.
    wanted: String,
    version: Option<String>,
    /// Berry: what it is, as `lodash@npm:4.17.21`.
    resolution: Option<String>,
    /// The first version: where it is from.
    resolved: Option<String>,
    /// What the lines below are about.
    about: String,
}

pub(super) fn read(bytes: &[u8]) -> Result<Findings, Why> {
    let text = text::decode(bytes);
    let is_lock = text.contains("# yarn lockfile v1") || text.contains("__metadata:");
    if !is_lock {
        return Err(Why::malformed(
            "a yarn.lock",
            "neither of version 1 nor of Berry",
        ));
    }
    let mut findings = Findings::default();
    let mut entry: Option<Entry> = None;
    for line in text.lines() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(said) = line
            .strip_prefix("  ")
            .filter(|said| !said.starts_with(' '))
        {
            entry = entry.map(|entry| entry.with(said));
        } else if let Some(said) = line.strip_prefix("    ") {
            if let Some("dependencies") = entry.as_ref().map(|entry| entry.about.as_str())
                && let Some((name, wanted)) = said.trim().split_once(' ')
            {
                let name = unquoted(name.trim_end_matches(':'));
                findings.need(unquoted(name), unquoted(wanted), true);
            }
        } else if !line.starts_with([' ', '\t']) {
            end(entry.take(), &mut findings);
            match line.trim_end().strip_suffix(':') {
                Some("__metadata") => {}
                Some(wanted) => {
                    let all = wanted.split(',').map(unquoted);
                    for (name, _) in all.filter_map(split) {
                        findings.answer(name);
                    }
                    let first = wanted.split(',').next().unwrap_or(wanted);
                    entry = Some(Entry {
                        wanted: unquoted(first).to_owned(),
                        ..Entry::default()
                    });
                }
                None => odd(
                    line,
                    "neither an entry nor what is said of one",
                    &mut findings,
                ),
            }
        }
    }
    end(entry, &mut findings);
    Ok(findings)
}

impl Entry {
    /// With what a line says of it: `version "1.0.0"` or `version: 1.0.0`.
    fn with(mut self, said: &str) -> Self {
        let Some((name, value)) = said.split_once(' ') else {
            said.trim_end_matches(':').clone_into(&mut self.about);
            return self;
        };
        let value = Some(unquoted(value).to_owned());
        match name.trim_end_matches(':') {
            "version" => self.version = value,
            "resolution" => self.resolution = value,
            "resolved" => self.resolved = value,
            _ => {}
        }
        self
    }
}

fn end(entry: Option<Entry>, findings: &mut Findings) {
    let Some(entry) = entry else {
        return;
    };
    let what = entry.resolution.as_deref().unwrap_or(&entry.wanted);
    let Some((name, reference)) = split(what) else {
        return odd(&entry.wanted, "no name and version", findings);
    };
    let version = entry.version.as_deref();
    // "workspace:" is the component itself, and "link:" a folder beside it.
    if reference.starts_with("workspace:") || reference.starts_with("link:") {
        return;
    }
    // "alias@npm:other@^1" is another package's in the first version; Berry says in "resolution" whose it is.
    let alias = reference.strip_prefix("npm:").and_then(split);
    let (name, reference) = match alias {
        Some((other, wanted)) => (other, wanted),
        None => (name, reference),
    };
    let from = entry.resolved.as_deref().unwrap_or(reference);
    let version = if is_elsewhere(from) || is_elsewhere(reference) {
        Some(from)
    } else {
        version
    };
    add(vec![name.to_owned()], name, version, findings);
}

/// Name and reference of `lodash@npm:4.17.21`; a scope begins with the same sign.
fn split(what: &str) -> Option<(&str, &str)> {
    let at = what
        .char_indices()
        .skip(1)
        .find(|(_, letter)| *letter == '@')?
        .0;
    let (name, reference) = what.split_at_checked(at)?;
    Some((name, reference.strip_prefix('@')?))
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Vec<String> {
        let found = read(text.as_bytes()).unwrap().entries.into_iter();
        found
            .map(|entry| {
                format!(
                    "{} {}",
                    entry.advisory_name,
                    entry.version.unwrap_or("?".into())
                )
            })
            .collect()
    }

    #[test]
    fn a_lock_file_of_the_first_version_lists_packages() {
        let lock = "# yarn lockfile v1\n\n\n\"@babel/core@^7.0.0\", \"@babel/core@^7.1.0\":\n  version \"7.1.0\"\n  resolved \"https://registry.yarnpkg.com/@babel/core/-/core-7.1.0.tgz#abc\"\n  dependencies:\n    lodash \"^4.17.0\"\n\nlodash@^4.17.0:\r\n  version \"4.17.16\"\r\n\nalias@npm:left-pad@^1:\n  version \"1.3.0\"\n\n\"fork@git+ssh://git@example.com/fork.git\":\n  version \"1.0.0\"\n  resolved \"git+ssh://git@example.com/fork.git#abc\"\n";
        assert_eq!(
            listed(lock),
            [
                "npm:@babel/core 7.1.0",
                "npm:lodash 4.17.16",
                "npm:left-pad 1.3.0",
                "npm:fork ?"
            ]
        );
    }

    #[test]
    fn a_lock_file_of_berrys_lists_packages_and_not_the_component_itself() {
        let lock = "__metadata:\n  version: 8\n  cacheKey: 10c0\n\n\"lodash@npm:^4.17.0, lodash@npm:^4.17.1\":\n  version: 4.17.16\n  resolution: \"lodash@npm:4.17.16\"\n  dependencies:\n    x: \"npm:^1\"\n  linkType: hard\n\n\"alias@npm:@scope/other@^1\":\n  version: 1.2.3\n  resolution: \"@scope/other@npm:1.2.3\"\n\n\"houston@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"houston@workspace:.\"\n\n\"fork@https://github.com/a/fork.git#commit=1\":\n  version: 1.0.0\n  resolution: \"fork@https://github.com/a/fork.git#commit=1\"\n";
        assert_eq!(
            listed(lock),
            ["npm:lodash 4.17.16", "npm:@scope/other 1.2.3", "npm:fork ?"]
        );
    }

    #[test]
    fn an_odd_line_costs_its_own_entry_and_other_files_are_refused() {
        let lock = "# yarn lockfile v1\n<<<<<<< HEAD\na@^1:\n  version \"1.0.0\"\nnoname:\n  version \"1\"\nb@^1:\n  version \"2.0.0\"\n";
        assert_eq!(listed(lock), ["npm:a 1.0.0", "npm:b 2.0.0"]);
        assert_eq!(read(lock.as_bytes()).unwrap().unread.len(), 2);
        assert!(read(b"{}").is_err());
    }
}
