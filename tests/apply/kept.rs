//! What must never be lost or shown to others on the way: run-time data, late changes, odd names.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Result;
use spacecp_advisories::apply::{
    ApplyError, Exchange, Gravity, Interrupted, NoFaults, Outcome, Step, Steps,
};
use spacecp_tests::ground::write;

use crate::tree::{Panel, look, new, now, old, tree};

fn mode(path: &Path) -> Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o7777)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_path_inside_another_one_goes_with_it_whatever_the_order() -> Result<()> {
    for keep in [["data/world", "data/"], ["data/", "data/world"]] {
        let panel = Panel::new(&old(), &new()).await?.keeping(&keep);
        write(&panel.component(), "data/world/level", "played for years")?;
        write(&panel.component(), "data/players", "all of them")?;
        let before = look(&panel.component().join("data"))?;
        panel.apply().await?;
        assert_eq!(look(&panel.component().join("data"))?, before, "{keep:?}");
        panel
            .plain()
            .roll_back("first", false, "for a test", now(), &())
            .await?;
        assert_eq!(look(&panel.component().join("data"))?, before, "{keep:?}");
        assert_eq!(panel.left_over()?, ["first"], "{keep:?}: the new tree");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn run_time_data_behind_a_link_is_refused_and_stays_where_it_is() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?.keeping(&["cache/world"]);
    let outside = panel.folder.path().join("outside");
    write(&outside, "world/level", "played for years")?;
    std::os::unix::fs::symlink(&outside, panel.component().join("cache"))?;
    let found = panel.plan().await?.findings;
    assert!(
        found
            .iter()
            .any(|found| found.check == "kept-paths" && found.gravity == Gravity::Obstacle),
        "{found:?}"
    );
    assert!(matches!(
        panel.apply().await,
        Err(ApplyError::Obstacle { .. })
    ));
    // Listed or not, what lies behind the link is not the component's.
    let panel = panel.keeping(&[]);
    panel.apply().await?;
    assert_eq!(
        fs::read_to_string(outside.join("world/level"))?,
        "played for years"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_held_only_run_time_data_and_a_removed_file_is_as_it_was() -> Result<()> {
    let old = tree("1.0.0", &[("data/readme", "goes")]);
    let panel = Panel::new(&old, &tree("1.0.1", &[]))
        .await?
        .keeping(&["data/world/"]);
    write(&panel.component(), "data/world/level", "played for years")?;
    let data = panel.component().join("data");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o2770))?;
    panel.apply().await?;
    assert_eq!(mode(&data)?, 0o2770);
    assert!(data.join("world/level").exists());
    Ok(())
}

/// Changes a file of the component once the new tree has been built.
#[derive(Debug)]
struct ChangedMeanwhile(PathBuf);

impl Steps for ChangedMeanwhile {
    fn reached(&self, step: Step) -> Result<(), Interrupted> {
        if step == Step::Staged {
            fs::write(&self.0, "changed meanwhile").expect("it can be written");
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_changed_while_the_new_tree_is_built_is_not_overwritten() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    let file = panel.component().join("lib/a.js");
    let steps = Arc::new(ChangedMeanwhile(file.clone()));
    // No plan was shown, as when nobody is there: what was found at the beginning is what counts.
    let refused = panel
        .apply_with(
            &panel.applier(Exchange::Atomic, steps),
            "first",
            None,
            false,
        )
        .await;
    assert!(
        matches!(refused, Err(ApplyError::Drifted { .. })),
        "{refused:?}"
    );
    assert_eq!(fs::read_to_string(&file)?, "changed meanwhile");
    assert_eq!(panel.left_over()?, Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_whose_name_is_not_unicode_is_copied_whole() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?.keeping(&["settings"]);
    let odd = panel.component().join(OsStr::from_bytes(b"\xff"));
    write(&odd, "VERSION", "not the component's")?;
    write(&odd, "settings", "not run-time data")?;
    panel.apply().await?;
    assert_eq!(
        fs::read_to_string(odd.join("VERSION"))?,
        "not the component's"
    );
    assert_eq!(
        fs::read_to_string(odd.join("settings"))?,
        "not run-time data"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trees_beside_the_component_are_the_panels_alone() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    let beside = panel.folder.path().join("panel/.spacecp-advisories");
    fs::create_dir(&beside)?;
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o755))?;
    panel.apply().await?;
    assert_eq!(mode(&beside)?, 0o700);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_the_place_of_that_folder_is_refused() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    let elsewhere = panel.folder.path().join("elsewhere");
    fs::create_dir(&elsewhere)?;
    std::os::unix::fs::symlink(
        &elsewhere,
        panel.folder.path().join("panel/.spacecp-advisories"),
    )?;
    let refused = panel.apply().await;
    assert!(
        matches!(refused, Err(ApplyError::File { .. })),
        "{refused:?}"
    );
    assert!(fs::read_dir(&elsewhere)?.next().is_none());
    assert!(panel.holds(&old())?);
    Ok(())
}

/// Ends everything once the trees have been exchanged.
#[derive(Debug)]
struct EndExchanged;

impl Steps for EndExchanged {
    fn reached(&self, step: Step) -> Result<(), Interrupted> {
        match step {
            Step::Exchanged => Err(Interrupted(step)),
            _ => Ok(()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_gone_waits_and_is_recovered_when_it_is_back() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    let cut_off = panel
        .apply_with(
            &panel.applier(Exchange::Atomic, Arc::new(EndExchanged)),
            "first",
            None,
            false,
        )
        .await;
    assert!(matches!(cut_off, Err(ApplyError::Interrupted(_))));
    let (there, away) = (
        panel.folder.path().join("panel"),
        panel.folder.path().join("away"),
    );
    fs::rename(&there, &away)?;
    let applier = panel.applier(Exchange::Atomic, Arc::new(NoFaults));
    applier.recover(now()).await?;
    assert_eq!(applier.history(1).await?[0].outcome, Outcome::InProgress);
    assert!(!there.exists(), "nothing is made in its place");
    fs::rename(&away, &there)?;
    applier.recover(now()).await?;
    assert_eq!(applier.history(1).await?[0].outcome, Outcome::Failed);
    assert!(panel.holds(&old())?);
    Ok(())
}
