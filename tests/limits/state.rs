//! What a plugin may remember: the quota counts all that is held for it, while it is called and afterwards.

use anyhow::Result;
use spacecp_advisories::config::PluginLimits;
use spacecp_hostile_guest::Behaviour;

use crate::panel::{Panel, Quiet, tight};

/// The quota of the tests.
fn quota() -> usize {
    usize::try_from(tight().state).unwrap()
}

/// How many values were taken before the quota was reached.
fn taken(ended: &str) -> usize {
    let number = ended.strip_suffix(" taken, then Error::Quota");
    number.and_then(|number| number.parse().ok()).unwrap()
}

/// Bytes of everything that is durable.
fn durable(panel: &Panel) -> usize {
    let state = panel.services.state.lock().unwrap();
    state
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_set_and_removed_again_leave_nothing_to_commit() -> Result<()> {
    let panel = Panel::tight()?;
    panel.says(Behaviour::SetsAndRemoves).await?;
    assert_eq!(*panel.services.largest_commit.lock().unwrap(), 0);
    assert_eq!(durable(&panel), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_without_values_count_too() -> Result<()> {
    let panel = Panel::tight()?;
    let ended = panel.says(Behaviour::HoardsNames).await?;
    assert!(taken(&ended) * 128 <= quota(), "{ended}");
    assert!(taken(&ended) > 100, "{ended}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn removals_count_until_they_are_committed() -> Result<()> {
    let panel = Panel::tight()?;
    panel.says(Behaviour::HoardsNames).await?;
    let names = panel.services.state.lock().unwrap().len();
    // The same names, as the guest removes them.
    let values = (0..names).map(|number| (format!("key-{number:06}"), Vec::new()));
    *panel.services.state.lock().unwrap() = values.collect();
    let ended = panel.says(Behaviour::Replaces).await?;
    assert!(
        taken(&ended) <= 1,
        "the removals take what the names took: {ended}"
    );
    assert!(*panel.services.largest_commit.lock().unwrap() <= quota());
    let ended = panel.says(Behaviour::Replaces).await?;
    assert!(taken(&ended) > 50, "they were committed: {ended}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_beyond_a_quota_that_was_lowered_can_still_be_removed() -> Result<()> {
    let panel = Panel::with(
        PluginLimits {
            state: 8 << 10,
            ..tight()
        },
        Quiet::default(),
    )?;
    let values = (0..100).map(|number| (format!("key-{number:06}"), vec![7; 1024]));
    *panel.services.state.lock().unwrap() = values.collect();
    let ended = panel.says(Behaviour::Replaces).await?;
    assert_eq!(taken(&ended), 0);
    assert_eq!(durable(&panel), 0);
    Ok(())
}
