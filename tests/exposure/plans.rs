//! What the built plugin would apply by itself, and what its pages offer.

use spacecp_advisories::plugin::bindings::exports::spacecp::advisories::{
    automation::Decision,
    pages::{Block, Place, Request},
};

use crate::panel::{Panel, advisory, correction, id, run};

const HOUSTON: &str = "spacecp:houston";

/// Decisions about corrections, as `SPACECP-CO-… apply: reason`.
async fn plan(panel: Panel) -> Vec<String> {
    let actions = run(panel).plugin.automation_plan(0).await.unwrap();
    let line = |action: &spacecp_advisories::plugin::bindings::exports::spacecp::advisories::automation::Action| {
        let word = match action.decision {
            Decision::Apply => "apply",
            Decision::Hold => "hold",
        };
        let (id, answers) = (&action.correction.id, action.advisories.join("+"));
        format!("{id} on {} for {answers}: {word}, {}", action.component, action.reason)
    };
    actions.iter().map(line).collect()
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
    off.policy.automatic = false;
    assert!(plan(off).await[0].contains("hold, the policy leaves every correction to you"));
    let mut excluded = two_flaws(true);
    excluded.policy.excluded = vec!["houston".to_owned()];
    assert!(plan(excluded).await[0].contains("hold, the policy excludes houston"));
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
            search: None,
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
        search: None,
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
