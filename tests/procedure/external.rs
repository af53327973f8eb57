//! Other people's advisories by the program `spacecp-publisher`: taken over into a feed, and given out.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::private::ONE;

/// A desk with a public feed.
struct Office {
    folder: TempDir,
    audience: String,
}

impl Office {
    fn open() -> Result<Self> {
        Self::of("public")
    }

    fn of(audience: &str) -> Result<Self> {
        let office = Self {
            folder: spacecp_tests::scratch::folder()?,
            audience: audience.to_owned(),
        };
        for role in ["root", "feed", "advisory", "correction", "plugin"] {
            office.well(&["keys", "new", role, "--unencrypted"])?;
        }
        office.well(&["root", "new", &office.feed(), "--audience", audience])?;
        Ok(office)
    }

    fn feed(&self) -> String {
        self.path("feed").display().to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vendor-program"));
        command
            .arg("--desk")
            .arg(self.path("desk"))
            .args(arguments)
            .env_remove("SPACECP_PASSPHRASE")
            .stdin(std::process::Stdio::null());
        Ok(command.output()?)
    }

    fn well(&self, arguments: &[&str]) -> Result<String> {
        let output = self.run(arguments)?;
        ensure!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Imports what is written, one document a line; says the exit code and the report.
    fn import(&self, format: &str, lines: &[Value], more: &[&str]) -> Result<(i32, Value)> {
        let text: Vec<String> = lines.iter().map(Value::to_string).collect();
        let path = self.path("offered.jsonl");
        fs::write(&path, text.join("\n"))?;
        self.import_path(format, &path, more)
    }

    fn import_path(&self, format: &str, path: &Path, more: &[&str]) -> Result<(i32, Value)> {
        let (feed, path) = (self.feed(), path.display().to_string());
        let import = ["--json", "import", format, &path, "--feed", &feed];
        let output = self.run(&[&import[..], more].concat())?;
        let code = output.status.code().context("it was killed")?;
        let report = serde_json::from_slice(&output.stdout)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        Ok((code, report))
    }

    fn broadcast(&self) -> Result<Value> {
        let said = self.well(&["--json", "broadcast", &self.feed()])?;
        Ok(serde_json::from_str(&said)?)
    }

    fn exported(&self, format: &str) -> Result<Vec<Value>> {
        let said = self.well(&["export", format, &self.feed()])?;
        let lines = said.lines().map(serde_json::from_str);
        Ok(lines.collect::<Result<_, _>>()?)
    }

    /// How many revisions of an advisory are signed, and wait for their broadcast.
    fn revisions(&self, id: &str) -> Result<usize> {
        let waiting = self.path("desk").join("signed").join(&self.audience);
        let folder = waiting.join("advisory").join(id);
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.retain(|name| name.parse::<u64>().is_ok());
        Ok(names.len())
    }
}

/// A record about one crate.
pub(crate) fn osv(id: &str) -> Value {
    json!({
        "id": id,
        "modified": "2026-02-03T00:00:00Z",
        "published": "2026-01-02T00:00:00Z",
        "summary": "A flaw",
        "details": "It is there.",
        "affected": [{
            "package": { "ecosystem": "crates.io", "name": "time" },
            "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "0.2.23" }] }],
            "database_specific": { "informational": null },
        }],
    })
}

/// A document about one version of a crate.
pub(crate) fn csaf(id: &str, label: &str) -> Value {
    json!({
        "document": {
            "category": "csaf_vex",
            "csaf_version": "2.0",
            "distribution": { "tlp": { "label": label } },
            "publisher": { "category": "vendor", "name": "Example", "namespace": "https://example.com" },
            "title": "A flaw",
            "tracking": {
                "id": id, "status": "final", "version": "1",
                "initial_release_date": "2026-01-02T00:00:00Z",
                "current_release_date": "2026-01-02T00:00:00Z",
                "revision_history": [{ "date": "2026-01-02T00:00:00Z", "number": "1", "summary": "First" }],
            },
        },
        "product_tree": { "full_product_names": [{
            "name": "time 0.1.44", "product_id": "P",
            "product_identification_helper": { "purl": "pkg:cargo/time@0.1.44" },
        }] },
        "vulnerabilities": [{ "cve": "CVE-2026-0001", "product_status": { "known_affected": ["P"] } }],
    })
}

fn reasons(report: &Value) -> Vec<String> {
    let refusals = report["refusals"].as_array().into_iter().flatten();
    let reasons = refusals.map(|refusal| refusal["reason"].as_str().unwrap_or("").to_owned());
    reasons.collect()
}

#[test]
fn records_go_into_a_feed_and_come_out_as_they_were() -> Result<()> {
    let office = Office::open()?;
    let records = [osv("RUSTSEC-2026-0001"), osv("GHSA-jfh8-c2jp-5v3q")];
    let (code, report) = office.import("osv", &records, &[])?;
    assert_eq!((code, &report["new"]), (0, &json!(2)), "{report}");
    assert_eq!(office.broadcast()?["documents"], 2);
    let mut exported = office.exported("osv")?;
    exported.sort_by_key(|record| record["id"] != "RUSTSEC-2026-0001");
    assert_eq!(exported, records);
    Ok(())
}

#[test]
fn csaf_documents_go_into_a_feed_and_come_out_as_they_were() -> Result<()> {
    let office = Office::open()?;
    let documents = [csaf("EX-2026:1", "WHITE"), csaf("EX-2026:2", "WHITE")];
    let (code, report) = office.import("csaf", &documents, &[])?;
    assert_eq!((code, &report["new"]), (0, &json!(2)), "{report}");
    office.broadcast()?;
    assert_eq!(office.exported("csaf")?, documents);
    Ok(())
}

#[test]
fn the_same_records_once_more_change_nothing() -> Result<()> {
    let office = Office::open()?;
    let records = [osv("RUSTSEC-2026-0001")];
    office.import("osv", &records, &[])?;
    let (code, report) = office.import("osv", &records, &[])?;
    assert_eq!(code, 0);
    assert_eq!(
        (&report["new"], &report["unchanged"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(office.revisions("RUSTSEC-2026-0001")?, 1);
    Ok(())
}

#[test]
fn a_dry_run_says_what_would_change_and_changes_nothing() -> Result<()> {
    let office = Office::open()?;
    let (code, report) = office.import("osv", &[osv("RUSTSEC-2026-0001")], &["--dry-run"])?;
    assert_eq!((code, &report["new"]), (0, &json!(1)));
    assert!(!office.path("feed").join("advisory").exists());
    assert!(!office.path("desk").join("signed").exists());
    Ok(())
}

#[test]
fn a_record_moves_forward_and_is_withdrawn_by_revisions_and_never_goes_back() -> Result<()> {
    let office = Office::open()?;
    let first = osv("RUSTSEC-2026-0001");
    let mut changed = first.clone();
    changed["modified"] = json!("2026-03-01T00:00:00Z");
    changed["summary"] = json!("A grave flaw");
    let mut withdrawn = changed.clone();
    withdrawn["modified"] = json!("2026-03-02T00:00:00Z");
    withdrawn["withdrawn"] = json!("2026-03-02T00:00:00Z");
    for (record, becomes) in [
        (&first, "new"),
        (&changed, "changed"),
        (&withdrawn, "withdrawn"),
    ] {
        let (code, report) = office.import("osv", std::slice::from_ref(record), &[])?;
        assert_eq!((code, &report[becomes]), (0, &json!(1)), "{report}");
    }
    assert_eq!(office.revisions("RUSTSEC-2026-0001")?, 3);
    let (code, report) = office.import("osv", &[changed], &[])?;
    assert_eq!(code, 1);
    assert!(
        reasons(&report)[0].contains("has the newer version"),
        "{report}"
    );
    assert_eq!(office.revisions("RUSTSEC-2026-0001")?, 3);
    Ok(())
}

#[test]
fn another_record_as_of_the_same_time_is_refused() -> Result<()> {
    let office = Office::open()?;
    office.import("osv", &[osv("RUSTSEC-2026-0001")], &[])?;
    let mut other = osv("RUSTSEC-2026-0001");
    other["affected"][0]["database_specific"]["informational"] = json!("unsound");
    let (code, report) = office.import("osv", &[other], &[])?;
    assert_eq!(code, 1);
    assert!(
        reasons(&report)[0].contains("without a new modification time"),
        "{report}"
    );
    Ok(())
}

#[test]
fn what_is_refused_is_named_and_does_not_stop_the_others() -> Result<()> {
    let office = Office::open()?;
    let mut text = osv("RUSTSEC-2026-0003");
    // More than a panel reads of one text, and less than a document may have.
    text["details"] = json!("x".repeat(1_500_000));
    let mut shape = osv("RUSTSEC-2026-0005");
    shape["affected"] = json!("x".repeat(100_000));
    let mut hostile = osv("RUSTSEC-2026-0006");
    hostile["id"] = json!("A\u{202e}B");
    let records = [
        osv("RUSTSEC-2026-0001"),
        text,
        shape,
        hostile,
        osv("RUSTSEC_2026_0001"),
        osv("RUSTSEC-2026-0002"),
    ];
    let (code, report) = office.import("osv", &records, &[])?;
    assert_eq!(code, 1);
    assert_eq!(
        (&report["new"], &report["refused"]),
        (&json!(2), &json!(4)),
        "{report}"
    );
    let reasons = reasons(&report);
    for (reason, words) in reasons.iter().zip([
        "would be invalid",
        "affected: invalid type",
        "unexpected character",
        "duplicate",
    ]) {
        assert!(reason.contains(words) && reason.len() < 2_000, "{reason}");
    }
    assert_eq!(office.broadcast()?["documents"], 2);
    Ok(())
}

#[test]
fn what_is_odd_and_harmless_enters_and_comes_out_as_it_was() -> Result<()> {
    let office = Office::open()?;
    let mut backwards = osv("RUSTSEC-2026-0004");
    backwards["published"] = json!("2027-01-01T00:00:00Z");
    let records = [backwards.clone(), osv("../../etc/passwd"), backwards];
    let (code, report) = office.import("osv", &records, &[])?;
    assert_eq!((code, &report["new"]), (0, &json!(2)), "{report}");
    assert_eq!(report["unchanged"], 1, "{report}");
    assert_eq!(report["remarks"][0]["field"], "published", "{report}");
    office.broadcast()?;
    let mut exported = office.exported("osv")?;
    exported.sort_by_key(|record| record["id"].as_str().map(str::to_owned));
    assert_eq!(exported, [records[1].clone(), records[0].clone()]);
    Ok(())
}

#[test]
fn a_product_without_a_package_url_is_named_and_enters_once_it_is_mapped() -> Result<()> {
    let office = Office::open()?;
    let mut document = csaf("EX-2026-1", "WHITE");
    document["product_tree"]["full_product_names"][0]["product_identification_helper"] =
        json!({ "cpe": "cpe:2.3:a:time-rs:time:0.1.44:*:*:*:*:*:*:*" });
    let documents = [document];
    let (code, report) = office.import("csaf", &documents, &[])?;
    assert_eq!((code, &report["refused"]), (1, &json!(1)), "{report}");
    let unmapped = json!([{
        "cpe": "cpe:a:time-rs:time",
        "name": "time 0.1.44",
        "documents": 1,
        "command": "spacecp-publisher product map cpe:a:time-rs:time COMPONENT",
    }]);
    assert_eq!(report["unmapped"], unmapped);
    office.well(&["product", "map", "cpe:a:time-rs:time", "cargo:time"])?;
    let (code, report) = office.import("csaf", &documents, &[])?;
    assert_eq!((code, &report["new"]), (0, &json!(1)), "{report}");
    office.broadcast()?;
    assert_eq!(office.exported("csaf")?, documents);
    Ok(())
}

#[test]
fn an_advisory_of_another_origin_is_not_replaced() -> Result<()> {
    let office = Office::open()?;
    office.import("osv", &[osv("EX-2026-1")], &[])?;
    for (format, document) in [
        ("csaf", csaf("EX-2026:1", "WHITE")),
        ("osv", osv("EX-2026.1")),
    ] {
        let (code, report) = office.import(format, &[document], &[])?;
        assert_eq!(code, 1);
        assert!(
            reasons(&report)[0].contains("imported from \"EX-2026-1\", in OSV"),
            "{report}"
        );
    }
    Ok(())
}

#[test]
fn a_folder_of_hostile_files_ends_with_each_of_them_named() -> Result<()> {
    let office = Office::open()?;
    let folder = office.path("hostile");
    fs::create_dir(&folder)?;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    fs::write(folder.join("a-deep.json"), deep)?;
    fs::File::create(folder.join("b-large.json"))?.set_len(4 << 30)?;
    fs::write(folder.join("c-bytes.json"), b"{\"id\": \"\xff\xfe\"}")?;
    fs::write(folder.join("d-twice.json"), r#"{"id": "A-1", "id": "A-2"}"#)?;
    let mut events = osv("RUSTSEC-2026-0001");
    let many = vec![json!({ "introduced": "0" }); 300_000];
    events["affected"][0]["ranges"][0]["events"] = json!(many);
    fs::write(folder.join("e-events.json"), events.to_string())?;
    fs::write(
        folder.join("f-control.json"),
        r#"{"id": "\u001b]0;x\u0007"}"#,
    )?;
    std::os::unix::fs::symlink("/etc/passwd", folder.join("g-link.json"))?;
    fs::write(
        folder.join("z-well.json"),
        osv("RUSTSEC-2026-0002").to_string(),
    )?;
    let (code, report) = office.import_path("osv", &folder, &[])?;
    assert_eq!(code, 1);
    assert_eq!(
        (&report["new"], &report["refused"]),
        (&json!(1), &json!(7)),
        "{report}"
    );
    for (reason, words) in reasons(&report).iter().zip([
        "more than 64 deep",
        "bytes exceed the limit",
        "not JSON",
        "duplicate key \"id\"",
        "bytes",
        "not a valid advisory id",
        "not a regular file or directory",
    ]) {
        assert!(reason.contains(words), "{reason:?} and not {words:?}");
    }
    let path = folder.display().to_string();
    let feed = office.feed();
    let said = office
        .run(&["import", "osv", &path, "--feed", &feed])?
        .stdout;
    assert!(
        !said.contains(&0x1b),
        "a terminal is told nothing by a stranger"
    );
    Ok(())
}

#[test]
fn what_is_not_for_everybody_enters_no_public_feed_and_leaves_none() -> Result<()> {
    let public = Office::open()?;
    let documents = [csaf("EX-2026:1", "AMBER"), csaf("EX-2026:2", "WHITE")];
    let (code, report) = public.import("csaf", &documents, &[])?;
    assert_eq!((code, &report["new"]), (1, &json!(1)));
    assert!(
        reasons(&report)[0].contains("conflicts with the audience everybody"),
        "{report}"
    );
    // Terms that say the opposite of each other are refused as a whole.
    let red = public.run(&[
        "import", "csaf", "x.json", "--feed", "f", "--tlp", "TLP:RED",
    ])?;
    assert_eq!(red.status.code(), Some(4));
    let private = Office::of("customers")?;
    let terms = [
        "--audience",
        "customers",
        "--embargo-until",
        "2099-01-01T00:00:00Z",
    ];
    let (code, report) = private.import("csaf", &documents, &terms)?;
    assert_eq!((code, &report["new"]), (0, &json!(2)), "{report}");
    private.well(&["panel", "enrol", "node-7", ONE])?;
    private.broadcast()?;
    let output = private.run(&["export", "csaf", &private.feed()])?;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stdout)?.lines().count(), 1);
    let said = String::from_utf8(output.stderr)?;
    assert!(said.contains("EX-2026-1 is TLP:AMBER"), "{said}");
    Ok(())
}

#[test]
fn one_format_is_given_out_in_the_other() -> Result<()> {
    let office = Office::open()?;
    office.import("osv", &[osv("RUSTSEC-2026-0001")], &[])?;
    office.broadcast()?;
    let feed = office.feed();
    let without = office.run(&["export", "csaf", &feed])?;
    assert_eq!(without.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&without.stderr).contains("--publisher"));
    let folder = office.path("csaf").display().to_string();
    let issuer = [
        "--publisher",
        "Example",
        "--namespace",
        "https://example.com",
    ];
    let export = ["export", "csaf", &feed, "--out", &folder];
    office.well(&[&export[..], &issuer[..]].concat())?;
    let written = fs::read(office.path("csaf").join("RUSTSEC-2026-0001.json"))?;
    let written: Value = serde_json::from_slice(&written)?;
    assert_eq!(written["document"]["tracking"]["id"], "RUSTSEC-2026-0001");
    assert_eq!(written["document"]["publisher"]["category"], "other");
    // And another desk takes that over.
    let other = Office::open()?;
    let (code, report) = other.import("csaf", &[written], &[])?;
    assert_eq!((code, &report["new"]), (0, &json!(1)), "{report}");
    // What is withdrawn here is withdrawn there as well.
    let mut gone = osv("RUSTSEC-2026-0001");
    gone["modified"] = json!("2026-05-01T00:00:00Z");
    gone["withdrawn"] = json!("2026-05-01T00:00:00Z");
    office.import("osv", &[gone], &[])?;
    office.broadcast()?;
    office.well(&[&export[..], &issuer[..]].concat())?;
    let written = fs::read(office.path("csaf").join("RUSTSEC-2026-0001.json"))?;
    let (code, report) = other.import("csaf", &[serde_json::from_slice(&written)?], &[])?;
    assert_eq!((code, &report["withdrawn"]), (0, &json!(1)), "{report}");
    Ok(())
}

#[test]
fn a_document_that_somebody_changed_in_the_feed_is_not_given_out() -> Result<()> {
    let office = Office::open()?;
    office.import(
        "osv",
        &[osv("RUSTSEC-2026-0001"), osv("RUSTSEC-2026-0002")],
        &[],
    )?;
    office.broadcast()?;
    let path = office.path("feed").join("advisory/RUSTSEC-2026-0001/1");
    let mut bytes = fs::read(&path)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes)?;
    let output = office.run(&["export", "osv", &office.feed()])?;
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout)?;
    assert!(said.contains("RUSTSEC-2026-0002") && !said.contains("RUSTSEC-2026-0001"));
    Ok(())
}
