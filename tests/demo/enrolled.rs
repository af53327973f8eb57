//! The private broadcast as an administrator meets it: the real programs, over HTTP.

use std::process::Output;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use spacecp_tests::{
    catalog,
    demo::{Demo, Login},
};
use tokio::process::Command;

/// The panel's program with the configuration of the demo, and the same with a state of its own.
struct Programs {
    demo: Demo,
}

impl Programs {
    async fn new() -> Result<Self> {
        let login = Login::with_password("words".to_owned());
        let demo = crate::rehearse(login).await?;
        let state = demo.folder().join("state").display().to_string();
        let text = std::fs::read_to_string(demo.config_path())?;
        let stranger = text.replace(&state, &format!("{state}-stranger"));
        std::fs::write(demo.folder().join("stranger.toml"), stranger)?;
        Ok(Self { demo })
    }

    async fn run(&self, config: &str, arguments: &[&str]) -> Result<Output> {
        let mut program = Command::new(env!("CARGO_BIN_EXE_panel-program"));
        let config = self.demo.folder().join(config);
        let program = program.arg("--config").arg(config).args(arguments);
        Ok(program.output().await?)
    }

    async fn well(&self, config: &str, arguments: &[&str]) -> Result<String> {
        let output = self.run(config, arguments).await?;
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{arguments:?}: {complaint}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// What the doctor says of the identity, and whether that is well.
    async fn diagnosis(&self, config: &str) -> Result<(bool, String)> {
        let output = self.run(config, &["doctor", "--json"]).await?;
        let findings: Vec<Value> = serde_json::from_slice(&output.stdout)?;
        let mut findings = findings.into_iter();
        let found = findings.find(|finding| finding["check"] == "identity");
        let found = found.context("the doctor looks at the identity")?;
        let well = found["well"].as_bool().context("it is yes or no")?;
        Ok((well, found["found"].to_string()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_that_is_not_enrolled_is_told_so_calmly_and_shows_its_recipient() -> Result<()> {
    let programs = Programs::new().await?;
    let recipient = programs.well("stranger.toml", &["identity"]).await?;
    assert!(recipient.starts_with("age1"), "{recipient}");
    assert_eq!(
        programs
            .well("stranger.toml", &["identity", "show"])
            .await?,
        recipient
    );
    programs.well("stranger.toml", &["sync"]).await?;
    let (well, found) = programs.diagnosis("stranger.toml").await?;
    assert!(well && found.contains("not enrolled"), "{found}");
    let trust = programs.well("stranger.toml", &["trust", "--json"]).await?;
    let trust: Value = serde_json::from_str(&trust)?;
    assert_eq!(trust["private"]["standing"], "not-entitled");
    assert_eq!(trust["private"]["recipient"], recipient.trim());
    assert_eq!(trust["standing"], "current");
    let listed = programs.well("stranger.toml", &["list", "--json"]).await?;
    assert!(!listed.contains(catalog::BACKUP), "{listed}");
    let (well, found) = programs.diagnosis("panel.toml").await?;
    assert!(well && found.contains("was decrypted"), "{found}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_renewed_by_a_word_and_on_record() -> Result<()> {
    let programs = Programs::new().await?;
    let before = programs.well("panel.toml", &["identity"]).await?;
    let refused = programs.run("panel.toml", &["identity", "renew"]).await?;
    assert_eq!(refused.status.code(), Some(3));
    assert_eq!(programs.well("panel.toml", &["identity"]).await?, before);
    let after = programs
        .well("panel.toml", &["identity", "renew", "--yes"])
        .await?;
    assert_ne!(after, before);
    assert_eq!(programs.well("panel.toml", &["identity"]).await?, after);
    let audit = programs.well("panel.toml", &["audit", "--json"]).await?;
    assert!(audit.contains("identity-renewed"), "{audit}");
    assert!(!audit.contains("AGE-SECRET-KEY"), "{audit}");
    let (well, found) = programs.diagnosis("panel.toml").await?;
    assert!(
        well && found.contains("not synced yet with the current identity"),
        "{found}"
    );
    // What was read stays.
    let listed = programs.well("panel.toml", &["list"]).await?;
    assert!(listed.contains(catalog::BACKUP), "{listed}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_under_embargo_is_applied_from_sealed_files() -> Result<()> {
    let programs = Programs::new().await?;
    let feed = programs.demo.folder().join("vendor/feed");
    let clear = feed.join("correction").join(catalog::BACKUP_CORRECTION);
    assert!(feed.join("sealed").exists() && !clear.exists());
    programs
        .well(
            "panel.toml",
            &["apply", catalog::BACKUP_CORRECTION, "--yes"],
        )
        .await?;
    let module = programs.demo.ground().backup().join("package.json");
    let text = std::fs::read_to_string(module)?;
    assert!(
        text.contains(spacecp_tests::ground::BACKUP[1]),
        "the corrected version runs: {text}"
    );
    Ok(())
}

/// What the demo tells its reader to try, as they would.
#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_reads_what_a_stranger_learns_nothing_of_until_it_is_public() -> Result<()> {
    let programs = Programs::new().await?;
    let demo = &programs.demo;
    let neighbour = demo.enrolled_config().display().to_string();
    let stranger = demo.stranger_config().display().to_string();
    for (config, reads) in [(&neighbour, true), (&stranger, false)] {
        programs.well(config, &["sync"]).await?;
        let listed = programs.well(config, &["list"]).await?;
        assert_eq!(listed.contains(catalog::BACKUP), reads, "{listed}");
    }
    let [feed, draft, root] = [demo.feed_dir(), demo.public_draft(), demo.web_root()];
    let [feed, draft, web] = [&feed, &draft, &root].map(|path| path.display().to_string());
    for arguments in [
        &["advisory", "sign", &draft, "--feed", &feed][..],
        &["broadcast", &feed, "--disclose", catalog::BACKUP],
        &["disclose", &feed, "--out", &web],
    ] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_vendor-program"));
        program.arg("--desk").arg(demo.desk()).args(arguments);
        let output = program.output().await?;
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{arguments:?}: {complaint}");
    }
    let page = root.join(format!("advisories/{}.html", catalog::BACKUP));
    assert!(page.exists(), "everybody finds its page");
    programs.well(&stranger, &["sync"]).await?;
    let listed = programs.well(&stranger, &["list"]).await?;
    assert!(listed.contains(catalog::BACKUP), "{listed}");
    Ok(())
}
