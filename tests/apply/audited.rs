//! What the audit log has of applications.

use std::sync::Arc;

use anyhow::{Context, Result};
use spacecp_advisories::{
    apply::{ApplyError, Exchange, Step},
    audit::{Ended, What},
    trust,
};

use crate::{
    ends::EndAfter,
    tampered::{log, run},
    tree::{CORRECTION, Panel, new, now, old},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_recorded_with_who_asked_and_whose_signatures_counted() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    panel.apply().await?;
    let log = log(&panel.store).await?;
    assert_eq!(log.len(), 1);
    let entry = &log[0].entry;
    let event = &entry.event;
    assert_eq!((entry.number, entry.at), (1, now()));
    assert_eq!(
        (event.what, event.outcome),
        (What::Applied, Some(Ended::Applied))
    );
    assert_eq!(event.who, "a test");
    assert_eq!(
        event
            .correction
            .as_ref()
            .map(spacecp_contract::DocumentId::as_str),
        Some(CORRECTION)
    );
    assert_eq!(event.component.as_deref(), Some("component"));
    assert_eq!(event.application.as_deref(), Some("first"));
    assert_eq!(
        (event.from.as_deref(), event.to.as_deref()),
        (Some("1.0.0"), Some("1.0.1"))
    );
    let key = trust::key_id(&panel.vendor.keys().correction.public().to_base64());
    assert_eq!(event.keys, [key.context("a key has an id")?]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_back_is_recorded_with_who_takes_back_and_the_versions_the_other_way() -> Result<()>
{
    let panel = Panel::new(&old(), &new()).await?;
    panel.apply().await?;
    let applier = panel.plain().acting_for("somebody else");
    applier
        .roll_back("first", false, "it broke", now(), &())
        .await?;
    let log = log(&panel.store).await?;
    let event = &log[1].entry.event;
    assert_eq!(event.what, What::RolledBack);
    assert_eq!(event.who, "somebody else");
    assert_eq!(
        (event.from.as_deref(), event.to.as_deref()),
        (Some("1.0.1"), Some("1.0.0"))
    );
    assert_eq!(event.reason.as_deref(), Some("it broke"));
    assert_eq!(event.keys, log[0].entry.event.keys);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_application_is_recorded_with_why() -> Result<()> {
    let panel = Panel::with(&old(), &new(), |built| {
        let correction = &mut built.correction;
        correction.to = "9.9.9".to_owned();
    })
    .await?;
    panel
        .apply()
        .await
        .expect_err("the new tree does not say 9.9.9");
    let log = log(&panel.store).await?;
    let event = &log[0].entry.event;
    assert_eq!(
        (event.what, event.outcome),
        (What::Failed, Some(Ended::Failed))
    );
    assert!(
        event
            .reason
            .as_ref()
            .is_some_and(|why| why.contains("9.9.9")),
        "{event:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_an_application_is_cut_off_its_end_is_recorded_once() -> Result<()> {
    for step in Step::ALL {
        let panel = Panel::new(&old(), &new()).await?;
        let applier = panel.applier(Exchange::Atomic, Arc::new(EndAfter(step)));
        let ended = panel.apply_with(&applier, "first", None, false).await;
        let cut_off = matches!(ended, Err(ApplyError::Interrupted(_)));
        panel.plain().recover(now()).await?;
        panel.plain().recover(now()).await?;
        let log = log(&panel.store).await?;
        assert_eq!(log.len(), 1, "{step:?}: {log:#?}");
        let event = &log[0].entry.event;
        let expected = match (cut_off, step) {
            (false, _) | (true, Step::Committed) => (What::Applied, "a test", Ended::Applied),
            (true, _) => (What::Recovered, "this panel", Ended::Failed),
        };
        let found = (event.what, event.who.as_str(), event.outcome);
        assert_eq!(
            found,
            (expected.0, expected.1, Some(expected.2)),
            "{step:?}"
        );
        assert_eq!(event.keys.len(), 1, "{step:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_application_ends_without_its_entry() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    let full = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    run(panel.store.path(), full).await?;
    panel.apply().await.expect_err("its end cannot be recorded");
    assert!(panel.holds(&old())?, "nothing half-way");
    let history = panel.plain().history(1).await?;
    assert_eq!(history[0].ended, None, "{history:?}");
    run(panel.store.path(), "DROP TRIGGER full").await?;
    panel.plain().recover(now()).await?;
    assert!(panel.plain().history(1).await?[0].ended.is_some());
    assert_eq!(
        log(&panel.store).await?[0].entry.event.what,
        What::Recovered
    );
    Ok(())
}
