//! Of what is under embargo a program learns the id, and no more, wherever it asks.

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};
use spacecp_advisories::{ApplyRequest, tokens::Scope};
use spacecp_contract::{Advisory, DocumentId, Tlp};
use spacecp_tests::catalog;

use super::program::{Program, problem};
use crate::{
    panel::{Kind, Panel},
    redaction::secrets,
};

/// Everything that a program can read without naming something.
const READ: [&str; 12] = [
    "/api/v1/status",
    "/api/v1/exposures",
    "/api/v1/exposures?status=affected",
    "/api/v1/exposures?component=module-backup",
    "/api/v1/record",
    "/api/v1/advisories",
    "/api/v1/trust",
    "/api/v1/applications",
    "/api/v1/appointments",
    "/api/v1/decisions",
    "/api/v1/audit",
    "/metrics",
];

async fn with_a_secret_application() -> Result<(Panel, Program)> {
    let panel = Panel::raise().await?;
    let request = ApplyRequest {
        correction: DocumentId::new(catalog::BACKUP_CORRECTION)?,
        component: "module-backup".to_owned(),
        plan: None,
        overwrite: false,
        by: "ada".to_owned(),
    };
    panel.app().panel.corrections.apply(request, &()).await?;
    let program = Program::of(&panel, &Scope::ALL).await?;
    Ok((panel, program))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_has_a_word_of_it() -> Result<()> {
    let (_panel, mut program) = with_a_secret_application().await?;
    for path in READ {
        let answer = program.get(path).await?;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        for word in secrets() {
            assert!(
                !answer.body.contains(&word),
                "{path} says {word:?}: {}",
                answer.body
            );
        }
    }
    let refused = format!("/api/v1/plans/{}/lobby", catalog::BACKUP_CORRECTION);
    let refused = program.get(&refused).await?;
    assert!(!refused.body.contains("backup"), "{}", refused.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn its_id_is_named_whatever_its_verdicts_are() -> Result<()> {
    let (_panel, mut program) = with_a_secret_application().await?;
    for path in [
        "/api/v1/exposures",
        "/api/v1/exposures?status=affected",
        "/api/v1/record",
    ] {
        let answer = program.read(path).await?;
        assert_eq!(answer["embargoed"], json!([catalog::BACKUP]), "{path}");
    }
    let listed = program.read("/api/v1/advisories").await?;
    let listed = listed["items"].as_array().into_iter().flatten();
    let secret: Vec<_> = listed.filter(|one| one["embargo"] == true).collect();
    assert_eq!(
        secret,
        [&json!({ "id": catalog::BACKUP, "revision": 1, "embargo": true })]
    );
    let history = program.read("/api/v1/applications").await?;
    let application = &history["items"][0];
    assert_eq!(application["embargo"], true);
    for field in ["component", "from", "to", "reason"] {
        assert_eq!(application[field], Value::Null, "{field}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_it_by_name_is_refused() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut program = Program::of(&panel, &Scope::ALL).await?;
    for path in [
        format!("/api/v1/advisories/{}", catalog::BACKUP),
        format!("/api/v1/plans/{}/module-backup", catalog::BACKUP_CORRECTION),
    ] {
        problem(&program.get(&path).await?, 403, "embargo")?;
    }
    // Why it does not fit would say what it is for.
    let elsewhere = format!("/api/v1/plans/{}/lobby", catalog::BACKUP_CORRECTION);
    problem(&program.get(&elsewhere).await?, 403, "embargo")?;
    let wish = json!({ "correction": catalog::BACKUP_CORRECTION, "component": "lobby" });
    let refused = program.ask("POST", "/api/v1/applications", &wish).await?;
    problem(&refused, 403, "embargo")?;
    let decide = json!({ "advisory": catalog::BACKUP, "revision": 1, "workaround": "off" });
    problem(
        &program.ask("POST", "/api/v1/decisions", &decide).await?,
        403,
        "embargo",
    )?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn its_correction_may_be_applied_all_the_same() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut program = Program::of(&panel, &Scope::ALL).await?;
    let wish = json!({ "correction": catalog::BACKUP_CORRECTION, "component": "module-backup" });
    let begun = program.ask("POST", "/api/v1/applications", &wish).await?;
    let work = program.follow(&begun).await?;
    assert_eq!(work["well"], true, "{work}");
    assert!(!work.to_string().contains("module-backup"), "{work}");
    Ok(())
}

/// A public advisory about the flaw that is under embargo here, which the next revision of the secret one says.
fn twin(now: Timestamp) -> Vec<Advisory> {
    let all = catalog::advisories(now).into_iter();
    let secret = all.filter(|advisory| advisory.id.as_str() == catalog::BACKUP);
    let twins = secret.flat_map(|secret| {
        let public = Advisory {
            id: DocumentId::new("OTHERS-2026-1").expect("an id"),
            tlp: Tlp::Clear,
            embargo_until: None,
            corrections: Vec::new(),
            ..secret.clone()
        };
        let secret = Advisory {
            revision: secret.revision + 1,
            aliases: vec![public.id.to_string()],
            ..secret
        };
        [public, secret]
    });
    twins.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_advisory_about_the_same_flaw_is_neither_hidden_by_it_nor_says_a_word_of_it()
-> Result<()> {
    let panel = Panel::of(Kind {
        plugin: true,
        further: Some(twin),
        ..Kind::default()
    })
    .await?;
    let mut program = Program::of(&panel, &[Scope::Read]).await?;
    for path in ["/api/v1/exposures?status=affected", "/api/v1/record"] {
        let answer = program.read(path).await?;
        let items = answer["items"].to_string();
        assert!(items.contains("OTHERS-2026-1"), "{path}: {items}");
        assert!(!items.contains(catalog::BACKUP), "{path}: {items}");
    }
    Ok(())
}
