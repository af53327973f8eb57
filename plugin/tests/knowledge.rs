//! What is known after any history is what would be known had it all come at once.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so and ends"
)]

use std::collections::BTreeMap;

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
    Advisory, Affected, Audience, Correction, Digest, DocumentId, FileChange, Justification,
    Limits, NotAffected, Restart, Tlp, VersionRange, VersionScheme, decode, encode,
};

/// Components that there may be, and the components around others.
const NAMES: u8 = 3;
/// Advisories that there may be.
const FLAWS: u8 = 5;
/// Corrections that there may be.
const FIXES: u8 = 3;

fn id(kind: &str, number: u8) -> DocumentId {
    DocumentId::new(format!("{kind}-{number}")).unwrap()
}

fn version(number: u8) -> String {
    format!("{number}.0.0")
}

/// The versions from the first on, and so many.
fn range(from: u8, many: u8) -> VersionRange {
    VersionRange {
        introduced: version(from),
        fixed: Some(version(from + many)),
        last_affected: None,
        limit: None,
    }
}

/// Says of each component in which versions it is affected, or that it is not.
type Said = Vec<(u8, Option<(u8, u8)>)>;

fn said() -> impl Strategy<Value = Said> {
    let versions = prop::option::weighted(0.8, (0..2_u8, 1..4_u8));
    prop::collection::vec((0..NAMES, versions), 1..4)
}

prop_compose! {
    fn advisory()(
        number in 0..FLAWS,
        said in said(),
        withdrawn in prop::bool::weighted(0.1),
        supersedes in prop::option::weighted(0.2, 0..FLAWS),
        corrections in prop::collection::btree_set(0..FIXES, 0..4),
        secret in prop::bool::weighted(0.2),
    ) -> Advisory {
        let component = |number: &u8| format!("npm:package-{number}").parse().unwrap();
        let affected = said.iter().filter_map(|(number, versions)| {
            let (from, many) = (*versions)?;
            Some(Affected {
                component: component(number),
                scheme: VersionScheme::Npm,
                ranges: vec![range(from, many)],
                versions: Vec::new(),
                unlisted: None,
            })
        });
        let not_affected = said.iter().filter(|(_, versions)| versions.is_none());
        let not_affected = not_affected.map(|(number, _)| NotAffected {
            component: component(number),
            justification: Justification::ComponentNotPresent,
            only: None,
        });
        Advisory {
            id: id("SA", number),
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
            tlp: if secret { Tlp::AmberStrict } else { Tlp::Clear },
            embargo_until: None,
            affected: affected.collect(),
            not_affected: not_affected.collect(),
            corrections: corrections.into_iter().map(|number| id("SC", number)).collect(),
            credits: Vec::new(),
            references: Vec::new(),
            supersedes: supersedes.map(|number| id("SA", number)).into_iter().collect(),
            timeline: Vec::new(),
            notice: None,
            source: None,
        }
    }
}

prop_compose! {
    fn correction()(
        number in 0..FIXES,
        component in 0..NAMES,
        (from, many) in (0..2_u8, 1..4_u8),
    ) -> Correction {
        Correction {
            id: id("SC", number),
            revision: 1,
            audience: Audience::new("customers").unwrap(),
            published: Timestamp::UNIX_EPOCH,
            advisories: vec![id("SA", 0)],
            component: format!("npm:package-{component}").parse().unwrap(),
            scheme: VersionScheme::Npm,
            from: range(from, many),
            to: version(from + many),
            requires: Vec::new(),
            files: vec![FileChange {
                path: "VERSION".parse().unwrap(),
                before: Some(Digest::of(b"old")),
                after: None,
            }],
            restart: Restart::None,
            health: None,
            reversible: true,
        }
    }
}

fn document() -> impl Strategy<Value = Document> {
    let read = |kind: Kind, id: DocumentId, bytes: Vec<u8>| Document {
        kind,
        id: id.to_string(),
        revision: 1,
        bytes,
    };
    let unreadable = move |flaw: bool, number: u8| {
        let (kind, id) = if flaw {
            (Kind::Advisory, id("SA", number))
        } else {
            (Kind::Correction, id("SC", number % FIXES))
        };
        read(kind, id, b"no document".to_vec())
    };
    let advisory = advisory().prop_map(move |one| {
        decode::<Advisory>(&encode(&one), &Limits::default()).unwrap();
        read(Kind::Advisory, one.id.clone(), encode(&one))
    });
    let correction = correction().prop_map(move |one| {
        decode::<Correction>(&encode(&one), &Limits::default()).unwrap();
        read(Kind::Correction, one.id.clone(), encode(&one))
    });
    let damaged =
        (any::<bool>(), 0..FLAWS).prop_map(move |(flaw, number)| unreadable(flaw, number));
    prop_oneof![8 => advisory, 5 => correction, 1 => damaged,
    ]
}

/// Which component it is, in a version or in one that cannot be read.
type Numbered = (u8, Option<u8>);

/// What is where.
type Installed = BTreeMap<u8, Numbered>;

/// Places of even numbers are components of their own; the odd one after each lies in it.
fn inventory(installed: &Installed) -> Snapshot {
    let component = |(place, (name, number)): (&u8, &Numbered)| Component {
        name: match place % 2 {
            0 => format!("place-{place}"),
            _ => format!("place-{}/part", place - 1),
        },
        advisory_name: format!("npm:package-{name}"),
        version: number.map(version),
        scheme: Scheme::Npm,
        found_at: "package.json".to_owned(),
        problem: None,
        correctable: place % 2 == 0,
        running: None,
    };
    Snapshot {
        fingerprint: format!("{installed:?}"),
        components: installed.iter().map(component).collect(),
        unread: Vec::new(),
        acknowledged: Vec::new(),
        coverage: String::new(),
    }
}

#[derive(Debug, Clone)]
enum Step {
    Documents(Vec<Document>),
    /// What is at some places from now on.
    Inventory(Vec<(u8, Option<Numbered>)>),
    Epoch,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let component = (0..NAMES, prop::option::weighted(0.9, 0..4_u8));
    let place = (0..6_u8, prop::option::weighted(0.9, component));
    let step = prop_oneof![
        6 => prop::collection::vec(document(), 1..8).prop_map(Step::Documents),
        5 => prop::collection::vec(place, 1..4).prop_map(Step::Inventory),
        1 => Just(Step::Epoch),
    ];
    prop::collection::vec(step, 1..24)
}

/// What a panel has of each document: its newest revision alone, in the order in which those came.
fn current(documents: &[Document]) -> Vec<Document> {
    let place = |one: &Document| (one.kind == Kind::Advisory, one.id.clone());
    let newest: BTreeMap<_, _> = documents
        .iter()
        .enumerate()
        .map(|(number, one)| (place(one), number))
        .collect();
    let is_newest = |(number, one): &(usize, &Document)| newest[&place(one)] == *number;
    let current = documents.iter().enumerate().filter(is_newest);
    current.map(|(_, one)| one.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn what_came_bit_by_bit_is_what_would_have_come_at_once(steps in steps()) {
        let mut knowledge = Knowledge::default();
        let mut documents: Vec<Document> = Vec::new();
        let mut installed = Installed::new();
        let mut cursor = Cursor { epoch: 1, position: 0 };
        for step in steps {
            match step {
                Step::Documents(new) => {
                    cursor.position += new.len() as u64;
                    knowledge.take(&new, cursor);
                    documents.extend(new);
                }
                Step::Inventory(places) => {
                    for (place, component) in places {
                        match component {
                            Some(component) => installed.insert(place, component),
                            None => installed.remove(&place),
                        };
                    }
                    knowledge.install(inventory(&installed));
                }
                Step::Epoch => {
                    cursor = Cursor { epoch: cursor.epoch + 1, position: 0 };
                    documents.clear();
                    knowledge.take(&[], cursor);
                }
            }
            let mut at_once = Knowledge::default();
            at_once.install(inventory(&installed));
            at_once.take(&current(&documents), cursor);
            prop_assert_eq!(knowledge.report(), at_once.report());
        }
    }
}
