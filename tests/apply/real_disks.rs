//! Real file systems, each in a file of its own and in a mount namespace of its own, so that nothing
//! of it is seen outside or left behind.
//!
//! The first test of a pair mounts one and starts the second as a process there.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use spacecp_advisories::apply::{ApplyError, Exchange, Interrupted, Operation, Step, Steps};
use spacecp_tests::{apart, scratch};

use crate::{
    order::check,
    power_loss::Recorder,
    site::{Site, Template, Trees, copy},
    tree::{new, old},
};

/// Where the file system is mounted, for the process that works on it.
const DISK: &str = "SPACECP_TEST_DISK";

/// Runs one test of this file on a file system that these commands mount at `$DISK`, with a file for
/// it at `$IMAGE`. Gives what it says of itself.
fn on_disk(test: &str, mount: &str) -> Result<BTreeSet<String>> {
    on_disk_of(&format!("real_disks::{test}"), mount)
}

/// The same for a test of any file.
pub(crate) fn on_disk_of(test: &str, mount: &str) -> Result<BTreeSet<String>> {
    let ground = scratch::folder()?;
    let disk = ground.path().join("disk");
    fs::create_dir(&disk)?;
    let script = format!(
        "{mount}\n\"$TEST\" --exact {test} --ignored --nocapture || failed=1\n\
         cd / && umount \"$DISK\" || umount -l \"$DISK\"\nexit ${{failed:-0}}"
    );
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-euc", &script])
        .env("IMAGE", ground.path().join("image"))
        .env("DISK", &disk)
        .env("GROUND", ground.path())
        .env("TEST", std::env::current_exe()?)
        .env(DISK, &disk)
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{mount}\n{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let words = said
        .lines()
        .filter_map(|line| line.split_once("this disk: "));
    Ok(words.map(|(_, word)| word.to_owned()).collect())
}

/// Has everything happen to corrections on a disk that these commands mount, which says this of itself.
fn survive_on(mount: &str, says: &[&str]) -> Result<()> {
    let found = on_disk("everything_on_this_disk", mount)?;
    assert_eq!(found, words(says));
    Ok(())
}

/// What a disk is expected to say.
pub(crate) fn words(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub(crate) fn disk() -> Result<PathBuf> {
    Ok(apart::given(DISK)?.into())
}

#[expect(clippy::print_stdout, reason = "its parent reads it")]
pub(crate) fn say(word: &str) {
    println!("this disk: {word}");
}

pub(crate) const EXT4: &str =
    "truncate -s 128M \"$IMAGE\"; mkfs.ext4 -q \"$IMAGE\"; mount -o loop \"$IMAGE\" \"$DISK\"";

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root, e2fsprogs, xfsprogs, btrfs-progs, fuse2fs and util-linux"
)]
fn corrections_survive_on_ext4() -> Result<()> {
    survive_on(
        EXT4,
        &[
            "exchanges at once",
            "copies",
            "is synced at once",
            "survived",
        ],
    )
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root, e2fsprogs, xfsprogs, btrfs-progs, fuse2fs and util-linux"
)]
fn corrections_survive_on_xfs() -> Result<()> {
    let mount =
        "truncate -s 320M \"$IMAGE\"; mkfs.xfs -q \"$IMAGE\"; mount -o loop \"$IMAGE\" \"$DISK\"";
    survive_on(
        mount,
        &[
            "exchanges at once",
            "shares contents",
            "is synced at once",
            "survived",
        ],
    )
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root, e2fsprogs, xfsprogs, btrfs-progs, fuse2fs and util-linux"
)]
fn corrections_survive_on_btrfs() -> Result<()> {
    let mount =
        "truncate -s 256M \"$IMAGE\"; mkfs.btrfs -q \"$IMAGE\"; mount -o loop \"$IMAGE\" \"$DISK\"";
    survive_on(
        mount,
        &[
            "exchanges at once",
            "shares contents",
            "is synced at once",
            "survived",
        ],
    )
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root, e2fsprogs, xfsprogs, btrfs-progs, fuse2fs and util-linux"
)]
fn corrections_survive_in_memory() -> Result<()> {
    survive_on(
        "mount -t tmpfs none \"$DISK\"",
        &[
            "exchanges at once",
            "copies",
            "is synced at once",
            "survived",
        ],
    )
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root, e2fsprogs, xfsprogs, btrfs-progs, fuse2fs and util-linux"
)]
fn corrections_survive_on_an_overlay() -> Result<()> {
    let mount = "mkdir \"$GROUND/below\" \"$GROUND/above\" \"$GROUND/work\"\n\
        mount -t overlay overlay -o \"lowerdir=$GROUND/below,upperdir=$GROUND/above,workdir=$GROUND/work\" \"$DISK\"";
    survive_on(
        mount,
        &[
            "exchanges at once",
            "copies",
            "is synced one by one",
            "survived",
        ],
    )
}

/// A file system without an exchange in one step: libfuse 2 has no such call.
#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root, e2fsprogs, xfsprogs, btrfs-progs, fuse2fs and util-linux"
)]
fn corrections_survive_where_trees_cannot_be_exchanged_at_once() -> Result<()> {
    let mount = "truncate -s 128M \"$IMAGE\"; mkfs.ext4 -q \"$IMAGE\"; fuse2fs -o rw,fakeroot \"$IMAGE\" \"$DISK\" >/dev/null";
    survive_on(
        mount,
        &[
            "exchanges by renames",
            "copies",
            "is synced one by one",
            "survived",
        ],
    )
}

/// Applies, takes back, and ends the world at many actions, on the disk that the parent mounted.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn everything_on_this_disk() -> Result<()> {
    let disk = disk()?;
    let template = Template::new(&old(), &new(), |_| {}).await?;
    let component = disk.join("case/panel/component");
    let workspace = component
        .with_file_name(".spacecp-advisories")
        .join("first");
    let (trees, announced) = {
        let site = fresh(&template, &disk).await?;
        let old = site.seen()?;
        let recorder = Arc::new(Recorder::default());
        site.apply(&site.applier(Exchange::Atomic, recorder.clone()), "first")
            .await?;
        let log = recorder.log();
        let early = check(&log, &component, &workspace);
        ensure!(early.is_empty(), "relied on too early: {early:?}");
        describe(&log);
        let announced = log
            .iter()
            .position(|done| done.operation == Operation::Journal("swapping"));
        let new = site.seen()?;
        site.close().await;
        (Trees { old, new }, announced.context("it is announced")?)
    };
    for exchange in [Exchange::Atomic, Exchange::Renames] {
        // Up to there both do the same.
        let mut at = if exchange == Exchange::Atomic {
            0
        } else {
            announced
        };
        loop {
            let site = fresh(&template, &disk).await?;
            let fault = crate::every_instant::Fault::for_good(at);
            let ended = site
                .apply(&site.applier(exchange, fault.clone()), "first")
                .await;
            site.close().await;
            let site = Site::open(&disk.join("case")).await?;
            let survived = site.survived(&trees).await;
            survived.with_context(|| format!("{exchange:?}, failing from action {at} on"))?;
            site.close().await;
            if ended.is_ok() && fault.reached() <= at {
                break;
            }
            // Building the tree is many actions of one kind; a disk is slower than memory.
            at = match announced {
                announced if at + 9 < announced => at + 9,
                announced if at < announced => announced,
                _ => at + 1,
            };
        }
    }
    say("survived");
    Ok(())
}

/// The panel anew, on the disk.
pub(crate) async fn fresh(template: &Template, disk: &Path) -> Result<Site> {
    let place = disk.join("case");
    // A database that a site has just let go of is closed in its own time, and FUSE hides what is open still.
    for _ in 0..200 {
        match fs::remove_dir_all(&place) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => break,
        }
    }
    copy(&template.path(), &place)?;
    Site::open(&place).await
}

/// Says how this disk went about it.
fn describe(log: &[crate::order::Done]) {
    let did = |operation: Operation| log.iter().any(|done| done.operation == operation);
    say(if did(Operation::Exchange) {
        "exchanges at once"
    } else {
        "exchanges by renames"
    });
    say(if did(Operation::SyncFileSystem) {
        "is synced at once"
    } else {
        "is synced one by one"
    });
    let copied = log
        .iter()
        .any(|done| done.operation == Operation::Write && done.path.ends_with("tree/same.txt"));
    say(if copied { "copies" } else { "shares contents" });
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root, e2fsprogs, xfsprogs, btrfs-progs, fuse2fs and util-linux"
)]
fn a_disk_that_fills_up_while_the_new_tree_is_built() -> Result<()> {
    for mount in [EXT4, "mount -t tmpfs -o size=64m none \"$DISK\""] {
        assert_eq!(on_disk("this_disk_fills_up", mount)?, words(&["was full"]));
    }
    Ok(())
}

/// Fills a disk to its last byte once everything has been looked at.
#[derive(Debug)]
struct Fill(PathBuf);

impl Steps for Fill {
    fn reached(&self, step: Step) -> Result<(), Interrupted> {
        if step == Step::Planned {
            let mut ballast = File::create(&self.0).expect("there is room still");
            for length in [1 << 20, 1 << 12, 1] {
                while ballast.write_all(&vec![1; length]).is_ok() {}
            }
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn this_disk_fills_up() -> Result<()> {
    fills_up(&disk()?, rustix::io::Errno::NOSPC).await
}

/// Has everything written up to the last byte below a folder, where more is refused with this error.
pub(crate) async fn fills_up(disk: &Path, refusal: rustix::io::Errno) -> Result<()> {
    // The panel's own memory is elsewhere, as it mostly is; what fills up is where components are.
    let template = Template::new(&old(), &new(), |_| {}).await?;
    let copied = template.copy()?;
    let panel = copied.path().join("panel");
    copy(&panel.join("component"), &disk.join("component"))?;
    fs::remove_dir_all(&panel)?;
    std::os::unix::fs::symlink(disk, &panel)?;
    let site = copied.open().await?;
    let before = site.seen()?;
    let ballast = disk.join("ballast");
    let applier = site.ending(Exchange::Atomic, Arc::new(Fill(ballast.clone())));
    let refused = site.apply(&applier, "first").await;
    let Err(error) = &refused else {
        anyhow::bail!("it was applied on a full disk");
    };
    let number = match error {
        ApplyError::File { source, .. } => source.raw_os_error(),
        ApplyError::Payload(spacecp_advisories::fetch::FetchError::File { source, .. }) => {
            source.raw_os_error()
        }
        _ => None,
    };
    ensure!(number == Some(refusal.raw_os_error()), "{error:?}");
    ensure!(site.seen()? == before, "the tree was changed");
    fs::remove_file(&ballast)?;
    let applied = site.apply(&site.plain(), "second").await?;
    ensure!(applied.outcome == spacecp_advisories::apply::Outcome::Applied);
    say("was full");
    Ok(())
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root, e2fsprogs, xfsprogs, btrfs-progs, fuse2fs and util-linux"
)]
fn a_disk_that_is_read_only_is_refused_until_it_can_be_written_to() -> Result<()> {
    assert_eq!(
        on_disk("this_disk_is_read_only", EXT4)?,
        words(&["was read-only"])
    );
    Ok(())
}

fn remount(disk: &Path, how: &str) -> Result<()> {
    let options = format!("remount,{how}");
    let done = Command::new("mount")
        .args(["-o", &options])
        .arg(disk)
        .output()?;
    ensure!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn this_disk_is_read_only() -> Result<()> {
    let disk = disk()?;
    let template = Template::new(&old(), &new(), |_| {}).await?;
    let copied = template.copy()?;
    let panel = copied.path().join("panel");
    copy(&panel.join("component"), &disk.join("component"))?;
    fs::remove_dir_all(&panel)?;
    std::os::unix::fs::symlink(&disk, &panel)?;
    let site = copied.open().await?;
    let before = site.seen()?;
    remount(&disk, "ro")?;
    let refused = site.apply(&site.plain(), "nothing").await;
    ensure!(
        matches!(
            refused,
            Err(ApplyError::File { .. } | ApplyError::Obstacle { .. })
        ),
        "{refused:?}"
    );
    remount(&disk, "rw")?;
    ensure!(site.seen()? == before, "the tree was changed");
    site.apply(&site.plain(), "first").await?;
    say("was read-only");
    Ok(())
}

/// A component that came with the lower layer of an overlay cannot be exchanged there at all
/// (`redirect_dir` is off by default): it is refused, and the tree is as it was. Where the layers are
/// on two file systems preflight sees it; on one, the exchange does.
#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root, e2fsprogs, xfsprogs, btrfs-progs, fuse2fs and util-linux"
)]
fn a_component_in_the_lower_layer_of_an_overlay_is_refused() -> Result<()> {
    let lay = "mkdir \"$GROUND/above\" \"$GROUND/work\" \"$GROUND/below\"\n$BELOW\n\
        SPACECP_TEST_DISK=\"$GROUND/below\" \"$TEST\" --exact real_disks::a_lower_layer_is_laid --ignored >/dev/null\n\
        mount -t overlay overlay -o \"redirect_dir=off,lowerdir=$GROUND/below,upperdir=$GROUND/above,workdir=$GROUND/work\" \"$DISK\"";
    for (below, word) in [
        (
            "mount -t tmpfs none \"$GROUND/below\"",
            "was refused by preflight",
        ),
        ("", "was refused at the exchange"),
    ] {
        let mount = lay.replace("$BELOW", below);
        let found = on_disk("this_disk_has_the_component_below", &mount)?;
        assert_eq!(found, words(&[word]));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn a_lower_layer_is_laid() -> Result<()> {
    let disk = disk()?;
    let template = Template::new(&old(), &new(), |_| {}).await?;
    copy(&template.path(), &disk.join("case"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn this_disk_has_the_component_below() -> Result<()> {
    let disk = disk()?;
    let site = Site::open(&disk.join("case")).await?;
    let before = site.seen()?;
    let refused = site.apply(&site.plain(), "first").await;
    let across = |error: &std::io::Error| {
        error.raw_os_error() == Some(rustix::io::Errno::XDEV.raw_os_error())
    };
    let word = match &refused {
        Err(ApplyError::Obstacle { .. }) => "was refused by preflight",
        Err(ApplyError::File { source, .. }) if across(source) => "was refused at the exchange",
        other => anyhow::bail!("{other:?}"),
    };
    ensure!(site.seen()? == before, "the tree was changed");
    ensure!(site.left_over()?.is_empty(), "something is left over");
    say(word);
    Ok(())
}
