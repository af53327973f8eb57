//! What is known after any history is what would be known had it all come at once.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so and ends"
)]

use jiff::Timestamp;
use proptest::prelude::*;
use spacecp_advisories_plugin::{
    bindings::spacecp::advisories::{
        documents::{Cursor, Document, Kind},
        inventory::{Component, Snapshot},
        types::VersionScheme as Scheme,
    },
    knowledge::Knowledge,
};
use spacecp_contract::{
    Advisory, Affected, Audience, DocumentId, Tlp, VersionRange, VersionScheme, encode,
};

fn advisory(
    number: u8,
    component: u8,
    fixed: u8,
    withdrawn: bool,
    supersedes: Option<u8>,
) -> Advisory {
    let id = |number: u8| DocumentId::new(format!("SA-{number}")).unwrap();
    Advisory {
        id: id(number),
        revision: 1,
        audience: Audience::new("customers").unwrap(),
        published: Timestamp::UNIX_EPOCH,
        modified: Timestamp::UNIX_EPOCH,
        withdrawn: withdrawn.then_some(Timestamp::UNIX_EPOCH),
        aliases: vec![format!("CVE-2026-{}", 1000 + u16::from(number) / 2)],
        title: "A flaw".to_owned(),
        issue: String::new(),
        impacts: String::new(),
        solution: String::new(),
        workarounds: Vec::new(),
        severity: Vec::new(),
        cwe: Vec::new(),
        known_exploited: false,
        tlp: Tlp::Clear,
        embargo_until: None,
        affected: vec![Affected {
            component: format!("npm:package-{component}").parse().unwrap(),
            scheme: VersionScheme::Npm,
            ranges: vec![VersionRange {
                introduced: "0".to_owned(),
                fixed: Some(format!("{fixed}.0.0")),
                last_affected: None,
                limit: None,
            }],
            versions: Vec::new(),
        }],
        not_affected: Vec::new(),
        corrections: Vec::new(),
        credits: Vec::new(),
        references: Vec::new(),
        supersedes: supersedes.map(id).into_iter().collect(),
        timeline: Vec::new(),
        source: None,
    }
}

fn document(advisory: &Advisory) -> Document {
    Document {
        kind: Kind::Advisory,
        id: advisory.id.to_string(),
        revision: advisory.revision,
        bytes: encode(advisory),
    }
}

/// Components of these numbers, each in this version, or in one that cannot be read.
fn inventory(components: &[(u8, Option<u8>)]) -> Snapshot {
    let component = |(place, (name, version)): (usize, &(u8, Option<u8>))| Component {
        name: format!("place-{place}"),
        advisory_name: format!("npm:package-{name}"),
        version: version.map(|version| format!("{version}.0.0")),
        scheme: Scheme::Npm,
        found_at: "package.json".to_owned(),
        problem: None,
        correctable: true,
    };
    Snapshot {
        fingerprint: format!("{components:?}"),
        components: components.iter().enumerate().map(component).collect(),
        unread: Vec::new(),
    }
}

#[derive(Debug, Clone)]
enum Step {
    Documents(Vec<Advisory>),
    Inventory(Vec<(u8, Option<u8>)>),
    Epoch,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let advisory = (
        0..8_u8,
        0..4_u8,
        1..4_u8,
        any::<bool>(),
        prop::option::of(0..8_u8),
    )
        .prop_map(|(number, component, fixed, withdrawn, supersedes)| {
            advisory(number, component, fixed, withdrawn, supersedes)
        });
    let components = prop::collection::vec((0..4_u8, prop::option::of(0..4_u8)), 0..6);
    let step = prop_oneof![
        4 => prop::collection::vec(advisory, 1..4).prop_map(Step::Documents),
        3 => components.prop_map(Step::Inventory),
        1 => Just(Step::Epoch),
    ];
    prop::collection::vec(step, 1..12)
}

proptest! {
    #[test]
    fn what_came_bit_by_bit_is_what_would_have_come_at_once(steps in steps()) {
        let mut knowledge = Knowledge::default();
        let mut documents: Vec<Document> = Vec::new();
        let mut installed = inventory(&[]);
        let mut cursor = Cursor { epoch: 1, position: 0 };
        for step in steps {
            match step {
                Step::Documents(advisories) => {
                    let new: Vec<Document> = advisories.iter().map(document).collect();
                    cursor.position += new.len() as u64;
                    knowledge.take(&new, cursor);
                    documents.extend(new);
                }
                Step::Inventory(components) => {
                    installed = inventory(&components);
                    knowledge.install(installed.clone());
                }
                Step::Epoch => {
                    cursor = Cursor { epoch: cursor.epoch + 1, position: 0 };
                    documents.clear();
                    knowledge.take(&[], cursor);
                }
            }
            let mut at_once = Knowledge::default();
            at_once.take(&documents, cursor);
            at_once.install(installed.clone());
            prop_assert_eq!(knowledge.report(), at_once.report());
        }
    }
}
