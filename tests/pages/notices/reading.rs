//! What each person has read and dismissed, and what comes back by itself.

use anyhow::Result;
use spacecp_advisories::{
    ServiceError,
    notify::{NotifyError, ReadingError},
};
use spacecp_contract::{Advisory, VersionRange};
use spacecp_tests::catalog;

use super::stage::{Stage, about_the_daemon, id, revised};

#[tokio::test(flavor = "multi_thread")]
async fn what_one_person_has_read_is_new_to_another_and_a_new_revision_to_both() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let app = stage.open("").await?;
    let advisory = id(catalog::CONSOLE);
    app.notifications.mark_read("ada", &advisory, 1).await?;
    let (ada, victor) = (
        app.notifications.read_state("ada").await?,
        app.notifications.read_state("victor").await?,
    );
    assert!(!ada.is_unread(catalog::CONSOLE, 1));
    assert!(ada.is_unread(catalog::CONSOLE, 2));
    assert!(victor.is_unread(catalog::CONSOLE, 1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dismissed_is_out_of_one_persons_sight_until_they_want_it_back() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let app = stage.open("").await?;
    let advisory = id(catalog::CONSOLE);
    app.notifications
        .dismiss("ada", &advisory, 1, Some("houston"))
        .await?;
    let ada = app.notifications.read_state("ada").await?;
    assert!(ada.is_dismissed(catalog::CONSOLE, "houston"));
    assert!(!ada.is_dismissed(catalog::CONSOLE, "lobby"));
    assert!(
        !app.notifications
            .read_state("victor")
            .await?
            .is_dismissed(catalog::CONSOLE, "houston")
    );
    app.notifications
        .undismiss("ada", &advisory, Some("houston"))
        .await?;
    assert!(
        !app.notifications
            .read_state("ada")
            .await?
            .is_dismissed(catalog::CONSOLE, "houston")
    );
    let again = app
        .notifications
        .undismiss("ada", &advisory, Some("houston"))
        .await;
    assert!(matches!(
        again,
        Err(NotifyError::Reading(ReadingError::NotDismissed { .. }))
    ));
    Ok(())
}

/// What a vendor changes about an advisory.
type Change = fn(&mut Advisory);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dismissed_comes_back_when_its_facts_change_and_not_when_its_words_do() -> Result<()>
{
    let advisory = about_the_daemon();
    let mut stage = Stage::with(vec![advisory.clone()]).await?;
    let app = stage.open("").await?;
    app.notifications
        .dismiss("ada", &advisory.id, 1, None)
        .await?;
    let mut current = revised(&advisory, |advisory| {
        advisory.issue.push_str(" More is known.");
    });
    stage.revise(&app, current.clone()).await?;
    assert!(
        app.notifications
            .read_state("ada")
            .await?
            .is_dismissed(catalog::CONSOLE, "houston")
    );
    let changes: [(&str, Change); 3] = [
        ("now known to be exploited", |advisory| {
            advisory.known_exploited = true;
        }),
        ("the severity changed", |advisory| advisory.severity.clear()),
        ("the affected versions changed", |advisory| {
            advisory.affected[0].ranges.push(VersionRange {
                limit: None,
                introduced: "5.0.0".to_owned(),
                fixed: None,
                last_affected: Some("5.1.0".to_owned()),
            });
        }),
    ];
    for (why, change) in changes {
        app.notifications
            .dismiss("ada", &advisory.id, current.revision, None)
            .await?;
        current = revised(&current, change);
        stage.revise(&app, current.clone()).await?;
        let ada = app.notifications.read_state("ada").await?;
        assert!(!ada.is_dismissed(catalog::CONSOLE, "houston"), "{why}");
        let returned = ada.dismissed[0].returned.clone().unwrap();
        assert!(returned.why.contains(why), "{returned:?}");
        // And stays, whoever asks again.
        assert_eq!(
            app.notifications.read_state("ada").await?.dismissed[0]
                .returned
                .clone()
                .map(|r| r.why),
            Some(returned.why)
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_noted_about_what_is_not_here_or_was_not_shown() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let app = stage.open("").await?;
    let (here, gone) = (id(catalog::CONSOLE), id("SPACECP-SA-1999-0001"));
    let none = app.notifications.mark_read("ada", &gone, 1).await;
    assert!(matches!(
        none,
        Err(NotifyError::Reading(ReadingError::NoAdvisory { .. }))
    ));
    let later = app.notifications.mark_read("ada", &here, 2).await;
    assert!(matches!(
        later,
        Err(NotifyError::Reading(ReadingError::Drifted { .. }))
    ));
    let drifted = app.notifications.dismiss("ada", &here, 2, None).await;
    assert!(matches!(
        drifted,
        Err(NotifyError::Reading(ReadingError::Drifted { .. }))
    ));
    let stranger = app
        .notifications
        .dismiss("ada", &here, 1, Some("nothing"))
        .await;
    assert!(matches!(
        stranger,
        Err(NotifyError::Service(ServiceError::NotFound { .. }))
    ));
    let nobody = app.notifications.dismiss("", &here, 1, None).await;
    assert!(matches!(
        nobody,
        Err(NotifyError::Reading(ReadingError::Name))
    ));
    Ok(())
}
