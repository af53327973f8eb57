//! Who may ask, and how often.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use spacecp_advisories::{
    store::Store,
    tokens::{self, Scope, Wish},
};

use super::program::{Program, problem};
use crate::panel::{Kind, Panel, VIEWER};

const STATUS: &str = "/api/v1/status";

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nothing_is_said() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let answer = panel.visitor().get(STATUS).await?;
    problem(&answer, 401, "token")?;
    assert!(
        answer
            .header("www-authenticate")
            .is_some_and(|it| it.starts_with("Bearer"))
    );
    for header in [
        "",
        "Bearer",
        "Bearer x",
        "Basic YWRhOmFkYQ==",
        "bearer spacecp_none",
    ] {
        let answer = panel
            .visitor()
            .get_with(STATUS, &[("authorization", header)])
            .await?;
        problem(&answer, 401, "token")?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_at_the_pages_is_no_token() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    problem(&viewer.get(STATUS).await?, 401, "token")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_no_login_at_the_pages() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut program = Program::of(&panel, &Scope::ALL).await?;
    program
        .get("/trust")
        .await?
        .leads_to("/login?next=%2Ftrust")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_do_what_its_scopes_say_and_nothing_else() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut reader = Program::of(&panel, &[Scope::Read]).await?;
    let apply = json!({ "correction": "X-1", "component": "houston" });
    let decide = json!({ "advisory": "X-1", "revision": 1 });
    for (method, path, body) in [
        ("POST", "/api/v1/applications", &apply),
        ("POST", "/api/v1/applications/some/roll-back", &Value::Null),
        ("DELETE", "/api/v1/appointments/1", &Value::Null),
        ("POST", "/api/v1/decisions", &decide),
        ("DELETE", "/api/v1/decisions/1", &Value::Null),
        ("POST", "/api/v1/sync", &Value::Null),
        ("GET", "/metrics", &Value::Null),
    ] {
        let detail = problem(&reader.ask(method, path, body).await?, 403, "scope")?;
        assert!(detail.contains("fleet"), "{method} {path}: {detail}");
    }
    panel.app().panel.tokens.revoke("fleet", "ada").await?;
    let mut actor = Program::of(&panel, &[Scope::Apply, Scope::Decide, Scope::Sync]).await?;
    for path in [
        STATUS,
        "/api/v1/components",
        "/api/v1/exposures",
        "/api/v1/record",
        "/api/v1/advisories",
        "/api/v1/advisories/X-1",
        "/api/v1/trust",
        "/api/v1/plans/X-1/houston",
        "/api/v1/applications",
        "/api/v1/appointments",
        "/api/v1/audit",
        "/api/v1/decisions",
    ] {
        problem(&actor.get(path).await?, 403, "scope")?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_or_expired_token_opens_nothing() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut program = Program::of(&panel, &[Scope::Read]).await?;
    program.read("/api/v1/components").await?;
    panel.app().panel.tokens.revoke("fleet", "ada").await?;
    let detail = problem(&program.get("/api/v1/components").await?, 401, "token")?;
    assert!(detail.contains("revoked"), "{detail}");
    let made = Timestamp::now() - SignedDuration::from_hours(2);
    for (name, expires, status) in [("over", 1, 401), ("good", 3, 200)] {
        let wish = Wish {
            name: name.to_owned(),
            scopes: [Scope::Read].into(),
            expires: Some(made + SignedDuration::from_hours(expires)),
            by: "ada".to_owned(),
        };
        let store = Store::open(&panel.folder().join("state/store.sqlite")).await?;
        let (_, secret) = tokens::make(&store, &wish, made).await?;
        let answer = Program::with(&panel, secret)
            .get("/api/v1/components")
            .await?;
        assert_eq!(answer.status, status, "{name}: {}", answer.body);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_asks_too_often_waits_and_is_told_how_long() -> Result<()> {
    let panel = Panel::of(Kind {
        requests_per_minute: Some(5),
        ..Kind::default()
    })
    .await?;
    let mut program = Program::of(&panel, &[Scope::Read]).await?;
    for _ in 0..5 {
        program.read("/api/v1/components").await?;
    }
    let answer = program.get("/api/v1/components").await?;
    problem(&answer, 429, "too-often")?;
    let wait: u64 = answer.header("retry-after").unwrap_or("0").parse()?;
    assert!((1..=60).contains(&wait), "{wait}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_at_tokens_waits() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut stranger = Program::with(&panel, format!("spacecp_{}", "0".repeat(64)));
    let mut statuses = Vec::new();
    for _ in 0..40 {
        statuses.push(stranger.get(STATUS).await?.status);
    }
    assert_eq!(statuses[..30], [401; 30]);
    assert!(statuses[30..].contains(&429), "{statuses:?}");
    // Whoever has a token is not kept waiting by them.
    Program::of(&panel, &[Scope::Read])
        .await?
        .read("/api/v1/components")
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leads_nowhere_or_is_no_json_is_a_problem_for_programs_too() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut program = Program::of(&panel, &Scope::ALL).await?;
    problem(&program.get("/api/v1/nothing").await?, 404, "not-found")?;
    problem(&program.get("/api/v2/status").await?, 404, "not-found")?;
    let answer = program.ask("DELETE", STATUS, &Value::Null).await?;
    problem(&answer, 405, "method")?;
    assert!(answer.header("allow").is_some());
    for body in [
        json!([]),
        json!({}),
        json!({ "correction": 1, "component": "a" }),
    ] {
        let answer = program.ask("POST", "/api/v1/applications", &body).await?;
        problem(&answer, 422, "malformed")?;
    }
    let detail = problem(
        &program
            .ask(
                "POST",
                "/api/v1/decisions",
                &json!({ "advisory": "X-1", "revision": 1, "whatever": 1 }),
            )
            .await?,
        422,
        "malformed",
    )?;
    assert!(detail.contains("whatever"), "{detail}");
    let long = json!({ "advisory": "x".repeat(20_000), "revision": 1 });
    problem(
        &program.ask("POST", "/api/v1/decisions", &long).await?,
        413,
        "too-large",
    )?;
    problem(
        &program.get("/api/v1/components?limit=many").await?,
        422,
        "malformed",
    )?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_cannot_use_a_browser_to_ask() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let answer = panel
        .visitor()
        .send(
            "POST",
            "/api/v1/sync",
            &[("sec-fetch-site", "cross-site")],
            "",
        )
        .await?;
    problem(&answer, 403, "origin")?;
    let answer = panel
        .visitor()
        .get_with(STATUS, &[("host", "elsewhere.example")])
        .await?;
    problem(&answer, 421, "host")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_is_switched_off_is_not_there() -> Result<()> {
    let panel = Panel::of(Kind {
        without_api: true,
        ..Kind::default()
    })
    .await?;
    let mut program = Program::of(&panel, &Scope::ALL).await?;
    problem(&program.get(STATUS).await?, 404, "not-found")?;
    Ok(())
}
