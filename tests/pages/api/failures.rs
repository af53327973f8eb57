//! The same failure on a page, in the API and on a terminal: one kind, and so the same answer.

use anyhow::{Context, Result};
use serde_json::json;
use spacecp_advisories::{ErrorKind, tokens::Scope};
use spacecp_tests::catalog;

use super::program::{Program, problem};
use crate::{
    panel::{Panel, VIEWER},
    program::run,
};

/// What is asked for: a correction, a component, and the kind of failure.
const ASKED: [(&str, &str, ErrorKind); 3] = [
    (catalog::HOUSTON_CORRECTION, "lobby", ErrorKind::Refused),
    (catalog::HOUSTON_CORRECTION, "nobody", ErrorKind::NotFound),
    ("SPACECP-SC-1999-0001", "houston", ErrorKind::NotFound),
];

/// How the command `changes` ends.
async fn exit_code(panel: &Panel, correction: &str, component: &str) -> Result<Option<i32>> {
    let config = panel.folder().join("panel.toml").display().to_string();
    let arguments = [
        "--config",
        &config,
        "changes",
        correction,
        "--component",
        component,
    ];
    let arguments = arguments.map(str::to_owned);
    let ended = move || run(&arguments.each_ref().map(String::as_str));
    Ok(tokio::task::spawn_blocking(ended).await??.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_planned_is_answered_alike_by_page_api_and_command() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let mut program = Program::of(&panel, &[Scope::Read]).await?;
    for (correction, component, kind) in ASKED {
        let meaning = kind.meaning();
        let path = format!("/changes?correction={correction}&component={component}");
        let page = viewer.get(&path).await?;
        assert_eq!(page.status, meaning.status, "{path}:\n{}", page.body);
        let path = format!("/api/v1/plans/{correction}/{component}");
        problem(&program.get(&path).await?, meaning.status, meaning.problem)
            .with_context(|| path.clone())?;
        let code = exit_code(&panel, correction, component).await?;
        assert_eq!(
            code,
            Some(meaning.exit_code.into()),
            "{correction} {component}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_scheduled_cannot_be_cancelled_in_the_api_or_by_command() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut program = Program::of(&panel, &Scope::ALL).await?;
    let meaning = ErrorKind::NotFound.meaning();
    let answer = program
        .ask("DELETE", "/api/v1/appointments/4711", &json!(null))
        .await?;
    problem(&answer, meaning.status, meaning.problem)?;
    let config = panel.folder().join("panel.toml").display().to_string();
    let ended = move || run(&["--config", &config, "schedule", "cancel", "4711"]);
    let ended = tokio::task::spawn_blocking(ended).await??;
    assert_eq!(
        ended.code,
        Some(meaning.exit_code.into()),
        "{}",
        ended.complaint
    );
    Ok(())
}
