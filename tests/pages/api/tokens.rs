//! The command by which tokens are made and revoked.

use anyhow::Result;
use serde_json::Value;

use super::program::{Program, problem};
use crate::{
    panel::Panel,
    program::{Ended, run},
};

async fn token(panel: &Panel, arguments: &'static [&'static str]) -> Result<Ended> {
    let config = panel.folder().join("panel.toml").display().to_string();
    let ended = tokio::task::spawn_blocking(move || {
        run(&[&["--config", config.as_str(), "token"], arguments].concat())
    });
    ended.await?
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_works_until_it_is_revoked_and_is_in_the_audit_log() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let made = token(&panel, &["new", "monitoring", "--scope", "read"]).await?;
    assert_eq!(made.code, Some(0), "{}", made.complaint);
    let secret = made.output.trim().to_owned();
    assert!(
        made.complaint.contains("shown only once"),
        "{}",
        made.complaint
    );
    let mut program = Program::with(&panel, secret.clone());
    program.read("/api/v1/components").await?;
    let listed = token(&panel, &["list"]).await?;
    assert!(
        listed.output.contains("monitoring: read"),
        "{}",
        listed.output
    );
    assert!(!listed.output.contains(&secret[8..20]));
    let store = std::fs::read(panel.folder().join("state/store.sqlite"))?;
    let held = store
        .windows(secret.len())
        .any(|bytes| bytes == secret.as_bytes());
    assert!(!held, "the secret is in the store");
    let revoked = token(&panel, &["revoke", "monitoring"]).await?;
    assert_eq!(revoked.code, Some(0), "{}", revoked.complaint);
    problem(&program.get("/api/v1/components").await?, 401, "token")?;
    let audit = panel.app().panel.trust.audit(10).await?;
    let told: Vec<&str> = audit
        .newest
        .iter()
        .map(|one| one.entry.event.what.as_str())
        .collect();
    assert_eq!(told, ["token-revoked", "token-made"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_scope_or_no_name_is_refused_by_name() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let cases: [(&[&str], i32, &str); 5] = [
        (
            &["new", "x", "--scope", "everything"],
            2,
            "unknown scope \"everything\"",
        ),
        (&["new", "", "--scope", "read"], 2, "invalid token name"),
        (&["new", "x", "--scope", "read", "--days", "0"], 2, "--days"),
        (&["new", "x"], 2, "--scope"),
        (&["revoke", "nobody"], 2, "no token \"nobody\""),
    ];
    for (arguments, code, words) in cases {
        let ended = token(&panel, arguments).await?;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.complaint);
        assert!(
            ended.complaint.contains(words),
            "{arguments:?}: {}",
            ended.complaint
        );
    }
    token(&panel, &["new", "twice", "--scope", "read"]).await?;
    let again = token(&panel, &["new", "twice", "--scope", "read"]).await?;
    assert_eq!(again.code, Some(3), "{}", again.complaint);
    let listed = token(&panel, &["list", "--json"]).await?;
    let listed: Value = serde_json::from_str(&listed.output)?;
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    Ok(())
}
