//! What the program gives out of what is under embargo: to people all of it, marked; to programs no more than
//! ids, unless they ask by name, and then the audit log says so.

use anyhow::Result;
use serde_json::Value;
use spacecp_advisories::{AUTOMATIC, ApplyRequest};
use spacecp_contract::DocumentId;
use spacecp_tests::catalog;

use crate::{
    panel::{ADMINISTRATOR, Panel, VIEWER},
    program::{Ended, run},
};

const MARK: &str = "UNDER EMBARGO";

/// Words that give it away: what is affected, in which versions, by what, and what was said of it.
const TELLING: [&str; 4] = [
    "module-backup",
    "2.3.0",
    "Backups of other customers",
    "because of backups",
];

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
    let panel = Panel::raise().await?;
    let until = "2099-01-01";
    let reason = "because of backups";
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

fn says_nothing(ended: &Ended, command: &[&str]) {
    for word in TELLING {
        let found = ended.output.contains(word);
        assert!(!found, "{command:?} says {word:?}: {}", ended.output);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_made_for_programs_has_more_of_it_than_ids() -> Result<()> {
    let panel = with_a_history().await?;
    let commands: [&[&str]; 11] = [
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
    ];
    for command in commands {
        let ended = on(&panel, command).await?;
        says_nothing(&ended, command);
        let spoken = ended.output.contains("SPACECP-S") || command[0] == "schedule";
        assert!(spoken, "{command:?} has the ids: {}", ended.output);
    }
    for command in [
        &["list", "--json"][..],
        &["show", catalog::BACKUP, "--json"],
        &["changes", catalog::BACKUP_CORRECTION, "--json"],
    ] {
        let ended = on(&panel, command).await?;
        assert_eq!((ended.code, ended.output.as_str()), (Some(3), ""));
        assert!(ended.complaint.contains("--under-embargo"), "{command:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_public_is_told_beside_it_as_before() -> Result<()> {
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
async fn a_program_that_asks_by_name_is_told_and_the_audit_log_has_it() -> Result<()> {
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
async fn history_and_audit_log_are_whole_for_whoever_asks_by_name() -> Result<()> {
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
async fn people_are_shown_it_and_told_that_it_is_under_embargo() -> Result<()> {
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
async fn pages_that_remember_it_are_not_given_out_as_json() -> Result<()> {
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
async fn no_log_says_what_is_corrected_under_embargo() -> Result<()> {
    let panel = Panel::raise().await?;
    let log = ["--log", "spacecp=trace"];
    for command in [
        &["apply", catalog::BACKUP_CORRECTION, "--yes", "--json"][..],
        &["rollback", "module-backup", "--json", "--yes"],
        &["check", "--json"],
    ] {
        let ended = on(&panel, &[&log, command].concat()).await?;
        says_nothing(&ended, command);
        for line in ended.complaint.lines() {
            // What is installed is no secret.
            let inventory = line.contains("inventory");
            let telling = TELLING.iter().any(|word| line.contains(word));
            assert!(inventory || !telling, "{command:?}: {line}");
        }
    }
    Ok(())
}
