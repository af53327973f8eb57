//! A plugin whose key was taken from whoever had it, while a panel runs it.

use anyhow::Result;
use spacecp_advisories::{
    PluginLoadError, ServiceError, plugin::Counts, store::Store, trust::TrustError,
};
use spacecp_contract::Role;

use super::panel::{Panel, hand_over_plugin};

/// A panel that runs the plugin, and has not heard yet that its key was revoked.
async fn running() -> Result<Panel> {
    let mut panel = Panel::new("").await?;
    panel.app.panel.exposure.report().await?;
    assert_ne!(
        panel.app.panel.exposure.plugin_counts(),
        Counts::default(),
        "it runs"
    );
    panel.vendor.rotate(Role::Plugin)?;
    panel.vendor.publish()?;
    Ok(panel)
}

fn is_refused(error: &ServiceError) -> bool {
    let ServiceError::NoPlugin(PluginLoadError::Trust(error)) = error else {
        return false;
    };
    let of_the_plugin = Role::Plugin;
    matches!(error, TrustError::Signatures { role, .. } if *role == of_the_plugin)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_plugin_is_dropped_by_the_sync_that_brings_the_root_without_its_key() -> Result<()>
{
    let panel = running().await?;
    panel.app.panel.feed.sync().await?;
    assert_eq!(
        panel.app.panel.exposure.plugin_counts(),
        Counts::default(),
        "it is gone"
    );
    let report = panel.app.panel.exposure.report().await;
    assert!(report.as_ref().is_err_and(is_refused), "{report:?}");
    let plan = panel.app.panel.automation.plan().await;
    assert!(plan.as_ref().is_err_and(is_refused), "{plan:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_automatic_application_that_hears_of_it_asks_the_plugin_no_more() -> Result<()> {
    let panel = running().await?;
    let run = panel.run().await;
    let error = run.as_ref().expect_err("there is nobody to ask");
    let refused = error.downcast_ref::<ServiceError>();
    assert!(refused.is_some_and(is_refused), "{run:?}");
    assert_eq!(panel.version()?, "1.0.0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_said_last_is_not_repeated_by_the_next_process() -> Result<()> {
    let panel = running().await?;
    panel.app.panel.feed.sync().await?;
    let panel = panel.again().await?;
    let report = panel.app.panel.exposure.report().await;
    assert!(report.as_ref().is_err_and(is_refused), "{report:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_plugin_signed_by_the_new_key_takes_its_place() -> Result<()> {
    let panel = running().await?;
    hand_over_plugin(panel.folder.path(), &panel.vendor)?;
    panel.app.panel.feed.sync().await?;
    panel.app.panel.exposure.report().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_whose_key_stays_goes_on_under_another_root() -> Result<()> {
    let mut panel = Panel::new("").await?;
    panel.app.panel.exposure.report().await?;
    let before = panel.app.panel.exposure.plugin_counts();
    panel.vendor.rotate(Role::Advisory)?;
    panel.vendor.publish()?;
    panel.app.panel.feed.sync().await?;
    assert_eq!(
        panel.app.panel.exposure.plugin_counts(),
        before,
        "the same instance"
    );
    panel.app.panel.exposure.report().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_installed_after_one_was_refused_is_loaded_under_the_same_root()
-> Result<()> {
    let panel = running().await?;
    panel.app.panel.feed.sync().await?;
    let report = panel.app.panel.exposure.report().await;
    assert!(report.as_ref().is_err_and(is_refused), "{report:?}");
    hand_over_plugin(panel.folder.path(), &panel.vendor)?;
    panel.app.panel.exposure.report().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_release_of_a_plugin_that_goes_on_after_a_recovery_is_remembered() -> Result<()> {
    let mut panel = Panel::new("").await?;
    panel.app.panel.exposure.report().await?;
    panel.vendor.recover_keeping(&[Role::Plugin])?;
    panel.vendor.publish()?;
    panel.app.panel.feed.sync().await?;
    assert_ne!(
        panel.app.panel.exposure.plugin_counts(),
        Counts::default(),
        "it goes on"
    );
    let store = Store::open(&panel.state().join("store.sqlite")).await?;
    assert_eq!(store.plugin_release("advisories").await?, Some(1));
    Ok(())
}
