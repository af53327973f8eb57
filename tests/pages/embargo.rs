//! Who of a panel's people read what is under embargo, kept when the embargo is over.

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use spacecp_contract::{Advisory, DocumentId, Tlp};
use spacecp_tests::catalog;

use crate::panel::{ADMINISTRATOR, Panel, VIEWER};

const JSON: [(&str, &str); 1] = [("accept", "application/json")];

fn path() -> String {
    format!("/advisories/{}", catalog::BACKUP)
}

/// Who is told to have read it, each with the revision.
async fn readers(panel: &Panel) -> Result<Vec<(String, u64)>> {
    let id = DocumentId::new(catalog::BACKUP)?;
    let readers = panel.app().panel.exposure.access_log(&id).await?;
    let told = readers.into_iter();
    Ok(told.map(|reader| (reader.who, reader.revision)).collect())
}

async fn audited(panel: &Panel) -> Result<usize> {
    let report = panel.app().panel.trust.audit(100).await?;
    let read = report.newest.iter().filter(|one| {
        one.entry.event.what.as_str() == "read-under-embargo"
            && one.entry.event.advisories == [DocumentId::new(catalog::BACKUP).expect("an id")]
            && one.entry.event.component.is_none()
    });
    Ok(read.count())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_opens_it_is_noted_once_and_on_the_audit_log() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    for _ in 0..3 {
        assert_eq!(viewer.get(&path()).await?.status, 200);
    }
    assert_eq!(readers(&panel).await?, [(VIEWER.to_owned(), 1)]);
    assert_eq!(audited(&panel).await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_refused_it_has_not_read_it() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    assert_eq!(viewer.get_with(&path(), &JSON).await?.status, 403);
    assert_eq!(viewer.get("/advisories").await?.status, 200);
    assert_eq!(viewer.get("/advisories/NOBODY-2026-1").await?.status, 404);
    assert_eq!(readers(&panel).await?, []);
    assert_eq!(audited(&panel).await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_changes_of_its_correction_are_read_under_embargo_too() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let changes = format!(
        "/changes?correction={}&component=module-backup",
        catalog::BACKUP_CORRECTION
    );
    assert_eq!(viewer.get(&changes).await?.status, 200);
    assert_eq!(readers(&panel).await?, [(VIEWER.to_owned(), 1)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_read_it_is_shown_to_whoever_may_act_and_to_no_other() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let seen = viewer.get(&path()).await?;
    assert!(!seen.body.contains("Read under embargo"), "{}", seen.body);
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let seen = administrator.get(&path()).await?;
    let (_, table) = seen
        .body
        .split_once("Read under embargo")
        .context("the readers are told")?;
    for who in [VIEWER, ADMINISTRATOR] {
        assert!(table.contains(who), "{who}: {table}");
    }
    Ok(())
}

/// The next revision of what is under embargo.
fn revised(change: impl FnOnce(&mut Advisory)) -> Result<Advisory> {
    let mut all = catalog::advisories(Timestamp::now()).into_iter();
    let mut next = all
        .find(|advisory| advisory.id.as_str() == catalog::BACKUP)
        .context("the catalogue has one under embargo")?;
    next.revision += 1;
    next.modified = Timestamp::now();
    change(&mut next);
    Ok(next)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_that_has_passed_lifts_nothing_and_the_page_says_so() -> Result<()> {
    let mut panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let seen = viewer.get(&path()).await?;
    assert!(
        seen.body.contains("Disclosure is planned for"),
        "{}",
        seen.body
    );
    let passed = Timestamp::now() - SignedDuration::from_hours(24);
    let next = revised(|advisory| advisory.embargo_until = Some(passed))?;
    panel.publish(next).await?;
    let seen = viewer.get(&path()).await?;
    assert!(
        seen.body.contains("<strong>Under embargo.</strong>"),
        "{}",
        seen.body
    );
    assert!(
        seen.body.contains("the vendor has not published it yet"),
        "{}",
        seen.body
    );
    assert_eq!(viewer.get_with(&path(), &JSON).await?.status, 403);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_revision_lifts_it_and_what_was_noted_stays() -> Result<()> {
    let mut panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    administrator.get(&path()).await?;
    let next = revised(|advisory| {
        advisory.tlp = Tlp::Clear;
        advisory.embargo_until = None;
    })?;
    panel.publish(next).await?;
    let seen = administrator.get(&path()).await?;
    assert!(
        !seen.body.contains("<strong>Under embargo.</strong>"),
        "{}",
        seen.body
    );
    assert!(seen.body.contains("Read under embargo"), "{}", seen.body);
    assert_eq!(administrator.get_with(&path(), &JSON).await?.status, 200);
    let mut viewer = panel.visit_as(VIEWER).await?;
    viewer.get(&path()).await?;
    assert_eq!(readers(&panel).await?, [(ADMINISTRATOR.to_owned(), 1)]);
    Ok(())
}
