//! The program's own words: its help, and how it ends.

use std::{net::TcpListener, os::unix::process::CommandExt, process::Command};

use anyhow::Result;
use insta::assert_snapshot;

use crate::panel::Panel;

pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) complaint: String,
}

pub(crate) fn run(arguments: &[&str]) -> Result<Ended> {
    let output = Command::new(env!("CARGO_BIN_EXE_panel-program"))
        // The name it is installed by.
        .arg0("spacecp-advisories")
        .args(arguments)
        .env_remove("SPACECP_ADVISORIES_CONFIG")
        .env_remove("SPACECP_ADVISORIES_LOG")
        .env("COLUMNS", "100")
        .output()?;
    Ok(Ended {
        code: output.status.code(),
        output: String::from_utf8(output.stdout)?,
        complaint: String::from_utf8(output.stderr)?,
    })
}

fn help_of(arguments: &[&str]) -> Result<String> {
    let ended = run(&[arguments, &["--help"]].concat())?;
    assert_eq!(ended.code, Some(0));
    Ok(ended.output)
}

#[test]
fn help_teaches_every_command() -> Result<()> {
    assert_snapshot!("help", help_of(&[])?);
    for command in [
        "sync",
        "check",
        "list",
        "show",
        "apply",
        "rollback",
        "history",
        "audit",
        "workaround",
        "accept",
        "import",
        "trust",
        "doctor",
        "serve",
        "hash-password",
    ] {
        assert_snapshot!(format!("help_{command}"), help_of(&[command])?);
    }
    Ok(())
}

#[test]
fn a_command_line_that_cannot_be_used_ends_with_2() -> Result<()> {
    for arguments in [
        &["no-such-command"][..],
        &["show"],
        &["apply", "X", "--yes", "--dry-run"],
        &["--color", "pink", "list"],
    ] {
        assert_eq!(run(arguments)?.code, Some(2), "{arguments:?}");
    }
    Ok(())
}

#[test]
fn a_configuration_that_is_not_there_ends_with_2_and_is_named() -> Result<()> {
    let ended = run(&["--config", "/nowhere/panel.toml", "check"])?;
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.complaint.contains("/nowhere/panel.toml"),
        "{}",
        ended.complaint
    );
    assert_eq!(ended.output, "");
    Ok(())
}

#[tokio::test]
async fn an_address_in_use_is_named_with_how_to_choose_another() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let config = panel.folder().join("panel.toml").display().to_string();
    let ended = tokio::task::spawn_blocking(move || {
        run(&["--config", &config, "serve", "--listen", &address]).map(|ended| (ended, address))
    });
    let (ended, address) = ended.await??;
    assert_eq!(ended.code, Some(4), "{}", ended.complaint);
    for words in [address.as_str(), "--listen", "serve.listen"] {
        assert!(ended.complaint.contains(words), "{}", ended.complaint);
    }
    Ok(())
}
