//! CSAF and OSV documents of every kind, judged by programs that nobody here wrote.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha512};
use spacecp_tests::npm;

use super::{
    kinds::{self, own},
    stage::{Stage, files},
};

const CSAF: &str = ".well-known/csaf/white";

/// The optional tests that may find something, and why.
const OPTIONAL: [(&str, &str); 1] = [(
    "optionalTest_6_2_3",
    "CSAF 2.0 has no place for CVSS v4.0, and what nobody has rated has no score",
)];

fn documents(stage: &Stage, folder: &str) -> Result<Vec<PathBuf>> {
    let folder = stage.webroot().join(folder);
    let found = files(&folder)?
        .into_iter()
        .map(|(name, _)| folder.join(name));
    let is_document = |path: &PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "json")
            && !path.ends_with("csaf-feed-tlp-white.json")
    };
    Ok(found.filter(is_document).collect())
}

fn is_empty(verdict: &Value) -> bool {
    verdict.as_array().is_some_and(Vec::is_empty)
}

#[test]
fn csaf_documents_of_every_kind_pass_the_tests_of_the_standard() -> Result<()> {
    let kinds = kinds::all()?;
    let stage = Stage::with(kinds.iter().map(|kind| kind.advisory.clone()))?;
    let made = stage.publish()?;
    ensure!(made.omitted.is_empty(), "{:?}", made.omitted);
    let documents = documents(&stage, CSAF)?;
    assert_eq!(documents.len(), kinds.len());
    let verdicts = npm::judged("csaf.mjs", None, &documents)?;
    assert_eq!(verdicts.len(), kinds.len());
    let mut unexpected = Vec::new();
    for (path, verdict) in &verdicts {
        ensure!(verdict["asked"].as_u64() > Some(50), "{verdict}");
        for group in ["schema", "mandatory"] {
            if !is_empty(&verdict[group]) {
                unexpected.push(format!("{}: {}", path.display(), verdict[group]));
            }
        }
        let name = path
            .file_stem()
            .context("it has a name")?
            .to_string_lossy()
            .to_uppercase();
        let kind = kinds.iter().find(|kind| *kind.advisory.id == *name);
        let kind = kind.with_context(|| name.clone())?;
        for found in verdict["optional"].as_array().context("a list")? {
            let test = found["name"].as_str().unwrap_or_default();
            let known = !kind.rated && OPTIONAL.iter().any(|(known, _)| *known == test);
            if !known {
                unexpected.push(format!("{}: {found}", path.display()));
            }
        }
    }
    ensure!(unexpected.is_empty(), "{}", unexpected.join("\n"));
    Ok(())
}

#[test]
fn the_judge_of_csaf_finds_what_is_wrong() -> Result<()> {
    let stage = Stage::with([own(1)])?;
    stage.publish()?;
    let documents = documents(&stage, CSAF)?;
    let mut document: Value = serde_json::from_slice(&std::fs::read(&documents[0])?)?;
    document["vulnerabilities"][0]["product_status"]["fixed"] = serde_json::json!(["P1"]);
    std::fs::write(&documents[0], document.to_string())?;
    let verdicts = npm::judged("csaf.mjs", None, &documents)?;
    assert!(
        !is_empty(&verdicts[&documents[0]]["mandatory"]),
        "{verdicts:?}"
    );
    Ok(())
}

#[test]
fn osv_records_of_every_kind_are_valid_by_the_schema_of_osv() -> Result<()> {
    let kinds = kinds::all()?;
    let stage = Stage::with(kinds.iter().map(|kind| kind.advisory.clone()))?;
    stage.publish()?;
    let records = documents(&stage, "osv")?;
    assert_eq!(records.len(), kinds.len());
    let verdicts = npm::judged_by_osv(&records)?;
    assert_eq!(verdicts.len(), kinds.len());
    for (path, verdict) in &verdicts {
        ensure!(is_empty(verdict), "{}: {verdict}", path.display());
    }
    // And the schema is one that something can be wrong by.
    std::fs::write(&records[0], "{\"id\": \"NOBODY-1\"}")?;
    let verdicts = npm::judged_by_osv(&records[..1])?;
    ensure!(!is_empty(&verdicts[&records[0]]), "{verdicts:?}");
    Ok(())
}

#[test]
fn the_directory_of_csaf_is_laid_out_as_the_standard_says() -> Result<()> {
    let kinds = kinds::all()?;
    let stage = Stage::with(kinds.into_iter().map(|kind| kind.advisory))?;
    stage.publish()?;
    let index = stage.read(&format!("{CSAF}/index.txt"))?;
    let changes = stage.read(&format!("{CSAF}/changes.csv"))?;
    assert_eq!(index.lines().count(), documents(&stage, CSAF)?.len());
    assert_eq!(changes.lines().count(), index.lines().count());
    let mut dates = Vec::new();
    for line in changes.lines() {
        let (name, date) = line
            .trim_matches('"')
            .split_once("\",\"")
            .context("two columns")?;
        dates.push(date.parse::<jiff::Timestamp>()?);
        ensure!(index.lines().any(|listed| listed == name), "{name}");
        let text = stage.read(&format!("{CSAF}/{name}"))?;
        let document: Value = serde_json::from_str(&text)?;
        let tracking = &document["document"]["tracking"];
        assert_eq!(tracking["current_release_date"], date);
        let first = tracking["initial_release_date"]
            .as_str()
            .context("a date")?;
        assert_eq!(first[..4], name[..4]);
        for (suffix, hash) in [
            ("sha256", hex::encode(Sha256::digest(&text))),
            ("sha512", hex::encode(Sha512::digest(&text))),
        ] {
            let beside = stage.read(&format!("{CSAF}/{name}.{suffix}"))?;
            assert_eq!(beside.split(' ').next(), Some(hash.as_str()));
        }
    }
    ensure!(
        dates.is_sorted_by(|one, next| one >= next),
        "the newest first"
    );
    let feed = stage.read(&format!("{CSAF}/csaf-feed-tlp-white.json"))?;
    let feed: Value = serde_json::from_str(&feed)?;
    assert_eq!(
        feed["feed"]["entry"].as_array().map(Vec::len),
        Some(dates.len())
    );
    Ok(())
}

#[test]
fn the_archive_of_osv_has_every_record_as_it_is_beside_it() -> Result<()> {
    let kinds = kinds::all()?;
    let stage = Stage::with(kinds.into_iter().map(|kind| kind.advisory))?;
    stage.publish()?;
    let bytes = std::fs::read(stage.webroot().join("osv/all.zip"))?;
    let archive = rawzip::ZipArchive::from_slice(&bytes)?;
    let mut names = Vec::new();
    for entry in archive.entries() {
        let entry = entry?;
        let name = entry.file_path().try_normalize()?.as_ref().to_owned();
        let data = archive.get_entry(entry.wayfinder())?;
        let mut reader = data.verifying_reader(flate2::read::DeflateDecoder::new(data.data()));
        let mut text = String::new();
        std::io::Read::read_to_string(&mut reader, &mut text)?;
        assert_eq!(text, stage.read(&format!("osv/{name}"))?);
        names.push(name);
    }
    let rows = stage.read("osv/modified_id.csv")?;
    assert_eq!(rows.lines().count(), names.len());
    for row in rows.lines() {
        let (date, id) = row.split_once(',').context("two columns")?;
        date.parse::<jiff::Timestamp>()?;
        ensure!(names.contains(&format!("{id}.json")), "{id}");
    }
    Ok(())
}

#[test]
fn what_others_publish_in_csaf_is_left_to_them() -> Result<()> {
    use spacecp_formats::{Format, Terms, to_advisory};
    let mut theirs = crate::external::csaf("EX-2026:1", "WHITE");
    theirs["document"]["publisher"]["namespace"] = serde_json::json!("https://other.example");
    let theirs = to_advisory(Format::Csaf, &theirs, &Terms::public())?.advisory;
    let stage = Stage::with([theirs, own(1)])?;
    stage.publish()?;
    let index = stage.read(&format!("{CSAF}/index.txt"))?;
    assert_eq!(index, "2026/spacecp-sa-2026-1001.json\n");
    assert!(stage.read("advisories/EX-2026-1.html")?.contains("OSV"));
    Ok(())
}
