//! What preflight shows of mounts and of files that were changed here; which old trees stay.

use std::{fs, process::Command, sync::Arc};

use anyhow::Result;
use jiff::SignedDuration;
use spacecp_advisories::apply::{Exchange, Gravity, NoFaults, OldTrees, Part};
use spacecp_tests::{apart, ground::write};

use crate::tree::{Panel, new, now, old};

const INSIDE: &str = "SPACECP_TEST_MAY_MOUNT";

/// Mounts one folder on another; only this process and what it starts see it.
fn bind(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    let bound = Command::new("mount")
        .arg("--bind")
        .args([from, to])
        .status()?;
    anyhow::ensure!(bound.success(), "it could not be mounted");
    Ok(())
}

/// Runs in a namespace of its own; the test below is its parent.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn the_process_that_may_mount() -> Result<()> {
    apart::given(INSIDE)?;
    let obstacles = async |panel: &Panel| -> Result<Vec<String>> {
        let findings = panel.plan().await?.findings;
        let obstacles = findings
            .into_iter()
            .filter(|one| one.gravity == Gravity::Obstacle);
        Ok(obstacles
            .map(|one| format!("{}: {}", one.check, one.found))
            .collect())
    };
    let panel = Panel::new(&old(), &new()).await?.keeping(&["data/"]);
    let elsewhere = panel.folder.path().join("elsewhere");
    fs::create_dir_all(&elsewhere)?;
    let inside = |path: &str| panel.component().join(path);
    for path in ["data/backups", "assets"] {
        fs::create_dir_all(inside(path))?;
    }
    bind(&elsewhere, &inside("data/backups"))?;
    assert_eq!(
        obstacles(&panel).await?,
        Vec::<String>::new(),
        "the folder around it moves"
    );
    bind(&elsewhere, &inside("assets"))?;
    let found = obstacles(&panel).await?;
    assert!(
        found.len() == 1 && found[0].contains("mounts") && found[0].contains("assets"),
        "{found:?}"
    );
    bind(&panel.component(), &panel.component())?;
    let found = obstacles(&panel).await?;
    assert!(
        found.iter().any(|one| one.contains("is a mount point")),
        "{found:?}"
    );
    let panel = Panel::new(&old(), &new()).await?;
    let around = panel.component().parent().expect("a folder").to_owned();
    bind(&around, &around)?;
    let closed = Command::new("mount")
        .args(["-o", "remount,bind,ro"])
        .arg(&around)
        .status()?;
    anyhow::ensure!(closed.success());
    let found = obstacles(&panel).await?;
    assert!(
        found.iter().any(|one| one.contains("mounted read-only")),
        "{found:?}"
    );
    Ok(())
}

#[test]
#[cfg_attr(
    not(has_unshare),
    ignore = "needs the program unshare (Debian: util-linux)"
)]
fn what_is_mounted_where_a_tree_has_to_move_is_an_obstacle() -> Result<()> {
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount"])
        .arg(std::env::current_exe()?)
        .args(apart::arguments("seen_before::the_process_that_may_mount"))
        .env(INSIDE, "yes")
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_file_that_was_changed_here_is_shown_line_by_line() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    write(&panel.component(), "lib/a.js", "mine\n")?;
    write(&panel.component(), "bin/run", [0_u8, 159, 146].as_slice())?;
    let inventory = panel.inventory();
    let part = Part {
        correction: &panel.correction,
        component: &inventory.components[0],
    };
    let shown = panel.plain().differences(part, &panel.source).await?;
    let shown: Vec<(&str, &str)> = shown
        .iter()
        .map(|one| (one.path.as_str(), one.lines.as_str()))
        .collect();
    assert_eq!(shown.len(), 2, "{shown:?}");
    let lines = |path: &str| shown.iter().find(|one| one.0 == path).map(|one| one.1);
    let a = lines("lib/a.js").unwrap_or_default();
    assert!(a.contains("-mine") && a.contains("+a of 1.0.1"), "{a}");
    assert_eq!(lines("bin/run"), Some("(not a text file)\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_tree_goes_when_its_time_is_over() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    panel.apply().await?;
    let applier = panel
        .applier(Exchange::Atomic, Arc::new(NoFaults))
        .keeping(OldTrees { days: 30, bytes: 0 });
    applier
        .clear_old_trees(now() + SignedDuration::from_hours(24 * 30))
        .await?;
    assert!(
        applier.reversible("component").await?.is_some(),
        "whatever its size"
    );
    applier
        .clear_old_trees(now() + SignedDuration::from_hours(24 * 31))
        .await?;
    assert!(applier.reversible("component").await?.is_none());
    assert_eq!(panel.left_over()?, Vec::<String>::new());
    Ok(())
}
