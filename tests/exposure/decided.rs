//! Decisions about exposures: how long they hold, what ends them, and that all of it is on record.

use std::sync::Arc;

use anyhow::{Result, bail};
use jiff::{SignedDuration, Timestamp};
use spacecp_advisories::{
    audit::{self, Entry, What},
    config::{ComponentConfig, VersionConfig},
    decisions::{self, Decision, DecisionError, Kind, State, Wish},
    fetch::{Patience, Source},
    inventory::Inventory,
    plugin::bindings::exports::spacecp::advisories::exposure::Status,
    store::Store,
    sync::{Follower, Mirror},
    trust,
};
use spacecp_contract::{Advisory, ComponentName, Tlp, TreePath, VersionScheme, Workaround};
use spacecp_tests::vendor::Vendor;
use tempfile::TempDir;

use crate::panel::{advisory, id, range};

const ADVISORY: &str = "SPACECP-SA-2026-0001";
const COMPONENT: &str = "spacecp:component";
const LONGEST: u32 = 30;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// A panel with two components and one advisory about the first, from a real feed.
struct Desk {
    folder: TempDir,
    vendor: Vendor,
    store: Store,
    advisory: Advisory,
}

impl Desk {
    async fn new() -> Result<Self> {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Advisory)) -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        for name in ["component", "other"] {
            std::fs::create_dir(folder.path().join(name))?;
            std::fs::write(folder.path().join(name).join("VERSION"), "1.0.0\n")?;
        }
        let mut told = advisory(ADVISORY, COMPONENT, &[("0", Some("1.0.1"), None)]);
        told.workarounds = vec![Workaround {
            id: "turn-it-off".to_owned(),
            text: "Turn it off.".to_owned(),
        }];
        change(&mut told);
        let vendor = Vendor::new(&folder.path().join("desk"), "customers", now())?;
        vendor.enrol("panel", &folder.path().join("state"))?;
        let store = Store::open(&folder.path().join("store.sqlite")).await?;
        let mut desk = Self {
            folder,
            vendor,
            store,
            advisory: told,
        };
        desk.hear().await?;
        Ok(desk)
    }

    /// Publishes the advisory as it is and lets the panel hear of it.
    async fn hear(&mut self) -> Result<()> {
        self.vendor.publish_advisory(self.advisory.clone())?;
        self.vendor.broadcast()?;
        let address = self.vendor.feed_dir().display().to_string();
        let mirror = Mirror {
            source: Arc::new(Source::new(&address, Patience::default())?),
            address,
        };
        let (store, pin) = (self.store.clone(), self.vendor.pin()?);
        let follower = Follower::new(vec![mirror], store, pin, "customers".parse()?)
            .reading_as(self.folder.path().join("state"));
        follower.sync(now()).await?;
        Ok(())
    }

    /// The next revision of the advisory, with a change.
    async fn revise(&mut self, change: impl FnOnce(&mut Advisory)) -> Result<()> {
        self.advisory.revision += 1;
        change(&mut self.advisory);
        self.hear().await
    }

    fn inventory(&self) -> Inventory {
        let component = |name: &str, advisory_name: &str| ComponentConfig {
            scan: std::collections::BTreeSet::new(),
            scan_except: Vec::new(),
            name: name.to_owned(),
            advisory_name: ComponentName::new(advisory_name).unwrap(),
            scheme: VersionScheme::Semver,
            folder: self.folder.path().join(name),
            version: VersionConfig {
                file: TreePath::new("VERSION").unwrap(),
                pattern: None,
                pointer: None,
            },
            keep: Vec::new(),
            control: None,
            health: Vec::new(),
        };
        Inventory::read(&[
            component("component", COMPONENT),
            component("other", "spacecp:other"),
        ])
    }

    async fn make(&self, wish: &Wish) -> Result<Decision, DecisionError> {
        decisions::make(&self.store, &self.inventory(), wish, LONGEST, now()).await
    }

    async fn states(&self, at: Timestamp) -> Result<Vec<State>> {
        let current = decisions::current(&self.store, at).await?;
        Ok(current.iter().map(|decision| decision.state).collect())
    }

    /// Whether the exposure of the component is covered at a time.
    async fn covered(&self, at: Timestamp) -> Result<bool> {
        let current = decisions::current(&self.store, at).await?;
        Ok(current
            .iter()
            .any(|decision| decision.covers(ADVISORY, "component", Status::Affected)))
    }

    async fn recorded(&self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let walked = audit::walk(&self.store, None, |one| entries.push(one.entry)).await?;
        match walked.fault {
            Some(fault) => bail!("{fault}"),
            None => Ok(entries),
        }
    }

    async fn whats(&self) -> Result<Vec<What>> {
        let entries = self.recorded().await?;
        Ok(entries.iter().map(|entry| entry.event.what).collect())
    }
}

fn mark() -> Wish {
    Wish {
        workaround: Some("turn-it-off".to_owned()),
        advisory: id(ADVISORY),
        shown: Some(1),
        component: Some("component".to_owned()),
        by: "ada".to_owned(),
        until: None,
        reason: None,
    }
}

fn accept() -> Wish {
    Wish {
        workaround: None,
        until: Some(now() + days(7)),
        reason: Some("Nobody can reach it from outside.".to_owned()),
        ..mark()
    }
}

#[tokio::test]
async fn a_workaround_is_in_place_until_somebody_says_that_it_is_not() -> Result<()> {
    let desk = Desk::new().await?;
    let marked = desk.make(&mark()).await?;
    assert!(desk.covered(now() + days(1_000)).await?);
    let lifted =
        decisions::lift(&desk.store, marked.number, Kind::Workaround, "bob", now()).await?;
    assert_eq!(lifted.state, State::Lifted);
    assert!(!desk.covered(now()).await?);
    assert_eq!(desk.states(now()).await?, []);
    let again = decisions::lift(&desk.store, marked.number, Kind::Workaround, "bob", now()).await;
    assert!(
        matches!(again, Err(DecisionError::Ended { .. })),
        "{again:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_decision_is_for_its_component_or_for_every_one() -> Result<()> {
    let desk = Desk::new().await?;
    let one = desk.make(&accept()).await?;
    assert!(
        one.covers(ADVISORY, "component", Status::Affected)
            && !one.covers(ADVISORY, "other", Status::Affected)
    );
    assert!(!one.covers("SPACECP-SA-2026-0002", "component", Status::Affected));
    let everyone = Wish {
        component: None,
        ..accept()
    };
    let every = desk.make(&everyone).await?;
    assert!(
        every.covers(ADVISORY, "component", Status::Affected)
            && every.covers(ADVISORY, "other", Status::Affected)
    );
    Ok(())
}

#[tokio::test]
async fn a_decision_ends_at_its_time_and_a_clock_that_runs_backwards_does_not_bring_it_back()
-> Result<()> {
    let desk = Desk::new().await?;
    desk.make(&accept()).await?;
    assert_eq!(desk.states(now() + days(6)).await?, [State::Standing]);
    assert_eq!(desk.states(now() + days(7)).await?, [State::Expired]);
    assert_eq!(desk.states(now()).await?, [State::Expired]);
    assert!(!desk.covered(now()).await?);
    assert_eq!(
        desk.whats().await?,
        [What::RiskAccepted, What::DecisionExpired]
    );
    Ok(())
}

/// A change to an advisory.
type Change = fn(&mut Advisory);

#[tokio::test]
async fn an_accepted_risk_is_open_again_when_the_risk_is_another() -> Result<()> {
    let changes: [(Change, &str); 4] = [
        (
            |advisory| {
                advisory.severity = vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H".to_owned()];
            },
            "revision 2: the severity changed",
        ),
        (
            |advisory| advisory.affected[0].ranges = vec![range(("0", Some("2.0.0"), None))],
            "revision 2: the affected versions changed",
        ),
        (
            |advisory| advisory.affected[0].versions.push("3.0.0".to_owned()),
            "revision 2: the affected versions changed",
        ),
        (
            |advisory| advisory.known_exploited = true,
            "revision 2: now known to be exploited",
        ),
    ];
    for (change, words) in changes {
        let mut desk = Desk::new().await?;
        desk.make(&accept()).await?;
        desk.revise(change).await?;
        assert!(!desk.covered(now()).await?, "{words}");
        let current = decisions::current(&desk.store, now()).await?;
        assert_eq!(current[0].state, State::Reopened);
        let why = current[0]
            .end
            .as_ref()
            .and_then(|end| end.reason.as_deref());
        assert_eq!(why, Some(words));
        assert_eq!(
            desk.whats().await?,
            [What::RiskAccepted, What::DecisionReopened]
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_accepted_risk_stays_accepted_when_only_its_description_is_another() -> Result<()> {
    let changes: [Change; 4] = [
        |advisory| advisory.title = "Said better".to_owned(),
        |advisory| advisory.issue = "Explained **better**.".to_owned(),
        |advisory| advisory.workarounds[0].text = "Turn it off, all of it.".to_owned(),
        |advisory| advisory.affected[0].ranges.reverse(),
    ];
    for change in changes {
        let mut desk = Desk::with(|advisory| {
            advisory.affected[0].ranges = vec![
                range(("0", Some("1.0.1"), None)),
                range(("2.0.0", Some("2.0.1"), None)),
            ];
        })
        .await?;
        desk.make(&accept()).await?;
        desk.revise(change).await?;
        assert_eq!(desk.states(now()).await?, [State::Standing]);
    }
    Ok(())
}

#[tokio::test]
async fn a_workaround_is_no_longer_in_place_when_its_text_is_another_or_it_is_gone() -> Result<()> {
    let changes: [(Change, &str); 2] = [
        (
            |advisory| advisory.workarounds[0].text = "Turn it off, and pull the plug.".to_owned(),
            "revision 2: the text of the workaround changed",
        ),
        (
            |advisory| advisory.workarounds.clear(),
            "revision 2: the workaround was removed",
        ),
    ];
    for (change, words) in changes {
        let mut desk = Desk::new().await?;
        desk.make(&mark()).await?;
        desk.revise(change).await?;
        let current = decisions::current(&desk.store, now()).await?;
        assert_eq!(current[0].state, State::Reopened);
        let why = current[0]
            .end
            .as_ref()
            .and_then(|end| end.reason.as_deref());
        assert_eq!(why, Some(words));
    }
    let mut desk = Desk::new().await?;
    desk.make(&mark()).await?;
    desk.revise(|advisory| advisory.known_exploited = true)
        .await?;
    assert_eq!(desk.states(now()).await?, [State::Standing]);
    Ok(())
}

#[tokio::test]
async fn what_was_opened_again_stays_open_even_if_the_advisory_says_again_what_it_said()
-> Result<()> {
    let mut desk = Desk::new().await?;
    desk.make(&accept()).await?;
    desk.revise(|advisory| advisory.known_exploited = true)
        .await?;
    assert_eq!(desk.states(now()).await?, [State::Reopened]);
    desk.revise(|advisory| advisory.known_exploited = false)
        .await?;
    assert_eq!(desk.states(now()).await?, [State::Reopened]);
    let anew = Wish {
        shown: Some(3),
        ..accept()
    };
    desk.make(&anew).await?;
    assert_eq!(desk.states(now()).await?, [State::Standing]);
    Ok(())
}

#[tokio::test]
async fn nobody_relies_on_a_decision_about_an_advisory_that_the_panel_does_not_have() -> Result<()>
{
    let mut desk = Desk::new().await?;
    desk.make(&accept()).await?;
    desk.store.forget_feed().await?;
    assert_eq!(desk.states(now()).await?, [State::Unknown]);
    assert!(!desk.covered(now()).await?);
    // It was not ended by that: once the advisory is there again, it holds.
    desk.hear().await?;
    assert_eq!(desk.states(now()).await?, [State::Standing]);
    Ok(())
}

#[tokio::test]
async fn a_decision_takes_the_place_of_the_one_about_the_same_matter() -> Result<()> {
    let desk = Desk::new().await?;
    desk.make(&accept()).await?;
    desk.make(&mark()).await?;
    let longer = Wish {
        until: Some(now() + days(14)),
        ..accept()
    };
    desk.make(&longer).await?;
    let current = decisions::current(&desk.store, now()).await?;
    let found: Vec<_> = current
        .iter()
        .map(|decision| (decision.kind, decision.until))
        .collect();
    assert_eq!(
        found,
        [(Kind::Acceptance, longer.until), (Kind::Workaround, None)]
    );
    let all = decisions::all(&desk.store, 10, now()).await?;
    assert_eq!(all[2].state, State::Replaced);
    Ok(())
}

#[tokio::test]
async fn every_decision_and_every_end_is_on_record_with_who_and_whose_signatures() -> Result<()> {
    let desk = Desk::new().await?;
    let marked = desk.make(&mark()).await?;
    desk.make(&accept()).await?;
    decisions::lift(&desk.store, marked.number, Kind::Workaround, "bob", now()).await?;
    let recorded = desk.recorded().await?;
    let found: Vec<_> = recorded
        .iter()
        .map(|entry| {
            (
                entry.event.what,
                entry.event.who.as_str(),
                entry.event.decision,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (What::WorkaroundMarked, "ada", Some(1)),
            (What::RiskAccepted, "ada", Some(2)),
            (What::WorkaroundLifted, "bob", Some(1)),
        ]
    );
    let accepted = &recorded[1].event;
    assert_eq!(accepted.advisories, [id(ADVISORY)]);
    assert_eq!(accepted.component.as_deref(), Some("component"));
    assert_eq!(accepted.until, Some(now() + days(7)));
    assert_eq!(
        accepted.reason.as_deref(),
        Some("Nobody can reach it from outside.")
    );
    let key = trust::key_id(&desk.vendor.keys().advisory.public().to_base64());
    assert_eq!(accepted.keys, [key.unwrap()]);
    Ok(())
}

#[tokio::test]
async fn of_an_advisory_under_embargo_the_record_has_no_more_than_its_id() -> Result<()> {
    let mut desk = Desk::with(|advisory| advisory.tlp = Tlp::AmberStrict).await?;
    desk.make(&mark()).await?;
    desk.revise(|advisory| advisory.workarounds[0].text = "Otherwise.".to_owned())
        .await?;
    assert_eq!(desk.states(now()).await?, [State::Reopened]);
    let recorded = format!("{:?}", desk.recorded().await?);
    assert!(recorded.contains(ADVISORY), "{recorded}");
    for words in [
        "turn-it-off",
        "Otherwise",
        "A flaw in",
        "workaround changed",
    ] {
        assert!(!recorded.contains(words), "{words} in {recorded}");
    }
    Ok(())
}

#[tokio::test]
async fn what_ends_by_itself_is_recorded_once_however_many_look() -> Result<()> {
    let desk = Desk::new().await?;
    desk.make(&accept()).await?;
    let path = desk.store.path().to_owned();
    let mut looking = tokio::task::JoinSet::new();
    for _ in 0..6 {
        // A store of its own each, as another process has.
        let store = Store::open(&path).await?;
        looking.spawn(async move { decisions::current(&store, now() + days(8)).await });
    }
    while let Some(looked) = looking.join_next().await {
        assert_eq!(looked??[0].state, State::Expired);
    }
    assert_eq!(
        desk.whats().await?,
        [What::RiskAccepted, What::DecisionExpired]
    );
    Ok(())
}

#[tokio::test]
async fn no_decision_is_made_that_is_not_on_record() -> Result<()> {
    let desk = Desk::new().await?;
    let full = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END";
    statement(&desk.store, full).await?;
    assert!(desk.make(&accept()).await.is_err());
    assert_eq!(desk.states(now()).await?, []);
    Ok(())
}

async fn statement(store: &Store, words: &'static str) -> Result<()> {
    use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
    let options = SqliteConnectOptions::new().filename(store.path());
    let mut connection = options.connect().await?;
    sqlx::raw_sql(words).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

#[tokio::test]
async fn the_store_refuses_to_change_or_remove_a_decision() -> Result<()> {
    let desk = Desk::new().await?;
    let marked = desk.make(&mark()).await?;
    decisions::lift(&desk.store, marked.number, Kind::Workaround, "bob", now()).await?;
    for words in [
        "UPDATE decisions SET until = 0",
        "DELETE FROM decisions",
        "UPDATE decision_ends SET how = 'expired'",
        "DELETE FROM decision_ends",
    ] {
        assert!(statement(&desk.store, words).await.is_err(), "{words}");
    }
    Ok(())
}

#[tokio::test]
async fn a_decision_that_makes_no_sense_is_refused_by_name_and_changes_nothing() -> Result<()> {
    let desk = Desk::new().await?;
    let wishes: Vec<(Wish, &str)> = vec![
        (
            Wish {
                advisory: id("SPACECP-SA-1999-0001"),
                ..accept()
            },
            "no advisory SPACECP-SA-1999-0001 on this panel",
        ),
        (
            Wish {
                shown: Some(7),
                ..accept()
            },
            "advisory SPACECP-SA-2026-0001 changed from revision 7 to 1 since it was shown. Review it and decide again",
        ),
        (
            Wish {
                workaround: Some("pray".to_owned()),
                ..mark()
            },
            "advisory SPACECP-SA-2026-0001 has no workaround \"pray\"; available: turn-it-off",
        ),
        (
            Wish {
                component: Some("nothing".to_owned()),
                ..accept()
            },
            "no component \"nothing\" on this panel",
        ),
        (
            Wish {
                component: Some("other".to_owned()),
                ..accept()
            },
            "advisory SPACECP-SA-2026-0001 does not concern other; no decision is needed",
        ),
        (
            Wish {
                reason: Some(" \n ".to_owned()),
                ..accept()
            },
            "a reason is required",
        ),
        (
            Wish {
                reason: Some("\u{1b}[2J".to_owned()),
                ..accept()
            },
            "invalid reason: at most 1000 characters, no control characters",
        ),
        (
            Wish {
                reason: Some("x".repeat(1_001)),
                ..accept()
            },
            "invalid reason: at most 1000 characters, no control characters",
        ),
        (
            Wish {
                until: None,
                ..accept()
            },
            "an end date is required",
        ),
        (
            Wish {
                until: Some(now()),
                ..mark()
            },
            "2026-11-24T12:00:00Z has passed; a decision must end in the future",
        ),
        (
            Wish {
                until: Some(now() + days(32)),
                ..accept()
            },
            "2026-12-26T12:00:00Z is too far away: a decision can hold for at most 30 days, until 2026-12-24T23:59:59Z (decisions.longest-acceptance-days)",
        ),
    ];
    for (wish, words) in wishes {
        let refused = desk.make(&wish).await;
        let refused = refused.map_err(|error| error.to_string());
        assert_eq!(refused, Err(words.to_owned()));
    }
    assert_eq!(desk.states(now()).await?, []);
    assert_eq!(desk.whats().await?, []);
    Ok(())
}

#[tokio::test]
async fn a_withdrawn_advisory_leaves_nothing_to_decide() -> Result<()> {
    let desk = Desk::with(|advisory| advisory.withdrawn = Some(now())).await?;
    let refused = desk.make(&accept()).await;
    assert!(
        matches!(refused, Err(DecisionError::Withdrawn { .. })),
        "{refused:?}"
    );
    Ok(())
}

#[test]
fn a_day_means_to_its_end_and_a_time_means_itself() {
    let time = |text: &str| decisions::until(text).map(|time| time.to_string());
    assert_eq!(time("2026-12-31").unwrap(), "2026-12-31T23:59:59Z");
    assert_eq!(
        time("2026-12-31T18:00:00+02:00").unwrap(),
        "2026-12-31T16:00:00Z"
    );
    for text in ["", "tomorrow", "31.12.2026", "2026-02-30"] {
        assert!(
            matches!(time(text), Err(DecisionError::Time { .. })),
            "{text}"
        );
    }
}
