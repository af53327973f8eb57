//! What a component writes to its own files while it is corrected, and with its new tree.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result};
use spacecp_advisories::apply::{
    Action, ApplyError, Exchange, Faults, Interrupted, OldTrees, Operation, Outcome, Step, Steps,
};
use spacecp_tests::ground::write;

use crate::tree::{Panel, look, new, now, old};

type Act = Box<dyn Fn(&Path) -> Result<()> + Send + Sync>;

/// Has the component do something once a step has been reached.
struct Meanwhile {
    at: Step,
    component: std::path::PathBuf,
    act: Act,
}

impl std::fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Meanwhile").field(&self.at).finish()
    }
}

impl Steps for Meanwhile {
    fn reached(&self, step: Step) -> Result<(), Interrupted> {
        if step == self.at {
            (self.act)(&self.component).expect("the component may write to its folder");
        }
        Ok(())
    }
}

/// Applies while the component does this after its tree was copied.
async fn applied_while(
    panel: &Panel,
    act: impl Fn(&Path) -> Result<()> + Send + Sync + 'static,
) -> Result<spacecp_advisories::apply::Application, ApplyError> {
    applied_while_at(panel, Step::Verified, act).await
}

/// The same after any step.
pub(crate) async fn applied_while_at(
    panel: &Panel,
    at: Step,
    act: impl Fn(&Path) -> Result<()> + Send + Sync + 'static,
) -> Result<spacecp_advisories::apply::Application, ApplyError> {
    let meanwhile = Meanwhile {
        at,
        component: panel.component(),
        act: Box::new(act),
    };
    let applier = panel.applier(Exchange::Atomic, Arc::new(meanwhile));
    panel.apply_with(&applier, "first", None, false).await
}

pub(crate) async fn panel_with_own_files() -> Result<Panel> {
    let panel = Panel::new(&old(), &new()).await?.keeping(&["data/"]);
    let component = panel.component();
    write(&component, "data/world", "kept")?;
    write(&component, "notes.txt", "of yesterday")?;
    write(&component, "cache/a", "a")?;
    write(&component, "cache/b", "b")?;
    symlink("notes.txt", component.join("newest"))?;
    Ok(panel)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_after_the_tree_was_copied_is_in_the_new_one() -> Result<()> {
    let panel = panel_with_own_files().await?;
    applied_while(&panel, |component| {
        // The same length, so that nothing but the time tells.
        write(component, "notes.txt", "of this hour")?;
        write(component, "logs/today/1.log", "a line")?;
        write(component, "same.txt", "same, and then more")?;
        write(component, "lib/own.js", "beside the correction's files")?;
        write(component, "data/world", "kept, and played on")?;
        fs::remove_file(component.join("cache/a"))?;
        fs::remove_file(component.join("newest"))?;
        symlink("logs", component.join("newest"))?;
        fs::set_permissions(component.join("cache/b"), fs::Permissions::from_mode(0o600))?;
        // A file becomes a folder.
        fs::create_dir(component.join("empty"))?;
        Ok(())
    })
    .await?;
    let found = look(&panel.component())?;
    let told = |path: &str| found.get(path).map(String::as_str);
    assert_eq!(told("notes.txt"), Some("644 of this hour"));
    assert_eq!(told("logs/today/1.log"), Some("644 a line"));
    assert_eq!(told("same.txt"), Some("644 same, and then more"));
    assert_eq!(
        told("lib/own.js"),
        Some("644 beside the correction's files")
    );
    assert_eq!(told("data/world"), Some("644 kept, and played on"));
    assert_eq!(told("cache/a"), None);
    assert_eq!(told("cache/b"), Some("600 b"));
    assert_eq!(told("newest"), Some("-> logs"));
    assert_eq!(told("empty"), Some("empty folder"));
    // And the correction is there as it should be.
    assert_eq!(told("lib/a.js"), Some("644 a of 1.0.1"));
    assert_eq!(told("lib/new/b.js"), Some("644 b"));
    assert_eq!(told("lib/gone.js"), None);
    assert_eq!(told("deep"), None, "it was left empty by the correction");
    assert!(!panel.component().join("deep").exists());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_the_correction_empties_comes_back_only_for_what_is_in_it() -> Result<()> {
    let panel = panel_with_own_files().await?;
    applied_while(&panel, |component| {
        Ok(write(
            component,
            "deep/down/own",
            "written in the last moment",
        )?)
    })
    .await?;
    let found = look(&panel.component())?;
    assert_eq!(
        found.get("deep/down/own").map(String::as_str),
        Some("644 written in the last moment")
    );
    assert!(!found.contains_key("deep/down/only.js"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_in_the_place_of_a_file_is_brought_over_with_everything_in_it() -> Result<()> {
    let panel = panel_with_own_files().await?;
    applied_while(&panel, |component| {
        fs::remove_file(component.join("notes.txt"))?;
        write(component, "notes.txt/1", "one")?;
        fs::remove_dir_all(component.join("cache"))?;
        Ok(write(component, "cache", "a file now")?)
    })
    .await?;
    let found = look(&panel.component())?;
    assert_eq!(found["notes.txt/1"], "644 one");
    assert_eq!(found["cache"], "644 a file now");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_correction_that_changes_in_the_last_moment_is_not_overwritten() -> Result<()>
{
    type Change = fn(&Path) -> Result<()>;
    let changes: [(&str, Change); 2] = [
        ("lib/a.js", |component| {
            Ok(write(component, "lib/a.js", "a of somebody")?)
        }),
        ("lib/gone.js", |component| {
            Ok(write(component, "lib/gone.js", "not gone")?)
        }),
    ];
    for (path, change) in changes {
        let panel = panel_with_own_files().await?;
        let refused = applied_while(&panel, change).await;
        assert!(
            matches!(&refused, Err(ApplyError::ChangedMeanwhile { path: named, .. }) if named == path),
            "{refused:?}"
        );
        let expected = {
            let again = panel_with_own_files().await?;
            change(&again.component())?;
            look(&again.component())?
        };
        assert_eq!(look(&panel.component())?, expected, "nothing is lost");
        let history = panel.plain().history(1).await?;
        assert_eq!(history[0].outcome, Outcome::Failed);
        assert_eq!(panel.left_over()?, Vec::<String>::new());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_names_what_would_go_with_the_new_tree_and_wants_a_word() -> Result<()> {
    let panel = panel_with_own_files().await?;
    panel.apply().await?;
    write(&panel.component(), "data/world", "played on")?;
    write(&panel.component(), "cache/c", "written with the new tree")?;
    let back = panel.plain();
    let refused = back
        .roll_back("first", false, "for a test", now(), &())
        .await;
    let words = refused.expect_err("it wants a word").to_string();
    assert!(
        words.contains("cache/c") && !words.contains("data/world") && !words.contains("cache/b"),
        "{words}"
    );
    back.roll_back("first", true, "for a test", now(), &())
        .await?;
    let found = look(&panel.component())?;
    assert_eq!(found["data/world"], "644 played on");
    assert!(!found.contains_key("cache/c"));
    // With the word given it is still there for as long as an old tree would be.
    let stays = panel
        .folder
        .path()
        .join("panel/.spacecp-advisories/first/tree/cache/c");
    assert_eq!(fs::read_to_string(&stays)?, "written with the new tree");
    let limits = OldTrees { days: 1, bytes: 0 };
    back.keeping(limits).clear_old_trees(now()).await?;
    assert!(!stays.exists(), "and then it goes");
    assert_eq!(panel.left_over()?, Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_after_a_rollback_has_begun_is_set_aside() -> Result<()> {
    let panel = panel_with_own_files().await?;
    panel.apply().await?;
    let meanwhile = Meanwhile {
        at: Step::RollingBack,
        component: panel.component(),
        act: Box::new(|component| Ok(write(component, "cache/a", "written last")?)),
    };
    let back = panel.applier(Exchange::Atomic, Arc::new(meanwhile));
    back.roll_back("first", false, "for a test", now(), &())
        .await?;
    let found = look(&panel.component())?;
    assert_eq!(found["cache/a"], "644 a", "it is the old tree");
    let beside = panel.folder.path().join("panel/.spacecp-advisories/first");
    assert_eq!(
        fs::read_to_string(beside.join("set-aside/0/cache/a"))?,
        "written last"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_new_version_wrote_before_it_was_undone_is_set_aside() -> Result<()> {
    let panel = panel_with_own_files().await?;
    let meanwhile = Meanwhile {
        at: Step::Swapped,
        component: panel.component(),
        act: Box::new(|component| {
            write(component, "cache/a", "written by the new version")?;
            Ok(write(component, "VERSION", "0.0.0\n")?)
        }),
    };
    let applier = panel.applier(Exchange::Atomic, Arc::new(meanwhile));
    let undone = panel.apply_with(&applier, "first", None, false).await;
    assert!(
        matches!(undone, Err(ApplyError::Unhealthy { .. })),
        "{undone:?}"
    );
    assert_eq!(look(&panel.component())?["cache/a"], "644 a");
    let beside = panel.folder.path().join("panel/.spacecp-advisories/first");
    assert_eq!(
        fs::read_to_string(beside.join("set-aside/0/cache/a"))?,
        "written by the new version"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn run_time_data_that_goes_astray_is_set_aside_before_its_tree_goes() -> Result<()> {
    let panel = panel_with_own_files().await?;
    panel.apply().await?;
    // Something that was not stopped works in the folder that it knows.
    let beside = panel.folder.path().join("panel/.spacecp-advisories/first");
    write(&beside.join("tree"), "data/astray", "players' work")?;
    let limits = OldTrees { days: 0, bytes: 0 };
    let later = now() + jiff::SignedDuration::from_hours(24 * 40);
    panel.plain().keeping(limits).clear_old_trees(later).await?;
    assert!(!beside.join("tree").exists());
    assert_eq!(
        fs::read_to_string(beside.join("set-aside/0/data/astray"))?,
        "players' work"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_whose_removal_is_cut_off_is_none_to_go_back_to() -> Result<()> {
    let panel = panel_with_own_files().await?;
    panel.apply().await?;
    let beside = panel.folder.path().join("panel/.spacecp-advisories/first");
    // Where a crash in the middle of the removal leaves it.
    fs::rename(beside.join("tree"), beside.join("going"))?;
    fs::remove_dir_all(beside.join("going/lib"))?;
    let reversible = panel.plain().reversible("component").await?;
    assert!(reversible.is_none(), "{reversible:?}");
    panel.plain().recover(now()).await?;
    assert!(!beside.exists(), "recovery goes on with it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_replaces_a_file_has_its_owner_and_attributes() -> Result<()> {
    let panel = panel_with_own_files().await?;
    let replaced = panel.component().join("bin/run");
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        std::os::unix::fs::chown(&replaced, Some(1234), Some(5678))?;
    }
    xattr::set(&replaced, "user.of-the-administrator", b"stays")?;
    panel.apply().await?;
    let there = fs::metadata(&replaced)?;
    assert_eq!(fs::read_to_string(&replaced)?, "#!/bin/sh\necho new\n");
    if is_root {
        assert_eq!((there.uid(), there.gid()), (1234, 5678));
    }
    assert_eq!(there.permissions().mode() & 0o7777, 0o755);
    assert_eq!(
        xattr::get(&replaced, "user.of-the-administrator")?.as_deref(),
        Some(b"stays".as_slice())
    );
    // A new file has what the correction says, and nobody's attributes.
    let added = panel.component().join("lib/new/b.js");
    assert_eq!(xattr::list(&added)?.count(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_works_in_the_folder_and_is_not_stopped_wants_a_word() -> Result<()> {
    let panel = panel_with_own_files().await?;
    let mut at_work = std::process::Command::new("sleep")
        .arg("600")
        .current_dir(panel.component())
        .spawn()?;
    let plan = panel.plan().await?;
    at_work.kill()?;
    at_work.wait()?;
    let found = plan.warnings().find(|one| one.check == "at-work");
    let found = &found.context("it is found")?.found;
    assert!(found.contains("sleep"), "{found}");
    let plan = panel.plan().await?;
    assert!(plan.warnings().next().is_none(), "{:?}", plan.findings);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_in_the_place_of_the_version_keeps_nobody_waiting() -> Result<()> {
    let panel = panel_with_own_files().await?;
    let version = panel.component().join("VERSION");
    fs::remove_file(&version)?;
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &version,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )?;
    let inventory = panel.inventory();
    let problem = inventory.components[0].version.as_ref().err();
    let problem = problem.context("it has no version")?.to_string();
    assert!(problem.contains("not a regular file"), "{problem}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_without_a_way_back_wants_a_word_before_and_after() -> Result<()> {
    let panel = Panel::with(&old(), &new(), |built| built.correction.reversible = false).await?;
    let refused = panel.apply().await;
    assert!(
        matches!(refused, Err(ApplyError::WantsWord { .. })),
        "{refused:?}"
    );
    let plain = panel.plain();
    panel.apply_with(&plain, "first", None, true).await?;
    let refused = plain
        .roll_back("first", false, "for a test", now(), &())
        .await;
    let words = refused.expect_err("it wants a word").to_string();
    assert!(words.contains("unable to read data"), "{words}");
    let back = plain
        .roll_back("first", true, "for a test", now(), &())
        .await?;
    assert_eq!(back.outcome, Outcome::RolledBack);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_correction_that_is_written_just_before_the_exchange_is_not_lost()
-> Result<()> {
    let panel = panel_with_own_files().await?;
    let refused = applied_while_at(&panel, Step::Swapping, |component| {
        Ok(write(component, "lib/a.js", "of the administrator")?)
    })
    .await;
    let Err(ApplyError::ChangedMeanwhile { path, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(path, "lib/a.js");
    let kept = fs::read_to_string(panel.component().join("lib/a.js"))?;
    assert_eq!(kept, "of the administrator");
    Ok(())
}

/// Writes to the new tree in the moment before a late write takes the place of a copy there.
#[derive(Debug)]
struct AtOnce(std::path::PathBuf, AtomicBool);

impl Faults for AtOnce {
    fn before(&self, action: &Action<'_>) -> io::Result<()> {
        let replaces = matches!(action.operation, Operation::Rename | Operation::Exchange);
        let is_it = replaces && action.path.ends_with("folder/notes.txt");
        if is_it && !self.1.swap(true, Ordering::SeqCst) {
            let mut file = fs::File::options().append(true).open(&self.0)?;
            file.write_all(b", and of the new version")?;
        }
        Ok(())
    }

    fn after(&self, _: &Action<'_>) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_new_tree_gets_in_the_last_moment_stays_and_the_late_write_is_set_aside()
-> Result<()> {
    let panel = panel_with_own_files().await?;
    let file = panel.component().join("notes.txt");
    let old_tree = panel
        .folder
        .path()
        .join("panel/.spacecp-advisories/first/tree");
    let late = Meanwhile {
        at: Step::Carried,
        component: old_tree,
        act: Box::new(|tree| Ok(write(tree, "notes.txt", "of a late hour")?)),
    };
    let applier = panel.applier(Exchange::Atomic, Arc::new(late));
    let applier = applier.with_faults(Arc::new(AtOnce(file.clone(), AtomicBool::new(false))));
    panel.apply_with(&applier, "first", None, false).await?;
    assert_eq!(
        fs::read_to_string(&file)?,
        "of yesterday, and of the new version"
    );
    let beside = panel.folder.path().join("panel/.spacecp-advisories/first");
    assert_eq!(
        fs::read_to_string(beside.join("set-aside/0/notes.txt"))?,
        "of a late hour"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_as_long_as_names_can_be_is_set_aside_and_its_tree_goes() -> Result<()> {
    let panel = panel_with_own_files().await?;
    panel.apply().await?;
    let beside = panel.folder.path().join("panel/.spacecp-advisories/first");
    let long = "n".repeat(255);
    write(&beside.join("tree"), &long, "late")?;
    let limits = OldTrees { days: 0, bytes: 0 };
    let later = now() + jiff::SignedDuration::from_hours(24 * 40);
    panel.plain().keeping(limits).clear_old_trees(later).await?;
    let kept = fs::read_to_string(beside.join("set-aside/0").join(&long))?;
    assert_eq!(kept, "late");
    assert!(!beside.join("tree").exists());
    Ok(())
}

/// Puts another file with the same contents into the place of one that was stamped, once its new contents are
/// being written.
#[derive(Debug)]
struct Exchanged(std::path::PathBuf);

impl Faults for Exchanged {
    fn before(&self, action: &Action<'_>) -> io::Result<()> {
        if action.operation == Operation::CreateFile && action.path.ends_with("first/stamps.new") {
            let other = self.0.with_file_name("other");
            fs::copy(&self.0, &other)?;
            fs::rename(&other, &self.0)?;
        }
        Ok(())
    }

    fn after(&self, _: &Action<'_>) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_are_taken_of_the_very_file_that_was_stamped() -> Result<()> {
    let panel = panel_with_own_files().await?;
    let exchanged = Exchanged(panel.component().join("bin/run"));
    let applier = panel.plain().with_faults(Arc::new(exchanged));
    let refused = panel.apply_with(&applier, "first", None, false).await;
    assert!(
        matches!(refused, Err(ApplyError::ChangedMeanwhile { .. })),
        "{refused:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_works_in_a_folder_without_run_time_data_wants_a_word_as_well() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    let mut at_work = std::process::Command::new("sleep")
        .arg("600")
        .current_dir(panel.component())
        .spawn()?;
    let plan = panel.plan().await?;
    at_work.kill()?;
    at_work.wait()?;
    assert!(plan.warnings().any(|one| one.check == "at-work"));
    Ok(())
}
