//! `cargo demo` as a newcomer runs it: a process of its own.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use spacecp_tests::{catalog, demo::Login, http::client};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    net::TcpListener,
    process::{Child, ChildStdout, Command},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_mins(2);

/// The demo as a process, and what it printed.
struct Running {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
    said: Vec<String>,
}

impl Running {
    fn start(arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_demo"))
            .args(arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().context("its output is piped")?;
        Ok(Self {
            child,
            output: BufReader::new(output).lines(),
            said: Vec::new(),
        })
    }

    /// Waits for a line that contains `words` and returns what follows them.
    async fn says(&mut self, words: &str) -> Result<String> {
        let wait = async {
            while let Some(line) = self.output.next_line().await? {
                self.said.push(line.clone());
                if let Some((_, rest)) = line.split_once(words) {
                    return Ok(rest.trim().to_owned());
                }
            }
            bail!("it ended; it said:\n{}", self.said.join("\n"))
        };
        timeout(PATIENCE, wait)
            .await
            .with_context(|| format!("it never said {words:?}"))?
    }

    /// Runs the printed commands that ask the panel something, as they were printed.
    async fn runs_what_it_printed(&self) -> Result<()> {
        let commands: Vec<Vec<&str>> = self
            .said
            .iter()
            .map(|line| line.split_whitespace().collect())
            .filter(|words: &Vec<&str>| words.iter().any(|word| word.contains("/bin/spacecp-")))
            .collect();
        let asks = |words: &&Vec<&str>| matches!(words.last(), Some(&("check" | "sync" | "list")));
        assert_eq!(commands.iter().filter(asks).count(), 5, "{commands:?}");
        for words in commands.iter().filter(asks) {
            let done = Command::new(words[0]).args(&words[1..]).output().await?;
            // The panel of the demo is affected, which `check` says by its exit code.
            let expected = i32::from(words.ends_with(&["check"]));
            assert_eq!(done.status.code(), Some(expected), "{words:?}: {done:?}");
        }
        Ok(())
    }

    async fn interrupt(mut self) -> Result<bool> {
        let id = self.child.id().context("it runs")?;
        let id =
            rustix::process::Pid::from_raw(i32::try_from(id)?).context("a process has an id")?;
        rustix::process::kill_process(id, rustix::process::Signal::INT)?;
        while let Ok(Some(_)) = self.output.next_line().await {}
        Ok(timeout(PATIENCE, self.child.wait()).await??.success())
    }
}

#[tokio::test]
async fn the_demo_prints_address_and_login_and_leaves_nothing_behind_on_ctrl_c() -> Result<()> {
    let mut demo = Running::start(&["--port", "0"])?;
    let address = demo.says("The panel").await?;
    let login = demo.says("Log in as").await?;
    assert!(login.starts_with("admin"), "{login}");
    let folder = PathBuf::from(demo.says("Everything").await?);
    demo.says("Press Ctrl-C").await?;
    assert!(folder.is_dir());
    demo.runs_what_it_printed().await?;
    let answer = client().get(format!("{address}login")).send().await?;
    assert!(answer.status().is_success(), "{}", answer.status());
    assert!(demo.interrupt().await?, "it ends well");
    assert!(!folder.exists(), "{} is still there", folder.display());
    Ok(())
}

#[tokio::test]
async fn the_demo_takes_another_port_when_its_own_is_taken() -> Result<()> {
    let taken = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = taken.local_addr()?.port().to_string();
    let mut demo = Running::start(&["--port", &port])?;
    let notice = demo.says("is in use, so the panel takes").await?;
    assert!(!notice.starts_with(&port), "{notice}");
    let address = demo.says("The panel").await?;
    assert!(
        spacecp_tests::http::client()
            .get(format!("{address}login"))
            .send()
            .await?
            .status()
            .is_success()
    );
    demo.interrupt().await?;
    Ok(())
}

#[tokio::test]
async fn the_demo_keeps_a_folder_that_was_asked_for_and_refuses_one_in_use() -> Result<()> {
    let outer = TempDir::new()?;
    let folder = outer.path().join("demo");
    let name = folder.display().to_string();
    let mut demo = Running::start(&["--port", "0", "--dir", &name])?;
    demo.says("Press Ctrl-C").await?;
    demo.interrupt().await?;
    assert!(Path::new(&folder).join("panel.toml").is_file());
    let again = Command::new(env!("CARGO_BIN_EXE_demo"))
        .args(["--port", "0", "--dir", &name])
        .output()
        .await?;
    assert!(!again.status.success());
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("not empty"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_word_of_the_vendor_nothing_says_that_all_is_well() -> Result<()> {
    let login = Login::with_password("words".to_owned());
    let demo = crate::rehearse(login).await?;
    let state = demo.folder().join("state").display().to_string();
    let text = std::fs::read_to_string(demo.config_path())?;
    let config = demo.folder().join("fresh.toml");
    let fresh = format!("{state}-fresh");
    std::fs::write(&config, text.replace(&state, &fresh))?;
    demo.lend_identity(Path::new(&fresh))?;
    let run = |arguments: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_panel-program"));
        program
            .arg("--config")
            .arg(&config)
            .args(arguments)
            .output()
    };
    let before = run(&["check"]).await?;
    let said = String::from_utf8_lossy(&before.stdout).into_owned();
    assert_eq!(before.status.code(), Some(1), "{said}");
    assert!(said.contains("Not synced yet"), "{said}");
    assert!(run(&["sync"]).await?.status.success());
    let after = run(&["check", "--json"]).await?;
    let json: serde_json::Value = serde_json::from_slice(&after.stdout)?;
    assert_eq!(json["summary"]["exposed"], 4);
    assert_eq!(json["freshness"]["sequence"], 1);
    let text = json.to_string();
    assert!(
        text.contains(catalog::BACKUP) && !text.contains("Backups of other customers"),
        "of an advisory under embargo no more than its id: {text}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_was_tampered_with_is_refused_and_the_rest_goes_on() -> Result<()> {
    let demo = crate::rehearse(Login::with_password("words".to_owned())).await?;
    let component = demo.folder().join("vendor/hand-over/advisories.wasm");
    let mut bytes = std::fs::read(&component)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&component, bytes)?;
    let run = |arguments: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_panel-program"));
        program
            .arg("--config")
            .arg(demo.config_path())
            .args(arguments)
            .output()
    };
    let refused = run(&["check"]).await?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(said.contains("digest mismatch"), "{said}");
    let applied = run(&["apply", catalog::HOUSTON_CORRECTION, "--yes"]).await?;
    assert!(applied.status.success(), "applying needs no plugin");
    let back = run(&["rollback", "houston", "--yes"]).await?;
    assert!(back.status.success(), "nor does rolling back");
    Ok(())
}
