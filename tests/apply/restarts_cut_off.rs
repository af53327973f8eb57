//! The world ends while a component is stopped, exchanged or started: what is left is exactly one of
//! the two trees, and what ran before runs again – once.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::{Context, Result};
use spacecp_advisories::{
    apply::{Action, Applier, Exchange, Faults, Operation, Outcome, Step},
    control::Configured,
    store::Store,
};
use spacecp_tests::apart;

use crate::{
    ends::AbortAfter,
    restarts::{behaving, running},
    service::Service,
    tree::{configured, lay, look, new, now, old},
};

const STEP: &str = "SPACECP_TEST_END_AFTER";
const ACT: &str = "SPACECP_TEST_ACT";
const NOTE: &str = "SPACECP_TEST_NOTE";

/// The process that is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn the_process_that_is_killed() -> Result<()> {
    let (step, act) = (apart::text(STEP)?, apart::text(ACT)?);
    let old = match act.as_str() {
        "be killed by the stop" => behaving(old(), "killer"),
        _ => old(),
    };
    let panel = running(&old, &new(), Some("http")).await?;
    let panel = match act.as_str() {
        "not know" => panel.not_knowing_what_runs(),
        _ => panel,
    };
    fs::write(
        apart::given(NOTE)?,
        panel.folder.path().display().to_string(),
    )?;
    let ending = match AbortAfter::named(&step) {
        Some(ending) => panel.applier(Exchange::Atomic, Arc::new(ending)),
        // Something else ends it.
        None => panel.plain(),
    };
    if act == "take back" {
        panel.apply().await?;
        ending
            .roll_back("first", false, "for a test", now(), &())
            .await?;
    } else {
        panel.apply_with(&ending, "first", None, false).await?;
    }
    Ok(())
}

/// What the killed process left.
struct Left {
    folder: PathBuf,
    service: Service,
    applier: Applier,
}

impl Left {
    async fn by(step: &str, act: &str) -> Result<Self> {
        Self::in_boot(&["env"], step, act).await
    }

    /// The same where a command runs the process.
    async fn in_boot(boot: &[&str], step: &str, act: &str) -> Result<Self> {
        let notes = spacecp_tests::scratch::folder()?;
        let note = notes.path().join("folder");
        let output = Command::new(boot[0])
            .args(&boot[1..])
            .arg(std::env::current_exe()?)
            .args(apart::arguments(
                "restarts_cut_off::the_process_that_is_killed",
            ))
            .env(STEP, step)
            .env(ACT, act)
            .env(NOTE, &note)
            .output()?;
        anyhow::ensure!(!output.status.success(), "{step}: it was not killed");
        let folder = PathBuf::from(fs::read_to_string(&note).context("it did not begin")?);
        let service = Service::at(&folder, "component");
        let mut control = service.control();
        if act == "not know" {
            control.running.clear();
        }
        let component = configured(&folder, "component", Some(control), service.health());
        let applier = Applier::new(Store::open(&folder.join("store.sqlite")).await?)
            .controlled_by(Arc::new(Configured::new(&[component])));
        Ok(Self {
            folder,
            service,
            applier,
        })
    }

    fn tree(&self) -> PathBuf {
        self.folder.join("panel/component")
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        self.service.end();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn same(folder: &Path, tree: &crate::tree::Tree) -> Result<bool> {
    let wanted = spacecp_tests::scratch::folder()?;
    lay(wanted.path(), tree)?;
    Ok(look(folder)? == look(wanted.path())?)
}

/// Kills an application after a step and recovers: the old tree, and the old version runs.
async fn undone_after(step: Step, act: &str) -> Result<()> {
    let words = format!("{step:?} {act}");
    let left = Left::by(&format!("{step:?}"), act).await?;
    left.applier.recover(now()).await?;
    assert_eq!(
        left.applier.history(1).await?[0].outcome,
        Outcome::Failed,
        "{words}"
    );
    assert!(same(&left.tree(), &old())?, "{words}");
    assert_eq!(
        left.service.seen().await.as_deref(),
        Some("1.0.0"),
        "{words}: {:?}",
        left.service.happened()
    );
    let happened = left.service.happened();
    assert!(
        !happened.contains(&"started twice".to_owned()),
        "{words}: {happened:?}"
    );
    left.applier.recover(now()).await?;
    assert_eq!(
        left.service.happened(),
        happened,
        "{words}: nothing is left to do"
    );
    Ok(())
}

/// Kills everything that runs at a step, as a power failure would, and begins again in a machine where the
/// numbers of processes mean nothing and `/run` is empty. Recovery leaves the old tree, and the old version runs.
async fn undone_after_a_reboot(step: Step) -> Result<()> {
    // The first process of this boot ends with the one that is killed, and takes all others with it: the
    // component and every command that was given.
    let boot = [
        "unshare",
        "--pid",
        "--mount-proc",
        "--fork",
        "sh",
        "-c",
        "\"$@\"; exit 1",
        "boot",
    ];
    let left = Left::in_boot(&boot, &format!("{step:?}"), "apply").await?;
    left.service.forget();
    assert!(!left.service.runs(), "{step:?}");
    left.applier.recover(now()).await?;
    let history = left.applier.history(1).await?;
    assert_eq!(history[0].outcome, Outcome::Failed, "{step:?}: {history:?}");
    assert!(same(&left.tree(), &old())?, "{step:?}");
    let seen = left.service.seen().await;
    let happened = left.service.happened();
    assert_eq!(seen.as_deref(), Some("1.0.0"), "{step:?}: {happened:?}");
    assert!(
        !happened.contains(&"started twice".to_owned()),
        "{happened:?}"
    );
    left.applier.recover(now()).await?;
    assert_eq!(left.service.happened(), happened, "{step:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(
    not(all(has_root, has_unshare)),
    ignore = "a machine of its own for processes wants root and util-linux"
)]
async fn after_a_reboot_at_any_step_the_old_version_runs_whatever_the_old_boot_left_in_run()
-> Result<()> {
    for step in [
        Step::Stopping,
        Step::Exchanged,
        Step::Starting,
        Step::Healthy,
    ] {
        undone_after_a_reboot(step).await?;
    }
    Ok(())
}

const FROM_THE_STOP_ON: [Step; 9] = [
    Step::Stopping,
    Step::Stopped,
    Step::Swapping,
    Step::Exchanged,
    Step::Carried,
    Step::Swapped,
    Step::Starting,
    Step::Started,
    Step::Healthy,
];

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_at_any_step_leaves_the_old_version_running() -> Result<()> {
    for step in FROM_THE_STOP_ON {
        undone_after(step, "apply").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_where_nobody_can_say_what_runs() -> Result<()> {
    for step in FROM_THE_STOP_ON {
        undone_after(step, "not know").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_once_all_is_committed_leaves_the_new_version_running()
-> Result<()> {
    let left = Left::by("Committed", "apply").await?;
    left.applier.recover(now()).await?;
    assert_eq!(left.applier.history(1).await?[0].outcome, Outcome::Applied);
    assert!(same(&left.tree(), &new())?);
    assert_eq!(left.service.seen().await.as_deref(), Some("1.0.1"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_back_that_is_killed_at_any_step_is_finished_and_the_old_version_runs() -> Result<()>
{
    for step in [
        Step::RollingBack,
        Step::Stopped,
        Step::Exchanged,
        Step::Carried,
        Step::RolledBack,
    ] {
        let left = Left::by(&format!("{step:?}"), "take back").await?;
        left.applier.recover(now()).await?;
        assert_eq!(
            left.applier.history(1).await?[0].outcome,
            Outcome::RolledBack,
            "{step:?}"
        );
        assert!(same(&left.tree(), &old())?, "{step:?}");
        let seen = left.service.seen().await;
        let happened = left.service.happened();
        assert_eq!(seen.as_deref(), Some("1.0.0"), "{step:?}: {happened:?}");
        assert!(!happened.contains(&"started twice".to_owned()), "{step:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_waits_for_the_order_to_stop_that_outlives_who_gave_it() -> Result<()> {
    let left = Left::by("never", "be killed by the stop").await?;
    assert!(
        left.service.runs(),
        "the order has not been carried out yet"
    );
    left.applier.recover(now()).await?;
    assert_eq!(left.applier.history(1).await?[0].outcome, Outcome::Failed);
    assert_eq!(left.service.seen().await.as_deref(), Some("1.0.0"));
    assert_eq!(
        left.service.happened(),
        ["start 1.0.0", "stop 1.0.0", "start 1.0.0"]
    );
    Ok(())
}

/// A journal that takes no more from some word on, as on a disk that is full.
#[derive(Debug)]
struct FullAt(&'static [&'static str]);

impl Faults for FullAt {
    fn before(&self, action: &Action<'_>) -> std::io::Result<()> {
        match action.operation {
            Operation::Journal(word) if self.0.contains(&word) => {
                Err(std::io::ErrorKind::StorageFull.into())
            }
            _ => Ok(()),
        }
    }

    fn after(&self, _: &Action<'_>) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_full_is_no_reason_to_leave_a_component_stopped() -> Result<()> {
    for (full, outcome) in [
        (&["swapped", "undoing"][..], Outcome::Failed),
        (&["swapped", "undoing", "failed"], Outcome::InProgress),
    ] {
        let panel = running(&old(), &new(), Some("http")).await?;
        let applier = panel.plain().with_faults(Arc::new(FullAt(full)));
        let failed = panel.apply_with(&applier, "first", None, false).await;
        assert!(failed.is_err(), "{failed:?}");
        assert!(panel.holds(&old())?);
        assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.0"));
        assert_eq!(panel.plain().history(1).await?[0].outcome, outcome);
        // As long as the disk is full recovery can note nothing, and is no reason not to start.
        applier.recover(now()).await?;
        panel.plain().recover(now()).await?;
        assert_eq!(panel.plain().history(1).await?[0].outcome, Outcome::Failed);
        assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.0"));
        let happened = panel.service().happened();
        assert!(
            !happened.contains(&"started twice".to_owned()),
            "{happened:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_left_is_settled_by_one_that_goes_on_running() -> Result<()> {
    let left = Left::by("Stopped", "").await?;
    let settled = left.applier.settle_all(now()).await?;
    assert_eq!(settled.len(), 1);
    assert_eq!(settled[0].outcome, Outcome::Failed);
    assert_eq!(left.service.seen().await.as_deref(), Some("1.0.0"));
    assert_eq!(left.applier.settle_all(now()).await?, []);
    Ok(())
}
