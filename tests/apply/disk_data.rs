//! What a component writes while it is corrected is never lost, however and whenever it writes it, on
//! every kind of file system.
//!
//! The component keeps a file mapped, with dirty pages, through the whole of it. It is not stopped.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use spacecp_advisories::apply::{
    Action, Exchange, Faults, Interrupted, OldTrees, Operation, Step, Steps,
};
use spacecp_tests::{ground::write, siege};

use crate::{
    mapping::{How, Mapping},
    real_disks::{EXT4, disk, fresh, on_disk_of, say, words},
    site::{Site, Template},
    tree::{new, now, old},
};

const EVERYWHERE: [&str; 6] = [
    "what is stored while it runs is there",
    "what is written while it runs is there",
    "what is written too late is set aside",
    "what is stored too late is set aside",
    "what is written after a rollback is set aside",
    "what is stored after a rollback is set aside",
];

fn nothing_is_lost_on(mount: &str, says: &[&str]) -> Result<()> {
    let found = on_disk_of("disk_data::everything_is_written_on_this_disk", mount)?;
    assert_eq!(found, words(says));
    Ok(())
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn nothing_that_a_component_writes_is_lost_on_ext4() -> Result<()> {
    nothing_is_lost_on(EXT4, &EVERYWHERE)
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn nothing_that_a_component_writes_is_lost_on_xfs() -> Result<()> {
    let mount =
        "truncate -s 320M \"$IMAGE\"; mkfs.xfs -q \"$IMAGE\"; mount -o loop \"$IMAGE\" \"$DISK\"";
    nothing_is_lost_on(mount, &EVERYWHERE)
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn nothing_that_a_component_writes_is_lost_on_btrfs() -> Result<()> {
    let mount =
        "truncate -s 256M \"$IMAGE\"; mkfs.btrfs -q \"$IMAGE\"; mount -o loop \"$IMAGE\" \"$DISK\"";
    nothing_is_lost_on(mount, &EVERYWHERE)
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn nothing_that_a_component_writes_is_lost_in_memory() -> Result<()> {
    nothing_is_lost_on("mount -t tmpfs none \"$DISK\"", &EVERYWHERE)
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn nothing_that_a_component_writes_is_lost_on_an_overlay() -> Result<()> {
    let mount = "mkdir \"$GROUND/below\" \"$GROUND/above\" \"$GROUND/work\"\n\
        mount -t overlay overlay -o \"lowerdir=$GROUND/below,upperdir=$GROUND/above,workdir=$GROUND/work\" \"$DISK\"";
    nothing_is_lost_on(mount, &EVERYWHERE)
}

/// Where times have whole seconds, and trees are exchanged by renames.
#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn nothing_that_a_component_writes_is_lost_in_user_space() -> Result<()> {
    let mount = "truncate -s 128M \"$IMAGE\"; mkfs.ext4 -q \"$IMAGE\"; fuse2fs -o rw,fakeroot \"$IMAGE\" \"$DISK\" >/dev/null";
    nothing_is_lost_on(mount, &EVERYWHERE)
}

/// When the component writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// Its file was just copied, with its attributes.
    Copied,
    /// At a step.
    At(Step),
}

/// Until here everything that is written is in the new tree.
const IN_TIME: [When; 6] = [
    When::At(Step::Planned),
    When::Copied,
    When::At(Step::Verified),
    When::At(Step::CaughtUp),
    When::At(Step::Exchanged),
    When::At(Step::Carried),
];

/// The ways to exchange trees that differ by then.
fn exchanges(when: When) -> Vec<Exchange> {
    match when {
        // What is written after the last look at the sources is brought once the trees are exchanged.
        When::At(Step::CaughtUp | Step::Exchanged | Step::Carried) => {
            vec![Exchange::Atomic, Exchange::Renames]
        }
        _ if siege::is_long() => vec![Exchange::Atomic, Exchange::Renames],
        _ => vec![Exchange::Atomic],
    }
}

/// Has the component write once.
#[derive(Debug)]
struct Once {
    when: When,
    how: How,
    component: Mapping,
}

impl Once {
    fn write(&self) {
        let written = self.component.write(self.how, 100, "PAID-100");
        written.expect("the component may write to its file");
    }
}

impl Steps for Once {
    fn reached(&self, step: Step) -> Result<(), Interrupted> {
        if self.when == When::At(step) {
            self.write();
        }
        Ok(())
    }
}

impl Faults for Once {
    fn before(&self, _: &Action<'_>) -> io::Result<()> {
        Ok(())
    }

    fn after(&self, action: &Action<'_>) {
        let is_copied =
            action.operation == Operation::SetTime && action.path.ends_with("tree/a.db");
        if self.when == When::Copied && is_copied {
            self.write();
        }
    }
}

/// A panel on the disk whose component has `a.db` mapped, and writes to it once.
async fn at_work(
    template: &Template,
    disk: &Path,
    when: When,
    how: How,
) -> Result<(Site, Arc<Once>)> {
    let site = fresh(template, disk).await?;
    let file = site.component().join("a.db");
    write(&site.component(), "a.db", "0".repeat(65_536))?;
    let component = Mapping::of(&file)?;
    let once = Once {
        when,
        how,
        component,
    };
    Ok((site, Arc::new(once)))
}

fn has_it(file: &Path) -> Result<bool> {
    let held = fs::read(file).with_context(|| file.display().to_string())?;
    Ok(held.len() == 65_536 && held[100..].starts_with(b"PAID-100"))
}

fn set_aside(site: &Site) -> PathBuf {
    let beside = site.component().with_file_name(".spacecp-advisories");
    beside.join("first/set-aside/0/a.db")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn everything_is_written_on_this_disk() -> Result<()> {
    let disk = disk()?;
    let template = Template::new(&old(), &new(), |_| {}).await?;
    for how in [How::Store, How::Write] {
        for when in IN_TIME {
            for exchange in exchanges(when) {
                let (site, once) = at_work(&template, &disk, when, how).await?;
                let applier = site
                    .ending(exchange, once.clone())
                    .with_faults(once.clone());
                site.apply(&applier, "first").await?;
                let live = site.component().join("a.db");
                ensure!(has_it(&live)?, "{how:?} {when:?} {exchange:?}: lost");
                site.close().await;
            }
        }
        say(match how {
            How::Store => "what is stored while it runs is there",
            How::Write => "what is written while it runs is there",
        });
    }
    for how in [How::Write, How::Store] {
        written_to_an_old_tree(&template, &disk, how).await?;
        written_to_a_new_tree(&template, &disk, how).await?;
    }
    Ok(())
}

/// Removes the other tree, long afterwards.
async fn clear(site: &Site) -> Result<()> {
    let limits = OldTrees { days: 0, bytes: 0 };
    let later = now() + SignedDuration::from_hours(24 * 40);
    site.plain().keeping(limits).clear_old_trees(later).await?;
    Ok(())
}

/// The component has the old tree's file open still, and its page has been dirty since before the exchange.
async fn written_to_an_old_tree(template: &Template, disk: &Path, how: How) -> Result<()> {
    let (site, once) = at_work(template, disk, When::At(Step::CaughtUp), how).await?;
    let applier = site.ending(Exchange::Atomic, once.clone());
    site.apply(&applier, "first").await?;
    once.component.write(how, 100, "LATE-200")?;
    ensure!(
        has_it(&site.component().join("a.db"))?,
        "it is in the new tree"
    );
    clear(&site).await?;
    let kept = fs::read(set_aside(&site)).context("it went with the old tree")?;
    ensure!(kept[100..].starts_with(b"LATE-200"));
    ensure!(site.left_over()? == ["first", "first/set-aside"]);
    site.close().await;
    say(match how {
        How::Store => "what is stored too late is set aside",
        How::Write => "what is written too late is set aside",
    });
    Ok(())
}

/// The component has the new tree's file open still after that was taken back.
async fn written_to_a_new_tree(template: &Template, disk: &Path, how: How) -> Result<()> {
    let site = fresh(template, disk).await?;
    write(&site.component(), "a.db", "0".repeat(65_536))?;
    site.apply(&site.plain(), "first").await?;
    // Its page is dirty, and holds what it held before.
    let component = Mapping::of(&site.component().join("a.db"))?;
    // It has another time now, so that a person has to say so.
    site.plain()
        .roll_back("first", true, "for a test", now(), &())
        .await?;
    component.write(how, 100, "PAID-100")?;
    ensure!(
        !has_it(&site.component().join("a.db"))?,
        "it went to the new tree"
    );
    clear(&site).await?;
    ensure!(has_it(&set_aside(&site))?, "it went with the new tree");
    site.close().await;
    say(match how {
        How::Store => "what is stored after a rollback is set aside",
        How::Write => "what is written after a rollback is set aside",
    });
    Ok(())
}
