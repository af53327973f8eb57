//! Says what the services know in the words of the contract.
//!
//! Conversions only: nothing here decides anything.

use jiff::{SignedDuration, Timestamp};
use spacecp_apply::ComponentConfig;
use spacecp_contract::{DocumentKind, Restart, Severity, VersionScheme};
use spacecp_scan::processes::{OutdatedProcess, Running};

use crate::{
    apply::{Application, Change, Gravity, Outcome, Plan},
    automation::Quarantine,
    decisions::{Decision, Kind, State},
    inventory::{Acknowledgement, Installed, Inventory, Unread, remedy},
    plugin::bindings::spacecp::advisories::{
        corrections, decisions, documents, inventory, settings, types,
    },
    policy::{InForce, Policy, Restarts, Treatment},
    store::{Batch, Cursor, Freshness, StoreError, StoredDocument},
};

/// Outdated processes of one component that the plugin is told about.
const MOST_PROCESSES: usize = 100;

/// Openings of maintenance windows that the plugin is told about.
const OPENINGS: usize = 16;

pub(crate) fn snapshot(
    inventory: &Inventory,
    configured: &[ComponentConfig],
) -> inventory::Snapshot {
    inventory::Snapshot {
        fingerprint: inventory.fingerprint.to_string(),
        components: inventory
            .installed()
            .map(|one| component(one, inventory, configured))
            .collect(),
        unread: inventory.unread.iter().map(unread).collect(),
        acknowledged: inventory.acknowledged.iter().map(acknowledged).collect(),
        coverage: inventory.coverage.clone(),
    }
}

fn component(
    installed: Installed<'_>,
    inventory: &Inventory,
    configured: &[ComponentConfig],
) -> inventory::Component {
    let running = inventory.running.of_component(installed.name());
    let set = inventory.set_versions.get(installed.name());
    let found_at = installed.found_at().to_owned();
    let found_at = set.map_or(found_at, |applied| {
        let until = applied.set.until.strftime("%Y-%m-%d %H:%M UTC");
        format!("set by {} until {until}", applied.set.by)
    });
    inventory::Component {
        running: running.map(|(of, outdated)| {
            let around = configured.iter().find(|one| one.name == of);
            running_of(outdated, of == installed.name(), remedy(around, outdated))
        }),
        name: installed.name().to_owned(),
        advisory_name: installed.advisory_name().to_string(),
        version: installed.version().map(str::to_owned),
        scheme: scheme(installed.scheme()),
        found_at,
        problem: installed.problem(),
        correctable: installed.is_correctable(),
    }
}

/// What runs of a component. What is inside another has not the version of that.
fn running_of(running: &Running, is_itself: bool, remedy: String) -> inventory::Running {
    let process = |process: &OutdatedProcess| inventory::Process {
        pid: process.pid,
        user: process.user.clone(),
        name: process.name.clone(),
        started: process.started.map(Timestamp::as_second),
        why: process.why.clone(),
        version: process.version.clone().filter(|_| is_itself),
    };
    inventory::Running {
        processes: running
            .outdated
            .iter()
            .take(MOST_PROCESSES)
            .map(process)
            .collect(),
        undecided: running.undecided.clone(),
        remedy,
    }
}

fn unread(unread: &Unread) -> inventory::Unread {
    inventory::Unread {
        place: unread.at.clone(),
        reason: unread.why.to_string(),
    }
}

fn acknowledged((unread, why): &(Unread, Acknowledgement)) -> inventory::Acknowledged {
    inventory::Acknowledged {
        place: unread.at.clone(),
        reason: unread.why.to_string(),
        by: why.by.clone(),
        until: why.until.as_second(),
        because: why.reason.clone(),
    }
}

fn scheme(scheme: VersionScheme) -> types::VersionScheme {
    match scheme {
        VersionScheme::Semver => types::VersionScheme::Semver,
        VersionScheme::Deb => types::VersionScheme::Deb,
        VersionScheme::Rpm => types::VersionScheme::Rpm,
        VersionScheme::Maven => types::VersionScheme::Maven,
        VersionScheme::Npm => types::VersionScheme::Npm,
        VersionScheme::Alpine => types::VersionScheme::Alpine,
        VersionScheme::Composer => types::VersionScheme::Composer,
        VersionScheme::Pypi => types::VersionScheme::Pypi,
        VersionScheme::Nuget => types::VersionScheme::Nuget,
        VersionScheme::Gem => types::VersionScheme::Gem,
        VersionScheme::Generic | VersionScheme::Unknown => types::VersionScheme::Generic,
    }
}

pub(crate) fn plan(plan: &Plan) -> corrections::Plan {
    corrections::Plan {
        digest: plan.digest.to_string(),
        correction: types::DocumentRef {
            id: plan.correction.to_string(),
            revision: plan.revision,
        },
        component: plan.component.clone(),
        from: plan.from.clone(),
        to: plan.to.clone(),
        files: plan.files.iter().map(planned_file).collect(),
        download: plan.download,
        restart: match plan.restart {
            Restart::None => corrections::Restart::None,
            Restart::Component => corrections::Restart::Component,
            Restart::Panel => corrections::Restart::Panel,
        },
        findings: plan.findings.iter().map(finding).collect(),
    }
}

fn planned_file(file: &crate::apply::PlannedFile) -> corrections::PlannedFile {
    corrections::PlannedFile {
        path: file.path.to_string(),
        change: match file.change {
            Change::Added => corrections::FileChange::Added,
            Change::Changed => corrections::FileChange::Changed,
            Change::Removed => corrections::FileChange::Removed,
        },
        size: file.size,
    }
}

fn finding(finding: &crate::apply::Finding) -> corrections::Finding {
    corrections::Finding {
        check: finding.check.clone(),
        gravity: match finding.gravity {
            Gravity::Information => corrections::Gravity::Information,
            Gravity::Warning => corrections::Gravity::Warning,
            Gravity::Obstacle => corrections::Gravity::Obstacle,
        },
        found: finding.found.clone(),
        remedy: finding.remedy.clone(),
    }
}

pub(crate) fn application(application: &Application) -> corrections::Application {
    corrections::Application {
        id: application.id.clone(),
        correction: types::DocumentRef {
            id: application.correction.to_string(),
            revision: application.revision,
        },
        component: application.component.clone(),
        from: application.from.clone(),
        to: application.to.clone(),
        began: application.began.as_second(),
        ended: application.ended.map(Timestamp::as_second),
        by: application.by.clone(),
        outcome: match application.outcome {
            Outcome::InProgress => corrections::Outcome::InProgress,
            Outcome::Applied => corrections::Outcome::Applied,
            Outcome::RolledBack => corrections::Outcome::RolledBack,
            Outcome::Failed => corrections::Outcome::Failed,
        },
        reason: application.reason.clone(),
        reversible: application.reversible,
    }
}

/// None for a decision that was taken back: nobody relies on it, and nobody has to be told.
pub(crate) fn decision(decision: &Decision) -> Option<decisions::Decision> {
    let state = match decision.state {
        State::Standing => decisions::State::Standing,
        State::Unknown => decisions::State::Unknown,
        State::Expired => decisions::State::Expired,
        State::Reopened => decisions::State::Reopened,
        State::Lifted | State::Replaced => return None,
    };
    Some(decisions::Decision {
        number: decision.number,
        kind: match decision.kind {
            Kind::Workaround => decisions::Kind::Workaround,
            Kind::Acceptance => decisions::Kind::Acceptance,
        },
        advisory: types::DocumentRef {
            id: decision.advisory.to_string(),
            revision: decision.revision,
        },
        workaround: decision.workaround.clone(),
        component: decision.component.clone(),
        by: decision.by.clone(),
        made: decision.made.as_second(),
        until: decision.until.map(Timestamp::as_second),
        reason: decision.reason.clone(),
        state,
        why: decision.end.as_ref().and_then(|end| end.reason.clone()),
    })
}

/// The rules in short; where they cannot be read, nothing is allowed.
pub(crate) fn policy(policy: Option<&Policy>) -> settings::Policy {
    settings::Policy {
        automatic: policy.is_some_and(|policy| policy.automatic),
        minimum_severity: policy.map_or(types::Severity::Critical, |policy| {
            severity(policy.minimum_severity.severity())
        }),
        known_exploited_at_once: policy.is_some_and(|policy| policy.known_exploited_at_once),
        excluded: policy.map_or_else(Vec::new, |policy| policy.excluded.iter().cloned().collect()),
    }
}

pub(crate) fn rules(
    rules: &InForce,
    quarantined: &[Quarantine],
    now: Timestamp,
) -> settings::Rules {
    let policy = &rules.policy;
    let hours = |hours: u32| u64::from(hours) * 3_600;
    settings::Rules {
        automatic: policy.automatic,
        minimum_severity: severity(policy.minimum_severity.severity()),
        treatments: settings::Treatments {
            low: treatment(policy.severity.low),
            medium: treatment(policy.severity.medium),
            high: treatment(policy.severity.high),
            critical: treatment(policy.severity.critical),
        },
        known_exploited_at_once: policy.known_exploited_at_once,
        known_exploited_skips_delay: policy.known_exploited_skips_delay,
        known_exploited_skips_windows: policy.known_exploited_skips_windows,
        delay: hours(policy.delay_hours),
        minimum_age: hours(policy.minimum_age_hours),
        wave: rules.wave.as_secs().max(0).cast_unsigned(),
        hours: if rules.hours.is_always() {
            settings::Hours::Always
        } else {
            let openings = rules.hours.openings(now, OPENINGS).into_iter();
            settings::Hours::Openings(
                openings
                    .map(|opening| settings::Opening {
                        begin: opening.begin.as_second(),
                        end: opening.end.as_second(),
                    })
                    .collect(),
            )
        },
        restarts: match policy.restarts {
            Restarts::None => settings::Restarts::None,
            Restarts::Component => settings::Restarts::Component,
            Restarts::Panel => settings::Restarts::Panel,
        },
        excluded: policy.excluded.iter().cloned().collect(),
        quarantined: quarantined.iter().map(kept).collect(),
    }
}

fn kept(quarantine: &Quarantine) -> settings::Quarantine {
    settings::Quarantine {
        correction: types::DocumentRef {
            id: quarantine.correction.clone(),
            revision: quarantine.revision,
        },
        component: quarantine.component.clone(),
        reason: quarantine.reason.clone(),
    }
}

fn treatment(treatment: Treatment) -> settings::Treatment {
    match treatment {
        Treatment::Never => settings::Treatment::Never,
        Treatment::Ask => settings::Treatment::Ask,
        Treatment::Auto => settings::Treatment::Automatic,
    }
}

fn severity(severity: Severity) -> types::Severity {
    match severity {
        Severity::Unrated => types::Severity::Unrated,
        Severity::None => types::Severity::None,
        Severity::Low => types::Severity::Low,
        Severity::Medium => types::Severity::Medium,
        Severity::High => types::Severity::High,
        Severity::Critical => types::Severity::Critical,
    }
}

/// Since when there is no fresh word: since the vendor signed the last one, whoever repeated it.
fn since(freshness: &Freshness, now: Timestamp) -> Option<Timestamp> {
    if freshness.is_stale(now) {
        return freshness.spoken;
    }
    freshness.last_word
}

/// Until when it is good, by the clock that the plugin is told: what was seen expired is over however far
/// that clock went back.
fn good_until(freshness: &Freshness, now: Timestamp) -> Option<Timestamp> {
    let until = freshness.valid_until?;
    if freshness.expired {
        // A minute, for a call that began a moment ago.
        return Some(until.min(now - SignedDuration::from_mins(1)));
    }
    Some(until)
}

pub(crate) fn freshness(
    freshness: Result<Freshness, StoreError>,
    now: Timestamp,
) -> settings::Freshness {
    match freshness {
        Ok(freshness) => settings::Freshness {
            sequence: freshness.sequence,
            last_word: since(&freshness, now).map(Timestamp::as_second),
            valid_until: good_until(&freshness, now).map(Timestamp::as_second),
            problem: freshness.problem,
        },
        Err(error) => settings::Freshness {
            sequence: None,
            last_word: None,
            valid_until: None,
            problem: Some(error.to_string()),
        },
    }
}

pub(crate) fn cursor(cursor: documents::Cursor) -> Cursor {
    Cursor {
        epoch: cursor.epoch,
        position: cursor.position,
    }
}

pub(crate) fn kind(kind: documents::Kind) -> DocumentKind {
    match kind {
        documents::Kind::Advisory => DocumentKind::Advisory,
        documents::Kind::Correction => DocumentKind::Correction,
    }
}

pub(crate) fn batch(batch: Batch) -> documents::Batch {
    let document = |document: StoredDocument| documents::Document {
        kind: match document.kind {
            DocumentKind::Correction => documents::Kind::Correction,
            _ => documents::Kind::Advisory,
        },
        id: document.id,
        revision: document.revision,
        bytes: document.bytes,
    };
    documents::Batch {
        documents: batch.documents.into_iter().map(document).collect(),
        next: documents::Cursor {
            epoch: batch.next.epoch,
            position: batch.next.position,
        },
        complete: batch.complete,
    }
}
