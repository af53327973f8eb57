//! What whatever watches over a panel is told.

use anyhow::Result;
use serde_json::{Value, json};

use crate::panel::Panel;

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_with_its_plugin_and_fresh_words_is_ready() -> Result<()> {
    let panel = Panel::raise().await?;
    let answer = panel.visitor().get("/health/ready").await?;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let told: Value = serde_json::from_str(&answer.body)?;
    assert_eq!(told, json!({ "ready": true, "reasons": [] }));
    Ok(())
}

#[tokio::test]
async fn a_panel_that_has_heard_nothing_and_has_no_plugin_says_both_in_fixed_words() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let answer = panel.visitor().get("/health/ready").await?;
    assert_eq!(answer.status, 503);
    let told: Value = serde_json::from_str(&answer.body)?;
    let reasons = json!(["feed-never-heard", "plugin-missing"]);
    assert_eq!(told, json!({ "ready": false, "reasons": reasons }));
    Ok(())
}
