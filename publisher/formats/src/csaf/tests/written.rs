//! Advisories of our own as CSAF documents.

use spacecp_contract::{NotAffected, Others, TimelineEntry, Unlisted, VersionScheme, Versions};

use super::{
    super::{Circumstances, Edition, Issuer, Successor, document},
    take, taken,
};
use crate::{Terms, osv, timeline};

pub(super) fn issuer() -> Issuer {
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
        .retain(|affected| affected.unlisted.is_none());
    let written = document(&advisory, &issuer(), &Circumstances::default()).unwrap();
    let read = take(&written, &Terms::public()).unwrap().advisory;
    assert_eq!(read.affected, advisory.affected);
    assert_eq!(read.severity, advisory.severity);
    assert_eq!(read.known_exploited, advisory.known_exploited);
    assert_eq!(read.solution, advisory.solution);
    assert_eq!(read.tlp, advisory.tlp);
}

#[test]
fn what_is_said_of_versions_beside_the_ranges_is_read_back_as_well() {
    let mut advisory = taken(|_| {}).unwrap();
    advisory.source = None;
    advisory.affected.truncate(1);
    let unlisted = Unlisted {
        others: Others::UnderInvestigation,
        excluded: vec!["2.1".into()],
        fixed: vec!["2.3.1".into()],
        unread: Vec::new(),
        investigated: Vec::new(),
    };
    advisory.affected[0].unlisted = Some(Box::new(unlisted));
    let only = Versions {
        scheme: VersionScheme::Maven,
        ranges: Vec::new(),
        versions: vec!["1.9".into()],
    };
    advisory.not_affected = vec![NotAffected {
        component: advisory.affected[0].component.clone(),
        justification: spacecp_contract::Justification::Stated,
        only: Some(Box::new(only)),
    }];
    let written = document(&advisory, &issuer(), &Circumstances::default()).unwrap();
    let read = take(&written, &Terms::public()).unwrap().advisory;
    assert_eq!(read.affected, advisory.affected);
    assert_eq!(read.not_affected, advisory.not_affected);
}

#[test]
fn the_revisions_that_were_published_are_counted_without_gaps() {
    let advisory = taken(|_| {}).unwrap();
    let editions = [(1, advisory.published), (4, advisory.modified)];
    let editions = editions.map(|(revision, at)| Edition { revision, at });
    let circumstances = Circumstances {
        editions: &editions,
        ..Circumstances::default()
    };
    let written = document(&advisory, &issuer(), &circumstances).unwrap();
    let tracking = &written["document"]["tracking"];
    assert_eq!(tracking["version"], "2");
    assert_eq!(tracking["revision_history"][1]["number"], "2");
    assert_eq!(tracking["revision_history"][1]["legacy_version"], "4");
}

#[test]
fn a_withdrawn_advisory_says_why_and_nothing_of_products() {
    let mut advisory = taken(|_| {}).unwrap();
    advisory.source = None;
    let at = "2026-05-01T00:00:00Z".parse().unwrap();
    advisory.withdrawn = Some(at);
    advisory.timeline.push(TimelineEntry {
        at,
        event: timeline::withdrawal("It was no flaw."),
    });
    let written = document(&advisory, &issuer(), &Circumstances::default()).unwrap();
    assert_eq!(written["document"]["category"], "csaf_base");
    assert_eq!(
        written["document"]["notes"][0]["text"],
        "Withdrawn 2026-05-01T00:00:00Z. It was no flaw."
    );
    assert!(written.get("product_tree").is_none() && written.get("vulnerabilities").is_none());
}

#[test]
fn a_superseded_advisory_names_what_took_its_place_and_where_it_is() {
    let advisory = taken(|_| {}).unwrap();
    let successors = [Successor {
        id: "EX-2".parse().unwrap(),
        reason: Some("The ranges were wrong.".into()),
        url: Some("https://example.com/ex-2.json".into()),
    }];
    let circumstances = Circumstances {
        successors: &successors,
        ..Circumstances::default()
    };
    let written = document(&advisory, &issuer(), &circumstances).unwrap();
    let about = &written["document"];
    assert_eq!(
        about["notes"][0]["text"],
        "Superseded by EX-2. The ranges were wrong."
    );
    assert_eq!(
        about["references"][0]["url"],
        "https://example.com/ex-2.json"
    );
}

#[test]
fn what_is_being_looked_into_is_said_to_be_in_both_formats() {
    let mut advisory = taken(|_| {}).unwrap();
    advisory.source = None;
    let written = document(&advisory, &issuer(), &Circumstances::default()).unwrap();
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
