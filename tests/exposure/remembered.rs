//! The report that is remembered: it answers where nothing has changed, and only there; and whatever
//! becomes of its file, the answer is the plugin's.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    os::unix::fs::{DirBuilderExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use spacecp_advisories::{
    Shim, ShimError,
    config::Config,
    decisions::Wish,
    plugin::{Counts, bindings::exports::spacecp::advisories::exposure::ExposureReport},
    remembered::LARGEST,
};
use spacecp_tests::{artifacts, vendor::Vendor};
use tempfile::TempDir;

use crate::panel::{advisory, id};

const ADVISORY: &str = "SPACECP-SA-2026-0001";
const COMPONENT: &str = "spacecp:component";

/// A panel with one component, and its vendor.
struct Panel {
    folder: TempDir,
    vendor: Vendor,
}

/// What one start of the panel said, and whether it had to ask the plugin for it.
struct Answer {
    report: ExposureReport,
    asked: bool,
}

impl Panel {
    /// A panel that has heard of one advisory and has been asked once.
    async fn that_was_asked() -> Result<Self> {
        let folder = TempDir::with_prefix("spacecp-remembered-")?;
        let root = folder.path();
        let mut vendor = Vendor::new(&root.join("desk"), "customers", Timestamp::now())?;
        vendor.publish_advisory(advisory(ADVISORY, COMPONENT, &[("0", Some("1.0.1"), None)]))?;
        vendor.sign_plugin(Path::new(artifacts::PLUGIN))?;
        vendor.broadcast()?;
        fs::create_dir(root.join("component"))?;
        fs::write(root.join("component/VERSION"), "1.0.0\n")?;
        fs::write(root.join("panel.toml"), configuration(root, &vendor))?;
        let panel = Self { folder, vendor };
        panel.lend_compiled_plugin()?;
        panel.shim().await?.sync().await?;
        let first = panel.asked().await?;
        ensure!(first.asked, "nobody had asked before");
        Ok(panel)
    }

    /// The panel, started anew.
    async fn shim(&self) -> Result<Arc<Shim>> {
        Ok(Shim::open(Config::load(&self.folder.path().join("panel.toml"))?).await?)
    }

    /// Asks the panel after a start.
    async fn asked(&self) -> Result<Answer> {
        let shim = self.shim().await?;
        let report = shim.report().await?;
        let asked = shim.plugin_counts() != Counts::default();
        Ok(Answer { report, asked })
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn file(&self) -> PathBuf {
        self.state().join("remembered-report")
    }

    /// Every panel here runs the same plugin, and compiling it takes longer than most tests.
    fn lend_compiled_plugin(&self) -> Result<()> {
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("found-compiled-plugins");
        let private = |folder: &Path| DirBuilder::new().recursive(true).mode(0o700).create(folder);
        private(&shared)?;
        private(&self.state())?;
        Ok(symlink(&shared, self.state().join("plugin-cache"))?)
    }

    fn check(&self) -> Result<(Option<i32>, String)> {
        let output = Command::new(env!("CARGO_BIN_EXE_panel-program"))
            .args(["check", "--format", "json", "--config"])
            .arg(self.folder.path().join("panel.toml"))
            .output()?;
        Ok((output.status.code(), String::from_utf8(output.stdout)?))
    }

    /// What is remembered has to go: the plugin is asked, says the same, and is remembered again.
    async fn is_asked_again(&self) -> Result<()> {
        let mended = self.asked().await?;
        ensure!(mended.asked, "the plugin was not asked");
        let after = self.asked().await?;
        ensure!(!after.asked, "what it said was not remembered");
        ensure!(after.report == mended.report, "{:?}", after.report);
        ensure!(after.report.summary.exposed == 1, "{:?}", after.report);
        Ok(())
    }
}

fn configuration(root: &Path, vendor: &Vendor) -> String {
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    format!(
        "state = {state}\n\
         [feed]\nfrom = {feed}\naudience = \"customers\"\nroot = {pinned}\n\
         [plugin]\nmanifest = {manifest}\ncomponent = {component}\n\
         [[component]]\nname = \"component\"\nadvisory-name = \"{COMPONENT}\"\nscheme = \"semver\"\n\
         folder = {folder}\nversion = {{ file = \"VERSION\", pattern = '(.+)' }}\n",
        state = quoted(&root.join("state")),
        feed = quoted(vendor.feed_dir()),
        pinned = quoted(vendor.root_path()),
        manifest = quoted(vendor.plugin_manifest()),
        component = quoted(vendor.plugin_component()),
        folder = quoted(&root.join("component")),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_on_which_nothing_has_changed_does_not_start_the_plugin() -> Result<()> {
    let panel = Panel::that_was_asked().await?;
    let (code, said) = panel.check()?;
    assert_eq!(code, Some(1), "{said}");
    // Whoever starts the plugin makes this folder.
    fs::remove_file(panel.state().join("plugin-cache"))?;
    let (code_again, said_again) = panel.check()?;
    assert_eq!((code_again, said_again), (code, said));
    assert!(!panel.state().join("plugin-cache").exists());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn news_of_the_feed_are_put_to_the_plugin() -> Result<()> {
    let mut panel = Panel::that_was_asked().await?;
    let second = "SPACECP-SA-2026-0002";
    let told = advisory(second, COMPONENT, &[("0", Some("2.0.0"), None)]);
    panel.vendor.publish_advisory(told)?;
    panel.vendor.broadcast()?;
    panel.shim().await?.sync().await?;
    let answer = panel.asked().await?;
    assert!(answer.asked);
    assert_eq!(answer.report.verdicts.len(), 2);
    assert!(!panel.asked().await?.asked);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_without_news_leaves_it_as_it_is() -> Result<()> {
    let panel = Panel::that_was_asked().await?;
    panel.shim().await?.sync().await?;
    assert!(!panel.asked().await?.asked);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_is_put_to_the_plugin() -> Result<()> {
    let panel = Panel::that_was_asked().await?;
    fs::write(panel.folder.path().join("component/VERSION"), "1.0.1\n")?;
    let answer = panel.asked().await?;
    assert!(answer.asked);
    assert_eq!(answer.report.summary.exposed, 0);
    fs::write(panel.folder.path().join("component/VERSION"), "1.0.0\n")?;
    assert_eq!(panel.asked().await?.report.summary.exposed, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_put_to_the_plugin() -> Result<()> {
    let panel = Panel::that_was_asked().await?;
    let wish = Wish {
        workaround: None,
        advisory: id(ADVISORY),
        shown: None,
        component: Some("component".to_owned()),
        by: "ada".to_owned(),
        until: Some(Timestamp::now() + SignedDuration::from_hours(24)),
        reason: Some("It cannot be reached.".to_owned()),
    };
    panel.shim().await?.decide(&wish).await?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_not_what_was_signed_has_no_word_remembered() -> Result<()> {
    let panel = Panel::that_was_asked().await?;
    let component = panel.vendor.plugin_component();
    let signed = fs::read(component)?;
    let mut other = signed.clone();
    *other.last_mut().context("it has bytes")? ^= 1;
    fs::write(component, &other)?;
    let refused = panel.shim().await?.report().await;
    assert!(
        matches!(refused, Err(ShimError::NoPlugin(_))),
        "{refused:?}"
    );
    assert_eq!(panel.check()?.0, Some(3));
    fs::write(component, &signed[..signed.len() - 1])?;
    assert_eq!(panel.check()?.0, Some(3));
    fs::remove_file(component)?;
    assert_eq!(panel.check()?.0, Some(3));
    fs::write(component, signed)?;
    assert!(!panel.asked().await?.asked);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_plugin_speaks_for_itself() -> Result<()> {
    let mut panel = Panel::that_was_asked().await?;
    // The same with a section that says nothing: another component, and as good.
    let aside = panel.folder.path().join("other.wasm");
    let mut other = fs::read(artifacts::PLUGIN)?;
    other.extend_from_slice(&[0, 5, 4, b'n', b'o', b't', b'e']);
    fs::write(&aside, other)?;
    panel.vendor.sign_plugin(&aside)?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_damaged_in_any_way_is_as_good_as_none() -> Result<()> {
    let panel = Panel::that_was_asked().await?;
    let whole = fs::read(panel.file())?;
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 0x20;
    let damaged: [&[u8]; 5] = [
        &[],
        &whole[..whole.len() / 2],
        &whole[1..],
        &changed,
        &[0xff; 200],
    ];
    for bytes in damaged {
        fs::write(panel.file(), bytes)?;
        panel.is_asked_again().await?;
    }
    fs::remove_file(panel.file())?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_too_large_is_as_good_as_none() -> Result<()> {
    let panel = Panel::that_was_asked().await?;
    let file = OpenOptions::new().write(true).open(panel.file())?;
    file.set_len(LARGEST + 1)?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_somebody_else_may_write_is_as_good_as_none() -> Result<()> {
    let panel = Panel::that_was_asked().await?;
    fs::set_permissions(panel.file(), fs::Permissions::from_mode(0o666))?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_another_panel_is_as_good_as_none() -> Result<()> {
    let (panel, other) = (
        Panel::that_was_asked().await?,
        Panel::that_was_asked().await?,
    );
    fs::copy(other.file(), panel.file())?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_heard_and_built_anew_is_another_feed() -> Result<()> {
    let panel = Panel::that_was_asked().await?;
    for file in ["feed.sqlite", "feed.sqlite-wal", "feed.sqlite-shm"] {
        let file = panel.state().join(file);
        if file.exists() {
            fs::remove_file(file)?;
        }
    }
    let before_any_word = panel.asked().await?;
    assert!(before_any_word.asked);
    assert_eq!(before_any_word.report.summary.advisories, 0);
    panel.shim().await?.sync().await?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn that_the_vendors_word_expires_is_seen_all_the_same() -> Result<()> {
    let mut panel = Panel::that_was_asked().await?;
    let soon = Timestamp::now() + SignedDuration::from_secs(2);
    panel.vendor.broadcast_until(soon)?;
    panel.shim().await?.sync().await?;
    // A new head over the same documents; the report that is remembered is about these.
    panel.asked().await?;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let answer = panel.asked().await?;
    assert!(!answer.asked);
    let (code, said) = panel.check()?;
    let said: serde_json::Value = serde_json::from_str(&said)?;
    assert_eq!(code, Some(1));
    let until: Timestamp = said["freshness"]["valid_until"]
        .as_str()
        .context("it says until when")?
        .parse()?;
    assert!(until < Timestamp::now());
    Ok(())
}
