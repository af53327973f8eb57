//! Decisions as an administrator makes them: in the pages, and on the command line.

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use spacecp_advisories::{
    decisions::{Decision, Kind, State},
    store::Store,
    trust::workflow::SeenHead,
};
use spacecp_contract::Digest;
use spacecp_tests::catalog;

use crate::{
    panel::{ADMINISTRATOR, Panel, VIEWER},
    program::{Ended, run},
    visitor::{Answer, Fields, Visitor},
};

fn path(advisory: &str) -> String {
    format!("/advisories/{advisory}")
}

/// A day that is so many days away.
fn day(days: i64) -> String {
    let day = Timestamp::now() + SignedDuration::from_hours(24 * days);
    day.strftime("%Y-%m-%d").to_string()
}

/// The form for accepting a risk, filled in.
async fn acceptance(reader: &mut Visitor, advisory: &str) -> Result<Fields> {
    let mut form = reader.get(&path(advisory)).await?.form("/accept-risk")?;
    for (name, value) in [
        ("component", ""),
        ("reason", "Nobody can reach it."),
        ("until", &day(7)),
    ] {
        form.insert(name.to_owned(), value.to_owned());
    }
    Ok(form)
}

async fn mark(reader: &mut Visitor, advisory: &str) -> Result<Fields> {
    let mut form = reader
        .get(&path(advisory))
        .await?
        .form("/mark-workaround")?;
    for (name, value) in [("component", ""), ("reason", ""), ("until", "")] {
        form.insert(name.to_owned(), value.to_owned());
    }
    Ok(form)
}

async fn decided(panel: &Panel) -> Result<Vec<Decision>> {
    Ok(panel.app().panel.decisions.all(100).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_risk_is_accepted_shown_and_accepted_no_longer() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let page = path(catalog::CONSOLE);
    let form = acceptance(&mut administrator, catalog::CONSOLE).await?;
    administrator
        .post("/accept-risk", &form)
        .await?
        .leads_to(&page)?;
    let shown = administrator.get(&page).await?;
    assert!(
        shown
            .body
            .contains("Risk accepted for every component until")
    );
    let said = "Risk accepted for every component: ada on";
    assert!(shown.body.contains(said), "{}", shown.body);
    assert!(
        shown.body.contains("Nobody can reach it."),
        "{}",
        shown.body
    );
    assert!(
        shown.body.contains(">affected<"),
        "it is exposed all the same"
    );
    assert!(!shown.offers("/accept-risk"));
    let overview = administrator.get("/").await?.body;
    assert!(overview.contains("1 accepted until"), "{overview}");

    administrator
        .press(&page, "/withdraw-acceptance")
        .await?
        .leads_to(&page)?;
    assert!(administrator.get(&page).await?.offers("/accept-risk"));
    let decided = decided(&panel).await?;
    assert_eq!(decided.len(), 1);
    assert_eq!(
        (decided[0].by.as_str(), decided[0].state),
        (ADMINISTRATOR, State::Lifted)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workaround_is_marked_for_one_component_and_lifted() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let page = path(catalog::LOG4SHELL);
    let mut form = mark(&mut administrator, catalog::LOG4SHELL).await?;
    form.insert("component".to_owned(), "lobby".to_owned());
    administrator
        .post("/mark-workaround", &form)
        .await?
        .leads_to(&page)?;
    let found = &decided(&panel).await?[0];
    assert_eq!(found.kind, Kind::Workaround);
    assert_eq!(found.workaround.as_deref(), Some("no-lookups"));
    assert_eq!(found.component.as_deref(), Some("lobby"));
    assert_eq!(found.until, None);
    administrator
        .press(&page, "/lift-workaround")
        .await?
        .leads_to(&page)?;
    assert_eq!(decided(&panel).await?[0].state, State::Lifted);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_who_sends_the_administrators_form_decides_nothing() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let own = viewer.get("/").await?.form("/logout")?["csrf"].clone();
    for page in [catalog::CONSOLE, catalog::LOG4SHELL] {
        let shown = viewer.get(&path(page)).await?;
        assert!(!shown.offers("/accept-risk") && !shown.offers("/mark-workaround"));
    }
    let back = Fields::from([("decision".to_owned(), "1".to_owned())]);
    for (action, mut form) in [
        (
            "/accept-risk",
            acceptance(&mut administrator, catalog::CONSOLE).await?,
        ),
        (
            "/mark-workaround",
            mark(&mut administrator, catalog::LOG4SHELL).await?,
        ),
        ("/lift-workaround", back.clone()),
        ("/withdraw-acceptance", back),
    ] {
        form.insert("csrf".to_owned(), own.clone());
        assert_eq!(viewer.post(action, &form).await?.status, 403, "{action}");
    }
    assert_eq!(decided(&panel).await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_the_sessions_token_or_from_another_site_decides_nothing() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let form = acceptance(&mut administrator, catalog::CONSOLE).await?;
    let foreign = [("sec-fetch-site", "cross-site")];
    let answer = administrator
        .post_with("/accept-risk", &form, &foreign)
        .await?;
    assert_eq!(answer.status, 403);
    let mut forged = form;
    forged.insert("csrf".to_owned(), "0".repeat(64));
    assert_eq!(
        administrator.post("/accept-risk", &forged).await?.status,
        403
    );
    assert_eq!(decided(&panel).await?, []);
    Ok(())
}

/// What the page says after a form that is refused.
async fn refused(panel: &Panel, action: &str, form: &Fields, advisory: &str) -> Result<Answer> {
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let mut form = form.clone();
    let own = administrator.get("/").await?.form("/logout")?["csrf"].clone();
    form.insert("csrf".to_owned(), own);
    administrator
        .post(action, &form)
        .await?
        .leads_to(&path(advisory))?;
    administrator.get(&path(advisory)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_said_on_the_page_and_decides_nothing() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let form = acceptance(&mut administrator, catalog::CONSOLE).await?;
    for (field, value, words) in [
        ("revision", "7".to_owned(), "changed from revision"),
        ("reason", " ".to_owned(), "a reason is required"),
        ("until", String::new(), "an end date is required"),
        ("until", "soon".to_owned(), "invalid date"),
        ("until", "2020-01-01".to_owned(), "has passed"),
        ("until", day(400), "is too far away"),
        ("component", "nowhere".to_owned(), "no component"),
    ] {
        let mut changed = form.clone();
        changed.insert(field.to_owned(), value);
        let page = refused(&panel, "/accept-risk", &changed, catalog::CONSOLE).await?;
        assert!(page.body.contains("notice danger"), "{}", page.body);
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let back = Fields::from([
        ("decision".to_owned(), "77".to_owned()),
        ("csrf".to_owned(), form["csrf"].clone()),
    ]);
    let answer = administrator.post("/withdraw-acceptance", &back).await?;
    assert_eq!(answer.status, 404, "{}", answer.body);
    assert_eq!(decided(&panel).await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_shows_who_decided_what_and_who_signed_what_was_applied() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let form = acceptance(&mut administrator, catalog::CONSOLE).await?;
    administrator.post("/accept-risk", &form).await?;
    administrator
        .press(&path(catalog::CONSOLE), "/apply")
        .await?;
    let history = administrator.get("/history").await?.body;
    for words in [
        "Audit log",
        "risk accepted",
        "applied",
        "4.7.2 → 4.7.4",
        "All entries verified",
    ] {
        assert!(history.contains(words), "{words}: {history}");
    }
    let report = panel.app().panel.trust.audit(10).await?;
    let keys = &report.newest[0].entry.event.keys;
    assert_eq!(keys.len(), 1);
    assert!(history.contains(&keys[0]), "{keys:?}: {history}");
    Ok(())
}

/// Runs the program on the panel's configuration.
async fn program(panel: &Panel, arguments: &[&str]) -> Result<Ended> {
    let config = panel.folder().join("panel.toml").display().to_string();
    let mut all = vec!["--config".to_owned(), config];
    all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    let run = move || run(&all.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await?
}

async fn well(panel: &Panel, arguments: &[&str]) -> Result<String> {
    let ended = program(panel, arguments).await?;
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.complaint);
    Ok(ended.output)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_marks_lists_and_lifts() -> Result<()> {
    let panel = Panel::raise().await?;
    let matter = [catalog::LOG4SHELL, "no-lookups", "--component", "lobby"];
    let marked = well(&panel, &[&["workaround", "mark"], &matter[..]].concat()).await?;
    assert!(
        marked.contains("workaround no-lookups for lobby: standing, by"),
        "{marked}"
    );
    let listed = well(&panel, &["workaround", "list"]).await?;
    assert_eq!(listed, marked);
    let lifted = well(&panel, &[&["workaround", "unmark"], &matter[..]].concat()).await?;
    assert!(lifted.contains(": lifted, by"), "{lifted}");
    let listed = well(&panel, &["workaround", "list"]).await?;
    assert_eq!(listed, "No decisions found.\n");
    let again = program(&panel, &[&["workaround", "unmark"], &matter[..]].concat()).await?;
    assert_eq!(again.code, Some(2), "{}", again.complaint);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exposed_ends_check_with_1_unless_accepting_is_allowed_and_all_is_accepted()
-> Result<()> {
    let panel = Panel::raise().await?;
    let until = day(7);
    let accept = |advisory: &'static str| {
        let until = until.clone();
        let panel = &panel;
        async move {
            let words = [
                "accept",
                advisory,
                "--reason",
                "In a cellar.",
                "--until",
                &until,
            ];
            well(panel, &words).await
        }
    };
    accept(catalog::CONSOLE).await?;
    let check = program(&panel, &["check", "--json"]).await?;
    assert_eq!(check.code, Some(1));
    let report: Value = serde_json::from_str(&check.output)?;
    let verdicts = report["verdicts"].as_array().context("verdicts")?;
    let verdict = verdicts
        .iter()
        .find(|verdict| verdict["advisory"]["id"] == catalog::CONSOLE)
        .context("the console's")?;
    assert_eq!(verdict["status"], "affected");
    assert_eq!(verdict["decisions"][0]["kind"], "acceptance");
    assert_eq!(verdict["decisions"][0]["state"], "standing");
    assert_eq!(verdict["decisions"][0]["reason"], "In a cellar.");
    let table = program(&panel, &["check", "--allow-accepted"]).await?;
    assert_eq!(table.code, Some(1), "others are not accepted");
    assert!(table.output.contains("accepted until"), "{}", table.output);

    for advisory in [catalog::LOG4SHELL, catalog::WS_HEADERS, catalog::BACKUP] {
        accept(advisory).await?;
    }
    // One component's version cannot be compared, and nobody can accept what is not decided.
    let undecided = program(&panel, &["check", "--allow-accepted"]).await?;
    assert_eq!(undecided.code, Some(1), "{}", undecided.output);
    let invoices = panel.ground().invoices().join("package.json");
    std::fs::write(invoices, "{ \"version\": \"9.0.0\" }")?;
    assert_eq!(program(&panel, &["check"]).await?.code, Some(1));
    let accepted = program(&panel, &["check", "--allow-accepted"]).await?;
    assert_eq!(accepted.code, Some(0), "{}", accepted.output);

    // Once the vendor's last word has expired, nobody can say that nothing else is wrong.
    let store = Store::open(&panel.folder().join("state/store.sqlite")).await?;
    let head = store
        .trusted()
        .await?
        .head
        .clone()
        .context("it was heard")?;
    let seen = SeenHead {
        epoch: 0,
        sequence: head.sequence,
        digest: Digest::of(head.bytes()),
    };
    store.saw_head_expired(seen, Timestamp::now()).await?;
    let blind = program(&panel, &["check", "--allow-accepted"]).await?;
    assert_eq!(blind.code, Some(1), "{}", blind.output);
    let since = head.issued.strftime("last updated %Y-%m-%d %H:%M UTC");
    let since = since.to_string();
    assert!(blind.output.contains(&since), "{since}: {}", blind.output);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_about_what_is_under_embargo_is_not_given_out_with_its_reason() -> Result<()> {
    let panel = Panel::raise().await?;
    let matter = [catalog::BACKUP, "module-off"];
    let secret = "Customers could read backups of others.";
    let reason = ["--reason", secret];
    well(
        &panel,
        &[&["workaround", "mark"], &matter[..], &reason[..]].concat(),
    )
    .await?;
    let check = program(&panel, &["check", "--json"]).await?.output;
    assert!(
        check.contains("\"workaround\": \"under embargo\""),
        "{check}"
    );
    assert!(
        !check.contains(secret) && !check.contains("module-off"),
        "{check}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decided_ends_with_2_or_3_and_says_why() -> Result<()> {
    let panel = Panel::raise().await?;
    for (arguments, code, words) in [
        (vec!["accept", catalog::CONSOLE], 2, "--reason"),
        (
            vec!["accept", "x", "--reason", "y", "--until", "2026-12-01"],
            2,
            "document id",
        ),
        (
            vec![
                "accept",
                catalog::CONSOLE,
                "--reason",
                "y",
                "--until",
                "soon",
            ],
            2,
            "invalid date",
        ),
        (
            vec![
                "accept",
                catalog::CONSOLE,
                "--reason",
                "y",
                "--until",
                "2020-01-01",
            ],
            3,
            "has passed",
        ),
        (
            vec!["workaround", "mark", catalog::LOG4SHELL, "pray"],
            2,
            "available: no-lookups",
        ),
    ] {
        let ended = program(&panel, &arguments).await?;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.complaint);
        assert!(
            ended.complaint.contains(words),
            "{arguments:?}: {}",
            ended.complaint
        );
    }
    Ok(())
}
