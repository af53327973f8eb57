//! Disks that run out of what is not bytes, that cannot be read any more, and file systems that are
//! mounted while a correction is applied: each is a typed error, nothing is lost, and what comes next works.

use std::{
    fs::{self, File},
    os::unix::fs::{FileExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use rustix::{fs::Advice, io::Errno};
use spacecp_advisories::apply::{ApplyError, Exchange, Interrupted, Step, Steps};
use spacecp_tests::ground::write;

use crate::{
    real_disks::{EXT4, disk, fills_up, fresh, on_disk_of, say, words},
    site::Template,
    tree::{new, now, old},
};

const BTRFS: &str =
    "truncate -s 256M \"$IMAGE\"; mkfs.btrfs -q \"$IMAGE\"; mount -o loop \"$IMAGE\" \"$DISK\"";

fn on(mount: &str, test: &str, says: &str) -> Result<()> {
    let found = on_disk_of(&format!("disk_faults::{test}"), mount)?;
    assert_eq!(found, words(&[says]));
    Ok(())
}

/// Whether the kernel's ext4 can ignore case.
fn kernel_ignores_case() -> bool {
    Path::new("/sys/fs/ext4/features/casefold").exists()
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn a_quota_that_is_used_up_while_the_new_tree_is_built() -> Result<()> {
    let mount = format!(
        "{BTRFS}\nbtrfs -q subvolume create \"$DISK/limited\"\nbtrfs quota enable \"$DISK\"\n\
         btrfs qgroup limit 40M \"$DISK/limited\""
    );
    on(&mount, "this_disk_has_a_quota", "was full")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn this_disk_has_a_quota() -> Result<()> {
    fills_up(&disk()?.join("limited"), Errno::DQUOT).await
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn a_disk_with_too_few_inodes_is_found_before_anything_is_written() -> Result<()> {
    let mount = "mount -t tmpfs -o nr_inodes=110 none \"$DISK\"";
    on(mount, "this_disk_has_few_inodes", "has too few inodes")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn this_disk_has_few_inodes() -> Result<()> {
    let disk = disk()?;
    let template = Template::new(&old(), &new(), |_| {}).await?;
    let site = fresh(&template, &disk).await?;
    let before = site.seen()?;
    let refused = site.apply(&site.plain(), "first").await;
    let Err(ApplyError::Obstacle { plan }) = &refused else {
        anyhow::bail!("{refused:?}")
    };
    let found: Vec<_> = plan.obstacles().collect();
    ensure!(
        found.len() == 1 && found[0].check == "disk-space" && found[0].found.contains("inodes"),
        "{found:?}"
    );
    ensure!(site.seen()? == before, "the tree was changed");
    say("has too few inodes");
    Ok(())
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn a_file_that_cannot_be_read_any_more_is_named_and_nothing_changes() -> Result<()> {
    on(BTRFS, "this_disk_loses_a_file", "lost a file")
}

/// Damages the bytes of a file where the image of the disk has them. The file system finds that out by
/// its checksums.
fn damage(disk: &Path, file: &Path, bytes: &[u8]) -> Result<()> {
    let image = disk.with_file_name("image");
    let opened = File::open(file)?;
    rustix::fs::syncfs(&opened)?;
    let held = fs::read(&image)?;
    // What is longer than a block begins with one.
    let places = held.chunks(bytes.len()).enumerate();
    let places: Vec<usize> = places
        .filter_map(|(at, there)| (there == bytes).then_some(at * bytes.len()))
        .collect();
    ensure!(!places.is_empty(), "it is not on the disk");
    let image = File::options().write(true).open(&image)?;
    for place in places {
        image.write_all_at(b"damaged!", place as u64)?;
    }
    image.sync_all()?;
    rustix::fs::fadvise(&opened, 0, None, Advice::DontNeed)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn this_disk_loses_a_file() -> Result<()> {
    let disk = disk()?;
    let template = Template::new(&old(), &new(), |_| {}).await?;
    let site = fresh(&template, &disk).await?;
    let (file, bytes) = (
        site.component().join("a.db"),
        b"the only copy of this".repeat(400),
    );
    fs::write(&file, &bytes)?;
    damage(&disk, &file, &bytes[..4096])?;
    // Something that was changed just now is compared with its copy.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640))?;
    let refused = site.apply(&site.plain(), "first").await;
    let Err(ApplyError::File { path, source, .. }) = &refused else {
        anyhow::bail!("{refused:?}")
    };
    ensure!(path.ends_with("a.db"), "{refused:?}");
    ensure!(
        source.raw_os_error() == Some(Errno::IO.raw_os_error()),
        "{refused:?}"
    );
    ensure!(site.left_over()?.is_empty(), "{:?}", site.left_over()?);
    ensure!(fs::read_to_string(site.component().join("VERSION"))? == "1.0.0\n");
    fs::write(&file, "from a backup")?;
    site.apply(&site.plain(), "second").await?;
    ensure!(fs::read_to_string(&file)? == "from a backup");
    say("lost a file");
    Ok(())
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn what_is_mounted_in_the_tree_while_it_is_corrected_keeps_its_place_and_its_files() -> Result<()> {
    on(EXT4, "something_is_mounted_on_this_disk", "was mounted")
}

/// Mounts a file system with a file in it once a step has been reached.
#[derive(Debug)]
struct Mount {
    at: Step,
    folder: PathBuf,
}

impl Mount {
    fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let done = Command::new(program)
            .args(arguments)
            .arg(&self.folder)
            .status()?;
        ensure!(done.success(), "{program} {}", self.folder.display());
        Ok(())
    }

    fn mount(&self) -> Result<()> {
        self.run("mount", &["-t", "tmpfs", "none"])?;
        Ok(write(&self.folder, "of-somebody-else", "precious")?)
    }
}

impl Steps for Mount {
    fn reached(&self, step: Step) -> Result<(), Interrupted> {
        if step == self.at {
            self.mount().expect("it can be mounted");
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn something_is_mounted_on_this_disk() -> Result<()> {
    let disk = disk()?;
    let template = Template::new(&old(), &new(), |_| {}).await?;
    for at in [
        Step::Planned,
        Step::Verified,
        Step::CaughtUp,
        Step::Exchanged,
    ] {
        let site = fresh(&template, &disk).await?;
        let before = site.seen()?;
        // Once the trees are exchanged, the folder in the workspace is the one that was there.
        let folder = match at {
            Step::Exchanged => site
                .component()
                .with_file_name(".spacecp-advisories/first/tree"),
            _ => site.component(),
        };
        let mount = Arc::new(Mount {
            at,
            folder: folder.join("empty"),
        });
        let refused = site
            .apply(&site.ending(Exchange::Atomic, mount.clone()), "first")
            .await;
        ensure!(
            matches!(refused, Err(ApplyError::Mounted { .. })),
            "{at:?}: {refused:?}"
        );
        let mounted = site.component().join("empty");
        let kept = fs::read_to_string(mounted.join("of-somebody-else"));
        ensure!(kept.with_context(|| format!("{at:?}"))? == "precious");
        let refused = site.apply(&site.plain(), "second").await;
        ensure!(
            matches!(refused, Err(ApplyError::Obstacle { .. })),
            "{refused:?}"
        );
        Mount {
            at,
            folder: mounted,
        }
        .run("umount", &[])?;
        site.plain().recover(now()).await?;
        ensure!(site.seen()? == before, "{at:?}: it is not the old tree");
        site.apply(&site.plain(), "third").await?;
        site.close().await;
    }
    say("was mounted");
    Ok(())
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn what_is_mounted_in_an_old_tree_is_not_removed_with_it() -> Result<()> {
    on(
        EXT4,
        "something_is_mounted_in_an_old_tree",
        "is there still",
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn something_is_mounted_in_an_old_tree() -> Result<()> {
    let disk = disk()?;
    let template = Template::new(&old(), &new(), |_| {}).await?;
    let site = fresh(&template, &disk).await?;
    site.apply(&site.plain(), "first").await?;
    let old_tree = site
        .component()
        .with_file_name(".spacecp-advisories/first/tree");
    let mount = Mount {
        at: Step::Committed,
        folder: old_tree.join("empty"),
    };
    mount.mount()?;
    let limits = spacecp_advisories::apply::OldTrees { days: 0, bytes: 0 };
    let later = now() + jiff::SignedDuration::from_hours(24 * 40);
    let plain = site.plain().keeping(limits);
    plain.clear_old_trees(later).await?;
    let going = old_tree.with_file_name("going");
    let around = if going.exists() { going } else { old_tree };
    let kept = fs::read_to_string(around.join("empty/of-somebody-else"))?;
    ensure!(kept == "precious");
    Mount {
        at: Step::Committed,
        folder: around.join("empty"),
    }
    .run("umount", &[])?;
    plain.clear_old_trees(later).await?;
    ensure!(site.left_over()?.is_empty(), "{:?}", site.left_over()?);
    say("is there still");
    Ok(())
}

#[test]
#[cfg_attr(
    not(all(has_disks, has_fusepy)),
    ignore = "a file system that ignores case wants root and python3-fusepy"
)]
fn what_is_there_in_another_case_is_refused_by_name() -> Result<()> {
    // Few kernels have a file system that ignores case.
    let by_fuse = format!(
        "mkdir \"$GROUND/below\"\n/usr/bin/python3 {:?} \"$GROUND/below\" \"$DISK\"\nmkdir \"$DISK/folds\"",
        concat!(env!("CARGO_MANIFEST_DIR"), "/apply/ignores_case.py")
    );
    on(&by_fuse, "this_disk_ignores_case", "ignores case")?;
    if kernel_ignores_case() {
        let by_ext4 = "truncate -s 128M \"$IMAGE\"; mkfs.ext4 -q -O casefold \"$IMAGE\"; mount -o loop \"$IMAGE\" \"$DISK\"\n\
            mkdir \"$DISK/folds\"; chattr +F \"$DISK/folds\"";
        on(by_ext4, "this_disk_ignores_case", "ignores case")?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn this_disk_ignores_case() -> Result<()> {
    let disk = disk()?;
    let template = Template::new(&old(), &new(), |_| {}).await?;
    let site = fresh(&template, &disk.join("folds")).await?;
    let twin = site.component().join("lib/NEW");
    write(&twin, "own.js", "the component's own")?;
    let before = site.seen()?;
    let refused = site.apply(&site.plain(), "first").await;
    let Err(ApplyError::Obstacle { plan }) = &refused else {
        anyhow::bail!("{refused:?}")
    };
    let found: Vec<_> = plan.obstacles().collect();
    ensure!(
        found.len() == 1 && found[0].check == "spelling" && found[0].found.contains("lib/new/b.js"),
        "{found:?}"
    );
    ensure!(site.seen()? == before, "the tree was changed");
    fs::remove_dir_all(&twin)?;
    site.apply(&site.plain(), "second").await?;
    say("ignores case");
    Ok(())
}
