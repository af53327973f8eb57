//! What is kept of an advisory says what the whole of it would: every verdict is that of the document.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so and ends"
)]

use jiff::Timestamp;
use proptest::prelude::*;
use spacecp_advisories_plugin::{
    bindings::{
        exports::spacecp::advisories::exposure::{Status, Verdict},
        spacecp::advisories::{
            documents::{Cursor, Document, Kind},
            inventory::{Component, Snapshot},
            types::{DocumentRef, VersionScheme as Scheme},
        },
    },
    exposure::{Installed, Judgement, Ranges},
    knowledge::Knowledge,
    severity,
};
use spacecp_contract::{
    Advisory, Affected, Audience, DocumentId, Tlp, VersionRange, VersionScheme, encode,
};

/// Components that there may be.
const NAMES: usize = 4;

fn name(number: usize) -> String {
    format!("npm:package-{number}")
}

fn version() -> impl Strategy<Value = String> {
    let plain = (0..4_u8, 0..4_u8, 0..4_u8).prop_map(|(a, b, c)| format!("{a}.{b}.{c}"));
    let odd = prop_oneof![
        Just("nightly".to_owned()),
        Just("1:2.0-1+b1".to_owned()),
        Just("2.0-beta9".to_owned()),
        Just("v1.2".to_owned()),
        Just("git-Paper-496".to_owned()),
        Just(String::new()),
        "[0-9a-zA-Z.+~:-]{1,12}",
    ];
    prop_oneof![4 => plain, 1 => odd]
}

fn range() -> impl Strategy<Value = VersionRange> {
    let introduced = prop_oneof![Just("0".to_owned()), version()];
    (introduced, 0..4_u8, version()).prop_map(|(introduced, end, version)| VersionRange {
        introduced,
        fixed: (end == 0).then(|| version.clone()),
        last_affected: (end == 1).then(|| version.clone()),
        limit: (end == 2).then_some(version),
    })
}

fn affected() -> impl Strategy<Value = Affected> {
    let known = prop::sample::select(&VersionScheme::ALL[..]);
    let scheme = prop_oneof![11 => known, 1 => Just(VersionScheme::Unknown)];
    let ranges = prop::collection::vec(range(), 1..4);
    let listed = prop::collection::vec(version(), 0..3);
    (0..NAMES, scheme, ranges, listed).prop_map(|(number, scheme, ranges, versions)| Affected {
        component: name(number).parse().unwrap(),
        scheme,
        ranges,
        versions,
        unlisted: None,
    })
}

fn advisory() -> impl Strategy<Value = Advisory> {
    let affected = prop::collection::vec(affected(), 1..4);
    let vector = prop_oneof![
        Just("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned()),
        Just("CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N".to_owned()),
        Just("none that computes".to_owned()),
    ];
    let told = ("[a-z ]{1,40}", 1..9_u64, any::<[bool; 3]>());
    (affected, prop::option::of(vector), told).prop_map(|(affected, vector, told)| {
        let (title, revision, [withdrawn, known_exploited, embargo]) = told;
        Advisory {
            id: DocumentId::new("SA-0").unwrap(),
            revision,
            audience: Audience::new("customers").unwrap(),
            published: Timestamp::UNIX_EPOCH,
            modified: Timestamp::UNIX_EPOCH,
            withdrawn: withdrawn.then_some(Timestamp::UNIX_EPOCH),
            aliases: Vec::new(),
            title,
            issue: "A long text. ".repeat(9),
            impacts: String::new(),
            solution: String::new(),
            workarounds: Vec::new(),
            severity: vector.into_iter().collect(),
            cwe: Vec::new(),
            known_exploited,
            tlp: if embargo { Tlp::Amber } else { Tlp::Clear },
            embargo_until: None,
            affected,
            not_affected: Vec::new(),
            corrections: Vec::new(),
            credits: Vec::new(),
            references: Vec::new(),
            supersedes: Vec::new(),
            timeline: Vec::new(),
            notice: None,
            source: None,
        }
    })
}

fn installed() -> impl Strategy<Value = Vec<(usize, Option<String>)>> {
    prop::collection::vec((0..NAMES, prop::option::weighted(0.9, version())), 0..6)
}

fn component(place: usize, (number, version): &(usize, Option<String>)) -> Component {
    Component {
        name: format!("place-{place}"),
        advisory_name: name(*number),
        version: version.clone(),
        scheme: Scheme::Npm,
        found_at: String::new(),
        problem: None,
        correctable: true,
        running: None,
    }
}

/// What a whole document says of a version, the gravest of it.
fn judged(advisory: &Advisory, component: &Component) -> Option<Judgement> {
    let gravity = |status: Status| match status {
        Status::Affected => 3,
        Status::Unknown => 2,
        Status::Fixed => 1,
        Status::NotAffected => 0,
    };
    let about = advisory.affected.iter();
    let about = about.filter(|affected| affected.component.as_str() == component.advisory_name);
    let judge = |affected: &Affected| match &component.version {
        Some(version) => Ranges::new(affected).judge(&Installed::new(&affected.component, version)),
        None => Judgement {
            status: Status::Unknown,
            reason: "installed version unknown".to_owned(),
        },
    };
    let all: Vec<Judgement> = about.map(judge).collect();
    let worst = all.iter().map(|one| gravity(one.status)).max()?;
    all.into_iter().find(|one| gravity(one.status) == worst)
}

fn expected(advisory: &Advisory, component: &Component) -> Option<Verdict> {
    let judgement = judged(advisory, component).filter(|_| advisory.withdrawn.is_none())?;
    let rating = severity::rate(&advisory.severity);
    Some(Verdict {
        advisory: DocumentRef {
            id: advisory.id.to_string(),
            revision: advisory.revision,
        },
        title: advisory.title.clone(),
        component: component.name.clone(),
        version: component.version.clone(),
        status: judgement.status,
        reason: judgement.reason,
        severity: rating.severity,
        score: rating.score,
        known_exploited: advisory.known_exploited,
        embargo: advisory.is_under_embargo(),
        correction: None,
        mark: None,
    })
}

fn by_name(verdicts: impl Iterator<Item = Verdict>) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = verdicts.collect();
    verdicts.sort_by_key(|verdict| (verdict.advisory.id.clone(), verdict.component.clone()));
    verdicts
}

proptest! {
    #[test]
    fn every_verdict_is_the_one_that_the_whole_document_gives(
        mut advisories in prop::collection::vec(advisory(), 0..6), installed in installed(),
    ) {
        for (number, advisory) in advisories.iter_mut().enumerate() {
            advisory.id = DocumentId::new(format!("SA-{number}")).unwrap();
        }
        let components: Vec<Component> =
            installed.iter().enumerate().map(|(place, one)| component(place, one)).collect();
        let mut knowledge = Knowledge::default();
        let documents: Vec<Document> = advisories.iter().map(|advisory| Document {
            kind: Kind::Advisory,
            id: advisory.id.to_string(),
            revision: advisory.revision,
            bytes: encode(advisory),
        }).collect();
        knowledge.take(&documents, Cursor { epoch: 1, position: documents.len() as u64 });
        prop_assert_eq!(knowledge.unreadable().count(), 0);
        knowledge.install(Snapshot {
            fingerprint: "one".to_owned(),
            components: components.clone(),
            unread: Vec::new(),
            acknowledged: Vec::new(),
            coverage: String::new(),
        });
        let found = by_name(knowledge.every_verdict().cloned());
        let whole = advisories.iter().flat_map(|advisory| {
            components.iter().filter_map(move |component| expected(advisory, component))
        });
        prop_assert_eq!(found, by_name(whole));
    }
}
