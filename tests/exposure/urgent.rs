//! What the built plugin makes of decisions: what comes first, and what is said beside a verdict.

use spacecp_advisories::plugin::bindings::{
    exports::spacecp::advisories::{
        exposure::Status,
        pages::{Action, Block, Page, Place, Request, Tone},
    },
    spacecp::advisories::{
        decisions::{Decision, Kind, State},
        types::DocumentRef,
    },
};
use spacecp_contract::Workaround;

use crate::panel::{Panel, advisory, run};

const HOUSTON: &str = "spacecp:houston";
const BACKUP: &str = "spacecp:backup";

/// Two components, each exposed to an advisory of its own that is as grave as the other.
fn two_exposed() -> Panel {
    let mut houston = advisory("ADV-1", HOUSTON, &[("0", Some("1.1.0"), None)]);
    houston.workarounds = vec![Workaround {
        id: "off".to_owned(),
        text: "Turn it off.".to_owned(),
    }];
    let backup = advisory("ADV-2", BACKUP, &[("0", Some("1.1.0"), None)]);
    Panel::with(&[
        ("houston", HOUSTON, Some("1.0.0")),
        ("backup", BACKUP, Some("1.0.0")),
    ])
    .told(&houston)
    .told(&backup)
}

fn decision(number: u64, kind: Kind, advisory: &str, component: Option<&str>) -> Decision {
    Decision {
        number,
        kind,
        advisory: DocumentRef {
            id: advisory.to_owned(),
            revision: 1,
        },
        workaround: (kind == Kind::Workaround).then(|| "off".to_owned()),
        component: component.map(str::to_owned),
        by: "ada".to_owned(),
        made: 0,
        until: Some(1_798_761_599),
        reason: Some("It is in a cellar.".to_owned()),
        state: State::Standing,
        why: None,
    }
}

async fn page(panel: Panel, place: Place) -> Page {
    let request = Request {
        place,
        listing: spacecp_advisories::render::whole(),
        now: 0,
        may_act: true,
    };
    run(panel).plugin.render(&request).await.unwrap()
}

/// Every word of a page, a block a line.
fn words(page: &Page) -> String {
    let lines = page.blocks.iter().map(|block| format!("{block:?}\n"));
    lines.collect()
}

/// The first notice: how the panel stands.
fn standing(page: &Page) -> (Tone, String) {
    let notice = page.blocks.iter().find_map(|block| match block {
        Block::Notice(notice) => Some((
            notice.tone,
            notice.spans.iter().map(|span| span.text.as_str()).collect(),
        )),
        _ => None,
    });
    notice.unwrap()
}

/// The components of the table of exposures, in their order.
fn exposed(page: &Page) -> Vec<String> {
    let table = page.blocks.iter().find_map(|block| match block {
        Block::Table(table) if table.caption == "Affected components" => Some(table),
        _ => None,
    });
    let rows = table.unwrap().rows.iter();
    rows.map(|row| row[0].spans[0].text.clone()).collect()
}

#[tokio::test]
async fn without_a_decision_the_overview_is_as_it_was() {
    let page = page(two_exposed(), Place::Overview).await;
    let expected = "2 of 2 components affected.".to_owned();
    assert_eq!(standing(&page), (Tone::Danger, expected));
    assert_eq!(exposed(&page), ["houston", "backup"]);
    assert!(!words(&page).contains("Decision"));
}

#[tokio::test]
async fn what_nobody_has_decided_about_comes_first() {
    for kind in [Kind::Workaround, Kind::Acceptance] {
        let mut panel = two_exposed();
        panel.decided = Ok(vec![decision(1, kind, "ADV-1", None)]);
        let page = page(panel, Place::Overview).await;
        assert_eq!(exposed(&page), ["backup", "houston"], "{kind:?}");
    }
    let mut both = two_exposed();
    both.decided = Ok(vec![
        decision(1, Kind::Acceptance, "ADV-1", None),
        decision(2, Kind::Workaround, "ADV-2", Some("backup")),
    ]);
    let page = page(both, Place::Overview).await;
    assert_eq!(
        exposed(&page),
        ["backup", "houston"],
        "a workaround wants more care"
    );
}

#[tokio::test]
async fn the_overview_counts_what_is_dealt_with_and_until_when() {
    let mut panel = two_exposed();
    panel.decided = Ok(vec![decision(
        1,
        Kind::Acceptance,
        "ADV-1",
        Some("houston"),
    )]);
    let one = page(panel, Place::Overview).await;
    let expected =
        "2 of 2 components affected: 1 without a decision, 1 accepted until 2026-12-31 23:59 UTC.";
    assert_eq!(standing(&one), (Tone::Danger, expected.to_owned()));

    let mut panel = two_exposed();
    panel.decided = Ok(vec![
        decision(1, Kind::Workaround, "ADV-1", Some("houston")),
        decision(2, Kind::Acceptance, "ADV-2", None),
    ]);
    let both = page(panel, Place::Overview).await;
    let expected = "2 of 2 components affected: 1 with a workaround in place until 2026-12-31 23:59 UTC, 1 accepted until 2026-12-31 23:59 UTC.";
    assert_eq!(standing(&both), (Tone::Warning, expected.to_owned()));
}

#[tokio::test]
async fn a_component_counts_as_dealt_with_only_when_all_its_exposures_are() {
    let second = advisory("ADV-3", HOUSTON, &[("0", Some("1.2.0"), None)]);
    let mut panel = two_exposed().told(&second);
    panel.decided = Ok(vec![decision(1, Kind::Acceptance, "ADV-1", None)]);
    let page = page(panel, Place::Overview).await;
    assert_eq!(standing(&page).1, "2 of 2 components affected.");
}

#[tokio::test]
async fn a_decision_changes_no_verdict() {
    let mut panel = two_exposed();
    let before = run(two_exposed()).plugin.report().await.unwrap();
    panel.decided = Ok(vec![
        decision(1, Kind::Acceptance, "ADV-1", None),
        decision(2, Kind::Acceptance, "ADV-2", None),
    ]);
    let after = run(panel).plugin.report().await.unwrap();
    assert_eq!(after, before);
    assert!(
        after
            .verdicts
            .iter()
            .all(|verdict| verdict.status == Status::Affected)
    );
}

#[tokio::test]
async fn a_decision_that_does_not_hold_makes_nothing_less_urgent() {
    for (state, words_for_it) in [
        (State::Expired, "decision expired"),
        (State::Reopened, "decision reopened"),
        (State::Unknown, "decision not valid"),
    ] {
        let mut panel = two_exposed();
        panel.decided = Ok(vec![Decision {
            state,
            ..decision(1, Kind::Acceptance, "ADV-1", None)
        }]);
        let page = page(panel, Place::Overview).await;
        assert_eq!(exposed(&page), ["houston", "backup"], "{state:?}");
        assert_eq!(standing(&page).1, "2 of 2 components affected.");
        assert!(words(&page).contains(words_for_it), "{state:?}");
    }
}

#[tokio::test]
async fn when_decisions_cannot_be_read_everything_counts_as_undecided_and_that_is_said() {
    let mut panel = two_exposed();
    panel.decided = Err("the store does not answer".to_owned());
    let page = page(panel, Place::Overview).await;
    assert_eq!(standing(&page).1, "2 of 2 components affected.");
    assert!(words(&page).contains("Decisions cannot be read"));
}

/// The actions of a page that decide something, as words.
fn actions(page: &Page) -> Vec<String> {
    let actions = page.blocks.iter().filter_map(|block| match block {
        Block::Action(action) => Some(action),
        _ => None,
    });
    let word = |action: &Action| match action {
        Action::MarkWorkaround(mark) => Some(format!(
            "mark {} of {}@{} for {}",
            mark.workaround,
            mark.advisory.id,
            mark.advisory.revision,
            mark.components.join("+")
        )),
        Action::LiftWorkaround(back) => Some(format!("lift {}", back.decision)),
        Action::AcceptRisk(accept) => Some(format!(
            "accept {}@{} for {}",
            accept.advisory.id,
            accept.advisory.revision,
            accept.components.join("+")
        )),
        Action::WithdrawAcceptance(back) => Some(format!("withdraw {}", back.decision)),
        Action::Apply(_) | Action::Schedule(_) | Action::RollBack(_) => None,
    };
    actions.filter_map(word).collect()
}

fn first() -> Place {
    Place::Advisory("ADV-1".to_owned())
}

#[tokio::test]
async fn the_page_of_an_advisory_offers_what_is_not_decided_yet() {
    let page = page(two_exposed(), first()).await;
    assert_eq!(
        actions(&page),
        [
            "accept ADV-1@1 for houston",
            "mark off of ADV-1@1 for houston"
        ]
    );
}

#[tokio::test]
async fn the_page_of_an_advisory_shows_what_was_decided_and_offers_to_take_it_back() {
    let mut panel = two_exposed();
    panel.decided = Ok(vec![
        decision(5, Kind::Acceptance, "ADV-1", None),
        decision(6, Kind::Workaround, "ADV-1", Some("houston")),
        decision(7, Kind::Acceptance, "ADV-2", None),
    ]);
    let page = page(panel, first()).await;
    assert_eq!(actions(&page), ["withdraw 5", "lift 6"]);
    let words = words(&page);
    for said in [
        "Risk accepted for every component: ada on 1970-01-01 00:00 UTC, until 2026-12-31 23:59 UTC. It is in a cellar.",
        "Workaround off in place for houston: ada on",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
}

#[tokio::test]
async fn a_decision_that_ended_by_itself_is_shown_with_why_and_asked_about_again() {
    let mut panel = two_exposed();
    panel.decided = Ok(vec![Decision {
        state: State::Reopened,
        why: Some("revision 2: the severity changed".to_owned()),
        ..decision(5, Kind::Acceptance, "ADV-1", None)
    }]);
    let page = page(panel, first()).await;
    assert_eq!(
        actions(&page),
        [
            "accept ADV-1@1 for houston",
            "mark off of ADV-1@1 for houston"
        ]
    );
    let words = words(&page);
    assert!(
        words.contains(
            "The advisory changed (revision 2: the severity changed): apply the correction or decide again"
        ),
        "{words}"
    );
}

#[tokio::test]
async fn what_is_not_exposed_leaves_nothing_to_decide() {
    let fixed = advisory("ADV-1", HOUSTON, &[("0", Some("1.1.0"), None)]);
    let panel = Panel::with(&[("houston", HOUSTON, Some("1.1.0"))]).told(&fixed);
    assert_eq!(actions(&page(panel, first()).await), [""; 0]);
}
