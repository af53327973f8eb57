//! The disclosure policy's gate, in the library: what a case forbids is not broadcast, whoever calls, and what is
//! broadcast is recorded in its case.

use std::fs;

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use spacecp_contract::{Advisory, Credit, DocumentId, Report, Tlp};
use spacecp_publisher::{
    cases::{
        case::Case,
        case_store::CaseStore,
        id::CaseId,
        policy::{Approval, PolicyError},
        state_machine::{Answer, Event, State, TransitionError},
    },
    feed::FeedError,
    publish::{Consent, PublishService},
    report::key::Recipient,
    requests::RequestError,
};
use spacecp_tests::{catalog, vendor::Vendor};
use tempfile::TempDir;

use crate::private::{ONE, now, secret, signed_elsewhere, vendor};

/// A case in a desk about this advisory.
pub(crate) fn case_about(
    vendor: &Vendor,
    advisory: &DocumentId,
    events: &[Event],
) -> Result<CaseId> {
    let cases = CaseStore::of(&vendor.desk_dir());
    let report = Report {
        title: "Backups follow links".into(),
        steps: advisory.to_string(),
        ..Report::default()
    };
    let at = vendor.now();
    let case = cases.open(&report, &ONE.parse::<Recipient>()?, at, "Ada")?;
    for event in events {
        cases.record(case.id(), at, "Ada", event.clone())?;
    }
    let advisory = advisory.clone();
    cases.record(case.id(), at, "Ada", Event::Drafted { advisory })?;
    Ok(case.id().clone())
}

/// What happens to a case before its advisory is broadcast, but for the finder's review.
pub(crate) fn corrected() -> [Event; 4] {
    [
        Event::Acknowledged,
        Event::Verified { scope: None },
        Event::Started,
        Event::Corrected(Answer::Workaround("Switch it off.".into())),
    ]
}

fn tomorrow() -> Timestamp {
    now() + SignedDuration::from_hours(24)
}

fn case(vendor: &Vendor, id: &CaseId) -> Result<Case> {
    Ok(CaseStore::of(&vendor.desk_dir()).case(id)?)
}

/// Consent to publish without a review.
fn urgent() -> Consent {
    Consent {
        approval: Approval {
            without_review: Some("it is exploited already".into()),
            by: Some("Ada".into()),
        },
        ..Consent::default()
    }
}

/// What every way to publish is refused for; nothing is published.
fn refusals(vendor: &Vendor, publisher: &PublishService<'_>) -> Result<Vec<PolicyError>> {
    let head = vendor.feed().head()?;
    let key = &vendor.keys().feed;
    let ways = [
        publisher.plan_broadcast(now(), tomorrow()).map(drop),
        publisher.prepare_broadcast(now(), tomorrow()).map(drop),
        publisher.broadcast(now(), tomorrow(), &[key]).map(drop),
    ];
    assert_eq!(vendor.feed().head()?, head, "nothing was published");
    let refused = ways.into_iter().map(|way| match way {
        Err(FeedError::Policy(refused)) => Ok(refused),
        other => anyhow::bail!("the policy does not refuse it: {other:?}"),
    });
    refused.collect()
}

/// A vendor with an advisory under embargo and a case about it.
fn with_case(folder: &TempDir, advisory: Advisory, events: &[Event]) -> Result<(Vendor, CaseId)> {
    let mut vendor = vendor(folder.path())?;
    let case = case_about(&vendor, &advisory.id, events)?;
    vendor.publish_advisory(advisory)?;
    Ok((vendor, case))
}

#[test]
fn what_the_finder_has_not_approved_of_is_broadcast_only_with_a_reason() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let (vendor, id) = with_case(&folder, secret(1), &corrected())?;
    for refused in refusals(&vendor, &vendor.publisher())? {
        assert!(
            matches!(&refused, PolicyError::Transition { case, source: TransitionError::Unreviewed { .. }, .. } if *case == id),
            "{refused:?}"
        );
    }
    assert_eq!(case(&vendor, &id)?.status().state(), State::Corrected);
    let publisher = vendor.publisher().with_consent(urgent());
    publisher.broadcast(now(), tomorrow(), &[&vendor.keys().feed])?;
    let recorded = case(&vendor, &id)?;
    let last = recorded.entries().last().context("it has entries")?;
    let without_review = urgent().approval.without_review;
    assert_eq!(last.event, Event::Broadcast { without_review });
    assert_eq!(last.by, "Ada");
    Ok(())
}

#[test]
fn an_advisory_of_a_case_that_is_not_verified_stays_on_the_desk() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let (vendor, _) = with_case(&folder, secret(1), &[])?;
    for refused in refusals(&vendor, &vendor.publisher().with_consent(urgent()))? {
        assert!(
            matches!(&refused, PolicyError::Fault { fault, .. } if fault.field == "case"),
            "{refused:?}"
        );
    }
    Ok(())
}

#[test]
fn nobody_is_named_who_has_not_consented() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut advisory = secret(1);
    advisory.credits = vec![Credit {
        name: "Grace".into(),
        role: "finder".into(),
    }];
    let (vendor, _) = with_case(&folder, advisory, &corrected())?;
    for refused in refusals(&vendor, &vendor.publisher().with_consent(urgent()))? {
        assert!(
            matches!(&refused, PolicyError::Fault { fault, .. } if fault.field == "credits"),
            "{refused:?}"
        );
    }
    Ok(())
}

#[test]
fn a_broadcast_that_a_case_records_is_somebodys() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let (vendor, _) = with_case(&folder, secret(1), &corrected())?;
    let mut nobody = urgent();
    nobody.approval.by = None;
    for refused in refusals(&vendor, &vendor.publisher().with_consent(nobody))? {
        assert!(matches!(refused, PolicyError::Unnamed), "{refused:?}");
    }
    Ok(())
}

#[test]
fn an_advisory_without_a_solution_and_a_workaround_is_not_broadcast() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    let mut advisory = secret(1);
    advisory.solution.clear();
    advisory.workarounds.clear();
    let id = advisory.id.clone();
    vendor.publish_advisory(advisory)?;
    for refused in refusals(&vendor, &vendor.publisher())? {
        assert!(
            matches!(&refused, PolicyError::Unanswered(found) if *found == id),
            "{refused:?}"
        );
    }
    Ok(())
}

#[test]
fn a_broadcast_that_was_signed_elsewhere_is_held_to_what_its_case_says_by_now() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    vendor.publish_advisory(secret(1))?;
    let [index, _] = signed_elsewhere(&vendor, &folder.path().join("asked"))?;
    let id = case_about(&vendor, &catalog::BACKUP.parse()?, &corrected())?;
    let refused = index.publish(&vendor.publisher(), now());
    assert!(
        matches!(
            &refused,
            Err(RequestError::Feed(FeedError::Policy(
                PolicyError::Transition { .. }
            )))
        ),
        "{refused:?}"
    );
    assert_eq!(vendor.feed().head()?, None);
    index.publish(&vendor.publisher().with_consent(urgent()), now())?;
    assert_eq!(case(&vendor, &id)?.status().state(), State::Broadcast);
    Ok(())
}

#[test]
fn a_disclosure_is_recorded_in_the_case_that_was_broadcast_before() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let (mut vendor, id) = with_case(&folder, secret(1), &corrected())?;
    let publisher = vendor.publisher().with_consent(urgent());
    publisher.broadcast(now(), tomorrow(), &[&vendor.keys().feed])?;
    vendor.publish_advisory(Advisory {
        tlp: Tlp::Clear,
        embargo_until: None,
        ..secret(2)
    })?;
    let mut consent = urgent();
    consent.disclose = [catalog::BACKUP.parse()?].into();
    let publisher = vendor.publisher().with_consent(consent);
    publisher.broadcast(now(), tomorrow(), &[&vendor.keys().feed])?;
    let events = case(&vendor, &id)?;
    let events: Vec<_> = events
        .entries()
        .iter()
        .map(|one| one.event.word())
        .collect();
    assert_eq!(events[events.len() - 2..], ["broadcast", "disclosed"]);
    Ok(())
}

#[test]
fn a_case_that_cannot_be_read_stops_a_broadcast_and_no_refresh() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let (mut vendor, id) = with_case(&folder, secret(1), &corrected())?;
    let publisher = vendor.publisher().with_consent(urgent());
    publisher.broadcast(now(), tomorrow(), &[&vendor.keys().feed])?;
    let place = CaseStore::of(&vendor.desk_dir()).place(&id);
    fs::write(place.join("case.toml"), "id = 1")?;
    vendor.publish_advisory(secret(2))?;
    for refused in refusals(&vendor, &vendor.publisher().with_consent(urgent()))? {
        assert!(matches!(refused, PolicyError::Cases(_)), "{refused:?}");
    }
    let publisher = vendor.publisher();
    publisher.refresh(now(), tomorrow(), &[&vendor.keys().feed])?;
    Ok(())
}
