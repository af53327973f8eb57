//! What a program does, and what it is refused.

use std::fs;

use anyhow::Result;
use serde_json::{Value, json};
use spacecp_advisories::tokens::Scope;
use spacecp_tests::{catalog, ground};

use super::program::{Program, json as body, problem};
use crate::panel::Panel;

async fn actor() -> Result<(Panel, Program)> {
    let panel = Panel::raise().await?;
    let program = Program::of(&panel, &Scope::ALL).await?;
    Ok((panel, program))
}

fn installed(panel: &Panel) -> Result<Value> {
    let text = fs::read_to_string(panel.ground().houston().join("package.json"))?;
    let json: Value = serde_json::from_str(&text)?;
    Ok(json["version"].clone())
}

fn wish(plan: &Value) -> Value {
    json!({ "correction": catalog::HOUSTON_CORRECTION, "component": "houston", "plan": plan })
}

async fn plan(program: &mut Program) -> Result<Value> {
    let path = format!("/api/v1/plans/{}/houston", catalog::HOUSTON_CORRECTION);
    Ok(program.read(&path).await?["digest"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_carried_out_followed_and_taken_back() -> Result<()> {
    let (panel, mut program) = actor().await?;
    let digest = plan(&mut program).await?;
    let begun = program
        .ask("POST", "/api/v1/applications", &wish(&digest))
        .await?;
    let work = program.follow(&begun).await?;
    assert_eq!(work["well"], true, "{work}");
    assert_eq!(installed(&panel)?, ground::HOUSTON[1]);
    let history = program.read("/api/v1/applications").await?;
    let application = &history["items"][0];
    assert_eq!(application["outcome"], "applied");
    assert_eq!(application["by"], "token fleet");
    assert_eq!(application["to"], ground::HOUSTON[1]);
    let id = application["id"].as_str().unwrap_or_default();
    let back = format!("/api/v1/applications/{id}/roll-back");
    let begun = program.ask("POST", &back, &Value::Null).await?;
    let work = program.follow(&begun).await?;
    assert_eq!(work["well"], true, "{work}");
    assert_eq!(installed(&panel)?, ground::HOUSTON[0]);
    let audit = program.read("/api/v1/audit").await?;
    assert_eq!(audit["fault"], Value::Null);
    assert!(audit["items"].to_string().contains("token fleet"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_from_which_something_has_drifted_is_not_carried_out() -> Result<()> {
    let (panel, mut program) = actor().await?;
    let stale = json!("0".repeat(64));
    let begun = program
        .ask("POST", "/api/v1/applications", &wish(&stale))
        .await?;
    let work = program.follow(&begun).await?;
    assert_eq!(work["well"], false, "{work}");
    assert_eq!(installed(&panel)?, ground::HOUSTON[0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_applied_is_refused_before_any_work_begins() -> Result<()> {
    let (panel, mut program) = actor().await?;
    for (correction, component, status, code) in [
        ("SPACECP-SC-1999-0001", "houston", 404, "not-found"),
        (catalog::HOUSTON_CORRECTION, "nobody", 404, "not-found"),
        (catalog::HOUSTON_CORRECTION, "lobby", 409, "refused"),
    ] {
        let wish = json!({ "correction": correction, "component": component });
        let answer = program.ask("POST", "/api/v1/applications", &wish).await?;
        problem(&answer, status, code)?;
    }
    for extra in ["overwrite", "at_window"] {
        let mut wish = wish(&Value::Null);
        wish[extra] = json!(true);
        let answer = program.ask("POST", "/api/v1/applications", &wish).await?;
        let detail = problem(&answer, 422, "malformed")?;
        assert!(detail.contains("plan"), "{detail}");
    }
    let back = "/api/v1/applications/nothing/roll-back";
    problem(
        &program.ask("POST", back, &Value::Null).await?,
        404,
        "not-found",
    )?;
    assert_eq!(panel.app().panel.corrections.history(10).await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_risk_is_accepted_and_taken_back_by_a_program() -> Result<()> {
    let (_panel, mut program) = actor().await?;
    let advisory = program
        .read(&format!("/api/v1/advisories/{}", catalog::CONSOLE))
        .await?;
    let mut wish = json!({
        "advisory": catalog::CONSOLE,
        "revision": advisory["revision"],
        "reason": "the console is behind a VPN",
        "until": (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48)).to_string(),
    });
    let made = program.ask("POST", "/api/v1/decisions", &wish).await?;
    assert_eq!(made.status, 201, "{}", made.body);
    let number = body(&made)?["number"].clone();
    let verdicts = format!(
        "/api/v1/exposures?advisory={}&status=affected",
        catalog::CONSOLE
    );
    let verdicts = program.read(&verdicts).await?;
    assert_eq!(verdicts["items"][0]["decided"], true);
    let one = format!("/api/v1/decisions/{number}");
    let gone = program.ask("DELETE", &one, &Value::Null).await?;
    assert_eq!(gone.status, 204, "{}", gone.body);
    problem(
        &program.ask("DELETE", &one, &Value::Null).await?,
        404,
        "not-found",
    )?;
    wish["revision"] = json!(99);
    problem(
        &program.ask("POST", "/api/v1/decisions", &wish).await?,
        409,
        "refused",
    )?;
    wish["until"] = json!("soon");
    problem(
        &program.ask("POST", "/api/v1/decisions", &wish).await?,
        422,
        "malformed",
    )?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_asks_the_feed_for_news() -> Result<()> {
    let (_panel, mut program) = actor().await?;
    let news = program.ask("POST", "/api/v1/sync", &Value::Null).await?;
    assert_eq!(news.status, 200, "{}", news.body);
    assert_eq!(body(&news)?["changed"], false);
    Ok(())
}
