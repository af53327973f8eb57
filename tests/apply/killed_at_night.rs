//! The process is killed in the middle of a run of automatic application, with a component stopped.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Child,
    time::Duration,
};

use anyhow::{Context, Result};
use spacecp_advisories::{
    App,
    apply::Outcome,
    automation::{Fate, Occasion},
    config::Config,
};
use spacecp_tests::apart;

use crate::night::{
    DAEMON_FIX, Hands, MODULE_FIX, Night, Panel, hours, line_of, noon, the_modules_restarts_it,
};

/// Where the process that is killed leaves word of its folder.
const NOTE: &str = "SPACECP_TEST_NIGHT";

/// Stopping takes a while, and goes on when whoever wanted it is dead.
const CONTROL: &str = "[component.control]\nstop = [\"sh\", \"-c\", \"echo stop >> ../happened; sleep 2; echo stopped >> ../happened\"]\nstart = [\"sh\", \"-c\", \"echo start >> ../happened\"]\n";

/// The process that is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn the_process_that_is_killed() -> Result<()> {
    let note = apart::given(NOTE)?;
    let panel = Panel::on(Night {
        policy: "automatic = true\nminimum-severity = \"low\"\nrestarts = \"component\"\n",
        change: the_modules_restarts_it,
        control: CONTROL,
        ..Night::default()
    })
    .await?;
    let config = panel.config_path();
    let folder = config.parent().context("it lies in a folder")?;
    fs::write(&note, folder.display().to_string())?;
    let run = panel.run().await;
    panel.leave();
    run.map(drop)
}

fn happened(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("panel/happened")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Waits until the module is being stopped; gives the folder of the panel.
async fn is_being_stopped(note: &Path, child: &mut Child) -> Result<PathBuf> {
    for _ in 0..1_200 {
        let folder = PathBuf::from(fs::read_to_string(note).unwrap_or_default());
        if happened(&folder) == ["stop"] {
            return Ok(folder);
        }
        let ended = child.try_wait()?;
        anyhow::ensure!(ended.is_none(), "it ended before: {ended:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the module is never stopped")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_leaves_the_old_tree_running_and_is_not_tried_again() -> Result<()> {
    let notes = spacecp_tests::scratch::folder()?;
    let note = notes.path().join("folder");
    let mut child = apart::process("killed_at_night::the_process_that_is_killed")?
        .env(NOTE, &note)
        .stdout(std::process::Stdio::null())
        .spawn()?;
    let folder = is_being_stopped(&note, &mut child).await?;
    child.kill()?;
    child.wait()?;
    // The panel comes up again: what was being stopped runs, from the old tree.
    let app = App::open(Config::load(&folder.join("panel.toml"))?).await?;
    let version = |name: &str| fs::read_to_string(folder.join("panel").join(name).join("VERSION"));
    assert_eq!(version("module")?.trim(), "1.0.0");
    assert_eq!(version("daemon")?.trim(), "1.0.1", "it came before");
    let happened = happened(&folder);
    let ended = happened.iter().position(|line| line == "stopped");
    let started = happened.iter().rposition(|line| line == "start");
    assert!(
        ended.is_some() && started > ended,
        "it is started when the order to stop it has ended: {happened:?}"
    );
    let history = app.panel.corrections.history(10).await?;
    let of_module = history.iter().find(|one| one.component == "module");
    assert_eq!(of_module.context("it was begun")?.outcome, Outcome::Failed);
    // And the next night leaves it alone until somebody has looked.
    let clock = Hands::at(noon() + hours(24));
    let run = app
        .panel
        .automation
        .run(Occasion::Asked, None, &clock)
        .await?;
    let line = line_of(&run.lines, MODULE_FIX)?;
    assert_eq!(line.fate, Fate::Held);
    assert!(line.reason.contains("quarantine"), "{}", line.reason);
    assert!(line_of(&run.lines, DAEMON_FIX).is_err(), "it is applied");
    fs::remove_dir_all(&folder)?;
    Ok(())
}
