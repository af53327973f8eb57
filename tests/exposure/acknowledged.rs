//! What could not be read: acknowledged by path until something changes; a version set until one is found; and what is
//! said of names that nobody knows.

use std::{fs, time::Duration};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use spacecp_advisories::{
    ServiceError,
    audit::{self, What},
    decisions::{
        DecisionError, State,
        local::{LocalDecision, LocalKind, NewLocalDecision, Subject},
    },
};

use crate::found::{ADVISORY, FOUND, Panel, put_library};

/// A panel on which nothing is affected.
async fn clear() -> Result<Panel> {
    let panel = Panel::raise().await?;
    put_library(panel.root(), "2.17.1")?;
    Ok(panel)
}

fn wish(about: Subject) -> NewLocalDecision {
    NewLocalDecision {
        about,
        by: "ada".to_owned(),
        until: Some(Timestamp::now() + SignedDuration::from_hours(24)),
        reason: Some("Reviewed by hand.".to_owned()),
    }
}

fn version(version: &str) -> Subject {
    Subject::Version {
        component: FOUND.to_owned(),
        version: version.to_owned(),
    }
}

impl Panel {
    async fn decide_locally(&self, wish: &NewLocalDecision) -> Result<Vec<LocalDecision>> {
        Ok(self.app.panel.decisions.decide_locally(wish).await?)
    }

    /// Acknowledges a path below the server's folder.
    async fn acknowledge(&self, below: &str) -> Result<Vec<LocalDecision>> {
        let place = self.lobby().join(below).display().to_string();
        self.decide_locally(&wish(Subject::Unread(place))).await
    }

    fn break_archive(&self, name: &str, contents: &str) -> Result<()> {
        Ok(fs::write(
            self.lobby().join("plugins").join(name),
            contents,
        )?)
    }

    async fn unread(&self) -> Result<u32> {
        Ok(self.app.panel.exposure.report().await?.summary.unread)
    }

    /// How the newest decision about this machine stands, and why.
    async fn newest(&self) -> Result<(State, Option<String>)> {
        let mut all = self.app.panel.decisions.all_locally(1).await?;
        let newest = all.pop().context("a decision")?;
        Ok((newest.state, newest.end.and_then(|end| end.reason)))
    }

    async fn audited(&self) -> Result<Vec<What>> {
        let mut all = Vec::new();
        audit::walk(self.app.panel.store(), None, |recorded| {
            all.push(recorded.entry.event.what);
        })
        .await?;
        Ok(all)
    }

    fn json(&self, arguments: &[&str]) -> Result<Value> {
        Ok(serde_json::from_str(&self.run(arguments)?.1)?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_path_counts_nowhere_as_unread_and_is_shown_apart() -> Result<()> {
    let panel = clear().await?;
    panel.break_archive("Broken.jar", "no archive")?;
    assert_eq!(panel.unread().await?, 1);
    let (code, said) = panel.run(&["unread"])?;
    assert_eq!(code, Some(0));
    assert!(said.contains("plugins/Broken.jar"), "{said}");
    assert!(said.contains("not an archive"), "{said}");

    let place = panel.lobby().join("plugins").display().to_string();
    let (code, said) = panel.run(&[
        "unread",
        "acknowledge",
        &place,
        "--reason",
        "Looked at.",
        "--until",
        &(Timestamp::now() + SignedDuration::from_hours(48)).to_string(),
    ])?;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(panel.unread().await?, 0);
    let (code, said) = panel.run(&["check"])?;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("1 path could not be read. 1 of these is acknowledged."));
    let checked = panel.json(&["check", "--format", "json"])?;
    assert_eq!(checked["summary"]["unread"], 0);
    let listed = &checked["coverage"]["unread"][0];
    assert_eq!(listed["acknowledged"]["reason"], "Looked at.");
    let sarif = panel.json(&["check", "--format", "sarif"])?;
    let invocation = &sarif["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], true);
    assert_eq!(invocation["toolExecutionNotifications"][0]["level"], "note");
    let (_, said) = panel.run(&["components"])?;
    assert!(said.contains("Looked at."), "{said}");
    let (code, said) = panel.run(&["doctor"])?;
    assert!(!said.contains("Broken.jar"), "{code:?} {said}");

    let (code, _) = panel.run(&["unread", "withdraw", &place])?;
    assert_eq!(code, Some(0));
    assert_eq!(panel.unread().await?, 1);
    assert_eq!(panel.run(&["check"])?.0, Some(1));
    assert_eq!(panel.newest().await?, (State::Lifted, None));
    let audited = panel.audited().await?;
    assert!(audited.ends_with(&[
        What::UnreadAcknowledged,
        What::UnreadAcknowledgementWithdrawn
    ]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_hides_neither_a_new_file_nor_a_changed_one() -> Result<()> {
    let panel = clear().await?;
    panel.break_archive("Broken.jar", "no archive")?;
    assert_eq!(panel.acknowledge("plugins/").await?.len(), 1);
    assert_eq!(panel.unread().await?, 0);

    panel.break_archive("New.jar", "no archive")?;
    assert_eq!(panel.unread().await?, 1);

    assert_eq!(panel.acknowledge("plugins/").await?.len(), 2);
    assert_eq!(panel.unread().await?, 0);
    panel.break_archive("New.jar", "another one")?;
    assert_eq!(panel.unread().await?, 1);
    let changed = Some("the file changed".to_owned());
    assert_eq!(panel.newest().await?, (State::Reopened, changed));
    let audited = panel.audited().await?;
    assert_eq!(audited.last(), Some(&What::DecisionReopened));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_does_not_cover_another_reason_at_the_same_path() -> Result<()> {
    let panel = clear().await?;
    panel.break_archive("Broken.jar", "no archive")?;
    panel.acknowledge("plugins/Broken.jar").await?;
    assert_eq!(panel.unread().await?, 0);
    let place = panel.lobby().join("plugins/Broken.jar");
    fs::remove_file(&place)?;
    fs::create_dir(&place)?;
    fs::write(place.join("inner.jar"), "no archive")?;
    assert_eq!(panel.unread().await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_that_has_expired_counts_no_more() -> Result<()> {
    let panel = clear().await?;
    panel.break_archive("Broken.jar", "no archive")?;
    let place = panel.lobby().display().to_string();
    let brief = NewLocalDecision {
        until: Some(Timestamp::now() + SignedDuration::from_secs(6)),
        ..wish(Subject::Unread(place))
    };
    panel.decide_locally(&brief).await?;
    assert_eq!(panel.unread().await?, 0);
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(panel.unread().await?, 1);
    assert_eq!(panel.newest().await?, (State::Expired, None));
    assert_eq!(panel.audited().await?.last(), Some(&What::DecisionExpired));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_reason_end_or_anything_to_decide_nothing_is_decided() -> Result<()> {
    let panel = clear().await?;
    panel.break_archive("Broken.jar", "no archive")?;
    let place = panel.lobby().display().to_string();
    let good = wish(Subject::Unread(place));
    let far = Timestamp::now() + SignedDuration::from_hours(24 * 400);
    let refused = [
        NewLocalDecision {
            reason: None,
            ..good.clone()
        },
        NewLocalDecision {
            until: None,
            ..good.clone()
        },
        NewLocalDecision {
            until: Some(far),
            ..good.clone()
        },
        wish(Subject::Unread("/nowhere".to_owned())),
        wish(version("1.0")),
    ];
    let mut errors = Vec::new();
    for wish in &refused {
        match panel.app.panel.decisions.decide_locally(wish).await {
            Err(ServiceError::Decision(error)) => errors.push(error),
            other => anyhow::bail!("{other:?}"),
        }
    }
    assert!(
        matches!(
            errors.as_slice(),
            [
                DecisionError::NoReason,
                DecisionError::NoEnd,
                DecisionError::TooFar { .. },
                DecisionError::NothingUnread { .. },
                DecisionError::VersionFound { .. },
            ]
        ),
        "{errors:?}"
    );
    assert_eq!(panel.unread().await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_was_not_found_is_set_and_judged_until_the_file_changes() -> Result<()> {
    let panel = Panel::raise().await?;
    panel.put_unversioned_library()?;
    let checked = panel.json(&["check", "--format", "json"])?;
    let unknown = &checked["verdicts"][0];
    assert_eq!(unknown["status"], "unknown");
    let command =
        format!("spacecp-advisories set-version {FOUND} VERSION --reason REASON --until DATE");
    assert_eq!(unknown["ways_out"][0]["command"], command.as_str());
    let (_, said) = panel.run(&["check"])?;
    assert!(
        said.contains("What would decide the unknown verdicts"),
        "{said}"
    );

    let bad = panel
        .app
        .panel
        .decisions
        .decide_locally(&wish(version("")))
        .await;
    assert!(matches!(
        bad,
        Err(ServiceError::Decision(DecisionError::Version { .. }))
    ));
    panel.decide_locally(&wish(version("2.14.1"))).await?;
    assert_eq!(panel.status().await?, "affected");
    panel.decide_locally(&wish(version("2.17.1"))).await?;
    assert_eq!(panel.status().await?, "fixed");
    let (_, said) = panel.run(&["components"])?;
    assert!(said.contains("set by ada until"), "{said}");

    put_library(panel.root(), "2.14.1")?;
    assert_eq!(panel.status().await?, "affected");
    let (state, _) = panel.newest().await?;
    assert_eq!(state, State::Reopened);
    let audited = panel.audited().await?;
    let of_versions = [What::VersionSet, What::VersionSet, What::DecisionReopened];
    assert!(audited.ends_with(&of_versions), "{audited:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_was_set_can_be_withdrawn() -> Result<()> {
    let panel = Panel::raise().await?;
    panel.put_unversioned_library()?;
    panel.decide_locally(&wish(version("2.17.1"))).await?;
    assert_eq!(panel.status().await?, "fixed");
    let decisions = &panel.app.panel.decisions;
    let withdrawn = decisions
        .withdraw_locally(LocalKind::Version, FOUND, "ben")
        .await?;
    assert_eq!(withdrawn.len(), 1);
    assert_eq!(panel.status().await?, "unknown");
    assert_eq!(panel.audited().await?.last(), Some(&What::VersionWithdrawn));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_risk_of_an_unknown_verdict_can_be_accepted_for_that_component_alone() -> Result<()> {
    let panel = Panel::raise().await?;
    panel.put_unversioned_library()?;
    let until = (Timestamp::now() + SignedDuration::from_hours(48)).to_string();
    let accept = [
        "accept",
        ADVISORY,
        "--component",
        FOUND,
        "--reason",
        "Unreachable.",
    ];
    let (code, said) = panel.run(&[&accept[..], &["--until", &until]].concat())?;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        panel.run(&["check"])?.0,
        Some(1),
        "it is unknown all the same"
    );
    let (code, said) = panel.run(&["check", "--allow-accepted"])?;
    assert_eq!(code, Some(0), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_knows_is_said_to_be_unknown_and_not_to_be_unaffected() -> Result<()> {
    let panel = clear().await?;
    let about = |name: &str| panel.run(&["exposure", "--component", name]);
    let (_, said) = about("nothing-here")?;
    assert!(
        said.contains("No advisory names \"nothing-here\""),
        "{said}"
    );
    assert!(!said.contains("No exposure of"), "{said}");
    let (_, said) = about("lobby")?;
    assert!(said.contains("No advisory names \"lobby\"."), "{said}");
    let (_, said) = about(FOUND)?;
    assert!(
        said.contains("No exposure of lobby/"),
        "named, and not affected: {said}"
    );
    let told = panel.json(&["exposure", "--component", "nothing-here", "--json"])?;
    assert_eq!(told["component"]["named"], false);
    assert_eq!(told["component"]["installed"], false);

    let (_, said) = panel.run(&["exposure", "--advisory", "SPACECP-SA-2026-0010"])?;
    assert!(
        said.contains(&format!("did you mean {ADVISORY}?")),
        "{said}"
    );
    Ok(())
}
