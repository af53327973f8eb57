//! What a program reads.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;
use spacecp_advisories::tokens::Scope;
use spacecp_tests::{catalog, ground};

use super::program::{Program, problem};
use crate::panel::Panel;

async fn reader() -> Result<(Panel, Program)> {
    let panel = Panel::raise().await?;
    let program = Program::of(&panel, &[Scope::Read]).await?;
    Ok((panel, program))
}

fn named<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let items = list["items"].as_array().map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .filter_map(|item| item[field].as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_is_that_of_the_overview() -> Result<()> {
    let (panel, mut program) = reader().await?;
    let status = program.read("/api/v1/status").await?;
    let summary = panel.app().panel.exposure.report().await?.summary;
    assert_eq!(status["components"], summary.components);
    assert_eq!(status["exposed"], summary.exposed);
    assert_eq!(status["undecided"], summary.undecided);
    assert_eq!(status["worst"], "critical");
    assert_eq!(status["feed"]["stale"], false);
    assert!(status["feed"]["sequence"].as_u64() > Some(0));
    assert_eq!(status["unread"], 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn components_are_listed_part_by_part_and_none_is_left_out() -> Result<()> {
    let (panel, mut program) = reader().await?;
    let all = program.read("/api/v1/components").await?;
    let all = named(&all, "name");
    assert_eq!(all.len(), panel.app().config().components.len());
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let part = program
            .read(&format!("/api/v1/components?limit=2{after}"))
            .await?;
        assert!(named(&part, "name").len() <= 2);
        seen.extend(named(&part, "name").into_iter().map(str::to_owned));
        match part["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, all);
    let houston = program.read("/api/v1/components?limit=1000").await?;
    let houston = houston["items"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["name"] == "houston")
        .context("houston is listed")?
        .clone();
    assert_eq!(houston["version"], ground::HOUSTON[0]);
    assert_eq!(houston["advisory_name"], "spacecp:houston");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_are_narrowed_by_what_is_asked_for_and_explain_themselves() -> Result<()> {
    let (_panel, mut program) = reader().await?;
    let affected = program.read("/api/v1/exposures?status=affected").await?;
    let advisories: BTreeSet<&str> = named(&affected, "advisory").into_iter().collect();
    assert!(advisories.contains(catalog::CONSOLE) && advisories.contains(catalog::LOG4SHELL));
    assert!(
        named(&affected, "status")
            .iter()
            .all(|status| *status == "affected")
    );
    let one = format!(
        "/api/v1/exposures?advisory={}&component=houston",
        catalog::CONSOLE
    );
    let one = program.read(&one).await?;
    assert_eq!(named(&one, "component"), ["houston"]);
    let only = &one["items"][0];
    assert!(
        only["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains(ground::HOUSTON[0]))
    );
    assert_eq!(only["correction"], catalog::HOUSTON_CORRECTION);
    assert_eq!(only["decided"], false);
    problem(
        &program.get("/api/v1/exposures?status=fine").await?,
        422,
        "malformed",
    )?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advisory_is_given_out_field_by_field_as_it_was_signed() -> Result<()> {
    let (_panel, mut program) = reader().await?;
    let advisory = program
        .read(&format!("/api/v1/advisories/{}", catalog::LOG4SHELL))
        .await?;
    assert_eq!(advisory["id"], catalog::LOG4SHELL);
    assert!(
        advisory["affected"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    );
    let found = program
        .read("/api/v1/advisories?alias=CVE-2021-44228")
        .await?;
    assert_eq!(named(&found, "id"), [catalog::LOG4SHELL]);
    let critical = program.read("/api/v1/advisories?severity=critical").await?;
    assert!(named(&critical, "id").contains(&catalog::LOG4SHELL));
    for missing in ["SPACECP-SA-1999-0001", "%2e%2e%2fsecret", "nothing%00"] {
        let path = format!("/api/v1/advisories/{missing}");
        problem(&program.get(&path).await?, 404, "not-found")?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_the_one_of_the_pages() -> Result<()> {
    let (panel, mut program) = reader().await?;
    let path = format!("/api/v1/plans/{}/houston", catalog::HOUSTON_CORRECTION);
    let plan = program.read(&path).await?;
    let id = spacecp_contract::DocumentId::new(catalog::HOUSTON_CORRECTION)?;
    let own = panel.app().panel.corrections.plan(&id, "houston").await?;
    assert_eq!(plan["digest"], own.digest.to_string());
    problem(
        &program
            .get("/api/v1/plans/SPACECP-SC-1999-0001/houston")
            .await?,
        404,
        "not-found",
    )?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_says_since_when_the_panel_is_exposed() -> Result<()> {
    let (_panel, mut program) = reader().await?;
    let record = program
        .read("/api/v1/record?advisory=CVE-2021-44228")
        .await?;
    assert!(record["began"].is_string());
    assert_eq!(record["items"][0]["advisory"], catalog::LOG4SHELL);
    assert_eq!(record["items"][0]["until"], Value::Null);
    problem(
        &program.get("/api/v1/record?from=yesterday").await?,
        422,
        "malformed",
    )?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_names_every_address_and_each_of_them_is_there() -> Result<()> {
    let (panel, mut program) = reader().await?;
    let answer = panel.visitor().get("/api/v1/openapi.json").await?;
    assert_eq!(answer.status, 200, "nobody needs a token to read it");
    let described: Value = serde_json::from_str(&answer.body)?;
    insta::assert_snapshot!("openapi", serde_json::to_string_pretty(&described)?);
    let paths = described["paths"].as_object().context("there are paths")?;
    for (path, methods) in paths {
        let path = path
            .replace("{id}", "none")
            .replace("{number}", "1")
            .replace("{correction}", "none")
            .replace("{component}", "none");
        for method in methods
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            let method = method.to_uppercase();
            let answer = program.ask(&method, &path, &Value::Null).await?;
            assert_ne!(answer.status, 405, "{method} {path}");
            if answer.status == 404 {
                let detail = problem(&answer, 404, "not-found")?;
                assert!(
                    !detail.contains("unknown path"),
                    "{method} {path}: {detail}"
                );
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_not_kept_by_anybody_in_between() -> Result<()> {
    let (_panel, mut program) = reader().await?;
    let answer = program.get("/api/v1/status").await?;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    Ok(())
}
