//! A panel that does not run as root, with components of its own user.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, lchown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use spacecp_tests::catalog;
use walkdir::WalkDir;

use crate::{
    own_process::Serving,
    panel::{ADMINISTRATOR, PASSWORD, Panel},
};

/// The user that owns the panel and its components ("nobody" on most systems).
const USER: u32 = 65_534;

/// A panel whose files belong to [`USER`], and the program that it may run.
struct Unprivileged {
    panel: Panel,
    program: PathBuf,
}

impl Unprivileged {
    async fn raise() -> Result<Self> {
        let mut panel = Panel::raise().await?;
        panel.stop_serving().await?;
        let folder = panel.folder();
        // The compiled plugin that tests share is root's.
        fs::remove_file(folder.join("state/plugin-cache"))?;
        let program = folder.join("spacecp-advisories");
        fs::copy(env!("CARGO_BIN_EXE_panel-program"), &program)?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        for entry in WalkDir::new(folder) {
            lchown(entry?.path(), Some(USER), Some(USER))?;
        }
        Ok(Self { panel, program })
    }

    fn config(&self) -> PathBuf {
        self.panel.folder().join("panel.toml")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .uid(USER)
            .gid(USER)
            .current_dir(self.panel.folder())
            .env_clear()
            .env("PATH", "/usr/bin:/bin");
        command
    }

    /// What the program ends with, and what it says.
    fn run(&self, arguments: &[&str]) -> Result<(Option<i32>, String)> {
        let mut command = self.command();
        let ended = command
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .output()?;
        let said = [ended.stdout, ended.stderr].concat();
        Ok((ended.status.code(), String::from_utf8(said)?))
    }

    fn version(&self) -> Result<String> {
        let file = self.panel.ground().houston().join("package.json");
        let json: serde_json::Value = serde_json::from_slice(&fs::read(file)?)?;
        Ok(json["version"].as_str().context("a version")?.to_owned())
    }
}

/// What is below a folder and is not the panel's user's. The cache of compiled plugins is left out: the process of the
/// test had the panel open as well, and may still write there.
fn others(folder: &Path) -> Result<Vec<PathBuf>> {
    use std::os::unix::fs::MetadataExt;
    let mut others = Vec::new();
    let walk = WalkDir::new(folder).into_iter();
    for entry in walk.filter_entry(|entry| entry.file_name() != "plugin-cache") {
        let entry = entry?;
        if entry.metadata()?.uid() != USER {
            others.push(entry.into_path());
        }
    }
    Ok(others)
}

#[cfg_attr(not(has_disks), ignore = "wants root, to become another user")]
#[tokio::test(flavor = "multi_thread")]
async fn a_panel_of_an_ordinary_user_follows_its_feed_applies_and_rolls_back() -> Result<()> {
    let panel = Unprivileged::raise().await?;
    assert_eq!(panel.run(&["sync"])?.0, Some(0));
    let (code, said) = panel.run(&["check"])?;
    assert_eq!(code, Some(1), "{said}");
    let (code, said) = panel.run(&["doctor"])?;
    assert!(matches!(code, Some(0 | 1)), "{said}");
    let (code, said) = panel.run(&["apply", catalog::HOUSTON_CORRECTION, "--yes"])?;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(panel.version()?, "4.7.4");
    let (code, said) = panel.run(&["rollback", "houston", "--yes"])?;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(panel.version()?, "4.7.2");
    let (code, said) = panel.run(&["audit", "verify"])?;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(others(panel.panel.folder())?, Vec::<PathBuf>::new());
    Ok(())
}

#[cfg_attr(not(has_disks), ignore = "wants root, to become another user")]
#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_an_ordinary_users_panel_apply_and_roll_back() -> Result<()> {
    let panel = Unprivileged::raise().await?;
    let serving = Serving::start(panel.command(), &panel.config())?;
    let mut administrator = serving.visitor();
    let login = administrator.log_in(ADMINISTRATOR, PASSWORD).await?;
    login.leads_to("/")?;
    let page = format!("/advisories/{}", catalog::CONSOLE);
    let applied = administrator.press(&page, "/apply").await?;
    applied.leads_to("/history")?;
    assert_eq!(panel.version()?, "4.7.4");
    let back = administrator.press("/history", "/roll-back").await?;
    back.leads_to("/history")?;
    assert_eq!(panel.version()?, "4.7.2");
    Ok(())
}
