//! Verdicts, in the built plugin and natively.

use jiff::Timestamp;
use spacecp_advisories::plugin::bindings::{
    exports::spacecp::advisories::exposure::{ExposureReport, Status},
    spacecp::advisories::documents,
};
use spacecp_advisories_plugin::{
    bindings::spacecp::advisories::{documents as native, inventory, types},
    knowledge::Knowledge,
};
use spacecp_contract::{Advisory, Justification, NotAffected, VersionScheme};

use crate::panel::{Bounds, Panel, Running, accepted, advisory, correction, id, run};

const HOUSTON: &str = "spacecp:houston";
const FLAW: &str = "SPACECP-SA-2026-0001";

async fn report(running: &Running) -> ExposureReport {
    running.plugin.refresh().await.unwrap();
    running.plugin.report().await.unwrap()
}

/// Status and reason of the only verdict.
async fn verdict(advisory: &Advisory, version: Option<&str>) -> Option<(Status, String)> {
    let panel = Panel::with(&[("houston", HOUSTON, version)]).told(advisory);
    let running = run(panel);
    let report = report(&running).await;
    assert_eq!(report.unreadable, []);
    assert!(report.verdicts.len() <= 1);
    let first = report.verdicts.into_iter().next();
    first.map(|verdict| (verdict.status, verdict.reason))
}

/// The same answer from the same code without the sandbox, in the same words.
fn natively(panel: &Panel) -> Knowledge {
    let mut knowledge = Knowledge::default();
    knowledge.install(inventory::Snapshot {
        fingerprint: "one".to_owned(),
        components: panel.components.iter().map(component).collect(),
        unread: Vec::new(),
        acknowledged: Vec::new(),
        coverage: String::new(),
    });
    let documents: Vec<_> = panel.documents.iter().map(document).collect();
    let position = documents.len() as u64;
    knowledge.take(&documents, native::Cursor { epoch: 1, position });
    knowledge
}

fn component(
    component: &spacecp_advisories::plugin::bindings::spacecp::advisories::inventory::Component,
) -> inventory::Component {
    inventory::Component {
        name: component.name.clone(),
        advisory_name: component.advisory_name.clone(),
        version: component.version.clone(),
        scheme: types::VersionScheme::Semver,
        found_at: component.found_at.clone(),
        problem: component.problem.clone(),
        correctable: component.correctable,
        running: None,
    }
}

fn document(document: &documents::Document) -> native::Document {
    native::Document {
        kind: match document.kind {
            documents::Kind::Advisory => native::Kind::Advisory,
            documents::Kind::Correction => native::Kind::Correction,
        },
        id: document.id.clone(),
        revision: document.revision,
        bytes: document.bytes.clone(),
    }
}

#[tokio::test]
async fn the_built_plugin_and_the_native_code_give_the_same_verdicts() {
    let ranges: [&[Bounds<'_>]; 7] = [
        &[("1.4.0", Some("1.4.3"), None)],
        &[("0", Some("1.4.3"), None)],
        &[("1.0.0", None, Some("1.4.2"))],
        &[
            ("1.0.0", Some("1.4.3"), None),
            ("2.0.0", Some("2.1.0"), None),
        ],
        &[("1.0.0", None, None)],
        &[("soon", Some("1.4.3"), None)],
        &[("2.0.0", Some("1.0.0"), None)],
    ];
    let versions = [
        Some("0.9.0"),
        Some("1.4.2"),
        Some("1.4.3-rc.1"),
        Some("1.4.3"),
        Some("1.4.3+build.7"),
        Some("2.0.0-beta"),
        Some("2.0.5"),
        Some("3.0.0"),
        Some("v1.4.2"),
        Some("1.20.4-R0.1-SNAPSHOT"),
        Some("nightly"),
        Some(""),
        None,
    ];
    let names: Vec<String> = (0..versions.len())
        .map(|place| format!("copy-{place}"))
        .collect();
    let copies: Vec<_> = names
        .iter()
        .zip(versions)
        .map(|(name, version)| (name.as_str(), HOUSTON, version))
        .collect();
    let mut panel = Panel::with(&copies);
    for (place, ranges) in ranges.iter().enumerate() {
        panel = panel.told(&advisory(
            &format!("SPACECP-SA-2026-{place:04}"),
            HOUSTON,
            ranges,
        ));
    }
    let native = natively(&panel);
    let running = run(panel);
    let built = report(&running).await;
    assert_eq!(built.verdicts.len(), ranges.len() * versions.len());
    // Two sets of generated types: what they print is what they have in common.
    assert_eq!(format!("{built:?}"), format!("{:?}", native.report()));
}

#[tokio::test]
async fn a_pre_release_of_the_fixed_version_is_affected_still() {
    let flaw = advisory(FLAW, HOUSTON, &[("1.4.0", Some("1.4.3"), None)]);
    let expected = (
        Status::Affected,
        "1.4.3-rc.1 is in [1.4.0, 1.4.3)".to_owned(),
    );
    assert_eq!(verdict(&flaw, Some("1.4.3-rc.1")).await, Some(expected));
}

#[tokio::test]
async fn a_version_that_cannot_be_read_is_unknown_and_counted_apart() {
    let flaw = advisory(FLAW, HOUSTON, &[("1.4.0", Some("1.4.3"), None)]);
    let running = run(Panel::with(&[("houston", HOUSTON, Some("nightly"))]).told(&flaw));
    let summary = running.plugin.refresh().await.unwrap();
    assert_eq!((summary.exposed, summary.undecided), (0, 1));
}

#[tokio::test]
async fn a_version_that_is_listed_is_affected_whatever_the_ranges_say() {
    let mut flaw = advisory(FLAW, HOUSTON, &[("0", Some("1:2"), None)]);
    flaw.affected[0].scheme = VersionScheme::Deb;
    flaw.affected[0].versions = vec!["1:2.3-4".to_owned()];
    assert_eq!(
        verdict(&flaw, Some("1:2.3-4")).await.unwrap().0,
        Status::Affected
    );
    let (status, reason) = verdict(&flaw, Some("1:2.3-5")).await.unwrap();
    assert_eq!(status, Status::Fixed);
    assert_eq!(reason, "1:2.3-5 is past [0, 1:2)");
}

#[tokio::test]
async fn a_component_that_the_vendor_vouches_for_is_not_affected_and_says_why() {
    let mut flaw = advisory(FLAW, "npm:other", &[("0", None, None)]);
    flaw.not_affected = vec![NotAffected {
        component: HOUSTON.parse().unwrap(),
        justification: Justification::VulnerableCodeNotInExecutePath,
        only: None,
    }];
    let (status, reason) = verdict(&flaw, Some("1.0.0")).await.unwrap();
    assert_eq!(status, Status::NotAffected);
    assert!(reason.contains("never executed"), "{reason}");
}

#[tokio::test]
async fn a_withdrawn_advisory_matches_nothing() {
    let mut flaw = advisory(FLAW, HOUSTON, &[("0", None, None)]);
    assert!(verdict(&flaw, Some("1.0.0")).await.is_some());
    flaw.withdrawn = Some(Timestamp::UNIX_EPOCH);
    assert_eq!(verdict(&flaw, Some("1.0.0")).await, None);
}

#[tokio::test]
async fn a_superseded_advisory_matches_again_once_its_superseder_is_withdrawn() {
    let old = advisory(FLAW, HOUSTON, &[("0", None, None)]);
    let mut new = advisory("SPACECP-SA-2026-0002", "npm:other", &[("0", None, None)]);
    new.supersedes = vec![id(FLAW)];
    let running = run(Panel::with(&[("houston", HOUSTON, Some("1.0.0"))])
        .told(&old)
        .told(&new));
    assert_eq!(report(&running).await.verdicts, []);
    new.revision = 2;
    new.withdrawn = Some(Timestamp::UNIX_EPOCH);
    let withdrawn = accepted(&new, documents::Kind::Advisory);
    running.panel.lock().unwrap().documents.push(withdrawn);
    assert_eq!(report(&running).await.verdicts[0].advisory.id, FLAW);
}

#[tokio::test]
async fn a_later_revision_replaces_the_earlier_one() {
    let mut flaw = advisory(FLAW, HOUSTON, &[("0", Some("2.0.0"), None)]);
    let running = run(Panel::with(&[("houston", HOUSTON, Some("1.5.0"))]).told(&flaw));
    assert_eq!(report(&running).await.verdicts[0].status, Status::Affected);
    flaw.revision = 2;
    flaw.affected[0].ranges[0].fixed = Some("1.5.0".to_owned());
    let revised = accepted(&flaw, documents::Kind::Advisory);
    running.panel.lock().unwrap().documents.push(revised);
    let verdicts = report(&running).await.verdicts;
    assert_eq!((verdicts.len(), verdicts[0].status), (1, Status::Fixed));
}

#[tokio::test]
async fn another_installed_version_changes_the_verdict() {
    let flaw = advisory(FLAW, HOUSTON, &[("0", Some("2.0.0"), None)]);
    let running = run(Panel::with(&[("houston", HOUSTON, Some("1.5.0"))]).told(&flaw));
    assert_eq!(report(&running).await.verdicts[0].status, Status::Affected);
    running.panel.lock().unwrap().components[0].version = Some("2.0.0".to_owned());
    assert_eq!(report(&running).await.verdicts[0].status, Status::Fixed);
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_listed() {
    let flaw = advisory(FLAW, HOUSTON, &[("0", None, None)]);
    let mut damaged = accepted(&flaw, documents::Kind::Advisory);
    damaged.bytes.truncate(40);
    let mut panel = Panel::with(&[("houston", HOUSTON, Some("1.0.0"))]);
    panel.documents.push(damaged);
    let report = report(&run(panel)).await;
    assert_eq!(report.unreadable[0].document.id, FLAW);
    assert_eq!(report.verdicts, []);
}

#[tokio::test]
async fn a_correction_that_comes_after_its_advisory_is_offered() {
    let mut flaw = advisory(FLAW, HOUSTON, &[("0", Some("2.0.0"), None)]);
    flaw.corrections = vec![id("SPACECP-CO-2026-0001")];
    let running = run(Panel::with(&[("houston", HOUSTON, Some("1.0.0"))]).told(&flaw));
    assert_eq!(report(&running).await.verdicts[0].correction, None);
    // It does not name the advisory back: that the advisory names it is enough.
    let fix = correction("SPACECP-CO-2026-0001", HOUSTON, "2.0.0", &[]);
    let fix = accepted(&fix, documents::Kind::Correction);
    running.panel.lock().unwrap().documents.push(fix);
    assert!(report(&running).await.verdicts[0].correction.is_some());
}

#[tokio::test]
async fn a_report_without_a_refresh_is_not_an_all_clear() {
    let flaw = advisory(FLAW, HOUSTON, &[("0", None, None)]);
    let running = run(Panel::with(&[("houston", HOUSTON, Some("1.0.0"))]).told(&flaw));
    assert_eq!(running.plugin.report().await.unwrap().summary.exposed, 1);
}
