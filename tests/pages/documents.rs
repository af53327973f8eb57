//! The documents: their links lead somewhere, what they name is there, and the programs take their commands.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use spacecp_advisories::config::Config;
use spacecp_publisher::cases::deadlines::Deadlines;
use tempfile::TempDir;

/// Every document for people, from the root of the repository.
const DOCUMENTS: [&str; 12] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "docs/administrators-guide.md",
    "docs/api.md",
    "docs/configuration.md",
    "docs/embedding.md",
    "docs/threat-model.md",
    "docs/vendors-guide.md",
    "tests/schemas/README.md",
];

/// Directories that a path in a document may begin with.
const TOP: [&str; 8] = [
    ".ci",
    ".github",
    "docs",
    "host-shim",
    "plugin",
    "publisher",
    "tests",
    "wit",
];

/// A hash of Argon2id that is sound, and of no password.
const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(document: &str) -> Result<String> {
    fs::read_to_string(root().join(document)).with_context(|| document.to_owned())
}

/// A document's text without its blocks of code, and those blocks with their language.
fn parted(text: &str) -> (String, Vec<(String, String)>) {
    let (mut prose, mut blocks) = (String::new(), Vec::<(String, String)>::new());
    let mut is_code = false;
    for line in text.lines() {
        let trimmed = line.trim_start();
        match (trimmed.strip_prefix("```"), is_code) {
            (Some(language), false) => blocks.push((language.to_owned(), String::new())),
            (Some(_), true) => {}
            (None, true) => {
                if let Some((_, code)) = blocks.last_mut() {
                    code.push_str(trimmed);
                    code.push('\n');
                }
                continue;
            }
            (None, false) => {
                prose.push_str(line);
                prose.push('\n');
                continue;
            }
        }
        is_code = !is_code;
    }
    (prose, blocks)
}

fn code(document: &str, language: &str) -> Result<Vec<String>> {
    let (_, blocks) = parted(&read(document)?);
    let blocks = blocks.into_iter().filter(|block| block.0 == language);
    Ok(blocks.map(|(_, code)| code).collect())
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter_map(|letter| match letter {
            ' ' => Some('-'),
            '-' | '_' => Some(letter),
            letter => letter.is_alphanumeric().then_some(letter),
        });
        kept.collect()
    };
    headings.map(anchor).collect()
}

/// What stands between two marks, wherever both are on one line.
fn between<'a>(text: &'a str, begin: &'a str, end: char) -> impl Iterator<Item = &'a str> {
    let parts = text.lines().flat_map(move |line| line.split(begin).skip(1));
    parts.filter_map(move |part| part.split_once(end).map(|(inside, _)| inside))
}

#[test]
fn every_link_between_documents_leads_to_a_file_and_a_heading_that_are_there() -> Result<()> {
    for document in DOCUMENTS {
        let (prose, _) = parted(&read(document)?);
        let folder = root()
            .join(document)
            .parent()
            .context("a folder")?
            .to_owned();
        for link in between(&prose, "](", ')') {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => root().join(document),
                path => folder.join(path),
            };
            assert!(target.exists(), "{document} links to {link}");
            if !anchor.is_empty() {
                let (prose, _) = parted(&fs::read_to_string(&target)?);
                assert!(
                    anchors(&prose).contains(anchor),
                    "{document} links to {link}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn every_path_that_a_document_names_is_there() -> Result<()> {
    for document in DOCUMENTS {
        let (prose, _) = parted(&read(document)?);
        for line in prose.lines() {
            for path in line.split('`').skip(1).step_by(2) {
                let is_path = path.split('/').next().is_some_and(|top| TOP.contains(&top))
                    && path.contains('/')
                    && !path.contains(['*', ' ', '…']);
                assert!(
                    !is_path || root().join(path).exists(),
                    "{document} names {path}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn every_step_of_a_walk_is_a_function_of_the_file_beside_it() -> Result<()> {
    let mut steps = 0;
    for line in read("ARCHITECTURE.md")?.lines() {
        let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let [_, file, function] = cells[..] else {
            continue;
        };
        let function = function.trim_matches(['|', ' ', '`']);
        if Path::new(file).extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let text = read(file)?;
        let is_there = ["(", "<"].map(|next| text.contains(&format!("fn {function}{next}")));
        assert!(
            is_there.contains(&true),
            "{file} has no function {function}"
        );
        steps += 1;
    }
    assert!(steps > 40, "only {steps} steps were read");
    Ok(())
}

#[test]
fn the_readme_has_at_most_500_words() -> Result<()> {
    assert!(read("README.md")?.split_whitespace().count() <= 500);
    Ok(())
}

/// The words of a command, as a shell would pass them; what is redirected, or follows another command, is not.
fn arguments(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for letter in line.chars().chain([' ']) {
        match letter {
            '"' => is_quoted = !is_quoted,
            '#' | '<' | '>' | '|' | ';' if !is_quoted && word.is_empty() => break,
            ';' if !is_quoted => {
                words.push(std::mem::take(&mut word));
                break;
            }
            ' ' if !is_quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            letter => word.push(letter),
        }
    }
    words
}

#[test]
fn the_programs_take_every_command_that_the_documents_show() -> Result<()> {
    let programs = [
        ("spacecp-advisories ", env!("CARGO_BIN_EXE_panel-program")),
        ("spacecp-publisher ", env!("CARGO_BIN_EXE_vendor-program")),
    ];
    let mut tried = 0;
    for document in DOCUMENTS {
        for block in code(document, "console")? {
            for line in block.replace("\\\n", " ").lines() {
                for (name, program) in programs {
                    let Some(at) = line.find(name) else { continue };
                    // Where it begins a command; it may also be what another program is told.
                    let before = line[..at].trim();
                    if !before.is_empty() && !before.ends_with("do") {
                        continue;
                    }
                    // All of it is read before the help is printed, and refused where it is wrong.
                    let ended = Command::new(program)
                        .args(arguments(&line[at + name.len()..]))
                        .arg("--help")
                        .output()?;
                    let complaint = String::from_utf8_lossy(&ended.stderr).into_owned();
                    assert!(ended.status.success(), "{document}: {line}\n{complaint}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 80, "only {tried} commands were tried");
    Ok(())
}

#[test]
fn the_configuration_of_the_administrators_guide_is_taken() -> Result<()> {
    let blocks = code("docs/administrators-guide.md", "toml")?;
    let text = blocks.concat().replace("$argon2id$v=19$…", HASH);
    let folder = TempDir::new()?;
    let path = folder.path().join("config.toml");
    fs::write(&path, text)?;
    let config = Config::load(&path)?;
    assert_eq!(
        (config.components.len(), config.notify.channels.len()),
        (2, 2)
    );
    Ok(())
}

#[test]
fn the_deadlines_of_the_vendors_guide_are_the_defaults() -> Result<()> {
    let blocks = code("docs/vendors-guide.md", "toml")?;
    let deadlines: Deadlines = toml::from_str(&blocks.concat())?;
    assert_eq!(deadlines, Deadlines::default());
    Ok(())
}
