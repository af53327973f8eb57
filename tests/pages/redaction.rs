//! The redacted view: programs read ids of what is under embargo, unless they ask for the full view, which is recorded
//! in the access log. People are shown everything, marked.

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};
use spacecp_advisories::{AUTOMATIC, ApplyRequest};
use spacecp_contract::{Advisory, DocumentId};
use spacecp_tests::catalog;

use crate::{
    panel::{ADMINISTRATOR, Kind, Panel, VIEWER},
    program::{Ended, run},
};

const MARK: &str = "UNDER EMBARGO";

/// Another name of the embargoed vulnerability.
const CVE: &str = "CVE-2026-4711";

/// The reason of a decision about it.
const REASON: &str = "because of backups";

/// The embargoed advisory in its next revision, which has a CVE id.
fn with_cve(now: Timestamp) -> Vec<Advisory> {
    let all = catalog::advisories(now).into_iter();
    let secret = all.filter(|advisory| advisory.id.as_str() == catalog::BACKUP);
    let revised = secret.map(|secret| Advisory {
        revision: secret.revision + 1,
        aliases: vec![CVE.to_owned()],
        ..secret
    });
    revised.collect()
}

/// Everything that discloses the embargoed advisory: its texts, names, severity, components and versions.
pub(crate) fn secrets() -> Vec<String> {
    let all = with_cve(Timestamp::now()).into_iter();
    let mut secrets = vec![
        REASON.to_owned(),
        "module-backup".to_owned(),
        "2.3.0".to_owned(),
    ];
    for advisory in all {
        secrets.extend([advisory.title, advisory.issue[..20].to_owned()]);
        secrets.extend(
            [advisory.impacts, advisory.solution].map(|text| text.chars().take(20).collect()),
        );
        secrets.extend(advisory.aliases);
        secrets.extend(advisory.severity);
        let components = advisory.affected.iter();
        secrets.extend(components.map(|affected| affected.component.to_string()));
    }
    secrets.retain(|word| !word.is_empty());
    secrets
}

async fn on(panel: &Panel, arguments: &[&str]) -> Result<Ended> {
    let config = panel.folder().join("panel.toml").display().to_string();
    let mut all = vec!["--config".to_owned(), config];
    all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    let run = move || run(&all.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await?
}

/// Entries of the audit log that say that somebody read it.
async fn readers(panel: &Panel) -> Result<usize> {
    let report = panel.app().panel.trust.audit(1_000).await?;
    let read = report.newest.iter().filter(|one| {
        one.entry.event.what.as_str() == "read-under-embargo"
            && one.entry.event.advisories == [DocumentId::new(catalog::BACKUP).expect("an id")]
    });
    Ok(read.count())
}

/// A panel on which what is under embargo was accepted, applied, and taken back.
async fn with_a_history() -> Result<Panel> {
    let panel = Panel::of(Kind {
        plugin: true,
        further: Some(with_cve),
        ..Kind::default()
    })
    .await?;
    let until = "2099-01-01";
    let reason = REASON;
    let accept = [
        "accept",
        catalog::BACKUP,
        "--reason",
        reason,
        "--until",
        until,
    ];
    let refused = on(&panel, &accept).await?;
    assert_ne!(refused.code, Some(0), "it is too far away");
    let tomorrow = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let tomorrow = tomorrow.strftime("%Y-%m-%d").to_string();
    let accept = [
        "accept",
        catalog::BACKUP,
        "--reason",
        reason,
        "--until",
        &tomorrow,
    ];
    let accepted = on(&panel, &accept).await?;
    assert_eq!(accepted.code, Some(0), "{}", accepted.complaint);
    assert!(accepted.output.contains(MARK), "{}", accepted.output);
    apply(&panel).await?;
    let back = on(&panel, &["rollback", "module-backup", "--yes"]).await?;
    assert_eq!(back.code, Some(0), "{}", back.complaint);
    assert!(back.output.contains(MARK), "{}", back.output);
    Ok(panel)
}

async fn apply(panel: &Panel) -> Result<()> {
    let request = ApplyRequest {
        correction: DocumentId::new(catalog::BACKUP_CORRECTION)?,
        component: "module-backup".to_owned(),
        plan: None,
        overwrite: false,
        by: AUTOMATIC.to_owned(),
    };
    panel.app().panel.corrections.apply(request, &()).await?;
    Ok(())
}

fn discloses_nothing(ended: &Ended, command: &[&str]) {
    for word in secrets() {
        let found = ended.output.contains(&word);
        assert!(!found, "{command:?} discloses {word:?}: {}", ended.output);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_json_output_names_an_embargoed_advisory_by_its_id_only() -> Result<()> {
    let panel = with_a_history().await?;
    let commands: [&[&str]; 16] = [
        &["list", "--json"],
        &["list", "--json", "--severity", "low"],
        &["list", "--json", "--embargo"],
        &["show", catalog::BACKUP, "--json"],
        &["apply", catalog::BACKUP_CORRECTION, "--dry-run", "--json"],
        &["history", "--json"],
        &["audit", "--json"],
        &["check", "--json"],
        &["check", "--format", "json"],
        &["check", "--format", "sarif"],
        &["exposure", "--json"],
        &["accept", "--list", "--all", "--json"],
        &["auto", "--json"],
        &["auto", "--once", "--dry-run", "--json"],
        &["schedule", "--json"],
        &["trust", "--json"],
    ];
    for command in commands {
        let ended = on(&panel, command).await?;
        discloses_nothing(&ended, command);
        assert!(
            matches!(ended.code, Some(0 | 1)),
            "{command:?}: {}",
            ended.complaint
        );
        let names_none = ["schedule", "trust"].contains(&command[0]);
        let named = ended.output.contains("SPACECP-S");
        assert!(names_none || named, "{command:?}: {}", ended.output);
    }
    // The changes of a correction are a page for people.
    let ended = on(&panel, &["changes", catalog::BACKUP_CORRECTION, "--json"]).await?;
    assert_eq!((ended.code, ended.output.as_str()), (Some(3), ""));
    assert!(ended.complaint.contains("--under-embargo"));
    Ok(())
}

async fn json(panel: &Panel, command: &[&str]) -> Result<Value> {
    let ended = on(panel, command).await?;
    assert_eq!(ended.code, Some(0), "{command:?}: {}", ended.complaint);
    Ok(serde_json::from_str(&ended.output)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_data_with_the_ids_of_what_is_under_embargo_beside_them() -> Result<()> {
    let panel = Panel::raise().await?;
    let list = json(&panel, &["list", "--json"]).await?;
    let ids: Vec<_> = list["items"].as_array().into_iter().flatten().collect();
    let ids: Vec<_> = ids
        .iter()
        .map(|one| one["id"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(list["embargoed"], json!([catalog::BACKUP]));
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert!(!ids.contains(&catalog::BACKUP));
    assert_eq!((&list["page"], &list["pages"]), (&json!(1), &json!(1)));
    let filtered = json(&panel, &["list", "no-such-word", "--json"]).await?;
    assert_eq!(filtered["items"], json!([]));
    assert_eq!(filtered["embargoed"], json!([catalog::BACKUP]));

    let console = json(&panel, &["show", catalog::CONSOLE, "--json"]).await?;
    assert_eq!(console["status"], "affected");
    assert_eq!(console["verdicts"][0]["component"], "houston");
    assert_eq!(console["verdicts"][0]["status"], "affected");
    assert_eq!(console["document"]["title"], console["title"]);
    let backup = json(&panel, &["show", catalog::BACKUP, "--json"]).await?;
    let id_only = json!({ "id": catalog::BACKUP, "revision": 1, "embargo": true });
    assert_eq!(backup, id_only);
    let unknown = on(&panel, &["show", "SPACECP-SA-2099-0001", "--json"]).await?;
    assert_eq!((unknown.code, unknown.output.as_str()), (Some(2), ""));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redacted_list_of_components_has_no_verdict_of_an_embargoed_advisory() -> Result<()> {
    let panel = Panel::raise().await?;
    let verdicts = |list: &Value, name: &str| {
        let mut items = list["items"].as_array().into_iter().flatten();
        let item = items.find(|one| one["name"] == name);
        item.map_or(Value::Null, |item| item["verdicts"].clone())
    };
    let list = json(&panel, &["components", "--json"]).await?;
    assert_eq!(verdicts(&list, "module-backup"), json!([]));
    assert_eq!(verdicts(&list, "houston")[0]["status"], "affected");
    assert_eq!(list["embargoed"], json!([catalog::BACKUP]));
    // Nor does the filter tell which component it is about.
    let affected = json(&panel, &["components", "--status", "affected", "--json"]).await?;
    assert_eq!(verdicts(&affected, "module-backup"), Value::Null);
    let whole = json(&panel, &["components", "--json", "--under-embargo"]).await?;
    assert_eq!(
        verdicts(&whole, "module-backup")[0]["advisory"],
        catalog::BACKUP
    );
    assert_eq!(readers(&panel).await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_public_is_whole_beside_it() -> Result<()> {
    let panel = with_a_history().await?;
    let ended = on(&panel, &["check", "--json"]).await?;
    let told: Value = serde_json::from_str(&ended.output)?;
    let verdicts = told["verdicts"].as_array().map(Vec::as_slice);
    let about = |id: &str| {
        let mut all = verdicts.unwrap_or_default().iter();
        all.find(|one| one["advisory"]["id"] == id).cloned()
    };
    let (secret, public) = (about(catalog::BACKUP), about(catalog::CONSOLE));
    let secret = secret.unwrap_or_default();
    assert_eq!(secret["component"], "under embargo");
    assert_eq!(secret["embargo"], true);
    assert_eq!(public.unwrap_or_default()["component"], "houston");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_full_view_is_recorded_in_the_access_log() -> Result<()> {
    for command in [
        &["apply", catalog::BACKUP_CORRECTION, "--dry-run", "--json"][..],
        &["check", "--json"],
        &["check", "--format", "sarif"],
        &["list", "--json"],
        &["show", catalog::BACKUP, "--json"],
    ] {
        let panel = Panel::raise().await?;
        on(&panel, &command[..command.len()]).await?;
        assert_eq!(readers(&panel).await?, 0, "{command:?}");
        let ended = on(&panel, &[command, &["--under-embargo"]].concat()).await?;
        let told = ended.output.contains("module-backup") || ended.output.contains("Backups");
        assert!(told, "{command:?}: {} {}", ended.output, ended.complaint);
        assert_eq!(readers(&panel).await?, 1, "{command:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn history_and_audit_log_are_whole_in_the_full_view() -> Result<()> {
    let panel = with_a_history().await?;
    let neutral = on(&panel, &["audit", "--json"]).await?;
    let before = readers(&panel).await?;
    for command in ["history", "audit"] {
        let ended = on(&panel, &[command, "--json", "--under-embargo"]).await?;
        assert!(ended.output.contains("module-backup"), "{}", ended.output);
    }
    assert!(readers(&panel).await? >= before.max(1));
    // The chain can be followed in what is neutral, and public entries are there to the letter.
    let whole = on(&panel, &["audit", "--json", "--under-embargo"]).await?;
    for (neutral, whole) in neutral.output.lines().zip(whole.output.lines()) {
        let (neutral_value, whole_value): (Value, Value) =
            (serde_json::from_str(neutral)?, serde_json::from_str(whole)?);
        assert_eq!(neutral_value["hash"], whole_value["hash"]);
        assert_eq!(neutral_value["previous"], whole_value["previous"]);
        let is_secret = neutral_value["entry"]["embargo"] == true;
        assert!(is_secret || neutral == whole, "{neutral}\n{whole}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_shown_everything_marked_as_under_embargo() -> Result<()> {
    let panel = with_a_history().await?;
    for command in [
        &["apply", catalog::BACKUP_CORRECTION, "--dry-run"][..],
        &["history"],
        &["audit"],
        &["accept", "--list", "--all"],
        &["exposure"],
        &["auto"],
    ] {
        let ended = on(&panel, command).await?;
        assert!(ended.output.contains(MARK), "{command:?}: {}", ended.output);
    }
    let public = on(&panel, &["apply", catalog::HOUSTON_CORRECTION, "--dry-run"]).await?;
    assert!(!public.output.contains(MARK), "{}", public.output);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_show_it_are_refused_as_json() -> Result<()> {
    let panel = with_a_history().await?;
    for (user, path) in [
        (VIEWER, "/history"),
        (VIEWER, "/policy"),
        (ADMINISTRATOR, "/policy"),
    ] {
        let mut visitor = panel.visit_as(user).await?;
        let json = [("accept", "application/json")];
        let answer = visitor.get_with(path, &json).await?;
        assert_eq!(answer.status, 403, "{path}: {}", answer.body);
        let page = visitor.get(path).await?;
        assert!(
            page.body.contains("<strong>Under embargo.</strong>"),
            "{path}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_discloses_what_is_corrected_under_embargo() -> Result<()> {
    let panel = Panel::raise().await?;
    let log = ["--log", "spacecp=trace"];
    for command in [
        &["apply", catalog::BACKUP_CORRECTION, "--yes", "--json"][..],
        &["rollback", "module-backup", "--json", "--yes"],
        &["check", "--json"],
    ] {
        let ended = on(&panel, &[&log, command].concat()).await?;
        discloses_nothing(&ended, command);
        for line in ended.complaint.lines() {
            // What is installed is no secret.
            let inventory = line.contains("inventory");
            let telling = secrets().iter().any(|word| line.contains(word));
            assert!(inventory || !telling, "{command:?}: {line}");
        }
    }
    Ok(())
}
