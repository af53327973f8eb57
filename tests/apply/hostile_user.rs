//! The user of a component, who owns its directory or even the one around it, exchanges what lies there
//! while root applies, rolls back or recovers: nothing outside is read or changed, and nothing hangs.

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result, ensure};
use spacecp_advisories::{
    apply::{
        Action, ApplyError, Exchange, Faults, Gravity, InsecurePath, Operation, Outcome, Part, Step,
    },
    config::ControlConfig,
    control::{CommandError, Configured, Control as _, ControlError, InheritedLock},
    inventory::VersionProblem,
};
use spacecp_contract::Restart;
use spacecp_tests::ground::write;

use crate::{
    ends::EndAfter,
    outside::{NOBODY, Outside, give},
    site::{Copy, Site, Template},
    tree::{Panel, configured, new, now, old},
};

/// What preflight finds of the kind `workspace`, if anything.
async fn obstacle(panel: &Panel) -> Result<Option<String>> {
    let findings = panel.plan().await?.findings;
    let mut obstacles = findings
        .into_iter()
        .filter(|found| found.gravity == Gravity::Obstacle && found.check == "workspace");
    Ok(obstacles.next().and_then(|found| found.remedy))
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(())
}

fn around(panel: &Panel) -> PathBuf {
    panel.folder.path().join("panel")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_everybody_may_write_to_is_refused_with_a_remedy() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    set_mode(&around(&panel), 0o777)?;
    let remedy = obstacle(&panel).await?.expect("it is an obstacle");
    let named = around(&panel).display().to_string();
    assert!(
        remedy.contains(&named) && remedy.contains("workspace"),
        "{remedy}"
    );
    let refused = panel.apply().await;
    assert!(
        matches!(refused, Err(ApplyError::Obstacle { .. })),
        "{refused:?}"
    );
    assert!(
        !around(&panel).join(".spacecp-advisories").exists(),
        "nothing is made there"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_above_that_everybody_may_write_to_is_refused_too() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    set_mode(panel.folder.path(), 0o777)?;
    assert!(obstacle(&panel).await?.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sticky_directory_is_safe_for_a_component_of_the_panels_own_user() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    set_mode(&around(&panel), 0o1777)?;
    assert_eq!(obstacle(&panel).await?, None);
    assert_eq!(panel.apply().await?.outcome, Outcome::Applied);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_root), ignore = "only root can give files away")]
async fn a_sticky_directory_does_not_protect_a_component_of_another_user() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    set_mode(&around(&panel), 0o1777)?;
    give(&panel.component(), NOBODY)?;
    assert!(obstacle(&panel).await?.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_root), ignore = "only root can give files away")]
async fn a_directory_of_another_user_is_refused_until_a_workspace_is_configured() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    give(&around(&panel), NOBODY)?;
    assert!(obstacle(&panel).await?.is_some());
    let workspace = panel.folder.path().join("workspace");
    let applier = panel.plain().working_in(Some(workspace.clone()));
    let applied = panel.apply_with(&applier, "first", None, false).await?;
    assert_eq!(applied.outcome, Outcome::Applied);
    assert!(applied.reversible && panel.holds(&new())?);
    assert!(
        workspace.join("first/tree").is_dir(),
        "the old tree is kept there"
    );
    assert_eq!(
        fs::metadata(&workspace)?.permissions().mode() & 0o777,
        0o700
    );
    applier
        .roll_back("first", false, "for a test", now(), &())
        .await?;
    assert!(panel.holds(&old())?);
    assert!(
        !around(&panel).join(".spacecp-advisories").exists(),
        "nothing lies beside it"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_workspace_that_others_may_enter_is_refused() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    let workspace = panel.folder.path().join("workspace");
    fs::create_dir(&workspace)?;
    set_mode(&workspace, 0o755)?;
    let applier = panel.plain().working_in(Some(workspace));
    let refused = panel.apply_with(&applier, "first", None, false).await;
    assert!(
        matches!(refused, Err(ApplyError::Obstacle { .. })),
        "{refused:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_only_the_panels_user_can_have_put_on_the_way_is_followed() -> Result<()> {
    let template = Template::new(&old(), &new(), |_| {}).await?;
    let copy = template.copy()?;
    let around = copy.path().join("panel");
    fs::rename(&around, copy.path().join("elsewhere"))?;
    symlink("elsewhere", &around)?;
    let site = copy.open().await?;
    let applied = site.apply(&site.plain(), "first").await?;
    assert_eq!(applied.outcome, Outcome::Applied);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_others_can_have_put_on_the_way_is_not_followed() -> Result<()> {
    let template = Template::new(&old(), &new(), |_| {}).await?;
    let copy = template.copy()?;
    let around = copy.path().join("panel");
    fs::rename(&around, copy.path().join("elsewhere"))?;
    symlink("elsewhere", &around)?;
    set_mode(&copy.path(), 0o777)?;
    let site = copy.open().await?;
    let refused = site.apply(&site.plain(), "first").await;
    assert!(refused.is_err(), "{refused:?}");
    let beside = copy.path().join("elsewhere/.spacecp-advisories");
    assert!(!beside.exists(), "nothing was made behind the link");
    Ok(())
}

/// Commands that write to what they were given as their standard input, if they can.
fn writing_to_their_input(site: &Path) -> Result<ControlConfig> {
    let program = site.join("command");
    write(
        site,
        "command",
        "#!/bin/sh\necho written by a command >&0\nexit 0\n",
    )?;
    set_mode(&program, 0o755)?;
    let command = vec![program.display().to_string()];
    Ok(ControlConfig {
        unit: None,
        stop: command.clone(),
        start: command,
        running: Vec::new(),
        environment: std::collections::BTreeMap::new(),
        stop_within: 20,
        start_within: 20,
        running_within: 20,
    })
}

/// A panel whose component is stopped and started by such commands.
async fn restarting() -> Result<(Copy, Site, Arc<Configured>)> {
    let template = Template::new(&old(), &new(), |built| {
        built.correction.restart = Restart::Component;
    })
    .await?;
    let copy = template.copy()?;
    let control = writing_to_their_input(&copy.path())?;
    let component = configured(&copy.path(), "component", Some(control), Vec::new());
    let control = Arc::new(Configured::new(&[component]));
    let site = copy.open().await?;
    Ok((copy, site, control))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_can_only_read_the_lock_that_it_inherits() -> Result<()> {
    let (copy, site, control) = restarting().await?;
    let applier = site.plain().controlled_by(control);
    site.apply(&applier, "first").await?;
    for lock in ["stop.lock", "start.lock"] {
        let lock = copy
            .path()
            .join("panel/.spacecp-advisories/first")
            .join(lock);
        assert_eq!(fs::read_to_string(&lock)?, "", "{}", lock.display());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_root), ignore = "only root can give files away")]
async fn a_planted_workspace_hands_no_file_of_others_to_a_command() -> Result<()> {
    let (copy, site, control) = restarting().await?;
    let ending = site
        .ending(Exchange::Atomic, Arc::new(EndAfter(Step::Starting)))
        .controlled_by(control.clone());
    let cut_off = site.apply(&ending, "first").await;
    assert!(
        matches!(cut_off, Err(ApplyError::Interrupted(_))),
        "{cut_off:?}"
    );
    let outside = Outside::lay(&copy.path())?;
    let around = copy.path().join("panel");
    let (beside, away) = (around.join(".spacecp-advisories"), around.join("away"));
    fs::rename(&beside, &away)?;
    fs::create_dir_all(beside.join("first"))?;
    for lock in ["stop.lock", "start.lock"] {
        symlink(outside.secret(), beside.join("first").join(lock))?;
    }
    give(&beside, NOBODY)?;
    give_alone(&around, NOBODY)?;
    let applier = site.plain().controlled_by(control);
    applier.recover(now()).await?;
    outside.is_as_it_was()?;
    assert_eq!(applier.history(1).await?[0].outcome, Outcome::InProgress);
    // As an administrator puts it right.
    fs::remove_dir_all(&beside)?;
    fs::rename(&away, &beside)?;
    applier.recover(now()).await?;
    assert_eq!(applier.history(1).await?[0].outcome, Outcome::Failed);
    Ok(())
}

/// Gives one directory to somebody, and not what lies in it.
fn give_alone(path: &Path, owner: u32) -> Result<()> {
    std::os::unix::fs::chown(path, Some(owner), Some(owner))?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_root), ignore = "only root can give files away")]
async fn where_others_may_rename_an_earlier_run_is_still_rolled_back_and_nothing_new_applied()
-> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    panel.apply().await?;
    give_alone(&around(&panel), NOBODY)?;
    panel
        .plain()
        .roll_back("first", false, "for a test", now(), &())
        .await?;
    assert!(panel.holds(&old())?);
    let refused = panel
        .apply_with(&panel.plain(), "second", None, false)
        .await;
    assert!(
        matches!(refused, Err(ApplyError::Obstacle { .. })),
        "{refused:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_root), ignore = "only root can give files away")]
async fn where_others_may_rename_a_lock_that_is_gone_is_not_made_again() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    panel.apply().await?;
    let beside = around(&panel).join(".spacecp-advisories");
    fs::rename(&beside, around(&panel).join("away"))?;
    give_alone(&around(&panel), NOBODY)?;
    let refused = panel
        .plain()
        .roll_back("first", false, "for a test", now(), &())
        .await;
    let Err(ApplyError::Insecure { insecure, .. }) = refused else {
        panic!("{refused:?}")
    };
    let directory = around(&panel);
    let owner = NOBODY;
    assert_eq!(insecure, InsecurePath::Owner { directory, owner });
    assert!(!beside.exists());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_in_the_place_of_a_file_counts_as_changed_and_holds_up_nothing() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    panel.apply().await?;
    let file = panel.component().join("lib/a.js");
    fs::remove_file(&file)?;
    let made = Command::new("mkfifo").arg(&file).status()?;
    ensure!(made.success(), "no pipe could be made");
    let refused = panel
        .plain()
        .roll_back("first", false, "for a test", now(), &())
        .await;
    let Err(ApplyError::Irreversible { reason, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert!(reason.contains("lib/a.js"), "{reason}");
    Ok(())
}

/// Exchanges something for a link that leads out, before the first action of one kind there.
#[derive(Debug)]
struct Trap {
    operations: &'static [Operation],
    /// What is exchanged.
    path: PathBuf,
    outside: PathBuf,
    laid: AtomicBool,
}

impl Trap {
    fn new(operations: &'static [Operation], path: PathBuf, outside: &Outside) -> Arc<Self> {
        Arc::new(Self {
            operations,
            path,
            outside: outside.path().to_owned(),
            laid: AtomicBool::new(false),
        })
    }

    fn is_laid(&self) -> bool {
        self.laid.load(Ordering::SeqCst)
    }
}

impl Faults for Trap {
    fn before(&self, action: &Action<'_>) -> io::Result<()> {
        let is_there = self.operations.contains(&action.operation) && action.path == self.path;
        if is_there && !self.laid.swap(true, Ordering::SeqCst) {
            fs::rename(&self.path, self.path.with_extension("away"))?;
            symlink(&self.outside, &self.path)?;
        }
        Ok(())
    }

    fn after(&self, _: &Action<'_>) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_into_the_components_place_at_the_exchange_returns_there() -> Result<()> {
    for (exchange, operation) in [
        (Exchange::Atomic, &[Operation::Exchange]),
        (Exchange::Renames, &[Operation::Rename]),
    ] {
        let copy = Template::new(&old(), &new(), |_| {}).await?.copy()?;
        let site = copy.open().await?;
        let outside = Outside::lay(&copy.path())?;
        let trap = Trap::new(operation, site.component(), &outside);
        let refused = site
            .apply(&site.applier(exchange, trap.clone()), "first")
            .await;
        assert!(
            trap.is_laid() && refused.is_err(),
            "{exchange:?}: {refused:?}"
        );
        assert_eq!(
            fs::read_link(site.component())?,
            outside.path(),
            "{exchange:?}"
        );
        outside.is_as_it_was()?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(
    not(has_root),
    ignore = "who is not root cannot read what is copied here"
)]
async fn a_shut_folder_that_becomes_a_link_while_it_is_removed_opens_nothing_else() -> Result<()> {
    const TOUCHES: &[Operation] = &[Operation::SetMode, Operation::RemoveFolder];
    let lying = Template::new(&old(), &new(), |built| {
        "1.0.9".clone_into(&mut built.correction.to);
    })
    .await?;
    let copy = lying.copy()?;
    let site = copy.open().await?;
    let outside = Outside::lay(&copy.path())?;
    let shut = site.component().join("shut");
    fs::create_dir(&shut)?;
    set_mode(&shut, 0)?;
    let removed = copy
        .path()
        .join("panel/.spacecp-advisories/first/going/shut");
    let trap = Trap::new(TOUCHES, removed, &outside);
    let refused = site
        .apply(&site.applier(Exchange::Atomic, trap.clone()), "first")
        .await;
    assert!(
        matches!(refused, Err(ApplyError::Unhealthy { .. })),
        "{refused:?}"
    );
    assert!(trap.is_laid(), "the new tree was removed");
    outside.is_as_it_was()
}

#[test]
fn an_outside_that_was_touched_is_noticed() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let outside = Outside::lay(folder.path())?;
    outside.is_as_it_was()?;
    set_mode(outside.path(), 0o701)?;
    let noticed = outside.is_as_it_was();
    noticed.err().context("nothing was noticed")?;
    Ok(())
}

/// A panel whose component's user has given one of root's files a second name, in the place of a file of theirs.
async fn with_a_name_of_a_file_of_roots(name: &str) -> Result<Panel> {
    let panel = Panel::new(&old(), &new()).await?;
    let secret = panel.folder.path().join("secret");
    fs::write(&secret, "9.9.9")?;
    give(&panel.component(), NOBODY)?;
    let file = panel.component().join(name);
    fs::remove_file(&file)?;
    fs::hard_link(&secret, &file)?;
    Ok(panel)
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_root), ignore = "only root can give files away")]
async fn another_name_of_a_file_of_roots_is_no_version() -> Result<()> {
    let panel = with_a_name_of_a_file_of_roots("VERSION").await?;
    let version = &panel.inventory().components[0].version;
    assert!(
        matches!(version, Err(VersionProblem::File { .. })),
        "{version:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_root), ignore = "only root can give files away")]
async fn another_name_of_a_file_of_roots_is_not_shown() -> Result<()> {
    let panel = with_a_name_of_a_file_of_roots("lib/a.js").await?;
    let inventory = panel.inventory();
    let part = Part {
        correction: &panel.correction,
        component: &inventory.components[0],
    };
    let changes = panel.plain().changes(part, &panel.source).await?;
    let change = changes.iter().find(|one| one.path.as_str() == "lib/a.js");
    let lines = &change.context("it is named")?.lines;
    assert!(!lines.contains("9.9.9"), "{lines}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_does_not_run_behind_a_link_that_others_can_have_put_on_the_way() -> Result<()> {
    let (copy, _, control) = restarting().await?;
    let lock = || -> Result<InheritedLock> {
        let path = copy.path().join("lock");
        Ok(InheritedLock::new(fs::File::create(path)?)?)
    };
    control.stop("component", &lock()?).await?;
    let around = copy.path().join("panel");
    fs::rename(&around, copy.path().join("elsewhere"))?;
    symlink("elsewhere", &around)?;
    set_mode(&copy.path(), 0o777)?;
    let refused = control.stop("component", &lock()?).await;
    assert!(
        matches!(
            refused,
            Err(ControlError::Command(CommandError::Run { .. }))
        ),
        "{refused:?}"
    );
    Ok(())
}
