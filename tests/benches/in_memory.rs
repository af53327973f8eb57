//! A panel in memory for benches: as many documents and components as are asked for, given to the built plugin
//! or to the same code natively.
//!
//! Both sides are handed the same bytes in the same batches and decode them; the guest's figure includes the
//! copy into its memory.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use spacecp_advisories::{
    config::PluginLimits,
    plugin::{
        Answer, HOSTED_CONTRACT, PluginEngine, PluginHost, Services, StateWrite,
        bindings::spacecp::advisories::{
            corrections, decisions, documents, inventory, settings,
            types::{DocumentRef, Severity, VersionScheme as Scheme},
        },
    },
};
use spacecp_advisories_plugin::{
    bindings::spacecp::advisories::{
        documents as native, inventory as native_inventory, types as native_types,
    },
    knowledge::Knowledge,
};
use spacecp_contract::{
    Advisory, Affected, Digest, PluginManifest, VersionRange, VersionScheme, encode,
};
use spacecp_tests::catalog;

/// Ranges of each advisory.
pub(crate) const RANGES_EACH: usize = 10;

/// Documents of a batch.
const BATCH: usize = 1_000;

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) advisories: usize,
    pub(crate) components: usize,
}

/// What it took to load all of it, then one advisory more, then all of it once more in place of that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loaded {
    pub(crate) all: Duration,
    pub(crate) one: Duration,
    #[allow(dead_code, reason = "not every bench asks for it")]
    pub(crate) again: Duration,
    /// Bytes of the plugin's memory; natively nobody counts them.
    pub(crate) memory: usize,
}

impl Size {
    /// The documents, to be given to either side.
    pub(crate) fn documents(self) -> Result<Vec<documents::Document>> {
        let document = |number| self.document(number);
        (0..self.advisories).map(document).collect()
    }

    /// An advisory about one of the components, with a branch for every range.
    fn document(self, number: usize) -> Result<documents::Document> {
        let range = |branch: usize| VersionRange {
            introduced: format!("{branch}.0.0"),
            fixed: Some(format!("{branch}.{}.{}", number % 17, number % 7)),
            last_affected: None,
            limit: None,
        };
        let id = format!("SPACECP-SA-2026-{number:06}");
        let title = format!("A flaw, the {number}th");
        let advisory = Advisory {
            aliases: vec![format!("CVE-2026-{number:06}")],
            issue: "A text of the length that such texts have. ".repeat(12),
            impacts: "Another one, somewhat shorter. ".repeat(6),
            solution: "Apply the correction.".to_owned(),
            severity: vec![vector(number)],
            cwe: vec![79],
            affected: vec![Affected {
                component: format!("npm:package-{}", number % self.components)
                    .parse()
                    .context("a name")?,
                scheme: VersionScheme::Npm,
                ranges: (1..=RANGES_EACH).map(range).collect(),
                versions: Vec::new(),
                unlisted: None,
            }],
            ..catalog::blank(&id, &title, Timestamp::UNIX_EPOCH)
        };
        Ok(documents::Document {
            kind: documents::Kind::Advisory,
            id,
            revision: 1,
            bytes: encode(&advisory),
        })
    }

    /// The components that are installed.
    fn installed(self) -> Vec<inventory::Component> {
        let component = |number: usize| inventory::Component {
            name: format!("houston/package-{number}"),
            advisory_name: format!("npm:package-{number}"),
            version: Some(format!("{}.{}.3", number % 12, number % 19)),
            scheme: Scheme::Npm,
            found_at: "package.json".to_owned(),
            problem: None,
            correctable: true,
            running: None,
        };
        (0..self.components).map(component).collect()
    }
}

/// One of the vectors that CVSS 3.1 has: all 2592 of them come before one comes again.
fn vector(number: usize) -> String {
    let metrics = [
        ("AV", "NALP"),
        ("AC", "LH"),
        ("PR", "NLH"),
        ("UI", "NR"),
        ("S", "UC"),
        ("C", "HLN"),
        ("I", "HLN"),
        ("A", "HLN"),
    ];
    let mut rest = number;
    let mut vector = "CVSS:3.1".to_owned();
    for (metric, values) in metrics {
        let value = &values[rest % values.len()..][..1];
        vector.push_str(&format!("/{metric}:{value}"));
        rest /= values.len();
    }
    vector
}

/// Limits that end nothing but by memory, of which there is what every plugin is given: what is measured here is the
/// work.
pub(crate) fn unhurried() -> PluginLimits {
    PluginLimits {
        guest_time_ms: 600_000,
        wall_clock_ms: 600_000,
        ..PluginLimits::default()
    }
}

/// An engine for the built plugin, under these limits.
pub(crate) fn engine(limits: PluginLimits) -> Result<(PluginEngine, Vec<u8>)> {
    let component = std::fs::read(spacecp_tests::artifacts::PLUGIN)?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-plugin-cache");
    Ok((PluginEngine::new(limits, &folder)?, component))
}

/// The full refresh, the one after a further advisory, and the one after the panel began anew, in the built plugin.
pub(crate) async fn in_guest(
    (engine, component): &(PluginEngine, Vec<u8>),
    size: Size,
    stream: &[documents::Document],
) -> Result<Loaded> {
    let manifest = PluginManifest {
        plugin: "advisories".to_owned(),
        version: "0.1.0".to_owned(),
        release: 1,
        contract: HOSTED_CONTRACT.to_owned(),
        issued: Timestamp::UNIX_EPOCH,
        component: Digest::of(component),
        length: component.len() as u64,
        abilities: Vec::new(),
    };
    let given = Arc::new(Mutex::new(Vec::new()));
    let epoch = Arc::new(AtomicU64::new(1));
    let services = Arc::new(InMemory {
        documents: Arc::clone(&given),
        epoch: Arc::clone(&epoch),
        components: size.installed(),
    });
    let plugin = PluginHost::load(engine, &manifest, component, services)?;
    // Starting the instance is another figure.
    plugin.refresh().await?;
    *given.lock().expect("no thread panics here") = stream.to_vec();
    let all = refreshed(&plugin, size.advisories).await?;
    let further = size.document(size.advisories)?;
    given.lock().expect("no thread panics here").push(further);
    let one = refreshed(&plugin, size.advisories + 1).await?;
    let memory = plugin.memory().await;
    *given.lock().expect("no thread panics here") = stream.to_vec();
    epoch.store(2, Ordering::Relaxed);
    let again = refreshed(&plugin, size.advisories).await?;
    Ok(Loaded {
        all,
        one,
        again,
        memory,
    })
}

/// How long the plugin takes to know so many advisories.
async fn refreshed(plugin: &PluginHost, advisories: usize) -> Result<Duration> {
    let started = Instant::now();
    let summary = plugin.refresh().await?;
    let taken = started.elapsed();
    ensure!(summary.advisories as usize == advisories, "{summary:?}");
    ensure!(summary.exposed > 0, "{summary:?}");
    Ok(taken)
}

/// The same, without the sandbox.
pub(crate) fn natively(size: Size, stream: &[documents::Document]) -> Result<Loaded> {
    let further = size.document(size.advisories)?;
    let mut knowledge = Knowledge::default();
    knowledge.install(native_inventory::Snapshot {
        fingerprint: "one".to_owned(),
        components: size.installed().iter().map(component_natively).collect(),
        unread: Vec::new(),
        acknowledged: Vec::new(),
        coverage: String::new(),
    });
    let all = taken(&mut knowledge, 1, stream, size.advisories)?;
    let one = taken(&mut knowledge, 1, &[further], size.advisories + 1)?;
    let again = taken(&mut knowledge, 2, stream, size.advisories)?;
    Ok(Loaded {
        all,
        one,
        again,
        memory: 0,
    })
}

/// How long it takes to take these in and to know so many advisories.
fn taken(
    knowledge: &mut Knowledge,
    epoch: u64,
    stream: &[documents::Document],
    advisories: usize,
) -> Result<Duration> {
    let started = Instant::now();
    for batch in stream.chunks(BATCH) {
        // The host copies each batch out of the store, too.
        let batch: Vec<native::Document> = batch.iter().map(as_native).collect();
        // Nobody goes on reading from there.
        let position = 0;
        knowledge.take(&batch, native::Cursor { epoch, position });
    }
    let summary = knowledge.summary();
    let taken = started.elapsed();
    ensure!(summary.advisories as usize == advisories, "{summary:?}");
    ensure!(summary.exposed > 0, "{summary:?}");
    Ok(taken)
}

fn component_natively(component: &inventory::Component) -> native_inventory::Component {
    native_inventory::Component {
        name: component.name.clone(),
        advisory_name: component.advisory_name.clone(),
        version: component.version.clone(),
        scheme: native_types::VersionScheme::Npm,
        found_at: component.found_at.clone(),
        problem: None,
        correctable: component.correctable,
        running: None,
    }
}

fn as_native(document: &documents::Document) -> native::Document {
    native::Document {
        kind: native::Kind::Advisory,
        id: document.id.clone(),
        revision: document.revision,
        bytes: document.bytes.clone(),
    }
}

/// A panel whose documents are in memory.
struct InMemory {
    documents: Arc<Mutex<Vec<documents::Document>>>,
    epoch: Arc<AtomicU64>,
    components: Vec<inventory::Component>,
}

fn ready<T: Send + 'static>(value: T) -> Answer<'static, T> {
    Box::pin(std::future::ready(value))
}

impl Services for InMemory {
    fn documents_since(
        &self,
        after: Option<documents::Cursor>,
        limit: u32,
    ) -> Answer<'_, Result<documents::Batch, documents::Error>> {
        let all = self.documents.lock().expect("no thread panics here");
        let epoch = self.epoch.load(Ordering::Relaxed);
        let from = after
            .filter(|cursor| cursor.epoch == epoch)
            .map_or(0, |cursor| {
                usize::try_from(cursor.position).unwrap_or(usize::MAX)
            });
        let to = all
            .len()
            .min(from.saturating_add(BATCH.min(limit as usize)));
        ready(Ok(documents::Batch {
            documents: all.get(from..to).unwrap_or_default().to_vec(),
            next: documents::Cursor {
                epoch,
                position: to as u64,
            },
            complete: to == all.len(),
        }))
    }

    fn fetch(
        &self,
        _: documents::Kind,
        _: DocumentRef,
    ) -> Answer<'_, Result<Vec<u8>, documents::FetchError>> {
        ready(Err(documents::FetchError::NotHeld))
    }

    fn components(&self) -> Answer<'_, Result<inventory::Snapshot, inventory::Error>> {
        let fingerprint = "one".to_owned();
        ready(Ok(inventory::Snapshot {
            fingerprint,
            components: self.components.clone(),
            unread: Vec::new(),
            acknowledged: Vec::new(),
            coverage: String::new(),
        }))
    }

    fn plan(
        &self,
        _: DocumentRef,
        _: String,
    ) -> Answer<'_, Result<corrections::Plan, corrections::PlanError>> {
        let reason = "nothing is planned here".to_owned();
        ready(Err(corrections::PlanError::Unavailable(reason)))
    }

    fn history(&self, _: u32) -> Answer<'_, Result<Vec<corrections::Application>, String>> {
        ready(Ok(Vec::new()))
    }

    fn policy(&self) -> Answer<'_, settings::Policy> {
        ready(settings::Policy {
            automatic: false,
            minimum_severity: Severity::High,
            known_exploited_at_once: false,
            excluded: Vec::new(),
        })
    }

    fn rules(&self, _: i64) -> Answer<'_, Result<settings::Rules, settings::Error>> {
        let reason = "nothing is planned here".to_owned();
        ready(Err(settings::Error::Unavailable(reason)))
    }

    fn accepted(
        &self,
        names: Vec<documents::Name>,
    ) -> Answer<'_, Result<Vec<Option<i64>>, documents::Error>> {
        ready(Ok(vec![None; names.len()]))
    }

    fn freshness(&self) -> Answer<'_, settings::Freshness> {
        ready(settings::Freshness {
            sequence: None,
            last_word: None,
            valid_until: None,
            problem: None,
        })
    }

    fn decisions(&self) -> Answer<'_, Result<Vec<decisions::Decision>, decisions::Error>> {
        ready(Ok(Vec::new()))
    }

    fn state_get(&self, _: String) -> Answer<'_, Result<Option<Vec<u8>>, String>> {
        ready(Ok(None))
    }

    fn state_sizes(&self) -> Answer<'_, Result<Vec<(String, u64)>, String>> {
        ready(Ok(Vec::new()))
    }

    fn state_commit(&self, _: Vec<StateWrite>) -> Answer<'_, Result<(), String>> {
        ready(Ok(()))
    }
}
