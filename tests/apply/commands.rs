//! What is run to stop, start and look: no shell, little in its environment, and an end.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

use anyhow::{Context, Result};
use rustix::process::{Pid, test_kill_process};
use spacecp_advisories::{
    config::ControlConfig,
    control::{CommandError, Configured, Control, ControlError, InheritedLock},
};
use tempfile::TempDir;

use crate::tree::configured;

fn words(command: &[&str]) -> Vec<String> {
    command.iter().map(|word| (*word).to_owned()).collect()
}

fn control(stop: &[&str]) -> ControlConfig {
    ControlConfig {
        unit: None,
        stop: words(stop),
        start: words(&["true"]),
        running: Vec::new(),
        environment: BTreeMap::from([("GREETING".to_owned(), "hello there".to_owned())]),
        stop_within: 20,
        start_within: 20,
        running_within: 20,
    }
}

/// A folder with a component, and a control of it.
struct Ground {
    folder: TempDir,
    configured: Configured,
}

impl Ground {
    fn with(control: ControlConfig) -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let component = configured(folder.path(), "component", Some(control), Vec::new());
        fs::create_dir_all(&component.folder)?;
        let configured = Configured::new(&[component]);
        Ok(Self { folder, configured })
    }

    fn component(&self) -> std::path::PathBuf {
        self.folder.path().join("panel/component")
    }

    async fn stop(&self) -> Result<(), ControlError> {
        let lock = lock(self.folder.path()).expect("a file");
        self.configured.stop("component", &lock).await
    }
}

/// A lock for a command to inherit.
fn lock(folder: &std::path::Path) -> std::io::Result<InheritedLock> {
    InheritedLock::new(fs::File::create(folder.join("lock"))?)
}

#[tokio::test]
async fn no_shell_reads_a_command() -> Result<()> {
    let ground = Ground::with(control(&["touch", "a; touch b", "$HOME", "*"]))?;
    ground.stop().await?;
    let mut names: Vec<String> = fs::read_dir(ground.component())?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    names.sort();
    assert_eq!(names, ["$HOME", "*", "a; touch b"]);
    Ok(())
}

#[tokio::test]
async fn the_environment_of_a_command_is_what_is_configured_and_a_path() -> Result<()> {
    let ground = Ground::with(control(&["sh", "-c", "/usr/bin/env > seen"]))?;
    ground.stop().await?;
    let seen = fs::read_to_string(ground.component().join("seen"))?;
    let mut names: Vec<&str> = seen
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        // The shell of this test sets these itself.
        .filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["GREETING", "PATH"], "{seen}");
    Ok(())
}

#[tokio::test]
async fn a_command_that_does_not_end_is_killed_with_all_that_it_started() -> Result<()> {
    let mut control = control(&["sh", "-c", "sleep 1000 & echo $! > child; wait"]);
    control.stop_within = 1;
    let ground = Ground::with(control)?;
    let refused = ground.stop().await;
    assert!(
        matches!(
            &refused,
            Err(ControlError::Command(CommandError::TimeOut { .. }))
        ),
        "{refused:?}"
    );
    let child = fs::read_to_string(ground.component().join("child"))?;
    let child = Pid::from_raw(child.trim().parse()?).context("an id")?;
    assert!(gone(child).await, "what it started is gone, too");
    Ok(())
}

/// Whether a process has ended, or is about to be taken off the list.
async fn gone(pid: Pid) -> bool {
    for _ in 0..200 {
        let state = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
        let ended = state.is_ok_and(|state| state.contains(") Z "));
        if ended || test_kill_process(pid).is_err() {
            return true;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    false
}

#[tokio::test]
async fn of_a_flood_of_output_the_end_is_kept_and_made_harmless() -> Result<()> {
    let flood = "yes flood | head -c 50000000; printf '\\033[31mthe end'; exit 7";
    let ground = Ground::with(control(&["sh", "-c", flood]))?;
    let refused = ground.stop().await.expect_err("it failed").to_string();
    assert!(refused.contains("exit status: 7"), "{refused}");
    assert!(refused.ends_with("the end"), "{refused}");
    assert!(!refused.contains('\u{1b}'), "no word steers a terminal");
    assert!(refused.len() < 4_096, "{} bytes", refused.len());
    Ok(())
}

#[tokio::test]
async fn what_a_command_leaves_running_does_not_hold_it_up() -> Result<()> {
    let ground = Ground::with(control(&["sh", "-c", "sleep 1000 & echo $! > child"]))?;
    ground.stop().await?;
    let child = fs::read_to_string(ground.component().join("child"))?;
    let child = Pid::from_raw(child.trim().parse()?).context("an id")?;
    assert!(test_kill_process(child).is_ok(), "and it is left alone");
    rustix::process::kill_process(child, rustix::process::Signal::KILL)?;
    Ok(())
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() -> Result<()> {
    let ground = Ground::with(control(&["/nowhere/at/all"]))?;
    let refused = ground.stop().await.expect_err("it failed").to_string();
    assert!(refused.contains("/nowhere/at/all"), "{refused}");
    Ok(())
}

/// A stand-in for systemd's program: it notes what it is asked for.
fn systemctl(folder: &Path, state: &str) -> Result<ControlConfig> {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin)?;
    let program = bin.join("systemctl");
    let asked = folder.join("asked");
    fs::write(
        &program,
        format!(
            "#!/bin/sh\necho \"$@\" >> {}\n[ \"$1\" = show ] && echo {state}\nexit 0\n",
            asked.display()
        ),
    )?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let path = format!("{}:/usr/bin:/bin", bin.display());
    Ok(ControlConfig {
        unit: Some("houston.service".to_owned()),
        stop: Vec::new(),
        start: Vec::new(),
        environment: BTreeMap::from([("PATH".to_owned(), path)]),
        ..control(&[])
    })
}

#[tokio::test]
async fn a_unit_is_stopped_started_and_asked_for_by_its_name() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    for (state, runs) in [
        ("active", true),
        ("activating", true),
        ("deactivating", true),
        ("inactive", false),
        ("failed", false),
    ] {
        let ground = Ground::with(systemctl(folder.path(), state)?)?;
        let found = ground.configured.is_running("component").await?;
        assert_eq!(found, Some(runs), "{state}");
    }
    fs::remove_file(folder.path().join("asked"))?;
    let ground = Ground::with(systemctl(folder.path(), "active")?)?;
    ground.stop().await?;
    let lock = lock(folder.path())?;
    ground.configured.start("component", &lock).await?;
    let asked = fs::read_to_string(folder.path().join("asked"))?;
    assert_eq!(asked, "stop -- houston.service\nstart -- houston.service\n");
    Ok(())
}

#[tokio::test]
async fn a_component_inside_another_is_stopped_as_that_one_is() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let outer = configured(
        folder.path(),
        "houston",
        Some(control(&["touch", "stopped"])),
        vec![],
    );
    let inner = configured(folder.path(), "houston/ws", None, vec![]);
    let alone = configured(folder.path(), "houston-2", None, vec![]);
    fs::create_dir_all(&outer.folder)?;
    let place = outer.folder.join("stopped");
    let control = Configured::new(&[outer, inner, alone]);
    let lock = lock(folder.path())?;
    control.stop("houston/ws", &lock).await?;
    assert!(place.exists(), "with the command of houston, in its folder");
    assert!(control.can_restart("houston/ws") && !control.can_restart("houston-2"));
    Ok(())
}
