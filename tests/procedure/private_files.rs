//! The desk is for its owner alone, and so is the memory of a process that has keys in it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Result;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use spacecp_publisher::private_files::{self, DeskError};

use crate::desk::{run, well};

fn mode(path: &Path) -> Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o777)
}

fn open(path: &Path, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

#[test]
fn every_command_mends_the_modes_of_the_desk_and_says_what_it_mended() -> Result<()> {
    let desk = spacecp_tests::scratch::folder()?;
    well(desk.path(), &["keys", "new", "feed", "--unencrypted"])?;
    let key = desk.path().join("keys/feed.key");
    let drafts = desk.path().join("drafts");
    fs::create_dir(&drafts)?;
    open(&key, 0o644)?;
    open(&drafts, 0o755)?;
    let public = mode(&desk.path().join("keys/feed.pub"))?;
    let listed = run(desk.path(), &["keys", "list"])?;
    let said = String::from_utf8_lossy(&listed.stderr).into_owned();
    assert!(
        said.contains("feed.key was accessible to other users"),
        "{said}"
    );
    assert_eq!((mode(&key)?, mode(&drafts)?), (0o600, 0o700));
    assert_eq!(mode(&desk.path().join("keys/feed.pub"))?, public);
    let again = run(desk.path(), &["keys", "list"])?;
    assert_eq!(String::from_utf8_lossy(&again.stderr), "");
    Ok(())
}

#[test]
fn a_folder_that_is_no_desk_is_left_as_it_is() -> Result<()> {
    let home = spacecp_tests::scratch::folder()?;
    let drafts = home.path().join("drafts");
    fs::create_dir(&drafts)?;
    open(&drafts, 0o755)?;
    assert_eq!(private_files::mend(home.path())?, [""; 0]);
    assert_eq!(mode(&drafts)?, 0o755);
    Ok(())
}

#[test]
fn a_desk_of_another_user_is_refused() -> Result<()> {
    // Only root can give a file away.
    if rustix::process::geteuid().as_raw() != 0 {
        return Ok(());
    }
    let desk = spacecp_tests::scratch::folder()?;
    well(desk.path(), &["keys", "new", "feed", "--unencrypted"])?;
    std::os::unix::fs::chown(desk.path().join("keys/feed.key"), Some(4711), None)?;
    let refused = private_files::mend(desk.path());
    assert!(
        matches!(&refused, Err(DeskError::Owner { owner: 4711, .. })),
        "{refused:?}"
    );
    Ok(())
}

#[test]
fn a_key_without_its_public_half_gets_it_back() -> Result<()> {
    let desk = spacecp_tests::scratch::folder()?;
    well(desk.path(), &["keys", "new", "feed", "--unencrypted"])?;
    let public = desk.path().join("keys/feed.pub");
    let listed = well(desk.path(), &["keys", "list"])?;
    fs::remove_file(&public)?;
    assert_eq!(well(desk.path(), &["keys", "list"])?, listed);
    assert!(public.exists());
    Ok(())
}

#[test]
fn files_that_a_killed_command_left_are_removed_by_the_next() -> Result<()> {
    let desk = spacecp_tests::scratch::folder()?;
    well(desk.path(), &["keys", "new", "feed", "--unencrypted"])?;
    let left = desk.path().join("keys/.tmpAbCdEf");
    fs::write(&left, "half a key")?;
    well(desk.path(), &["keys", "list"])?;
    assert!(!left.exists());
    Ok(())
}

#[test]
fn no_core_dump_can_have_a_key_in_it() -> Result<()> {
    let desk = spacecp_tests::scratch::folder()?;
    // It waits for a passphrase, and can be looked at meanwhile.
    let mut waiting = Command::new(env!("CARGO_BIN_EXE_vendor-program"))
        .arg("--desk")
        .arg(desk.path())
        .args(["--passphrase-fd", "0", "keys", "new", "feed"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let limits = format!("/proc/{}/limits", waiting.id());
    let mut core = String::new();
    for _ in 0..500 {
        let text = fs::read_to_string(&limits)?;
        let line = text
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        core = line.unwrap_or_default().to_owned();
        let words: Vec<&str> = core.split_whitespace().collect();
        if words.get(4..6) == Some(&["0", "0"]) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    drop(waiting.stdin.take());
    waiting.wait()?;
    let words: Vec<&str> = core.split_whitespace().collect();
    assert_eq!(words.get(4..6), Some(&["0", "0"][..]), "{core}");
    Ok(())
}

#[test]
fn no_option_takes_a_secret() {
    let command = spacecp_publisher::cli::command();
    let mut pending = vec![&command];
    while let Some(one) = pending.pop() {
        for argument in one.get_arguments() {
            let name = argument.get_id().as_str();
            let is_secret = ["passphrase", "password", "secret", "token", "identity"]
                .iter()
                .any(|word| name.contains(word));
            assert!(
                !is_secret || name == "passphrase_fd",
                "{name} of {}",
                one.get_name()
            );
        }
        pending.extend(one.get_subcommands());
    }
}

#[test]
fn a_pipe_in_the_place_of_an_enrolled_panel_is_refused_and_keeps_nobody_waiting() -> Result<()> {
    let desk = spacecp_tests::scratch::folder()?;
    let panels = desk.path().join("panels");
    well(desk.path(), &["keys", "new", "feed", "--unencrypted"])?;
    fs::create_dir(&panels)?;
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, panels.join("node-7.toml"), FileType::Fifo, mode, 0)?;
    let listed = run(desk.path(), &["panel", "list"])?;
    let said = String::from_utf8_lossy(&listed.stderr).into_owned();
    assert!(said.contains("not a regular file"), "{said}");
    Ok(())
}
