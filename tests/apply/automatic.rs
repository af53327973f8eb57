//! Corrections are applied while the administrator sleeps: inside the windows they chose, one at a
//! time, never twice the same failure, and every one that is held back says why.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result};
use spacecp_advisories::{
    AUTOMATIC, ServiceError,
    apply::Outcome,
    audit,
    automation::{AutomationError, Fate, Ledger, Line, Occasion, Run, Wake, one_run},
    policy::{Policy, Treatment},
    store::Store,
};
use spacecp_contract::{FeedPath, Tlp};
use spacecp_tests::ground::write;

use crate::night::{
    DAEMON_FIX, MODULE_FIX, Night, Panel, does_not_lead_there, fates, hours, line_of, noon,
    the_daemons_does_not_lead_there,
};

/// From two to four in the morning, every day.
const NIGHTLY: &str = "automatic = true\nminimum-severity = \"low\"\n[[policy.window]]\nstart = \"02:00\"\nminutes = 120\nzone = \"UTC\"\n";

async fn usual() -> Result<Panel> {
    Panel::on(Night::default()).await
}

async fn nightly() -> Result<Panel> {
    Panel::on(Night {
        policy: NIGHTLY,
        ..Night::default()
    })
    .await
}

fn due(run: Option<Run>) -> Result<Run> {
    run.context("it was time for a run")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_hears_the_feed_and_applies_one_after_the_other_the_gravest_first() -> Result<()> {
    let panel = usual().await?;
    let run = panel.run().await?;
    assert_eq!(
        fates(&run.lines),
        [(DAEMON_FIX, Fate::Applied), (MODULE_FIX, Fate::Applied)]
    );
    assert_eq!((run.problem, run.ended), (None, Some(noon())));
    assert_eq!(panel.version("daemon")?, "1.0.1");
    assert_eq!(panel.version("module")?, "1.0.1");
    let history = panel.app.panel.corrections.history(10).await?;
    assert!(
        history
            .iter()
            .all(|application| application.by == AUTOMATIC)
    );
    let applications: Vec<_> = run
        .lines
        .iter()
        .map(|line| line.application.clone())
        .collect();
    assert!(
        history
            .iter()
            .all(|application| applications.contains(&Some(application.id.clone())))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_happens_while_it_is_switched_off() -> Result<()> {
    let panel = Panel::on(Night {
        policy: "",
        ..Night::default()
    })
    .await?;
    assert_eq!(panel.at(noon()).await?, None);
    let run = panel.run().await?;
    assert_eq!(
        fates(&run.lines),
        [(DAEMON_FIX, Fate::Held), (MODULE_FIX, Fate::Held)]
    );
    assert_eq!(panel.version("daemon")?, "1.0.0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_the_window_it_waits_and_says_until_when_and_inside_it_acts() -> Result<()> {
    let panel = nightly().await?;
    let (wake, _) = panel.app.panel.automation.wake(noon()).await?;
    assert_eq!(wake, Wake::At(noon() + hours(14)));
    panel.run().await?;
    let foreseen = panel.foresee().await?;
    assert_eq!(
        line_of(&foreseen.lines, DAEMON_FIX)?.due,
        Some(noon() + hours(14))
    );
    assert_eq!(panel.at(noon() + hours(13)).await?, None);
    assert_eq!(panel.version("daemon")?, "1.0.0");
    let run = due(panel.at(noon() + hours(15)).await?)?;
    assert_eq!(run.late_since, None);
    assert_eq!(panel.version("daemon")?, "1.0.1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn within_a_window_runs_follow_each_other_at_the_interval_of_the_feed() -> Result<()> {
    let panel = nightly().await?;
    let begin = noon() + hours(14);
    due(panel.at(begin).await?)?;
    assert_eq!(panel.at(begin + hours(1) / 6).await?, None, "ten minutes");
    due(panel.at(begin + hours(1) / 4).await?)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_window_is_made_up_for_in_the_next_one_and_the_run_says_so() -> Result<()> {
    let mut panel = nightly().await?;
    assert_eq!(panel.at(noon()).await?, None);
    // The panel is switched off over the night.
    panel.come_up_again().await?;
    let morning = noon() + hours(20);
    assert_eq!(panel.at(morning).await?, None, "nothing is applied by day");
    let report = panel.app.panel.automation.report(morning).await?;
    assert_eq!(report.agenda.missed, Some(noon() + hours(14)));
    panel.come_up_again().await?;
    let run = due(panel.at(noon() + hours(38)).await?)?;
    assert_eq!(run.late_since, Some(noon() + hours(14)));
    assert_eq!(panel.version("daemon")?, "1.0.1");
    assert_eq!(
        panel
            .app
            .panel
            .automation
            .report(morning)
            .await?
            .agenda
            .missed,
        None
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_that_closes_begins_no_run_and_makes_up_for_it_when_it_is_back() -> Result<()> {
    let mut panel = usual().await?;
    panel.app.panel.automation.close();
    assert_eq!(panel.at(noon()).await?, None);
    assert_eq!(panel.app.panel.automation.report(noon()).await?.runs, []);
    panel.come_up_again().await?;
    due(panel.at(noon()).await?)?;
    assert_eq!(panel.version("daemon")?, "1.0.1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_the_panel_slept_through_only_in_part_is_used_and_not_missed() -> Result<()> {
    let mut panel = nightly().await?;
    assert_eq!(panel.at(noon()).await?, None);
    panel.come_up_again().await?;
    let run = due(panel.at(noon() + hours(15)).await?)?;
    assert_eq!(run.late_since, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_put_back_and_never_tried_twice_until_its_revision_changes() -> Result<()> {
    let mut panel = Panel::on(Night {
        change: the_daemons_does_not_lead_there,
        ..Night::default()
    })
    .await?;
    let run = panel.run().await?;
    assert_eq!(
        fates(&run.lines),
        [(DAEMON_FIX, Fate::Failed), (MODULE_FIX, Fate::Applied)],
        "one failure does not keep the others from their turn"
    );
    assert_eq!(panel.version("daemon")?, "1.0.0");
    for later in 1..4 {
        panel.come_up_again().await?;
        let run = due(panel.at(noon() + hours(later)).await?)?;
        let line = line_of(&run.lines, DAEMON_FIX)?;
        assert_eq!(line.fate, Fate::Held);
        assert!(line.reason.contains("quarantine"), "{}", line.reason);
    }
    let history = panel.app.panel.corrections.history(10).await?;
    let failed = history.iter().filter(|one| one.outcome == Outcome::Failed);
    assert_eq!(failed.count(), 1);

    panel.revise("daemon", 2, |_| {})?;
    let run = due(panel.at(noon() + hours(5)).await?)?;
    assert_eq!(fates(&run.lines), [(DAEMON_FIX, Fate::Applied)]);
    assert_eq!(panel.version("daemon")?, "1.0.1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_releases_what_failed_and_it_is_tried_once_more() -> Result<()> {
    let panel = Panel::on(Night {
        change: does_not_lead_there,
        ..Night::default()
    })
    .await?;
    panel.run().await?;
    let released = panel
        .app
        .panel
        .automation
        .release(DAEMON_FIX, "ada", noon())
        .await?;
    assert_eq!(released, ["daemon"]);
    let run = panel.run().await?;
    assert_eq!(line_of(&run.lines, DAEMON_FIX)?.fate, Fate::Failed);
    assert_eq!(line_of(&run.lines, MODULE_FIX)?.fate, Fate::Held);
    let refused = panel
        .app
        .panel
        .automation
        .release("SPACECP-SC-1999-0001", "ada", noon())
        .await;
    assert!(
        matches!(
            &refused,
            Err(ServiceError::Automation(
                AutomationError::NotQuarantined { .. }
            ))
        ),
        "{refused:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_administrator_took_back_is_not_put_back_in_the_night() -> Result<()> {
    let panel = usual().await?;
    panel.run().await?;
    let applied = panel
        .app
        .panel
        .corrections
        .reversible("daemon")
        .await?
        .context("applied")?;
    panel
        .app
        .panel
        .corrections
        .roll_back(&applied.id, false, "ada", &())
        .await?;
    let run = panel.run().await?;
    let line = line_of(&run.lines, DAEMON_FIX)?;
    assert_eq!(line.fate, Fate::Held);
    assert!(
        line.reason.contains("rolled back by ada"),
        "{}",
        line.reason
    );
    assert_eq!(panel.version("daemon")?, "1.0.0");

    panel
        .app
        .panel
        .automation
        .release(DAEMON_FIX, "ada", noon())
        .await?;
    panel.run().await?;
    assert_eq!(panel.version("daemon")?, "1.0.1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_does_not_come_is_no_reason_for_quarantine() -> Result<()> {
    let panel = usual().await?;
    let blobs = panel.vendor.feed_dir().join("blob");
    let away = panel.vendor.feed_dir().join("blob-away");
    fs::rename(&blobs, &away)?;
    let run = panel.run().await?;
    assert_eq!(line_of(&run.lines, DAEMON_FIX)?.fate, Fate::Failed);
    assert_eq!(panel.app.panel.automation.quarantined().await?, []);
    fs::rename(&away, &blobs)?;
    let run = panel.run().await?;
    assert_eq!(line_of(&run.lines, DAEMON_FIX)?.fate, Fate::Applied);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_changed_here_waits_for_the_administrators_word() -> Result<()> {
    let panel = usual().await?;
    write(&panel.component("daemon"), "a.js", "mine")?;
    let run = panel.run().await?;
    let line = line_of(&run.lines, DAEMON_FIX)?;
    assert_eq!(line.fate, Fate::Refused);
    assert_eq!(line.refusal.as_deref(), Some("preflight"));
    assert!(line.reason.contains("a.js"), "{}", line.reason);
    assert_eq!(panel.version("daemon")?, "1.0.0");
    assert_eq!(
        panel.app.panel.automation.quarantined().await?,
        [],
        "nothing was begun"
    );
    Ok(())
}

/// The notifications that are new.
async fn told(panel: &Panel) -> Result<u64> {
    Ok(panel.app.notifications.deliver(noon()).await?.new)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_preflight_holds_back_is_a_notification_once_and_so_is_its_end() -> Result<()> {
    let panel = Panel::on(Night {
        control: "[[notify.channel]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n\
            secret-file = \"secret\"\n",
        ..Night::default()
    })
    .await?;
    fs::write(panel.config_path().with_file_name("secret"), "of the desk")?;
    told(&panel).await?;
    let file = panel.component("daemon").join("a.js");
    let vendors = fs::read(&file)?;
    fs::write(&file, "mine")?;
    panel.run().await?;
    assert_eq!(
        told(&panel).await?,
        3,
        "an exposure, what is applied for the other one, and what is held back"
    );
    panel.run().await?;
    assert_eq!(told(&panel).await?, 0, "it was told");
    fs::write(&file, vendors)?;
    let run = panel.run().await?;
    assert_eq!(line_of(&run.lines, DAEMON_FIX)?.fate, Fate::Applied);
    assert_eq!(told(&panel).await?, 1, "it is applied");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_cannot_be_heard_is_named_and_nothing_is_applied_once_its_word_has_expired()
-> Result<()> {
    let panel = usual().await?;
    panel
        .app
        .panel
        .automation
        .switch(false, "ada", noon())
        .await?;
    panel.run().await?;
    panel
        .app
        .panel
        .automation
        .switch(true, "ada", noon())
        .await?;
    let head = FeedPath::head().to_string();
    fs::remove_file(panel.vendor.feed_dir().join(head))?;
    panel.clock.set(noon() + hours(24 * 91));
    let run = panel.run().await?;
    let problem = run.problem.context("it says what is wrong")?;
    assert!(problem.contains("sync failed"), "{problem}");
    let line = line_of(&run.lines, DAEMON_FIX)?;
    assert!(line.reason.contains("has expired"), "{}", line.reason);
    assert_eq!(panel.version("daemon")?, "1.0.0");
    // What has been seen expired is not believed again because the clock goes back.
    panel.clock.set(noon() + hours(24));
    panel.run().await?;
    assert_eq!(panel.version("daemon")?, "1.0.0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_away_keeps_nothing_from_being_applied_while_its_word_is_good() -> Result<()>
{
    let panel = usual().await?;
    panel
        .app
        .panel
        .automation
        .switch(false, "ada", noon())
        .await?;
    panel.run().await?;
    panel
        .app
        .panel
        .automation
        .switch(true, "ada", noon())
        .await?;
    let head = FeedPath::head().to_string();
    fs::remove_file(panel.vendor.feed_dir().join(head))?;
    panel.clock.set(noon() + hours(24));
    panel.run().await?;
    assert_eq!(panel.version("daemon")?, "1.0.1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_run_is_under_way_at_a_time() -> Result<()> {
    let panel = usual().await?;
    let state = panel.app.config().state.clone();
    let held = one_run(&state)?;
    let refused = panel.run().await;
    let error = refused.err().context("another run is under way")?;
    assert!(error.to_string().contains("in progress"), "{error}");
    assert_eq!(panel.app.panel.corrections.history(10).await?, []);
    drop(held);
    panel.run().await?;
    assert_eq!(panel.version("daemon")?, "1.0.1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_decided_outlives_the_process_and_never_exceeds_the_configuration()
-> Result<()> {
    let mut panel = Panel::on(Night {
        policy: "minimum-severity = \"high\"\ndelay-hours = 2\nexcluded = [\"module\"]\n",
        ..Night::default()
    })
    .await?;
    let (initial, decided) = panel.app.panel.automation.policy().await?;
    assert_eq!(decided, None);
    let beyond = Policy {
        delay_hours: 1,
        excluded: BTreeSet::new(),
        ..initial.clone()
    };
    let refused = panel
        .app
        .panel
        .automation
        .set_policy(&beyond, "ada", noon())
        .await;
    let Err(ServiceError::Automation(AutomationError::Exceeds(fields))) = refused else {
        anyhow::bail!("{refused:?}");
    };
    let fields: Vec<&str> = fields.iter().map(|excess| excess.field).collect();
    assert_eq!(fields, ["delay-hours", "excluded"]);

    let within = Policy {
        automatic: true,
        delay_hours: 5,
        ..initial
    };
    panel
        .app
        .panel
        .automation
        .set_policy(&within, "ada", noon())
        .await?;
    panel.come_up_again().await?;
    let recorded = panel.app.panel.trust.audit(1).await?.newest;
    let event = &recorded
        .first()
        .context("the audit log has it")?
        .entry
        .event;
    assert_eq!(event.what, audit::What::PolicyChanged);
    assert_eq!(event.who, "ada");
    let (policy, decided) = panel.app.panel.automation.policy().await?;
    assert_eq!(policy, within);
    assert_eq!(decided.context("decided")?.by, "ada");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_says_false_cannot_be_switched_on() -> Result<()> {
    let panel = Panel::on(Night {
        policy: "automatic = false\n",
        ..Night::default()
    })
    .await?;
    let refused = panel.app.panel.automation.switch(true, "ada", noon()).await;
    assert!(
        matches!(
            &refused,
            Err(ServiceError::Automation(AutomationError::Exceeds(_)))
        ),
        "{refused:?}"
    );
    assert_eq!(panel.at(noon()).await?, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_became_stricter_binds_a_policy_that_was_decided_before() -> Result<()>
{
    let mut panel = usual().await?;
    panel
        .app
        .panel
        .automation
        .switch(true, "ada", noon())
        .await?;
    let text = fs::read_to_string(panel.config_path())?;
    let stricter = text.replace("automatic = true", "automatic = false");
    fs::write(panel.config_path(), stricter)?;
    panel.come_up_again().await?;
    assert_eq!(panel.at(noon()).await?, None);
    assert!(!panel.app.panel.automation.rules().await?.policy.automatic);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_to_be_exploited_is_corrected_outside_the_window_if_the_policy_says_so()
-> Result<()> {
    const AT_ONCE: &str = "automatic = true\nminimum-severity = \"low\"\nknown-exploited-at-once = true\nknown-exploited-skips-windows = true\n[[policy.window]]\nstart = \"02:00\"\nminutes = 120\nzone = \"UTC\"\n";
    let panel = Panel::on(Night {
        policy: AT_ONCE,
        flaw: |flaw| flaw.known_exploited = flaw.id.as_str().ends_with("0001"),
        ..Night::default()
    })
    .await?;
    let run = due(panel.at(noon()).await?)?;
    assert_eq!(
        fates(&run.lines),
        [(DAEMON_FIX, Fate::Applied), (MODULE_FIX, Fate::Held)]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_waits_for_its_place_in_the_wave_and_keeps_it() -> Result<()> {
    let mut panel = Panel::on(Night {
        policy: "automatic = true\nminimum-severity = \"low\"\nwave-hours = 48\n",
        ..Night::default()
    })
    .await?;
    let wave = panel.app.panel.automation.rules().await?.wave;
    assert!(wave < hours(48), "{wave}");
    panel.come_up_again().await?;
    assert_eq!(panel.app.panel.automation.rules().await?.wave, wave);
    let run = panel.run().await?;
    if !wave.is_zero() {
        assert_eq!(line_of(&run.lines, DAEMON_FIX)?.due, Some(noon() + wave));
    }
    // A host that comes late is not left out.
    panel.clock.set(noon() + hours(24 * 7));
    panel.run().await?;
    assert_eq!(panel.version("daemon")?, "1.0.1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_tried_out_without_being_in_force() -> Result<()> {
    let panel = Panel::on(Night {
        policy: "",
        ..Night::default()
    })
    .await?;
    panel.run().await?;
    let (present, _) = panel.app.panel.automation.policy().await?;
    let mut trying = Policy {
        automatic: true,
        ..present.clone()
    };
    let foreseen = panel
        .app
        .panel
        .automation
        .preview(Some(&trying), noon())
        .await?;
    assert_eq!(
        fates(&foreseen.lines),
        [(DAEMON_FIX, Fate::Due), (MODULE_FIX, Fate::Held)],
        "the module's flaw is below the minimum"
    );
    trying.severity.high = Treatment::Ask;
    let foreseen = panel
        .app
        .panel
        .automation
        .preview(Some(&trying), noon())
        .await?;
    assert_eq!(line_of(&foreseen.lines, DAEMON_FIX)?.fate, Fate::Held);
    assert_eq!(panel.app.panel.automation.policy().await?, (present, None));
    assert_eq!(panel.version("daemon")?, "1.0.0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_cut_off_is_found_by_the_next_run_and_not_begun_again() -> Result<()> {
    let panel = usual().await?;
    // The ledger as a killed process leaves it: something is under way, and nobody is at it. The
    // journal has what the applier's own recovery made of it.
    let broken = Panel::on(Night {
        change: does_not_lead_there,
        ..Night::default()
    })
    .await?;
    broken.run().await?;
    broken
        .app
        .panel
        .automation
        .release(DAEMON_FIX, "ada", noon())
        .await?;
    for (panel, expected) in [(&panel, Fate::Applied), (&broken, Fate::Held)] {
        let path = panel.app.config().state.join("store.sqlite");
        let ledger = Ledger::new(Store::open(&path).await?);
        let run = ledger.begin_run(Occasion::Due, None, noon()).await?;
        ledger.put_line(run, 0, &under_way(), noon()).await?;
        let next = panel.run().await?;
        assert_eq!(line_of(&next.lines, DAEMON_FIX)?.fate, expected);
        let runs = panel.app.panel.automation.report(noon()).await?.runs;
        let cut_off = runs.iter().find(|one| one.number == run).context("kept")?;
        assert_eq!(cut_off.lines[0].fate, Fate::Failed);
        assert!(cut_off.lines[0].reason.contains("interrupted"));
    }
    Ok(())
}

fn under_way() -> Line {
    Line {
        correction: DAEMON_FIX.to_owned(),
        revision: 1,
        component: "daemon".to_owned(),
        advisories: Vec::new(),
        fate: Fate::UnderWay,
        reason: "it was due".to_owned(),
        refusal: None,
        due: None,
        application: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_foreseen_is_marked_when_it_is_about_something_under_embargo() -> Result<()> {
    let secret = Panel::on(Night {
        flaw: |flaw| flaw.tlp = Tlp::AmberStrict,
        ..Night::default()
    })
    .await?;
    secret
        .app
        .panel
        .automation
        .switch(false, "ada", noon())
        .await?;
    secret.run().await?;
    assert!(secret.foresee().await?.embargo);
    let public = usual().await?;
    public
        .app
        .panel
        .automation
        .switch(false, "ada", noon())
        .await?;
    public.run().await?;
    assert!(!public.foresee().await?.embargo);
    Ok(())
}
