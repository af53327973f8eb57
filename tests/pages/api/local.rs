//! What a program reads and decides about what could not be read.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use spacecp_advisories::tokens::Scope;

use super::program::{Program, json as body, problem};
use crate::panel::{Kind, Panel};

const DECISIONS: &str = "/api/v1/local-decisions";

async fn panel() -> Result<Panel> {
    let kind = Kind {
        plugin: true,
        unread: true,
        ..Kind::default()
    };
    Panel::of(kind).await
}

fn acknowledging(path: &str) -> Value {
    let until = Timestamp::now() + SignedDuration::from_hours(24);
    json!({ "path": path, "reason": "Looked at.", "until": until })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unread_path_is_listed_acknowledged_and_counts_again_when_that_is_withdrawn()
-> Result<()> {
    let panel = panel().await?;
    let mut program = Program::of(&panel, &[Scope::Read, Scope::Decide]).await?;
    let unread = program.read("/api/v1/unread").await?;
    let path = panel.unread_path();
    assert_eq!(unread["items"][0]["path"], path.as_str());
    assert_eq!(unread["items"][0]["acknowledged"], Value::Null);
    assert_eq!(program.read("/api/v1/status").await?["unread"], 1);

    let answer = program
        .ask("POST", DECISIONS, &acknowledging(&path))
        .await?;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let made = body(&answer)?;
    assert_eq!(made["items"][0]["by"], "token fleet");
    assert_eq!(program.read("/api/v1/status").await?["unread"], 0);
    let unread = program.read("/api/v1/unread").await?;
    assert_eq!(unread["items"][0]["acknowledged"]["reason"], "Looked at.");

    let number = &made["items"][0]["number"];
    let answer = program
        .ask("DELETE", &format!("{DECISIONS}/{number}"), &Value::Null)
        .await?;
    assert_eq!(answer.status, 204, "{}", answer.body);
    assert_eq!(program.read("/api/v1/status").await?["unread"], 1);
    assert_eq!(program.read(DECISIONS).await?["items"], json!([]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_only_read_decides_nothing() -> Result<()> {
    let panel = panel().await?;
    let mut program = Program::of(&panel, &[Scope::Read]).await?;
    let wish = acknowledging(&panel.unread_path());
    let answer = program.ask("POST", DECISIONS, &wish).await?;
    assert_eq!(answer.status, 403);
    assert_eq!(program.read("/api/v1/status").await?["unread"], 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_was_read_and_a_wish_about_nothing_are_refused() -> Result<()> {
    let panel = panel().await?;
    let mut program = Program::of(&panel, &Scope::ALL).await?;
    let answer = program
        .ask("POST", DECISIONS, &acknowledging("/nowhere"))
        .await?;
    problem(&answer, 404, "not-found")?;
    let wish = json!({ "reason": "Looked at.", "until": "2999-01-01" });
    let answer = program.ask("POST", DECISIONS, &wish).await?;
    problem(&answer, 422, "malformed")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_says_when_no_advisory_names_a_component() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut program = Program::of(&panel, &[Scope::Read]).await?;
    for (name, installed, named) in [("nothing-here", false, false), ("houston", true, true)] {
        let record = program
            .read(&format!("/api/v1/record?component={name}"))
            .await?;
        let known = &record["component"];
        assert_eq!(
            (&known["installed"], &known["named"]),
            (&json!(installed), &json!(named)),
            "{name}"
        );
    }
    Ok(())
}
