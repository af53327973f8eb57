//! The page about trust.
//!
//! Composed by the shim and not by the plugin: a page about trust must not be written by something
//! that has to be trusted for it, and has to be there when the plugin is not.

use jiff::Timestamp;
use spacecp_render::page_builder::{code, fact, heading, minute, plain, text};

use super::{RootReport, Standing, TrustReport, sealed};
use crate::{
    plugin::bindings::exports::spacecp::advisories::pages::{
        Badge, Block, Cell, Fact, Notice, Page, Span, Table, Tone,
    },
    store::{Incident, IncidentKind, Signer},
    trust,
};

/// Days before a root expires from which on that is worth a word.
const SOON: i64 = 30;

/// The report as a page, for a browser and a terminal.
pub fn page(report: &TrustReport, now: Timestamp) -> Page {
    let mut blocks = vec![Block::Notice(notice(report))];
    blocks.push(Block::Facts(feed_facts(report)));
    if let Some(root) = &report.root {
        blocks.push(heading("Signing keys"));
        blocks.push(Block::Facts(root_facts(root, now)));
        blocks.push(keys(root));
    }
    if !report.signed_by_former_keys.is_empty() {
        blocks.push(heading("Documents signed by former keys"));
        blocks.push(Block::Paragraph(vec![plain(
            "These documents were verified while the keys held the role. They stay valid; new documents signed by these keys are rejected.",
        )]));
        blocks.push(former_table(&report.signed_by_former_keys));
    }
    blocks.push(heading("Rejected data"));
    blocks.push(incidents(&report.incidents));
    Page {
        title: "Trust".to_owned(),
        blocks,
        embargo: false,
    }
}

fn notice(report: &TrustReport) -> Notice {
    let until = report.freshness.valid_until.map(minute);
    let until = until.unwrap_or_default();
    let spoken = report.freshness.spoken.map(minute);
    let (tone, words) = match report.standing {
        Standing::Current => (
            Tone::Good,
            format!("Up to date: verified, valid until {until}."),
        ),
        Standing::Stale => (
            Tone::Warning,
            format!(
                "Not synced since {}: the data was verified and valid until {until}. Newer advisories may exist.",
                spoken.unwrap_or_else(|| "the first sync".to_owned())
            ),
        ),
        Standing::NeverHeard => (
            Tone::Warning,
            "Not synced yet: status unknown."
                .to_owned(),
        ),
        Standing::RootExpired => (
            Tone::Warning,
            "The trusted root has expired. Known advisories stay visible; no new ones are accepted until the vendor publishes the next root."
                .to_owned(),
        ),
    };
    Notice {
        tone,
        spans: vec![plain(words)],
    }
}

fn feed_facts(report: &TrustReport) -> Vec<Fact> {
    let freshness = &report.freshness;
    let or_never = |time: Option<Timestamp>| time.map_or("never".to_owned(), minute);
    let mut facts = vec![
        fact("For", vec![code(report.audience.to_string())]),
        fact("Feed", joined(report.mirrors.iter().cloned())),
        fact("Last sync", vec![plain(or_never(freshness.last_word))]),
        fact("Valid until", vec![plain(or_never(freshness.valid_until))]),
    ];
    if let Some(sequence) = freshness.sequence {
        facts.push(fact("Sequence", vec![plain(sequence.to_string())]));
    }
    facts.push(fact("Documents", vec![plain(report.documents.to_string())]));
    facts.extend(sealed::facts(&report.private));
    if let Some(problem) = &freshness.problem {
        facts.push(fact("Last attempt", vec![plain(problem.clone())]));
    }
    facts
}

fn root_facts(root: &RootReport, now: Timestamp) -> Vec<Fact> {
    let left = root.expires.duration_since(now).as_hours() / 24;
    let mut expires = Cell {
        badges: Vec::new(),
        spans: vec![plain(minute(root.expires))],
    };
    if left < SOON {
        expires.badges.push(Badge {
            text: if left < 0 { "expired" } else { "soon" }.to_owned(),
            tone: Tone::Warning,
        });
    }
    vec![
        fact("Root", vec![plain(format!("version {}", root.version))]),
        fact("Fingerprint", vec![code(root.fingerprint.to_string())]),
        fact("Issued", vec![plain(minute(root.issued))]),
        Fact {
            label: "Expires".to_owned(),
            value: expires,
        },
    ]
}

fn keys(root: &RootReport) -> Block {
    let rows = root.roles.iter().flat_map(|role| {
        let needed = format!("{} of {}", role.threshold, role.keys.len());
        role.keys.iter().map(move |key| {
            vec![
                text(vec![plain(role.role.to_string())]),
                text(vec![plain(needed.clone())]),
                text(vec![code(key.id.clone())]),
                text(vec![code(key.public.clone())]),
            ]
        })
    });
    Block::Table(Table {
        caption: "Keys by role".to_owned(),
        columns: ["Role", "Threshold", "Key id", "Public key (minisign)"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.collect(),
        empty: String::new(),
    })
}

fn former_table(signers: &[Signer]) -> Block {
    let ids = |keys: &[String]| {
        let ids = keys.iter().filter_map(|key| trust::key_id(key));
        ids.collect::<Vec<_>>().join(", ")
    };
    let row = |signer: &Signer| {
        vec![
            text(vec![plain(signer.id.clone())]),
            text(vec![plain(signer.revision.to_string())]),
            text(vec![code(ids(&signer.keys))]),
        ]
    };
    Block::Table(Table {
        caption: "Documents signed by former keys".to_owned(),
        columns: ["Document", "Revision", "Signed by"]
            .map(str::to_owned)
            .to_vec(),
        rows: signers.iter().map(row).collect(),
        empty: String::new(),
    })
}

fn incidents(incidents: &[Incident]) -> Block {
    let row = |incident: &Incident| {
        let tone = match incident.kind {
            IncidentKind::Refused | IncidentKind::Damaged => Tone::Warning,
            IncidentKind::Unreachable | IncidentKind::Reset => Tone::Information,
        };
        let times = if incident.times > 1 {
            format!(
                "{} ({} times since {})",
                minute(incident.last),
                incident.times,
                minute(incident.first)
            )
        } else {
            minute(incident.last)
        };
        let badge = Badge {
            text: incident.kind.as_str().to_owned(),
            tone,
        };
        vec![
            text(vec![plain(times)]),
            Cell {
                badges: vec![badge],
                spans: vec![plain(incident.words.clone())],
            },
        ]
    };
    Block::Table(Table {
        caption: "Rejected, damaged or discarded data, newest first".to_owned(),
        columns: ["When", "What"].map(str::to_owned).to_vec(),
        rows: incidents.iter().map(row).collect(),
        empty: "No data rejected.".to_owned(),
    })
}

fn joined(lines: impl Iterator<Item = String>) -> Vec<Span> {
    vec![code(lines.collect::<Vec<_>>().join(", "))]
}
