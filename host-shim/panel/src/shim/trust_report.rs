//! Whom this panel believes, since when, and what it refused.
//!
//! Composed by the shim and not by the plugin: a page about trust must not be written by something
//! that has to be trusted for it, and has to be there when the plugin is not.

use jiff::Timestamp;
use serde::Serialize;
use spacecp_contract::{Audience, Digest, DocumentKind, Role, Root};

use super::{
    PrivateReport, Shim, ShimError,
    pieces::{code, fact, heading, minute, plain, text},
    private_report,
};
use crate::{
    audit::{self, Event, What},
    plugin::bindings::exports::spacecp::advisories::pages::{
        Badge, Block, Cell, Fact, Notice, Page, Span, Table, Tone,
    },
    store::{Freshness, Incident, IncidentKind, Signer},
    trust::{self, Verified},
};

/// Incidents that are shown.
const INCIDENTS: u32 = 20;

/// Days before a root expires from which on that is worth a word.
const SOON: i64 = 30;

/// Everything that can be said about trust.
#[derive(Debug, Clone, Serialize)]
pub struct TrustReport {
    /// How the panel stands.
    pub standing: Standing,
    /// Whom the feed must be for.
    pub audience: Audience,
    /// Where the feed is looked for, in this order.
    pub mirrors: Vec<String>,
    /// Where trust begins.
    pub pinned: PinnedReport,
    /// The root that decides now; none before the first sync from a fingerprint.
    pub root: Option<RootReport>,
    /// How current the panel's knowledge is.
    pub freshness: Freshness,
    /// Whether this panel reads what is under embargo.
    pub private: PrivateReport,
    /// Documents that are held.
    pub documents: usize,
    /// Documents whose signers have lost their role since, at least in part.
    pub signed_by_former_keys: Vec<Signer>,
    /// What was refused, found damaged or forgotten, newest first.
    pub incidents: Vec<Incident>,
}

/// How the panel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The feed has never been heard.
    NeverHeard,
    /// What is known is current.
    Current,
    /// There was no fresh word for too long.
    Stale,
    /// The root has expired: nobody can say anything new until the vendor issues another.
    RootExpired,
}

/// Where trust begins.
#[derive(Debug, Clone, Serialize)]
pub struct PinnedReport {
    /// Which root.
    pub version: u64,
    /// The digest of its bytes.
    pub fingerprint: Digest,
}

/// A root, for people.
#[derive(Debug, Clone, Serialize)]
pub struct RootReport {
    /// Its version.
    pub version: u64,
    /// The digest of its bytes.
    pub fingerprint: Digest,
    /// When it was issued.
    pub issued: Timestamp,
    /// Until when it is good.
    pub expires: Timestamp,
    /// Who holds which role.
    pub roles: Vec<RoleReport>,
}

/// Who holds a role.
#[derive(Debug, Clone, Serialize)]
pub struct RoleReport {
    /// The role.
    pub role: Role,
    /// How many of the keys must sign.
    pub threshold: u32,
    /// The keys.
    pub keys: Vec<KeyReport>,
}

/// A key.
#[derive(Debug, Clone, Serialize)]
pub struct KeyReport {
    /// The id that `minisign` prints.
    pub id: String,
    /// The whole key, in base64.
    pub public: String,
}

impl Shim {
    /// Whom this panel believes, since when, and what it refused. Needs no plugin.
    pub async fn trust_report(&self, now: Timestamp) -> Result<TrustReport, ShimError> {
        let (store, follower) = (self.rooms.store(), self.rooms.follower()?);
        let root = follower.root().await?;
        let freshness = store.freshness().await?;
        let signers = store.signers().await?;
        let trusted = store.trusted().await?;
        let now = now.max(trusted.latest_time);
        let seen = &trusted.seen_expired;
        let root_expired = root
            .as_ref()
            .is_some_and(|root| root.expires <= now || seen.has_root(root));
        Ok(TrustReport {
            standing: standing(root_expired, &freshness, now),
            audience: self.config().feed.audience.clone(),
            mirrors: self.config().feed.from.iter().map(str::to_owned).collect(),
            pinned: PinnedReport {
                version: follower.pin().version(),
                fingerprint: follower.pin().digest(),
            },
            private: self.private_report().await?,
            documents: signers.len(),
            signed_by_former_keys: former(root.as_ref(), signers),
            root: root.as_ref().map(root_report),
            freshness,
            incidents: store.incidents(INCIDENTS).await?,
        })
    }

    /// Forgets everything that was learnt from the feed, so that trust begins with the pinned root
    /// again. Applications, the plugin's memory and what administrators decided stay. `by` is kept.
    pub async fn reset_trust(&self, by: &str) -> Result<(), ShimError> {
        let store = self.rooms.store();
        // First, so that nothing is ever forgotten unrecorded.
        let event = Event::new(What::TrustReset, by);
        audit::record(store, &event, Timestamp::now()).await?;
        store.forget_feed().await?;
        store.forget_clock().await?;
        let words = format!(
            "{by} reset the trusted state to the pinned root and discarded every root, head, index and document"
        );
        store
            .note(IncidentKind::Reset, &words, Timestamp::now())
            .await?;
        tracing::warn!(by, "trusted state reset");
        Ok(())
    }
}

fn standing(root_expired: bool, freshness: &Freshness, now: Timestamp) -> Standing {
    match freshness.valid_until {
        _ if root_expired => Standing::RootExpired,
        None => Standing::NeverHeard,
        _ if freshness.is_stale(now) => Standing::Stale,
        _ => Standing::Current,
    }
}

fn root_report(root: &Verified<Root>) -> RootReport {
    let roles = Role::ALL.into_iter().filter_map(|role| {
        let held = root.roles.get(&role)?;
        let keys = held.keys.iter().map(|key| KeyReport {
            id: trust::key_id(key).unwrap_or_else(|| "no keys".to_owned()),
            public: key.clone(),
        });
        Some(RoleReport {
            role,
            threshold: held.threshold,
            keys: keys.collect(),
        })
    });
    RootReport {
        version: root.version,
        fingerprint: Digest::of(root.bytes()),
        issued: root.issued,
        expires: root.expires,
        roles: roles.collect(),
    }
}

/// The documents that were signed by a key which does not hold the role any more.
fn former(root: Option<&Verified<Root>>, signers: Vec<Signer>) -> Vec<Signer> {
    let Some(root) = root else { return Vec::new() };
    let holds = |kind: DocumentKind, key: &String| {
        let held = root.roles.get(&kind.role());
        held.is_some_and(|held| held.keys.contains(key))
    };
    let lost = |signer: &Signer| !signer.keys.iter().all(|key| holds(signer.kind, key));
    signers.into_iter().filter(lost).collect()
}

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
    facts.extend(private_report::facts(&report.private));
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
