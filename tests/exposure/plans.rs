//! What the built plugin would apply by itself, and what its pages offer.

use spacecp_advisories::plugin::bindings::{
    exports::spacecp::advisories::{
        automation::{Action, Decision},
        pages::{Block, Place, Request},
    },
    spacecp::advisories::{
        settings::{Hours, Opening, Quarantine, Restarts, Rules, Treatment},
        types::{DocumentRef, Severity},
    },
};
use spacecp_contract::Advisory;

use crate::panel::{Panel, advisory, correction, id, run};

const HOUSTON: &str = "spacecp:houston";

/// Noon of a day, in seconds since 1970.
const NOON: i64 = 1_764_000_000;
const HOUR: i64 = 3_600;

/// Decisions about corrections, as `SPACECP-CO-… apply: reason`, and when what is held is due.
async fn plan_at(panel: Panel, now: i64) -> Vec<String> {
    let actions = run(panel).plugin.automation_plan(now).await.unwrap();
    let line = |action: &Action| {
        let word = match action.decision {
            Decision::Apply => "apply",
            Decision::Hold => "hold",
        };
        let due = action
            .due
            .map(|due| format!(" (due in {} h)", (due - now) / HOUR));
        let (id, answers) = (&action.correction.id, action.advisories.join("+"));
        format!(
            "{id} on {} for {answers}: {word}, {}{}",
            action.component,
            action.reason,
            due.unwrap_or_default()
        )
    };
    actions.iter().map(line).collect()
}

async fn plan(panel: Panel) -> Vec<String> {
    plan_at(panel, NOON).await
}

/// One flaw of one component with its correction, under rules that the test changes.
fn one_flaw(change: impl FnOnce(&mut Advisory), rules: impl FnOnce(&mut Rules)) -> Panel {
    let mut flaw = advisory("ADV-1", HOUSTON, &[("0", Some("1.1.0"), None)]);
    flaw.corrections = vec![id("FIX-1")];
    change(&mut flaw);
    let mut panel = Panel::with(&[("houston", HOUSTON, Some("1.0.0"))])
        .told(&flaw)
        .given(&correction("FIX-1", HOUSTON, "1.1.0", &["ADV-1"]));
    rules(&mut panel.rules);
    panel
}

fn openings(from_now: &[(i64, i64)]) -> Hours {
    let opening = |(begin, end): &(i64, i64)| Opening {
        begin: NOON + begin * HOUR,
        end: NOON + end * HOUR,
    };
    Hours::Openings(from_now.iter().map(opening).collect())
}

/// Two flaws of one component; the second one's correction answers the first as well, if `both`.
fn two_flaws(both: bool) -> Panel {
    let mut first = advisory("ADV-1", HOUSTON, &[("0", Some("1.1.0"), None)]);
    let mut second = advisory("ADV-2", HOUSTON, &[("0", Some("1.2.0"), None)]);
    first.corrections = vec![id("FIX-1")];
    second.corrections = vec![id("FIX-2")];
    if both {
        first.corrections.push(id("FIX-2"));
    }
    Panel::with(&[("houston", HOUSTON, Some("1.0.0"))])
        .told(&first)
        .told(&second)
        .given(&correction("FIX-1", HOUSTON, "1.1.0", &["ADV-1"]))
        .given(&correction("FIX-2", HOUSTON, "1.2.0", &["ADV-2"]))
}

#[tokio::test]
async fn a_correction_that_answers_several_advisories_is_listed_once() {
    assert_eq!(
        plan(two_flaws(true)).await,
        ["FIX-2 on houston for ADV-1+ADV-2: apply, ADV-1 is high"]
    );
}

#[tokio::test]
async fn of_two_corrections_of_one_component_the_one_that_leads_furthest_goes_first() {
    assert_eq!(
        plan(two_flaws(false)).await,
        [
            "FIX-2 on houston for ADV-2: apply, ADV-2 is high",
            "FIX-1 on houston for ADV-1: hold, FIX-2 is applied to houston first",
        ]
    );
}

#[tokio::test]
async fn a_policy_that_is_off_or_excludes_the_component_holds_everything() {
    let mut off = two_flaws(true);
    off.rules.automatic = false;
    assert!(
        plan(off).await[0]
            .contains("hold, the policy requires an administrator for every correction")
    );
    let mut excluded = two_flaws(true);
    excluded.rules.excluded = vec!["houston".to_owned()];
    assert!(plan(excluded).await[0].contains("hold, the policy excludes houston"));
}

#[tokio::test]
async fn a_severity_that_the_policy_asks_about_or_leaves_alone_waits_for_a_person() {
    let ask = one_flaw(|_| {}, |rules| rules.treatments.high = Treatment::Ask);
    assert_eq!(
        plan(ask).await,
        ["FIX-1 on houston for ADV-1: hold, ADV-1 is high; the policy requires an administrator"]
    );
    let never = one_flaw(
        |flaw| flaw.known_exploited = true,
        |rules| rules.treatments.high = Treatment::Never,
    );
    assert_eq!(
        plan(never).await,
        ["FIX-1 on houston for ADV-1: hold, ADV-1 is high; the policy requires an administrator"]
    );
}

#[tokio::test]
async fn a_flaw_below_the_minimum_or_not_rated_waits_for_a_person() {
    let below = one_flaw(|_| {}, |rules| rules.minimum_severity = Severity::Critical);
    assert_eq!(
        plan(below).await,
        ["FIX-1 on houston for ADV-1: hold, ADV-1 is high, below the policy's minimum critical"]
    );
    let unrated = one_flaw(|flaw| flaw.severity.clear(), |_| {});
    assert_eq!(
        plan(unrated).await,
        ["FIX-1 on houston for ADV-1: hold, ADV-1 is not rated, below the policy's minimum low"]
    );
}

#[tokio::test]
async fn a_flaw_that_is_known_to_be_exploited_is_corrected_whatever_its_severity() {
    let exploited = one_flaw(
        |flaw| {
            flaw.known_exploited = true;
            flaw.severity.clear();
        },
        |rules| rules.minimum_severity = Severity::Critical,
    );
    assert_eq!(
        plan(exploited).await,
        ["FIX-1 on houston for ADV-1: apply, ADV-1 is known to be exploited"]
    );
}

#[tokio::test]
async fn the_delay_counts_from_the_later_of_advisory_and_correction_and_says_when_it_ends() {
    let mut delayed = one_flaw(|_| {}, |rules| rules.delay = 24 * HOUR as u64);
    delayed
        .accepted
        .insert("ADV-1".to_owned(), NOON - 40 * HOUR);
    delayed
        .accepted
        .insert("FIX-1".to_owned(), NOON - 20 * HOUR);
    let held = "FIX-1 on houston for ADV-1: hold, ADV-1 is high; delayed (delay, minimum age or rollout wave) (due in 4 h)";
    assert_eq!(plan(delayed).await, [held]);
    let mut over = one_flaw(|_| {}, |rules| rules.delay = 24 * HOUR as u64);
    over.accepted.insert("ADV-1".to_owned(), NOON - 40 * HOUR);
    over.accepted.insert("FIX-1".to_owned(), NOON - 24 * HOUR);
    assert_eq!(
        plan(over).await,
        ["FIX-1 on houston for ADV-1: apply, ADV-1 is high"]
    );
}

#[tokio::test]
async fn minimum_age_and_wave_are_waited_for_together_with_the_delay() {
    let young = |flaw: &mut Advisory| {
        flaw.modified = jiff::Timestamp::from_second(NOON - 10 * HOUR).unwrap();
    };
    let aged = one_flaw(young, |rules| {
        rules.minimum_age = 12 * HOUR as u64;
        rules.wave = 3 * HOUR as u64;
    });
    let held = "FIX-1 on houston for ADV-1: hold, ADV-1 is high; delayed (delay, minimum age or rollout wave) (due in 5 h)";
    assert_eq!(plan(aged).await, [held]);
}

#[tokio::test]
async fn what_is_exploited_skips_delay_and_window_only_if_the_policy_says_so() {
    let exploited = |skips_delay, skips_windows| {
        let mut panel = one_flaw(
            |flaw| flaw.known_exploited = true,
            |rules| {
                rules.delay = 24 * HOUR as u64;
                rules.hours = openings(&[(6, 8), (30, 32)]);
                rules.known_exploited_skips_delay = skips_delay;
                rules.known_exploited_skips_windows = skips_windows;
            },
        );
        panel.accepted.insert("ADV-1".to_owned(), NOON);
        panel
    };
    let known = "FIX-1 on houston for ADV-1: hold, ADV-1 is known to be exploited";
    assert_eq!(
        plan(exploited(false, false)).await,
        [format!(
            "{known}; delayed (delay, minimum age or rollout wave) (due in 30 h)"
        )]
    );
    assert_eq!(
        plan(exploited(true, false)).await,
        [format!(
            "{known}; no maintenance window is open (due in 6 h)"
        )]
    );
    assert_eq!(
        plan(exploited(false, true)).await,
        [format!(
            "{known}; delayed (delay, minimum age or rollout wave) (due in 24 h)"
        )]
    );
    assert_eq!(
        plan(exploited(true, true)).await,
        ["FIX-1 on houston for ADV-1: apply, ADV-1 is known to be exploited"]
    );
}

#[tokio::test]
async fn a_window_is_waited_for_and_its_end_is_outside() {
    let open = one_flaw(|_| {}, |rules| rules.hours = openings(&[(-1, 1)]));
    assert_eq!(
        plan(open).await,
        ["FIX-1 on houston for ADV-1: apply, ADV-1 is high"]
    );
    let over = one_flaw(|_| {}, |rules| rules.hours = openings(&[(-1, 0), (23, 25)]));
    assert_eq!(
        plan(over).await,
        [
            "FIX-1 on houston for ADV-1: hold, ADV-1 is high; no maintenance window is open (due in 23 h)"
        ]
    );
    let never = one_flaw(|_| {}, |rules| rules.hours = openings(&[]));
    assert_eq!(
        plan(never).await,
        [
            "FIX-1 on houston for ADV-1: hold, ADV-1 is high; no maintenance window is open, none upcoming"
        ]
    );
}

#[tokio::test]
async fn a_restart_that_the_policy_does_not_allow_waits_for_a_person() {
    let still = one_flaw(|_| {}, |rules| rules.restarts = Restarts::None);
    assert_eq!(
        plan(still).await,
        [
            "FIX-1 on houston for ADV-1: hold, it restarts the component, which the policy does not allow"
        ]
    );
}

#[tokio::test]
async fn a_revision_in_quarantine_is_held_for_its_component_and_the_next_revision_is_not() {
    let kept = |revision, component: &str| {
        let quarantine = Quarantine {
            correction: DocumentRef {
                id: "FIX-1".to_owned(),
                revision,
            },
            component: component.to_owned(),
            reason: "it did not start".to_owned(),
        };
        one_flaw(|_| {}, |rules| rules.quarantined = vec![quarantine])
    };
    assert_eq!(
        plan(kept(1, "houston")).await,
        ["FIX-1 on houston for ADV-1: hold, in quarantine: it did not start"]
    );
    for other in [kept(2, "houston"), kept(1, "another")] {
        assert!(plan(other).await[0].contains("apply"));
    }
}

#[tokio::test]
async fn without_a_fresh_word_of_the_vendor_nothing_is_applied() {
    for fresh_until in [None, Some(NOON)] {
        let mut stale = one_flaw(|_| {}, |_| {});
        stale.fresh_until = fresh_until;
        assert!(plan(stale).await[0].contains("hold, the data from the feed has expired"));
    }
}

#[tokio::test]
async fn a_verdict_that_is_unknown_never_leads_to_a_correction() {
    let mut flaw = advisory("ADV-1", HOUSTON, &[("0", Some("1.1.0"), None)]);
    flaw.corrections = vec![id("FIX-1")];
    flaw.known_exploited = true;
    for version in [None, Some("nightly")] {
        let panel = Panel::with(&[("houston", HOUSTON, version)])
            .told(&flaw)
            .given(&correction("FIX-1", HOUSTON, "1.1.0", &["ADV-1"]));
        assert_eq!(plan(panel).await, [""; 0]);
    }
}

#[tokio::test]
async fn of_several_flaws_that_one_correction_ends_the_one_that_may_be_corrected_decides() {
    let mut low = advisory("ADV-1", HOUSTON, &[("0", Some("1.1.0"), None)]);
    low.severity = vec!["CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N".to_owned()];
    low.known_exploited = true;
    low.corrections = vec![id("FIX-1")];
    let mut high = advisory("ADV-2", HOUSTON, &[("0", Some("1.1.0"), None)]);
    high.corrections = vec![id("FIX-1")];
    let mut panel = Panel::with(&[("houston", HOUSTON, Some("1.0.0"))])
        .told(&low)
        .told(&high)
        .given(&correction("FIX-1", HOUSTON, "1.1.0", &["ADV-1", "ADV-2"]));
    panel.rules.known_exploited_at_once = false;
    panel.rules.treatments.low = Treatment::Never;
    assert_eq!(
        plan(panel).await,
        ["FIX-1 on houston for ADV-1+ADV-2: apply, ADV-2 is high"]
    );
}

#[tokio::test]
async fn a_correction_that_leads_into_the_flaw_is_not_offered() {
    let mut flaw = advisory("ADV-1", HOUSTON, &[("0", Some("2.0.0"), None)]);
    flaw.corrections = vec![id("FIX-1")];
    let panel = Panel::with(&[("houston", HOUSTON, Some("1.0.0"))])
        .told(&flaw)
        .given(&correction("FIX-1", HOUSTON, "1.5.0", &["ADV-1"]));
    assert_eq!(plan(panel).await, [""; 0]);
}

#[tokio::test]
async fn a_flaw_in_a_part_is_corrected_by_its_whole() {
    let mut flaw = advisory("ADV-1", "npm:node-ipc", &[("10.1.1", Some("10.1.3"), None)]);
    flaw.corrections = vec![id("FIX-1")];
    let parts = [
        ("houston", HOUSTON, Some("1.0.0")),
        ("houston/node-ipc", "npm:node-ipc", Some("10.1.2")),
    ];
    let panel =
        Panel::with(&parts)
            .told(&flaw)
            .given(&correction("FIX-1", HOUSTON, "1.1.0", &["ADV-1"]));
    assert_eq!(
        plan(panel).await,
        ["FIX-1 on houston for ADV-1: apply, ADV-1 is high"]
    );
}

#[tokio::test]
async fn pages_stay_within_their_limits_however_much_there_is_to_say() {
    let mut flaw = advisory("ADV-1", HOUSTON, &[("0", None, None)]);
    flaw.issue = "*a* `b` [c](https://example.com) | ".repeat(20_000);
    flaw.impacts = "| a ".repeat(100)
        + "|\n"
        + &"|---".repeat(100)
        + "|\n"
        + &("| x ".repeat(100) + "|\n").repeat(500);
    let names: Vec<String> = (0..5_000).map(|place| format!("copy-{place}")).collect();
    let copies: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), HOUSTON, Some("1.0.0")))
        .collect();
    let running = run(Panel::with(&copies).told(&flaw));
    for place in [
        Place::Overview,
        Place::Advisories,
        Place::Advisory("ADV-1".to_owned()),
        Place::History,
    ] {
        let request = Request {
            place,
            listing: spacecp_advisories::render::whole(),
            now: 0,
            may_act: true,
        };
        let page = running.plugin.render(&request).await.unwrap();
        assert!(!page.blocks.is_empty());
    }
}

#[tokio::test]
async fn no_page_carries_a_link_that_is_not_to_the_web_or_to_mail() {
    let mut flaw = advisory("ADV-1", HOUSTON, &[("0", None, None)]);
    flaw.issue = "[go](javascript:alert(1)) [there](data:text/html,x) <a href='javascript:x'>b</a>"
        .to_owned();
    let running = run(Panel::with(&[("houston", HOUSTON, Some("1.0.0"))]).told(&flaw));
    let request = Request {
        place: Place::Advisory("ADV-1".to_owned()),
        listing: spacecp_advisories::render::whole(),
        now: 0,
        may_act: true,
    };
    let page = running.plugin.render(&request).await.unwrap();
    let linked = page.blocks.iter().any(|block| match block {
        Block::Paragraph(spans) => spans.iter().any(|span| span.link.is_some()),
        _ => false,
    });
    assert!(!linked);
    assert!(
        format!("{:?}", page.blocks).contains("<a href='javascript:x'>"),
        "HTML stays readable as text"
    );
}
