//! File systems that are mounted over a component or its workspace between a look and the next step: the run ends
//! with a typed error, nothing is lost, and once they are unmounted recovery finds the old tree.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Result, ensure};
use spacecp_advisories::apply::{
    Action, ApplyError, Exchange, Faults, Interrupted, Operation, Outcome, Step, Steps,
};

use crate::{
    ends::EndAfter,
    real_disks::{EXT4, disk, fresh, on_disk_of, say, words},
    site::Template,
    tree::{new, now, old},
};

/// What is mounted.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Another file system.
    Memory,
    /// A directory of the same file system, which its number does not tell.
    Bound,
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> Result<()> {
    let done = Command::new(program).args(arguments).arg(folder).status()?;
    ensure!(done.success(), "{program} {}", folder.display());
    Ok(())
}

/// Mounts something empty that belongs to the panel's user alone, so that only the mount gives it away.
fn mount(kind: Kind, folder: &Path) -> Result<()> {
    match kind {
        Kind::Memory => run("mount", &["-t", "tmpfs", "-o", "mode=0700", "none"], folder),
        Kind::Bound => {
            let empty = disk()?.join("empty");
            fs::create_dir_all(&empty)?;
            run("chmod", &["0700"], &empty)?;
            run("mount", &["--bind", &empty.display().to_string()], folder)
        }
    }
}

/// Mounts something once a step has been reached.
#[derive(Debug)]
struct At(Step, Kind, PathBuf);

impl Steps for At {
    fn reached(&self, step: Step) -> Result<(), Interrupted> {
        if step == self.0 {
            mount(self.1, &self.2).expect("it can be mounted");
        }
        Ok(())
    }
}

/// Mounts something after everything has been looked at, right before a call that moves a tree.
#[derive(Debug)]
struct Before(Operation, PathBuf, AtomicBool);

impl Faults for Before {
    fn before(&self, action: &Action<'_>) -> std::io::Result<()> {
        if action.operation == self.0
            && action.path == self.1
            && !self.2.swap(true, Ordering::SeqCst)
        {
            mount(Kind::Memory, &self.1).expect("it can be mounted");
        }
        Ok(())
    }

    fn after(&self, _: &Action<'_>) {}
}

/// Where something is mounted, if that is what an apply run ended with.
fn place_of_mount<T>(ended: &Result<T, ApplyError>) -> Option<&Path> {
    match ended {
        Err(ApplyError::Mounted { path }) => Some(path),
        // What it left is restored as soon as that can be.
        Err(ApplyError::NotRunning { cause, .. }) => match &**cause {
            ApplyError::Mounted { path } => Some(path),
            _ => None,
        },
        _ => None,
    }
}

fn on(test: &str, says: &str) -> Result<()> {
    let found = on_disk_of(&format!("mounts::{test}"), EXT4)?;
    assert_eq!(found, words(&[says]));
    Ok(())
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn what_is_mounted_over_a_component_or_its_workspace_is_refused_and_nothing_is_lost() -> Result<()>
{
    on("something_is_mounted_over_it", "nothing was lost")
}

const COMPONENT: &str = "component";
const WORKSPACES: &str = ".spacecp-advisories";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn something_is_mounted_over_it() -> Result<()> {
    let disk = disk()?;
    let template = Template::new(&old(), &new(), |_| {}).await?;
    for (over, at, kind) in [
        (COMPONENT, Step::Planned, Kind::Memory),
        (COMPONENT, Step::Verified, Kind::Bound),
        (COMPONENT, Step::CaughtUp, Kind::Memory),
        (COMPONENT, Step::Exchanged, Kind::Bound),
        (WORKSPACES, Step::Planned, Kind::Bound),
        (WORKSPACES, Step::Staged, Kind::Memory),
        (WORKSPACES, Step::CaughtUp, Kind::Bound),
    ] {
        let site = fresh(&template, &disk).await?;
        let before = site.seen()?;
        let folder = site.component().with_file_name(over);
        let what = format!("{over} at {at:?}, {kind:?}");
        let mounted = Arc::new(At(at, kind, folder.clone()));
        let refused = site
            .apply(&site.ending(Exchange::Atomic, mounted), "first")
            .await;
        ensure!(place_of_mount(&refused).is_some(), "{what}: {refused:?}");
        // As long as it is there nothing is taken for gone, and nothing else is begun.
        site.plain().recover(now()).await?;
        let refused = site.apply(&site.plain(), "second").await;
        ensure!(
            matches!(
                refused,
                Err(ApplyError::Mounted { .. } | ApplyError::Obstacle { .. })
            ),
            "{what}: {refused:?}"
        );
        run("umount", &[], &folder)?;
        site.plain().recover(now()).await?;
        ensure!(site.seen()? == before, "{what}: it is not the old tree");
        let history = site.plain().history(9).await?;
        let first = history.iter().find(|run| run.id == "first");
        ensure!(
            first.is_some_and(|run| run.outcome == Outcome::Failed),
            "{what}: {history:?}"
        );
        let applied = site.apply(&site.plain(), "third").await?;
        ensure!(applied.outcome == Outcome::Applied, "{what}");
        site.close().await;
    }
    say("nothing was lost");
    Ok(())
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn what_is_mounted_in_the_moment_of_the_exchange_is_refused_by_the_same_error() -> Result<()> {
    on(
        "something_is_mounted_in_the_last_moment",
        "nothing was lost",
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn something_is_mounted_in_the_last_moment() -> Result<()> {
    let disk = disk()?;
    let template = Template::new(&old(), &new(), |_| {}).await?;
    for (exchange, operation) in [
        (Exchange::Atomic, Operation::Exchange),
        (Exchange::Renames, Operation::Rename),
    ] {
        let site = fresh(&template, &disk).await?;
        let before = site.seen()?;
        let component = site.component();
        let mounted = Arc::new(Before(operation, component.clone(), AtomicBool::new(false)));
        let refused = site.apply(&site.applier(exchange, mounted), "first").await;
        let place = place_of_mount(&refused);
        ensure!(
            place == Some(component.as_path()),
            "{operation:?}: {refused:?}"
        );
        run("umount", &[], &component)?;
        site.plain().recover(now()).await?;
        ensure!(site.seen()? == before, "{operation:?}");
        site.apply(&site.plain(), "second").await?;
        site.close().await;
    }
    say("nothing was lost");
    Ok(())
}

/// What is mounted over the directory around a component.
#[derive(Debug, Clone, Copy)]
enum Hidden {
    /// Nothing of the component is seen any more.
    Behind(Kind),
    /// A copy of everything that was there, as where a disk is mounted over what it was copied from.
    BehindACopy,
}

/// Hides the directory around a component once a step has been reached, and ends the process there if it is to.
#[derive(Debug)]
struct Hides {
    at: Step,
    hidden: Hidden,
    panel: PathBuf,
    copy: PathBuf,
    killed: bool,
}

impl Steps for Hides {
    fn reached(&self, step: Step) -> Result<(), Interrupted> {
        if step != self.at {
            return Ok(());
        }
        match self.hidden {
            Hidden::Behind(kind) => mount(kind, &self.panel).expect("it can be mounted"),
            Hidden::BehindACopy => {
                let copy = self.copy.display().to_string();
                run("mount", &["--bind", &copy], &self.panel).expect("it can be mounted");
            }
        }
        if self.killed {
            Err(Interrupted(step))
        } else {
            Ok(())
        }
    }
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn what_is_mounted_over_the_directory_around_a_component_ends_nothing_that_it_hides() -> Result<()>
{
    on("something_is_mounted_around_it", "nothing was lost")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn something_is_mounted_around_it() -> Result<()> {
    let disk = disk()?;
    let template = Template::new(&old(), &new(), |_| {}).await?;
    for (at, hidden, killed) in [
        (Step::Planned, Hidden::Behind(Kind::Memory), false),
        (Step::Verified, Hidden::BehindACopy, true),
        (Step::CaughtUp, Hidden::BehindACopy, false),
        (Step::Swapping, Hidden::Behind(Kind::Bound), true),
        (Step::Exchanged, Hidden::Behind(Kind::Memory), true),
        (Step::Exchanged, Hidden::BehindACopy, false),
        (Step::Swapped, Hidden::BehindACopy, true),
    ] {
        let what = format!("{at:?}, {hidden:?}, killed: {killed}");
        let site = fresh(&template, &disk).await?;
        let before = site.seen()?;
        let panel = site.component().with_file_name("");
        let copy = disk.join("copy");
        run("rm", &["-rf"], &copy)?;
        run("cp", &["-a", &panel.display().to_string()], &copy)?;
        let hides = Hides {
            at,
            hidden,
            panel: panel.clone(),
            copy,
            killed,
        };
        let ended = site
            .apply(&site.ending(Exchange::Atomic, Arc::new(hides)), "first")
            .await;
        ensure!(ended.is_err(), "{what}: {ended:?}");
        let recovered = site.plain().recover(now()).await?;
        let goes_on = matches!(&recovered[..], [one] if one.outcome == Outcome::InProgress);
        ensure!(goes_on, "{what}: {recovered:?}");
        run("umount", &[], &panel)?;
        site.plain().recover(now()).await?;
        ensure!(site.seen()? == before, "{what}: it is not the old tree");
        let history = site.plain().history(9).await?;
        ensure!(history[0].outcome == Outcome::Failed, "{what}: {history:?}");
        site.apply(&site.plain(), "second").await?;
        site.close().await;
    }
    say("nothing was lost");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_trees_are_both_lost_ends_once_somebody_says_so_with_an_empty_workspace()
-> Result<()> {
    let template = Template::new(&old(), &new(), |_| {}).await?;
    let copy = template.copy()?;
    let site = copy.open().await?;
    let (panel, aside) = (
        site.component().with_file_name(""),
        copy.path().join("aside"),
    );
    run("cp", &["-a", &panel.display().to_string()], &aside)?;
    let ends = Arc::new(EndAfter(Step::Swapped));
    let ended = site
        .apply(&site.ending(Exchange::Atomic, ends), "first")
        .await;
    ensure!(
        matches!(ended, Err(ApplyError::Interrupted(_))),
        "{ended:?}"
    );
    fs::remove_dir_all(&panel)?;
    fs::rename(&aside, &panel)?;
    let recovered = site.plain().recover(now()).await?;
    let workspace = panel.join(".spacecp-advisories/first");
    let reason = recovered[0].reason.clone().unwrap_or_default();
    assert_eq!(recovered[0].outcome, Outcome::InProgress, "{reason}");
    assert!(
        reason.contains(&format!("create {}", workspace.display())),
        "{reason}"
    );
    fs::create_dir(&workspace)?;
    run("chmod", &["0700"], &workspace)?;
    let recovered = site.plain().recover(now()).await?;
    assert_eq!(recovered[0].outcome, Outcome::Failed);
    site.apply(&site.plain(), "second").await?;
    Ok(())
}
