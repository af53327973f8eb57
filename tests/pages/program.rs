//! The program's own words: its help, and how it ends.

use std::{net::TcpListener, os::unix::process::CommandExt, process::Command};

use anyhow::Result;
use insta::assert_snapshot;
use serde_json::Value;
use spacecp_advisories::AUTOMATIC;
use spacecp_tests::catalog;

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
        "auto",
        "history",
        "notify",
        "audit",
        "report",
        "workaround",
        "accept",
        "unread",
        "set-version",
        "import",
        "trust",
        "doctor",
        "token",
        "serve",
        "components",
        "exposure",
        "schedule",
        "changes",
        "completions",
        "man",
        "totp",
        "hash-password",
    ] {
        assert_snapshot!(format!("help_{command}"), help_of(&[command])?);
    }
    Ok(())
}

#[test]
fn the_manual_has_a_page_for_every_command() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let place = folder.path().display().to_string();
    let ended = run(&["man", &place])?;
    assert_eq!(ended.code, Some(0), "{}", ended.complaint);
    for page in [
        "spacecp-advisories.1",
        "spacecp-advisories-apply.1",
        "spacecp-advisories-workaround-mark.1",
    ] {
        let text = std::fs::read_to_string(folder.path().join(page))?;
        assert!(text.contains(".SH SYNOPSIS"), "{page}:\n{text}");
    }
    assert!(!folder.path().join("spacecp-advisories-watch.1").exists());
    Ok(())
}

#[test]
fn a_shell_is_told_of_every_command() -> Result<()> {
    for shell in ["bash", "zsh", "fish"] {
        let ended = run(&["completions", shell])?;
        assert_eq!(ended.code, Some(0), "{}", ended.complaint);
        for command in ["apply", "exposure", "schedule"] {
            assert!(ended.output.contains(command), "{shell} lacks {command}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sarif_has_a_rule_for_each_advisory_and_nothing_of_an_embargo() -> Result<()> {
    let panel = Panel::raise().await?;
    let config = panel.folder().join("panel.toml").display().to_string();
    let ended = tokio::task::spawn_blocking(move || {
        run(&["--config", &config, "check", "--format", "sarif"])
    });
    let ended = ended.await??;
    assert_eq!(ended.code, Some(1), "{}", ended.complaint);
    let log: Value = serde_json::from_str(&ended.output)?;
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array();
    let rules = rules.map(Vec::as_slice).unwrap_or_default();
    let results = run["results"].as_array().map(Vec::as_slice);
    let results = results.unwrap_or_default();
    assert!(!results.is_empty());
    for result in results {
        let place = usize::try_from(result["ruleIndex"].as_u64().unwrap_or(u64::MAX))?;
        assert_eq!(rules[place]["id"], result["ruleId"]);
    }
    assert!(ended.output.contains(catalog::LOG4SHELL));
    assert!(!ended.output.contains("Backups of other customers"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_narrows_lists_as_the_pages_do() -> Result<()> {
    let panel = Panel::raise().await?;
    let config = panel.folder().join("panel.toml").display().to_string();
    let ended = tokio::task::spawn_blocking(move || -> Result<_> {
        let of = |arguments: &[&str]| run(&[&["--config", &config], arguments].concat());
        Ok((
            of(&["list", "--known-exploited"])?,
            of(&["components", "houston"])?,
            of(&["exposure", "--advisory", catalog::CONSOLE])?,
            of(&["exposure", "--from", "yesterday"])?,
            of(&["schedule", "cancel", "7"])?,
        ))
    });
    let (exploited, components, exposure, odd, none) = ended.await??;
    assert!(exploited.output.contains(catalog::LOG4SHELL));
    assert!(!exploited.output.contains(catalog::CONSOLE));
    assert!(components.output.contains("4.7.2"), "{}", components.output);
    assert!(exposure.output.contains("affected"), "{}", exposure.output);
    assert_eq!(odd.code, Some(2));
    assert!(odd.complaint.contains("--from"), "{}", odd.complaint);
    assert_eq!(none.code, Some(2), "{}", none.complaint);
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

/// The program on this panel, while its pages are served by another process.
async fn on(panel: &Panel, arguments: &'static [&'static str]) -> Result<Ended> {
    let config = panel.folder().join("panel.toml").display().to_string();
    let ended = tokio::task::spawn_blocking(move || {
        run(&[&["--config", config.as_str()], arguments].concat())
    });
    ended.await?
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_says_what_it_would_do_and_why_it_holds_back_the_rest() -> Result<()> {
    let mut panel = Panel::raise().await?;
    // Its own scheduler would be at it at the same time.
    panel.stop_serving().await?;
    let off = on(&panel, &["auto", "--once", "--dry-run", "--json"]).await?;
    assert_eq!(off.code, Some(0), "{}", off.complaint);
    let foreseen: Value = serde_json::from_str(&off.output)?;
    let lines = foreseen["lines"].as_array().map(Vec::len);
    assert_eq!(lines, Some(3), "{foreseen}");
    assert!(
        off.output
            .contains("the policy requires an administrator for every correction")
    );

    assert_eq!(on(&panel, &["auto", "on"]).await?.code, Some(0));
    let shown = on(&panel, &["auto", "--once", "--dry-run"]).await?;
    assert_eq!(shown.code, Some(0), "{}", shown.complaint);
    assert!(shown.output.contains("would apply"), "{}", shown.output);
    assert!(shown.output.contains(catalog::HOUSTON_CORRECTION));
    assert_eq!(
        panel.app().panel.corrections.history(10).await?,
        [],
        "nothing was changed"
    );
    assert_eq!(on(&panel, &["auto", "off"]).await?.code, Some(0));
    let report = on(&panel, &["auto"]).await?;
    assert!(
        report.output.contains("Automatic application is disabled"),
        "{}",
        report.output
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_once_applies_what_the_policy_allows_and_tells() -> Result<()> {
    let mut panel = Panel::raise().await?;
    // Its own scheduler would be at it at the same time.
    panel.stop_serving().await?;
    panel
        .app()
        .panel
        .automation
        .switch(true, "ada", jiff::Timestamp::now())
        .await?;
    let ended = on(&panel, &["auto", "--once", "--json"]).await?;
    assert_eq!(ended.code, Some(0), "{}{}", ended.output, ended.complaint);
    let history = panel.app().panel.corrections.history(10).await?;
    let by_itself = |correction: &str| {
        history
            .iter()
            .any(|one| one.correction.as_str() == correction && one.by == AUTOMATIC)
    };
    assert!(by_itself(catalog::HOUSTON_CORRECTION), "{history:?}");
    assert!(by_itself(catalog::BACKUP_CORRECTION), "{history:?}");
    let report = on(&panel, &["auto", "--json"]).await?;
    let report: Value = serde_json::from_str(&report.output)?;
    let runs = report["automation"]["runs"].as_array().map_or(0, Vec::len);
    assert!(runs > 0, "{report}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_quarantine_cannot_be_released() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let ended = on(&panel, &["auto", "release", "SPACECP-SC-1999-0001"]).await?;
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.complaint.contains("is not in quarantine"),
        "{}",
        ended.complaint
    );
    Ok(())
}
