//! Advisories of our own as CSAF documents.

use spacecp_contract::VersionScheme;

use super::{
    super::{Edition, Issuer, WriteError, document},
    take, taken,
};
use crate::foreign::{Terms, osv};

fn issuer() -> Issuer {
    Issuer {
        name: "Example".into(),
        namespace: "https://example.com".into(),
    }
}

#[test]
fn an_advisory_of_our_own_is_read_back_with_the_same_versions() {
    let mut advisory = taken(|_| {}).unwrap();
    advisory.source = None;
    advisory
        .affected
        .retain(|affected| affected.scheme != VersionScheme::Unknown);
    let written = document(&advisory, &issuer(), &[]).unwrap();
    let read = take(&written, &Terms::public()).unwrap().advisory;
    assert_eq!(read.affected, advisory.affected);
    assert_eq!(read.severity, advisory.severity);
    assert_eq!(read.known_exploited, advisory.known_exploited);
    assert_eq!(read.solution, advisory.solution);
    assert_eq!(read.tlp, advisory.tlp);
}

#[test]
fn the_revisions_that_were_published_are_counted_without_gaps() {
    let advisory = taken(|_| {}).unwrap();
    let editions = [(1, advisory.published), (4, advisory.modified)];
    let editions = editions.map(|(revision, at)| Edition { revision, at });
    let written = document(&advisory, &issuer(), &editions).unwrap();
    let tracking = &written["document"]["tracking"];
    assert_eq!(tracking["version"], "2");
    assert_eq!(tracking["revision_history"][1]["number"], "2");
    assert_eq!(tracking["revision_history"][1]["legacy_version"], "4");
}

#[test]
fn a_withdrawn_advisory_cannot_be_said_in_csaf() {
    let mut advisory = taken(|_| {}).unwrap();
    advisory.withdrawn = Some(advisory.modified);
    let refused = document(&advisory, &issuer(), &[]);
    assert_eq!(refused, Err(WriteError::Withdrawn));
}

#[test]
fn what_is_being_looked_into_is_said_to_be_in_both_formats() {
    let mut advisory = taken(|_| {}).unwrap();
    advisory.source = None;
    let written = document(&advisory, &issuer(), &[]).unwrap();
    let status = &written["vulnerabilities"][0]["product_status"];
    assert_eq!(status["under_investigation"].as_array().unwrap().len(), 1);
    let record = osv::document(&advisory);
    let affected = record["affected"].as_array().unwrap();
    let open = affected
        .iter()
        .find(|affected| affected["package"]["name"] == "open");
    let open = open.unwrap();
    assert!(
        open.get("ranges").is_none() && open.get("versions").is_none(),
        "{open}"
    );
}
