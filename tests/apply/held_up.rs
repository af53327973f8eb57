//! A component's user who tries to hold up what is done to its component: by leases on files, by directories that are
//! nested deeper than anybody follows, or with the workspace out of reach.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use spacecp_advisories::apply::{ApplyError, Outcome};
use spacecp_tests::ground::write;

use crate::tree::{Panel, new, now, old};

/// A process that holds a lease for writing; it ends with this.
struct Lease(Child);

impl Lease {
    /// On a file that is there. A polite holder gives it up when it is asked to, after the kernel has said so.
    fn on(file: &Path, how: &str) -> Result<Self> {
        let mut process = Command::new("python3")
            .args(["-c", include_str!("lease.py")])
            .arg(file)
            .arg(how)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = process.stdout.take().context("its output")?;
        BufReader::new(output).read_line(&mut line)?;
        ensure!(line == "ready\n", "no lease on {}", file.display());
        Ok(Self(process))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Directories in one another, more than anybody enters.
fn nest(around: &Path) -> Result<()> {
    let deep: PathBuf = std::iter::repeat_n("dd", 300).collect();
    Ok(fs::create_dir_all(around.join(deep))?)
}

fn aside(panel: &Panel) -> PathBuf {
    let beside = panel.folder.path().join("panel/.spacecp-advisories");
    beside.join("first/set-aside/0")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_on_a_file_of_the_correction_keeps_nobody_from_rolling_back() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    panel.apply().await?;
    let _lease = Lease::on(&panel.component().join("lib/a.js"), "stubborn")?;
    let applier = panel.plain();
    let asked = applier.roll_back("first", false, "for a test", now(), &());
    let asked = asked.await;
    assert!(
        matches!(asked, Err(ApplyError::Irreversible { .. })),
        "{asked:?}"
    );
    let applier = panel.plain();
    let done = applier.roll_back("first", true, "for a test", now(), &());
    assert_eq!(done.await?.outcome, Outcome::RolledBack);
    assert!(panel.holds(&old())?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_the_kernel_takes_away_is_waited_for_by_whoever_applies() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    let _leases = [
        Lease::on(&panel.component().join("lib/a.js"), "polite")?,
        Lease::on(&panel.component().join("same.txt"), "polite")?,
    ];
    assert_eq!(panel.apply().await?.outcome, Outcome::Applied);
    assert!(panel.holds(&new())?);
    Ok(())
}

#[test]
fn what_is_nested_too_deep_is_set_aside_whole_and_keeps_nobody_from_rolling_back() -> Result<()> {
    // Frames that are not optimized are several times as long as those of the program.
    let runs = std::thread::Builder::new().stack_size(16 << 20).spawn(|| {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.enable_all().thread_stack_size(16 << 20).build()?;
        runtime.block_on(roll_back_deep())
    })?;
    runs.join().expect("it ends")
}

async fn roll_back_deep() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    panel.apply().await?;
    nest(&panel.component())?;
    write(&panel.component(), "dd/dd/written", "by the component")?;
    let applier = panel.plain();
    let asked = applier.roll_back("first", false, "for a test", now(), &());
    let asked = asked.await;
    assert!(
        matches!(&asked, Err(ApplyError::Irreversible { reason, .. }) if reason.contains("dd")),
        "{asked:?}"
    );
    let done = applier.roll_back("first", true, "for a test", now(), &());
    assert_eq!(done.await?.outcome, Outcome::RolledBack);
    assert!(panel.holds(&old())?);
    applier.recover(now()).await?;
    // Where it was written to, it may be set aside apart from what is around it.
    let kept = walkdir::WalkDir::new(aside(&panel)).max_depth(4);
    let mut kept = kept.into_iter().filter_map(Result::ok);
    assert!(
        kept.any(|entry| entry.file_name() == "written"),
        "nothing of it is lost"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_rolls_back_a_component_without_its_workspace_is_told_of_the_workspace() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    panel.apply().await?;
    let beside = panel.folder.path().join("panel/.spacecp-advisories");
    fs::rename(&beside, beside.with_extension("away"))?;
    let workspace = beside.join("first").display().to_string();
    let applier = panel.plain();
    let asked = applier.roll_back("component", true, "for a test", now(), &());
    let asked = asked.await;
    assert!(
        matches!(&asked, Err(ApplyError::Irreversible { id, reason })
            if id == "first" && reason.contains(&workspace)),
        "{asked:?}"
    );
    Ok(())
}
