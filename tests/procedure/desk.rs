//! The program `spacecp-publisher`, from the first key to a feed that a panel follows.

use std::{
    path::Path,
    process::{Command, Output},
};

use anyhow::{Result, ensure};
use spacecp_tests::ground::{self, Age, Ground};

pub(crate) fn run(desk: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vendor-program"));
    command
        .arg("--desk")
        .arg(desk)
        .args(arguments)
        .env_remove("SPACECP_PASSPHRASE")
        .stdin(std::process::Stdio::null());
    Ok(command.output()?)
}

pub(crate) fn well(desk: &Path, arguments: &[&str]) -> Result<String> {
    let output = run(desk, arguments)?;
    ensure!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn from_the_first_key_to_a_broadcast() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let desk = folder.path().join("desk");
    let feed = folder.path().join("feed").display().to_string();
    for role in ["root", "feed", "advisory", "correction", "plugin"] {
        well(&desk, &["keys", "new", role, "--unencrypted"])?;
    }
    assert_eq!(well(&desk, &["keys", "list"])?.lines().count(), 5);
    well(&desk, &["root", "new", &feed, "--audience", "customers"])?;
    let before = Ground::lay(&folder.path().join("before"), Age::Flawed)?;
    let after = Ground::lay(&folder.path().join("after"), Age::Corrected)?;
    let (old, new) = (
        before.backup().display().to_string(),
        after.backup().display().to_string(),
    );
    well(
        &desk,
        &[
            "correction",
            "build",
            "SPACECP-SC-2026-0009",
            "--from",
            &old,
            "--to",
            &new,
            "--feed",
            &feed,
            "--component",
            "spacecp:module-backup",
            "--from-version",
            ground::BACKUP[0],
            "--to-version",
            ground::BACKUP[1],
            "--advisory",
            "SPACECP-SA-2026-0009",
            "--ignore",
            "settings.json",
        ],
    )?;
    well(
        &desk,
        &[
            "advisory",
            "new",
            "SPACECP-SA-2026-0009",
            "--audience",
            "customers",
        ],
    )?;
    let draft = desk.join("drafts/SPACECP-SA-2026-0009.toml");
    let name = draft.display().to_string();
    let unfit = run(&desk, &["advisory", "check", &name])?;
    assert!(
        !unfit.status.success(),
        "a template is not fit to be published"
    );
    let text = std::fs::read_to_string(&draft)?
        .replace("title = \"\"", "title = \"Backups can be read\"")
        .replace("issue = \"\"\"\n", "issue = \"\"\"\nIt follows dots.\n")
        .replace("impacts = \"\"\"\n", "impacts = \"\"\"\nFiles are read.\n")
        .replace(
            "solution = \"\"\"\n",
            "solution = \"\"\"\nApply the correction.\n",
        )
        .replace("component = \"\"", "component = \"spacecp:module-backup\"")
        .replace(
            "introduced = \"0\", fixed = \"\"",
            "introduced = \"2.0.0\", fixed = \"2.3.1\"",
        )
        .replace(
            "corrections = []",
            "corrections = [\"SPACECP-SC-2026-0009\"]",
        );
    std::fs::write(&draft, text)?;
    well(&desk, &["advisory", "check", &name])?;
    well(&desk, &["advisory", "sign", &name, "--feed", &feed])?;
    let nobody = run(&desk, &["broadcast", &feed])?;
    let said = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert!(said.contains("no panel is enrolled"), "{said}");
    let panel = age::x25519::Identity::generate().to_public().to_string();
    well(&desk, &["panel", "enrol", "node-7", &panel])?;
    let would = well(&desk, &["broadcast", &feed, "--dry-run"])?;
    assert!(
        would.contains("would be valid until") && !Path::new(&feed).join("head").exists(),
        "{would}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&well(&desk, &["--json", "broadcast", &feed])?)?;
    assert_eq!(json["sequence"], 1);
    assert_eq!(json["documents"], 0, "a template is under embargo");
    assert_eq!(json["private"]["documents"], 2);
    assert_eq!(json["private"]["panels"], 1);
    Ok(())
}

#[test]
fn without_a_terminal_a_passphrase_comes_from_the_variable_or_not_at_all() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let refused = run(folder.path(), &["keys", "new", "feed"])?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(4), "{said}");
    assert!(
        said.contains("SPACECP_PASSPHRASE") && said.contains("--passphrase-fd"),
        "{said}"
    );
    assert!(!folder.path().join("keys/feed.key").exists());
    let mut command = Command::new(env!("CARGO_BIN_EXE_vendor-program"));
    let made = command
        .arg("--desk")
        .arg(folder.path())
        .args(["keys", "new", "feed"])
        .env("SPACECP_PASSPHRASE", "words")
        .output()?;
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let text = std::fs::read_to_string(folder.path().join("keys/feed.key"))?;
    assert!(
        text.contains("encrypted secret key") && !text.contains("unencrypted"),
        "{text}"
    );
    Ok(())
}

#[test]
fn help_teaches_and_a_wrong_word_ends_with_two() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let help = well(folder.path(), &["--help"])?;
    assert!(
        help.contains("Examples:") && help.contains("Exit codes:"),
        "{help}"
    );
    assert_eq!(run(folder.path(), &["brodcast"])?.status.code(), Some(2));
    let missing = run(folder.path(), &["broadcast", "nowhere", "--dry-run"])?;
    assert_eq!(missing.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("nowhere has no root"));
    Ok(())
}
