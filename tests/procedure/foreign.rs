//! Other people's advisories, from a file into a feed that a panel follows, and out again.

use std::{fs, path::Path};

use anyhow::Result;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::desk::{run, well};

/// A desk with keys and an empty feed.
struct Import {
    folder: TempDir,
    feed: String,
}

impl Import {
    fn begin() -> Result<Self> {
        let folder = TempDir::new()?;
        let feed = folder.path().join("feed").display().to_string();
        let import = Self { folder, feed };
        for role in ["root", "feed", "advisory", "correction", "plugin"] {
            well(&import.desk(), &["keys", "new", role, "--unencrypted"])?;
        }
        let audience = ["--audience", "customers"];
        let begin = ["root", "new", &import.feed];
        well(&import.desk(), &[&begin[..], &audience].concat())?;
        Ok(import)
    }

    fn desk(&self) -> std::path::PathBuf {
        self.folder.path().join("desk")
    }

    /// Writes records into a file, one a line.
    fn file(&self, records: &[Value]) -> Result<String> {
        let path = self.folder.path().join("records.jsonl");
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        fs::write(&path, lines.join("\n"))?;
        Ok(path.display().to_string())
    }

    /// Imports records, and returns what the program says of it and how it ended.
    fn osv(&self, records: &[Value], further: &[&str]) -> Result<(Value, i32)> {
        let file = self.file(records)?;
        let order = ["--json", "import", "osv", &file, "--feed", &self.feed];
        let ended = run(&self.desk(), &[&order[..], further].concat())?;
        let code = ended.status.code().unwrap_or(-1);
        anyhow::ensure!(
            !ended.stdout.is_empty(),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
        Ok((serde_json::from_slice(&ended.stdout)?, code))
    }

    fn broadcast(&self) -> Result<String> {
        well(&self.desk(), &["broadcast", &self.feed])
    }

    fn exported(&self, format: &str) -> Result<Vec<Value>> {
        let text = well(&self.desk(), &["export", format, &self.feed])?;
        let lines = text.lines().map(serde_json::from_str);
        Ok(lines.collect::<Result<_, _>>()?)
    }

    fn documents(&self) -> usize {
        let folder = Path::new(&self.feed).join("advisory");
        fs::read_dir(folder).map_or(0, Iterator::count)
    }
}

fn record(id: &str, modified: &str) -> Value {
    json!({
        "schema_version": "1.6.0", "id": id, "modified": modified, "summary": "A flaw",
        "affected": [{
            "package": { "ecosystem": "crates.io", "name": "parser" },
            "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "1.2.3" }] }],
        }],
        "database_specific": { "kept": true },
    })
}

const FIRST: &str = "2024-05-01T00:00:00Z";
const SECOND: &str = "2024-05-02T00:00:00Z";

#[test]
fn what_was_imported_and_broadcast_comes_out_as_it_went_in() -> Result<()> {
    let import = Import::begin()?;
    let records = [record("EX-1", FIRST), record("EX-2", FIRST)];
    let (report, code) = import.osv(&records, &[])?;
    assert_eq!((report["new"].as_u64(), code), (Some(2), 0), "{report}");
    import.broadcast()?;
    assert_eq!(import.exported("osv")?, records);
    Ok(())
}

#[test]
fn the_same_again_changes_nothing() -> Result<()> {
    let import = Import::begin()?;
    let records = [record("EX-1", FIRST)];
    import.osv(&records, &[])?;
    let before = import.documents();
    let (report, code) = import.osv(&records, &[])?;
    assert_eq!((report["unchanged"].as_u64(), code), (Some(1), 0));
    assert_eq!(import.documents(), before);
    Ok(())
}

#[test]
fn a_later_record_is_the_next_revision_and_one_that_withdraws_says_so() -> Result<()> {
    let import = Import::begin()?;
    import.osv(&[record("EX-1", FIRST)], &[])?;
    let mut later = record("EX-1", SECOND);
    later["summary"] = json!("A flaw, described better");
    let (report, _) = import.osv(&[later], &[])?;
    assert_eq!(report["changed"].as_u64(), Some(1), "{report}");
    let mut withdrawn = record("EX-1", "2024-05-03T00:00:00Z");
    withdrawn["withdrawn"] = json!("2024-05-03T00:00:00Z");
    let (report, _) = import.osv(&[withdrawn.clone()], &[])?;
    assert_eq!(report["withdrawn"].as_u64(), Some(1), "{report}");
    import.broadcast()?;
    assert_eq!(import.exported("osv")?, [withdrawn]);
    Ok(())
}

#[test]
fn an_older_record_and_one_that_tells_two_stories_are_refused_and_the_rest_is_taken() -> Result<()>
{
    let import = Import::begin()?;
    import.osv(&[record("EX-1", SECOND), record("EX-2", SECOND)], &[])?;
    let mut other = record("EX-2", SECOND);
    other["summary"] = json!("Something else");
    let records = [record("EX-1", FIRST), other, record("EX-3", FIRST)];
    let (report, code) = import.osv(&records, &[])?;
    assert_eq!(code, 1, "{report}");
    assert_eq!(report["new"].as_u64(), Some(1), "{report}");
    let said = report["refusals"].to_string();
    for words in [
        "going back is refused",
        "says something else",
        "records.jsonl:1",
        "records.jsonl:2",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    Ok(())
}

#[test]
fn two_records_of_one_id_in_one_import_are_told_apart_from_one() -> Result<()> {
    let import = Import::begin()?;
    let (report, code) = import.osv(&[record("EX-1", FIRST), record("EX-1", SECOND)], &[])?;
    assert_eq!((report["refused"].as_u64(), code), (Some(1), 1), "{report}");
    assert!(
        report["refusals"].to_string().contains("before"),
        "{report}"
    );
    Ok(())
}

#[test]
fn an_advisory_of_the_desk_is_never_replaced_by_somebody_else_s() -> Result<()> {
    let import = Import::begin()?;
    let draft = import.desk().join("drafts/EX-1.toml");
    well(
        &import.desk(),
        &["advisory", "new", "EX-1", "--audience", "customers"],
    )?;
    let text = fs::read_to_string(&draft)?
        .replace("title = \"\"", "title = \"Ours\"")
        .replace("issue = \"\"\"\n", "issue = \"\"\"\nOurs.\n")
        .replace("impacts = \"\"\"\n", "impacts = \"\"\"\nOurs.\n")
        .replace("solution = \"\"\"\n", "solution = \"\"\"\nOurs.\n")
        .replace("component = \"\"", "component = \"spacecp:houston\"")
        .replace("fixed = \"\"", "fixed = \"2.0.0\"");
    fs::write(&draft, text)?;
    let draft = draft.display().to_string();
    well(
        &import.desk(),
        &["advisory", "sign", &draft, "--feed", &import.feed],
    )?;
    let (report, code) = import.osv(&[record("EX-1", SECOND)], &[])?;
    assert_eq!((report["refused"].as_u64(), code), (Some(1), 1), "{report}");
    assert!(
        report["refusals"]
            .to_string()
            .contains("it is not replaced"),
        "{report}"
    );
    Ok(())
}

#[test]
fn a_dry_run_says_what_would_change_and_signs_nothing() -> Result<()> {
    let import = Import::begin()?;
    let (report, code) = import.osv(&[record("EX-1", FIRST)], &["--dry-run"])?;
    assert_eq!((report["new"].as_u64(), code), (Some(1), 0));
    assert_eq!(import.documents(), 0);
    Ok(())
}

#[test]
fn what_is_under_embargo_is_not_given_out() -> Result<()> {
    let import = Import::begin()?;
    let embargo = [
        "--audience",
        "customers",
        "--tlp",
        "TLP:AMBER",
        "--embargo-until",
        "2099-01-01T00:00:00Z",
    ];
    let (report, _) = import.osv(&[record("EX-1", FIRST)], &embargo)?;
    assert_eq!(report["new"].as_u64(), Some(1), "{report}");
    let panel = age::x25519::Identity::generate().to_public().to_string();
    well(&import.desk(), &["panel", "enrol", "node-7", &panel])?;
    import.broadcast()?;
    let ended = run(&import.desk(), &["export", "osv", &import.feed])?;
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stdout.is_empty());
    let said = String::from_utf8(ended.stderr)?;
    assert!(said.contains("EX-1") && !said.contains("A flaw"), "{said}");
    Ok(())
}

#[test]
fn an_advisory_that_was_written_here_is_given_out_as_osv_and_as_csaf_with_its_issuer() -> Result<()>
{
    let import = Import::begin()?;
    import.osv(&[record("EX-1", FIRST)], &[])?;
    import.broadcast()?;
    let csaf = [
        "export",
        "csaf",
        &import.feed,
        "--publisher",
        "Example",
        "--namespace",
        "https://example.com",
    ];
    let document: Value = serde_json::from_str(&well(&import.desk(), &csaf)?)?;
    assert_eq!(document["document"]["tracking"]["id"], "EX-1");
    assert_eq!(document["document"]["publisher"]["name"], "Example");
    let affected = &document["vulnerabilities"][0]["product_status"]["known_affected"];
    assert_eq!(affected.as_array().map(Vec::len), Some(1), "{document}");
    Ok(())
}
