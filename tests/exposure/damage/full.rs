//! A disk that is full: it is named, what only reads goes on, and after room has been made everything does.
//!
//! The first test of a pair mounts a small file system, in a mount namespace of its own, and starts the second as a
//! process there.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};
use spacecp_tests::{apart, scratch, siege};

use super::stage::{CORRECTION, Stage};

/// Where the file system is mounted, for the process that works on it.
const DISK: &str = "SPACECP_TEST_DISK";

const IN_MEMORY: &str = "mount -t tmpfs -o size=160m none \"$DISK\"";
const EXT4: &str =
    "truncate -s 192M \"$IMAGE\"; mkfs.ext4 -q -m 0 \"$IMAGE\"; mount -o loop \"$IMAGE\" \"$DISK\"";

fn on_disk(test: &str, mount: &str) -> Result<()> {
    let ground = scratch::folder()?;
    let disk = ground.path().join("disk");
    fs::create_dir(&disk)?;
    let script = format!(
        "{mount}\n\"$TEST\" --exact damage::full::{test} --ignored --nocapture || failed=1\n\
         cd / && umount \"$DISK\" || umount -l \"$DISK\"\nexit ${{failed:-0}}"
    );
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-euc", &script])
        .env("IMAGE", ground.path().join("image"))
        .env("DISK", &disk)
        .env("TEST", std::env::current_exe()?)
        .env(DISK, &disk)
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}{complained}");
    ensure!(said.contains("1 passed"), "{said}{complained}");
    Ok(())
}

fn disk() -> Result<PathBuf> {
    Ok(apart::given(DISK)?.into())
}

/// Takes up a disk but for so many bytes, until it is dropped.
struct Filler(PathBuf);

impl Filler {
    fn leave(disk: &Path, bytes: u64) -> Result<Self> {
        let path = disk.join("filler");
        let file = File::create(&path)?;
        let mut length = 0;
        for step in [16 << 20, 1 << 20, 64 << 10, 4 << 10] {
            while rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), length, step)
                .is_ok()
            {
                length += step;
            }
        }
        file.set_len(length.saturating_sub(bytes))?;
        file.sync_all()?;
        Ok(Self(path))
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

fn said(output: &Output) -> String {
    let (out, complained) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(complained)
    )
}

/// Whether somebody who reads this knows that a disk is full.
fn names_a_full_disk(output: &Output) -> bool {
    let said = said(output);
    // The last is what preflight says, before anything is written.
    ["No space left", "is full", "are free"]
        .iter()
        .any(|words| said.contains(words))
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root, e2fsprogs and util-linux"
)]
fn on_a_full_disk_everything_is_read_and_a_correction_can_be_rolled_back() -> Result<()> {
    on_disk("this_disk_is_full", IN_MEMORY)?;
    on_disk("this_disk_is_full", EXT4)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn this_disk_is_full() -> Result<()> {
    let disk = disk()?;
    let mut stage = Stage::raise_on(&disk)?;
    let flawed = stage.version()?;
    stage.works(&["apply", CORRECTION, "--yes"])?;
    let before = stage.verdicts()?;
    stage.publish_more()?;
    stage.at_rest().await?;

    let filler = Filler::leave(&disk, 0)?;
    reads(&stage, &before)?;
    let refused = stage.run(&["sync"])?;
    ensure!(
        !refused.status.success() && names_a_full_disk(&refused),
        "{}",
        said(&refused)
    );
    let looked = stage.run(&["doctor"])?;
    ensure!(
        looked.status.code() == Some(1) && names_a_full_disk(&looked),
        "{}",
        said(&looked)
    );
    stage.works(&["recover"])?;
    stage.works(&["rollback", "lobby", "--yes"])?;
    ensure!(stage.version()? == flawed, "it was not rolled back");
    // The ballast is gone by now, and what was written is in SQLite's log or not.
    reads(&stage, &stage.verdicts()?)?;
    drop(filler);
    stage.works(&["sync"])?;
    stage.works(&["apply", CORRECTION, "--yes"])?;

    // Without ballast nothing can be written, and everything can be read.
    stage.at_rest().await?;
    drop(fs::remove_file(stage.state().join("ballast")));
    let before = stage.verdicts()?;
    stage.at_rest().await?;
    drop(fs::remove_file(stage.state().join("ballast")));
    let _filler = Filler::leave(&disk, 0)?;
    reads(&stage, &before)
}

/// Everything that only reads works and says what it said before.
fn reads(stage: &Stage, before: &(Option<i32>, serde_json::Value)) -> Result<()> {
    ensure!(stage.verdicts()? == *before, "the verdicts are others");
    for command in ["list", "components", "history", "trust", "audit"] {
        stage.works(&[command])?;
    }
    Ok(())
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root, e2fsprogs and util-linux"
)]
fn a_disk_that_fills_at_any_step_loses_nothing() -> Result<()> {
    on_disk("this_disk_fills_at_any_step", IN_MEMORY)?;
    if siege::is_long() {
        on_disk("this_disk_fills_at_any_step", EXT4)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn this_disk_fills_at_any_step() -> Result<()> {
    let disk = disk()?;
    let mut stage = Stage::raise_on(&disk)?;
    let flawed = stage.version()?;
    stage.works(&["apply", CORRECTION, "--yes"])?;
    let corrected = stage.version()?;
    stage.works(&["rollback", "lobby", "--yes"])?;
    let rounds = u64::try_from(siege::rounds(8, 120))?;
    for round in 0..rounds {
        // From nothing to what an application takes, in steps that grow.
        let free = (4 << 10) * (round * round * 120 / (rounds * rounds));
        let case = format!("{free} bytes free");
        stage.publish_more()?;
        ensure!(stage.version()? == flawed, "{case}");
        fills(&stage, free, &["sync"]).context(case.clone())?;
        fills(&stage, free, &["apply", CORRECTION, "--yes"]).context(case.clone())?;
        ensure!(stage.version()? == corrected, "{case}");
        fills(&stage, free, &["rollback", "lobby", "--yes"]).context(case.clone())?;
        ensure!(stage.version()? == flawed, "{case}");
        stage.works(&["audit", "verify"]).context(case)?;
    }
    Ok(())
}

/// Has a command run out of room. If it does, it says so, and is done when there is room again.
fn fills(stage: &Stage, free: u64, command: &[&str]) -> Result<()> {
    let filler = Filler::leave(stage.disk(), free)?;
    let output = stage.run(command)?;
    let before = stage.version()?;
    ensure!(
        output.status.success() || names_a_full_disk(&output),
        "{command:?}: {}",
        said(&output)
    );
    stage.run(&["recover"])?;
    drop(filler);
    stage.works(&["recover"])?;
    if !output.status.success() {
        ensure!(stage.version()? == before, "{command:?} goes on by itself");
        stage.works(command)?;
    }
    Ok(())
}
