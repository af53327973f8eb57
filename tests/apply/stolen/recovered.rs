//! After a recovery nothing of a thief's is listed, planned, scheduled, cached or applied.

use std::{
    fs,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::Result;
use jiff::Timestamp;
use spacecp_advisories::{
    App, JointRequest, Question, ServiceError,
    apply::{ApplyError, Progress},
    automation::Kept,
    notify::Mark,
};
use spacecp_contract::{DocumentId, FeedPath};
use spacecp_tests::hand_signed::{HandSigned, Side};

use super::panel::{DAEMON, Panel, fix, flaw, hand_over_plugin};

/// A policy that applies nothing before a thief is found out.
const WAITS: &str = "minimum-age-hours = 24";

/// A panel that has taken a correction from a thief, on this side, and has heard of the recovery.
async fn recovered(side: Side) -> Result<Panel> {
    let mut panel = Panel::new(WAITS).await?;
    let mut thief = panel.vendor.clone();
    panel.told_by(&mut thief, 6_661, side).await?;
    let report = panel.app.panel.exposure.report().await?;
    assert_eq!(report.summary.exposed, 1, "the thief's keys are good");
    let request = Panel::request(6_661)?;
    panel
        .app
        .panel
        .corrections
        .plan(&request.correction, DAEMON)
        .await?;
    panel.vendor.recover()?;
    panel.vendor.publish()?;
    hand_over_plugin(panel.folder.path(), &panel.vendor)?;
    panel.app.panel.feed.sync().await?;
    Ok(panel)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thiefs_correction_is_neither_planned_nor_applied() -> Result<()> {
    for side in [Side::Public, Side::Sealed] {
        let panel = recovered(side).await?;
        let request = Panel::request(6_661)?;
        let planned = panel
            .app
            .panel
            .corrections
            .plan(&request.correction, DAEMON)
            .await;
        assert!(
            matches!(planned, Err(ServiceError::NotFound { .. })),
            "{planned:?}"
        );
        let applied = panel
            .app
            .panel
            .corrections
            .apply(request.clone(), &())
            .await;
        assert!(
            matches!(applied, Err(ServiceError::NotFound { .. })),
            "{applied:?}"
        );
        let changes = panel
            .app
            .panel
            .corrections
            .changes(&request.correction, DAEMON, "ada")
            .await;
        assert!(
            matches!(changes, Err(ServiceError::NotFound { .. })),
            "{changes:?}"
        );
        let run = panel.run().await?;
        assert!(run.lines.is_empty(), "{run:?}");
        assert_eq!(panel.version()?, "1.0.0");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plugin_forgets_what_only_the_thief_listed() -> Result<()> {
    for side in [Side::Public, Side::Sealed] {
        let panel = recovered(side).await?;
        let report = panel.app.panel.exposure.report().await?;
        let told = format!("{report:?}");
        assert!(!told.contains(&flaw(6_661)), "{told}");
        assert_eq!(report.summary.exposed, 0);
        let question = Question::default();
        let record = panel
            .app
            .panel
            .exposure
            .exposure_record(&question, Timestamp::now());
        let record = record.await?;
        assert!(
            record.periods.iter().all(|period| period.until.is_some()),
            "{:?}",
            record.periods
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_of_the_vendors_under_the_thiefs_name_is_applied_as_the_vendor_wrote_it()
-> Result<()> {
    let mut panel = Panel::new(WAITS).await?;
    let mut thief = panel.vendor.clone();
    panel.told_by(&mut thief, 2, Side::Public).await?;
    panel.vendor.recover()?;
    let folder = panel.folder.path().join(format!("after-{}", fix(2)));
    fs::remove_dir_all(&folder)?;
    let mut vendor = panel.vendor.clone();
    panel.told_by(&mut vendor, 2, Side::Public).await?;
    let applied = panel
        .app
        .panel
        .corrections
        .apply(Panel::request(2)?, &())
        .await?;
    assert_eq!(applied.correction.as_str(), fix(2));
    assert_eq!(panel.version()?, "1.0.1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_correction_that_is_no_longer_listed_is_cancelled() -> Result<()> {
    let mut panel = Panel::new(
        "minimum-age-hours = 24\n[[policy.window]]\nstart = \"03:00\"\nminutes = 60\nzone = \"UTC\"",
    )
    .await?;
    let mut thief = panel.vendor.clone();
    panel.told_by(&mut thief, 6_661, Side::Public).await?;
    let now = Timestamp::now();
    panel
        .app
        .panel
        .automation
        .schedule(Panel::request(6_661)?, now)
        .await?;
    panel.vendor.recover()?;
    panel.vendor.publish()?;
    panel.app.panel.feed.sync().await?;
    let kept = panel.app.panel.automation.scheduled(10).await?.remove(0);
    assert_eq!(kept.state, Kept::Withdrawn);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_derived_from_the_thiefs_documents_is_left_in_the_state() -> Result<()> {
    let mut panel = Panel::new(WAITS).await?;
    let mut thief = panel.vendor.clone();
    let built = panel.told_by(&mut thief, 6_661, Side::Sealed).await?;
    let id = DocumentId::new(fix(6_661))?;
    panel.app.panel.exposure.report().await?;
    panel
        .app
        .panel
        .corrections
        .changes(&id, DAEMON, "ada")
        .await?;
    let payloads = built.payload.keys().map(|digest| {
        let path = FeedPath::blob(digest);
        panel.state().join("payloads").join(path.as_str())
    });
    let payloads: Vec<_> = payloads.collect();
    assert!(
        payloads.iter().any(|path| path.exists()),
        "they were fetched"
    );
    panel.vendor.recover()?;
    panel.vendor.publish()?;
    panel.app.panel.feed.sync().await?;
    for path in payloads {
        assert!(!path.exists(), "{}", path.display());
    }
    for cached in ["remembered-report", "remembered-catalogue"] {
        let at = panel.state().join(cached);
        let bytes = fs::read(&at).unwrap_or_default();
        let words = flaw(6_661);
        let found = bytes
            .windows(words.len())
            .any(|part| part == words.as_bytes());
        assert!(!found, "{cached}");
    }
    Ok(())
}

/// Has the vendor recover, and the panel hear of it, when the payload of this part of a plan is about to be fetched.
struct Meanwhile {
    part: AtomicUsize,
    vendor: Mutex<HandSigned>,
    app: App,
}

impl Progress for Meanwhile {
    fn step(&self, step: &str) {
        if step != "fetched" || self.part.fetch_sub(1, Ordering::Relaxed) != 1 {
            return;
        }
        let mut vendor = self.vendor.lock().unwrap();
        vendor.recover().unwrap();
        vendor.publish().unwrap();
        let sync = async { self.app.panel.feed.sync().await.unwrap() };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(sync));
    }

    fn files(&self, _: u64, _: u64) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_is_being_applied_while_the_recovery_comes_is_given_up() -> Result<()> {
    let panel = Panel::new(WAITS).await?;
    let mut thief = panel.vendor.clone();
    panel.told_by(&mut thief, 6_661, Side::Public).await?;
    let meanwhile = Meanwhile {
        part: AtomicUsize::new(1),
        vendor: Mutex::new(panel.vendor.clone()),
        app: panel.app.clone(),
    };
    let ended = panel
        .app
        .panel
        .corrections
        .apply(Panel::request(6_661)?, &meanwhile)
        .await;
    assert!(
        matches!(
            &ended,
            Err(ServiceError::Apply(ApplyError::NoLongerListed { correction, revision: 1 }))
                if *correction == fix(6_661)
        ),
        "{ended:?}"
    );
    assert_eq!(panel.version()?, "1.0.0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joint_plan_is_given_up_whole_when_the_recovery_comes_after_its_first_part_is_ready()
-> Result<()> {
    const ANOTHER: &str = "another";
    let mut panel = Panel::new(WAITS).await?;
    let mut vendor = panel.vendor.clone();
    panel.told_by(&mut vendor, 2, Side::Public).await?;
    panel.vendor = vendor;
    let mut thief = panel.vendor.clone();
    panel.told_by(&mut thief, 6_661, Side::Public).await?;
    let panel = panel.with_another(ANOTHER).await?;
    let meanwhile = Meanwhile {
        part: AtomicUsize::new(2),
        vendor: Mutex::new(panel.vendor.clone()),
        app: panel.app.clone(),
    };
    let request = JointRequest {
        parts: vec![
            (DocumentId::new(fix(6_661))?, DAEMON.to_owned()),
            (DocumentId::new(fix(2))?, ANOTHER.to_owned()),
        ],
        plan: None,
        overwrite: false,
        by: "ada".to_owned(),
    };
    let ended = panel
        .app
        .panel
        .corrections
        .apply_jointly(request, &meanwhile)
        .await;
    assert!(
        matches!(
            &ended,
            Err(ServiceError::Apply(ApplyError::NoLongerListed { correction, revision: 1 }))
                if *correction == fix(6_661)
        ),
        "{ended:?}"
    );
    assert_eq!(panel.version()?, "1.0.0");
    let another = fs::read_to_string(panel.folder.path().join(ANOTHER).join("VERSION"))?;
    assert_eq!(
        another.trim(),
        "1.0.0",
        "nor is the part that is still listed"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_read_of_the_thiefs_revisions_does_not_count_as_read_of_the_vendors()
-> Result<()> {
    let mut panel = Panel::new(WAITS).await?;
    let id = DocumentId::new(flaw(1))?;
    let mut thief = panel.vendor.clone();
    thief.revise(&id, u64::from(u32::MAX))?;
    thief.publish()?;
    panel.app.panel.feed.sync().await?;
    panel
        .app
        .notifications
        .mark_read("ada", &id, u64::from(u32::MAX))
        .await?;
    panel.vendor.recover()?;
    panel.vendor.publish()?;
    panel.app.panel.feed.sync().await?;
    let state = panel.app.notifications.read_state("ada").await?;
    assert_eq!(state.mark(&id, 1), Some(Mark::Updated));
    panel.app.notifications.mark_read("ada", &id, 1).await?;
    let state = panel.app.notifications.read_state("ada").await?;
    assert_eq!(state.mark(&id, 1), None);
    Ok(())
}
