//! A guest that does its worst, way by way.

use std::time::Duration;

use anyhow::Result;
use spacecp_advisories::{config::PluginLimits, plugin::PluginError};
use spacecp_hostile_guest::Behaviour;

use crate::panel::{Panel, Quiet, tight};

/// Whether a way to behave ended as it should. Every way is named here: one without a test does not
/// compile.
fn ended_as_it_should(behaviour: Behaviour, ended: &Result<String, PluginError>) -> bool {
    use PluginError as E;
    match behaviour {
        Behaviour::Honest => ended.as_deref() == Ok("honest"),
        Behaviour::Works => ended.as_deref() == Ok("499999500000"),
        Behaviour::AllocatesALittle => ended.as_deref() == Ok("1048576"),
        Behaviour::RecursesALittle => ended.as_deref() == Ok("100"),
        Behaviour::LogsALongLine | Behaviour::LogsWithoutEnd | Behaviour::LogsMegabytes => {
            ended.as_deref() == Ok("logged")
        }
        Behaviour::EscapedPageALittle => ended.as_ref().is_ok_and(|text| text.len() == 10_000),
        Behaviour::SetsAndRemoves => ended.as_deref() == Ok("all set and removed"),
        Behaviour::Remembers => ended.as_deref() == Ok("Ok(())"),
        Behaviour::Recalls => ended.as_deref() == Ok("Ok(None)"),
        Behaviour::AsksOnce => ended.as_deref() == Ok("true"),
        Behaviour::Loops => {
            matches!(ended, Err(E::GuestTime { call: "pages.render", limit }) if *limit == tight().guest_time())
        }
        // Asking costs the host time and the guest time; whichever is used up first ends it.
        Behaviour::AsksWithoutEnd => {
            matches!(ended, Err(E::GuestTime { .. } | E::WallClock { .. }))
        }
        Behaviour::Allocates => {
            matches!(ended, Err(E::Resources { what: "bytes of memory", limit, .. }) if *limit == tight().memory)
        }
        Behaviour::Panics | Behaviour::RemembersAndPanics => matches!(
            ended,
            Err(E::Trap {
                call: "pages.render",
                ..
            })
        ),
        Behaviour::Recurses => matches!(ended, Err(E::Stack { .. })),
        // A page too large even to be built within the guest's memory, or to be handed over.
        Behaviour::HugePage => matches!(ended, Err(E::Resources { .. } | E::Trap { .. })),
        Behaviour::ManyBlocks => matches!(
            ended,
            Err(E::Resources { .. } | E::Trap { .. } | E::Page { .. })
        ),
        Behaviour::RaggedTable | Behaviour::EscapedPage => matches!(ended, Err(E::Page { .. })),
        Behaviour::Hoards | Behaviour::HoardsNames | Behaviour::Replaces => ended
            .as_deref()
            .is_ok_and(|text| text.contains("taken, then Error::Quota")),
        // It is told to ask for nothing here; what it is given otherwise, a whole panel has to say.
        Behaviour::Fetches => ended.as_deref() == Ok(""),
        Behaviour::HandsOverTooMuch => matches!(ended, Err(E::Resources { .. } | E::Trap { .. })),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_misbehave_ends_with_its_own_error_and_the_next_call_is_served() -> Result<()>
{
    for behaviour in Behaviour::ALL {
        let panel = Panel::tight()?;
        let ended = panel.says(behaviour).await;
        assert!(
            ended_as_it_should(behaviour, &ended),
            "{behaviour:?} ended with {ended:?}"
        );
        if ended.is_err() {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        assert_eq!(
            panel.says(Behaviour::Honest).await.as_deref(),
            Ok("honest"),
            "after {behaviour:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_hundred_megabytes_never_reaches_the_host() -> Result<()> {
    // With memory enough to build it: what stops it is the bound on what is copied out.
    let panel = Panel::with(
        PluginLimits {
            memory: 512 << 20,
            guest_time_ms: 60_000,
            wall_clock_ms: 120_000,
            ..tight()
        },
        Quiet::default(),
    )?;
    let before = peak_memory()?;
    let ended = panel.says(Behaviour::HugePage).await;
    assert!(matches!(ended, Err(PluginError::Trap { .. })), "{ended:?}");
    // The guest's own memory is mapped, and counted once; the page is not there a second time.
    assert!(peak_memory()? - before < 350 << 20, "the page was copied");
    Ok(())
}

/// The largest resident set of this process so far, in bytes (proc(5)).
fn peak_memory() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("Linux says it");
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? * 1024)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_three_failures_in_a_row_it_is_disabled_until_somebody_looks() -> Result<()> {
    let panel = Panel::tight()?;
    for failure in 1..=3u32 {
        assert!(
            matches!(
                panel.says(Behaviour::Panics).await,
                Err(PluginError::Trap { .. })
            ),
            "failure {failure}"
        );
        if failure < 3 {
            let resting = panel.says(Behaviour::Honest).await;
            assert!(
                matches!(resting, Err(PluginError::Resting { .. })),
                "{resting:?}"
            );
            tokio::time::sleep(Duration::from_millis(300 * u64::from(failure))).await;
        }
    }
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let disabled = panel.says(Behaviour::Honest).await;
    assert!(
        matches!(disabled, Err(PluginError::Disabled { failures: 3, .. })),
        "{disabled:?}"
    );
    panel.plugin.reset().await;
    assert_eq!(panel.says(Behaviour::Honest).await.as_deref(), Ok("honest"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_call_that_fails_wanted_to_remember_is_forgotten() -> Result<()> {
    let panel = Panel::tight()?;
    panel.says(Behaviour::Remembers).await?;
    assert!(panel.says(Behaviour::RemembersAndPanics).await.is_err());
    assert_eq!(panel.services.state.lock().unwrap()["kept"], b"value");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        panel.says(Behaviour::Recalls).await.as_deref(),
        Ok("Ok(Some(\"value\"))")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_slow_costs_wall_clock_and_not_guest_time() -> Result<()> {
    let slow = || Quiet {
        pause: Duration::from_millis(2_500),
        ..Quiet::default()
    };
    let patient = Panel::with(tight(), slow())?;
    assert_eq!(
        patient.says(Behaviour::AsksOnce).await.as_deref(),
        Ok("true"),
        "2.5 s in the host, 1.5 s are the guest's"
    );
    let hasty = Panel::with(
        PluginLimits {
            wall_clock_ms: 300,
            ..tight()
        },
        slow(),
    )?;
    let ended = hasty.says(Behaviour::AsksOnce).await;
    assert!(
        matches!(ended, Err(PluginError::WallClock { .. })),
        "{ended:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_behaviour_nobody_knows_is_not_found() -> Result<()> {
    use spacecp_advisories::plugin::bindings::exports::spacecp::advisories::pages::{
        Place, Request,
    };
    let panel = Panel::tight()?;
    let request = Request {
        place: Place::Advisory("Nothing".to_owned()),
        listing: spacecp_advisories::render::whole(),
        now: 0,
        may_act: true,
    };
    assert!(matches!(
        panel.plugin.render(&request).await,
        Err(PluginError::NotFound { .. })
    ));
    Ok(())
}
