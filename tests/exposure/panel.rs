//! A panel without a disk: documents and components in memory, the built plugin in the real host.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
};

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
use spacecp_contract::{
    Advisory, Affected, Audience, Blob, ComponentName, Correction, Digest, Document, DocumentId,
    FileChange, FileState, PluginManifest, Restart, Tlp, TreePath, VersionRange, VersionScheme,
    encode,
};

/// What the panel answers with.
pub(crate) struct Panel {
    pub(crate) documents: Vec<documents::Document>,
    pub(crate) components: Vec<inventory::Component>,
    /// Places that could not be read.
    pub(crate) unread: Vec<inventory::Unread>,
    /// The administrator's rules.
    pub(crate) rules: settings::Rules,
    /// Until when the vendor's last word is good.
    pub(crate) fresh_until: Option<i64>,
    /// When documents were accepted, where that is not the beginning of time.
    pub(crate) accepted: BTreeMap<String, i64>,
    /// What administrators have decided.
    pub(crate) decided: Result<Vec<decisions::Decision>, String>,
}

impl Panel {
    /// A panel with these components: name, advisory name, version.
    pub(crate) fn with(components: &[(&str, &str, Option<&str>)]) -> Self {
        let component =
            |(name, advisory_name, version): &(&str, &str, Option<&str>)| inventory::Component {
                name: (*name).to_owned(),
                advisory_name: (*advisory_name).to_owned(),
                version: version.map(str::to_owned),
                scheme: Scheme::Semver,
                found_at: "package.json".to_owned(),
                problem: None,
                correctable: true,
                running: None,
            };
        Self {
            documents: Vec::new(),
            components: components.iter().map(component).collect(),
            unread: Vec::new(),
            rules: everything_at_once(),
            fresh_until: Some(i64::MAX),
            accepted: BTreeMap::new(),
            decided: Ok(Vec::new()),
        }
    }

    pub(crate) fn told(mut self, advisory: &Advisory) -> Self {
        self.documents
            .push(accepted(advisory, documents::Kind::Advisory));
        self
    }

    pub(crate) fn given(mut self, correction: &Correction) -> Self {
        self.documents
            .push(accepted(correction, documents::Kind::Correction));
        self
    }
}

/// Rules under which everything that is rated is corrected at once.
fn everything_at_once() -> settings::Rules {
    settings::Rules {
        automatic: true,
        minimum_severity: Severity::Low,
        treatments: settings::Treatments {
            low: settings::Treatment::Automatic,
            medium: settings::Treatment::Automatic,
            high: settings::Treatment::Automatic,
            critical: settings::Treatment::Automatic,
        },
        known_exploited_at_once: true,
        known_exploited_skips_delay: false,
        known_exploited_skips_windows: false,
        delay: 0,
        minimum_age: 0,
        wave: 0,
        hours: settings::Hours::Always,
        restarts: settings::Restarts::Panel,
        excluded: Vec::new(),
        quarantined: Vec::new(),
    }
}

/// A document as the store hands it over.
pub(crate) fn accepted<T: Document>(document: &T, kind: documents::Kind) -> documents::Document {
    documents::Document {
        kind,
        id: document.name().to_owned(),
        revision: document.revision(),
        bytes: encode(document),
    }
}

/// A running plugin and the panel that it is on.
pub(crate) struct Running {
    pub(crate) plugin: PluginHost,
    pub(crate) panel: Arc<Mutex<Panel>>,
}

/// Starts the built plugin on a panel.
pub(crate) fn run(panel: Panel) -> Running {
    // Compiled once and kept: one at a time, so that the others find it in the cache.
    static LOADING: Mutex<()> = Mutex::new(());
    let loading = LOADING.lock().unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exposure-plugin-cache");
    let engine = PluginEngine::new(PluginLimits::default(), &folder).unwrap();
    let component = std::fs::read(spacecp_tests::artifacts::PLUGIN).unwrap();
    let manifest = PluginManifest {
        plugin: "advisories".to_owned(),
        version: "0.1.0".to_owned(),
        release: 1,
        contract: HOSTED_CONTRACT.to_owned(),
        issued: Timestamp::UNIX_EPOCH,
        component: Digest::of(&component),
        length: component.len() as u64,
        abilities: Vec::new(),
    };
    let panel = Arc::new(Mutex::new(panel));
    let services = Arc::new(InMemory(Arc::clone(&panel)));
    let plugin = PluginHost::load(&engine, &manifest, &component, services).unwrap();
    drop(loading);
    Running { plugin, panel }
}

struct InMemory(Arc<Mutex<Panel>>);

fn ready<T: Send + 'static>(value: T) -> Answer<'static, T> {
    Box::pin(std::future::ready(value))
}

impl Services for InMemory {
    fn documents_since(
        &self,
        after: Option<documents::Cursor>,
        limit: u32,
    ) -> Answer<'_, Result<documents::Batch, documents::Error>> {
        let panel = self.0.lock().unwrap();
        let from = after.map_or(0, |cursor| usize::try_from(cursor.position).unwrap());
        // Two at a time, so that batches matter.
        let some = panel
            .documents
            .iter()
            .skip(from)
            .take(2.min(limit as usize));
        let documents: Vec<_> = some.cloned().collect();
        let position = from + documents.len();
        ready(Ok(documents::Batch {
            documents,
            next: documents::Cursor {
                epoch: 1,
                position: position as u64,
            },
            complete: position == panel.documents.len(),
        }))
    }

    fn fetch(
        &self,
        kind: documents::Kind,
        document: DocumentRef,
    ) -> Answer<'_, Result<Vec<u8>, documents::FetchError>> {
        let panel = self.0.lock().unwrap();
        let of_id = |held: &&documents::Document| held.kind == kind && held.id == document.id;
        let newest = panel.documents.iter().rfind(of_id);
        let held = newest.filter(|held| held.revision == document.revision);
        ready(
            held.map(|held| held.bytes.clone())
                .ok_or(documents::FetchError::NotHeld),
        )
    }

    fn components(&self) -> Answer<'_, Result<inventory::Snapshot, inventory::Error>> {
        let components = self.0.lock().unwrap().components.clone();
        let fingerprint = format!("{components:?}");
        ready(Ok(inventory::Snapshot {
            fingerprint,
            components,
            unread: self.0.lock().unwrap().unread.clone(),
            acknowledged: Vec::new(),
            coverage: String::new(),
        }))
    }

    fn plan(
        &self,
        _: DocumentRef,
        _: String,
    ) -> Answer<'_, Result<corrections::Plan, corrections::PlanError>> {
        let reason = "this panel has no disk".to_owned();
        ready(Err(corrections::PlanError::Unavailable(reason)))
    }

    fn history(&self, _: u32) -> Answer<'_, Result<Vec<corrections::Application>, String>> {
        ready(Ok(Vec::new()))
    }

    fn policy(&self) -> Answer<'_, settings::Policy> {
        let rules = self.0.lock().unwrap().rules.clone();
        ready(settings::Policy {
            automatic: rules.automatic,
            minimum_severity: rules.minimum_severity,
            known_exploited_at_once: rules.known_exploited_at_once,
            excluded: rules.excluded,
        })
    }

    fn rules(&self, _: i64) -> Answer<'_, Result<settings::Rules, settings::Error>> {
        ready(Ok(self.0.lock().unwrap().rules.clone()))
    }

    fn accepted(
        &self,
        names: Vec<documents::Name>,
    ) -> Answer<'_, Result<Vec<Option<i64>>, documents::Error>> {
        let panel = self.0.lock().unwrap();
        let there = |name: &documents::Name| {
            panel
                .documents
                .iter()
                .any(|document| document.kind == name.kind && document.id == name.id)
        };
        let time = |name: &documents::Name| {
            there(name).then(|| panel.accepted.get(&name.id).copied().unwrap_or(0))
        };
        ready(Ok(names.iter().map(time).collect()))
    }

    fn freshness(&self) -> Answer<'_, settings::Freshness> {
        ready(settings::Freshness {
            sequence: Some(1),
            last_word: Some(0),
            valid_until: self.0.lock().unwrap().fresh_until,
            problem: None,
        })
    }

    fn decisions(&self) -> Answer<'_, Result<Vec<decisions::Decision>, decisions::Error>> {
        let decided = self.0.lock().unwrap().decided.clone();
        ready(decided.map_err(decisions::Error::Unavailable))
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

pub(crate) fn id(text: &str) -> DocumentId {
    DocumentId::new(text).unwrap()
}

fn name(text: &str) -> ComponentName {
    ComponentName::new(text).unwrap()
}

/// A range: introduced, fixed, last affected.
pub(crate) type Bounds<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

pub(crate) fn range((introduced, fixed, last): Bounds<'_>) -> VersionRange {
    VersionRange {
        introduced: introduced.to_owned(),
        fixed: fixed.map(str::to_owned),
        last_affected: last.map(str::to_owned),
        limit: None,
    }
}

/// An advisory about one component.
pub(crate) fn advisory(named: &str, component: &str, ranges: &[Bounds<'_>]) -> Advisory {
    Advisory {
        id: id(named),
        revision: 1,
        audience: Audience::new("customers").unwrap(),
        published: Timestamp::UNIX_EPOCH,
        modified: Timestamp::UNIX_EPOCH,
        withdrawn: None,
        aliases: Vec::new(),
        title: format!("A flaw in {component}"),
        issue: "It is **flawed**.".to_owned(),
        impacts: "Bad things.".to_owned(),
        solution: "Apply the correction.".to_owned(),
        workarounds: Vec::new(),
        severity: vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N".to_owned()],
        cwe: Vec::new(),
        known_exploited: false,
        tlp: Tlp::Clear,
        embargo_until: None,
        affected: vec![Affected {
            component: name(component),
            scheme: VersionScheme::Semver,
            ranges: ranges.iter().map(|bounds| range(*bounds)).collect(),
            versions: Vec::new(),
            unlisted: None,
        }],
        not_affected: Vec::new(),
        corrections: Vec::new(),
        credits: Vec::new(),
        references: Vec::new(),
        supersedes: Vec::new(),
        timeline: Vec::new(),
        notice: None,
        source: None,
    }
}

/// A correction of one component from every version below `to`.
pub(crate) fn correction(named: &str, component: &str, to: &str, answers: &[&str]) -> Correction {
    let blob = Blob {
        digest: Digest::of(b"blob"),
        length: 4,
    };
    Correction {
        id: id(named),
        revision: 1,
        audience: Audience::new("customers").unwrap(),
        published: Timestamp::UNIX_EPOCH,
        advisories: answers.iter().map(|answer| id(answer)).collect(),
        component: name(component),
        scheme: VersionScheme::Semver,
        from: range(("0", Some(to), None)),
        to: to.to_owned(),
        requires: Vec::new(),
        files: vec![FileChange {
            path: TreePath::new("package.json").unwrap(),
            before: None,
            after: Some(FileState {
                digest: Digest::of(b"new"),
                size: 3,
                mode: 0o644,
                blob,
            }),
        }],
        restart: Restart::Component,
        health: None,
        reversible: true,
    }
}
