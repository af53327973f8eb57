//! The world ends at every step: what is left is exactly one of the two trees, the journal knows
//! which, and the next application works.

use std::sync::Arc;

use anyhow::{Context, Result};
use spacecp_advisories::apply::{ApplyError, Exchange, Outcome, Step};
use spacecp_tests::{apart, ground::write};

use crate::{
    ends::{AbortAfter, EndAfter},
    tree::{Panel, look, new, now, old},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_is_cut_off_leaves_one_of_the_two_trees() -> Result<()> {
    for exchange in [Exchange::Atomic, Exchange::Renames] {
        for step in Step::ALL {
            let panel = Panel::new(&old(), &new()).await?.keeping(&["data/"]);
            write(&panel.component(), "data/precious", "never lost")?;
            let ended = panel
                .apply_with(
                    &panel.applier(exchange, Arc::new(EndAfter(step))),
                    "first",
                    None,
                    false,
                )
                .await;
            let plain = panel.plain();
            plain.recover(now()).await?;
            plain.recover(now()).await?;
            let history = plain.history(10).await?;
            let precious = std::fs::read_to_string(panel.component().join("data/precious"));
            assert_eq!(
                precious.context(format!("{exchange:?} {step:?}"))?,
                "never lost"
            );
            std::fs::remove_dir_all(panel.component().join("data"))?;
            let committed = ended.is_ok() || step == Step::Committed;
            let expected = if committed {
                (Outcome::Applied, new())
            } else {
                (Outcome::Failed, old())
            };
            assert_eq!(history[0].outcome, expected.0, "{exchange:?} {step:?}");
            assert!(
                panel.holds(&expected.1)?,
                "{exchange:?} {step:?}: {:#?}",
                look(&panel.component())?
            );
            if !committed {
                assert_eq!(
                    panel.left_over()?,
                    Vec::<String>::new(),
                    "{exchange:?} {step:?}"
                );
                let again = panel
                    .apply_with(
                        &panel.applier(exchange, Arc::new(spacecp_advisories::apply::NoFaults)),
                        "second",
                        None,
                        false,
                    )
                    .await?;
                assert_eq!(again.outcome, Outcome::Applied);
                assert!(panel.holds(&new())?);
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roll_back_that_is_cut_off_is_finished() -> Result<()> {
    for exchange in [Exchange::Atomic, Exchange::Renames] {
        for step in Step::ALL {
            let panel = Panel::new(&old(), &new()).await?.keeping(&["data/"]);
            write(&panel.component(), "data/precious", "never lost")?;
            panel.apply().await?;
            let ended = panel
                .applier(exchange, Arc::new(EndAfter(step)))
                .roll_back("first", false, "for a test", now(), &())
                .await;
            let cut_off = matches!(ended, Err(ApplyError::Interrupted(_)));
            panel.plain().recover(now()).await?;
            assert_eq!(
                panel.plain().history(1).await?[0].outcome,
                Outcome::RolledBack,
                "{exchange:?} {step:?} {cut_off}"
            );
            assert_eq!(
                std::fs::read_to_string(panel.component().join("data/precious"))?,
                "never lost"
            );
            std::fs::remove_dir_all(panel.component().join("data"))?;
            assert!(
                panel.holds(&old())?,
                "{exchange:?} {step:?}: {:#?}",
                look(&panel.component())?
            );
        }
    }
    Ok(())
}

const STEP: &str = "SPACECP_TEST_ABORT_AFTER";

/// The process that is killed: applies, in the panel that its parent made, until it ends itself.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn the_process_that_is_killed() -> Result<()> {
    let name = apart::text(STEP)?;
    let ending = AbortAfter::named(&name).context("a step of that name")?;
    let panel = Panel::new(&old(), &new()).await?;
    // The parent looks at what is left, so nothing may clean it up.
    let folder = panel.folder.path().to_owned();
    std::fs::write(
        apart::given("SPACECP_TEST_FOLDER_NAME")?,
        folder.display().to_string(),
    )?;
    panel
        .apply_with(
            &panel.applier(Exchange::Atomic, Arc::new(ending)),
            "first",
            None,
            false,
        )
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_at_any_step_leaves_one_of_the_two_trees() -> Result<()> {
    use spacecp_advisories::{apply::Applier, store::Store};
    for step in [
        Step::Planned,
        Step::Staged,
        Step::Verified,
        Step::Swapping,
        Step::Exchanged,
        Step::Carried,
        Step::Swapped,
        Step::Healthy,
        Step::Committed,
    ] {
        let notes = spacecp_tests::scratch::folder()?;
        let name = notes.path().join("folder");
        let output = apart::process("cut_off::the_process_that_is_killed")?
            .env(STEP, format!("{step:?}"))
            .env("SPACECP_TEST_FOLDER_NAME", &name)
            .output()?;
        assert!(!output.status.success(), "{step:?}: it was not killed");
        let folder = std::path::PathBuf::from(std::fs::read_to_string(&name)?);
        let applier = Applier::new(Store::open(&folder.join("store.sqlite")).await?);
        applier.recover(now()).await?;
        let outcome = applier.history(1).await?[0].outcome;
        let (expected, tree) = if step == Step::Committed {
            (Outcome::Applied, new())
        } else {
            (Outcome::Failed, old())
        };
        assert_eq!(outcome, expected, "{step:?}");
        let wanted = spacecp_tests::scratch::folder()?;
        crate::tree::lay(wanted.path(), &tree)?;
        assert_eq!(
            look(&folder.join("panel/component"))?,
            look(wanted.path())?,
            "{step:?}"
        );
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}
