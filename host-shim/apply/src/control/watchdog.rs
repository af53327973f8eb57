//! Starts the process that goes on while the panel is stopped.
//!
//! It is the same program. It gets the component's lock as its standard input, so that there is no
//! moment in which nobody holds it, becomes a session of its own, and says that it is there.

use std::{
    collections::BTreeMap, fs::File, io, os::unix::fs::OpenOptionsExt, path::PathBuf,
    process::Stdio, time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use super::command::PATH;

/// What the watchdog says once it holds the lock.
pub const READY: &str = "ready";

/// How long it may take until it is there.
const PATIENCE: Duration = Duration::from_mins(1);

/// How to start it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watchdog {
    /// The program `spacecp-advisories`.
    pub program: PathBuf,
    /// Its configuration.
    pub config: PathBuf,
    /// Where it writes what it does.
    pub log: PathBuf,
}

/// What keeps a process from being stopped together with a component: words before its command, and
/// what these find in their environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shelter {
    /// The words; none where nothing is needed.
    pub command: Vec<String>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
}

impl Watchdog {
    #[expect(
        clippy::disallowed_methods,
        reason = "it lies with the panel's state, where nobody else may write"
    )]
    fn open_log(&self) -> io::Result<File> {
        File::options()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.log)
    }

    /// Starts it for an application, and returns when it holds the lock.
    #[expect(
        clippy::disallowed_methods,
        reason = "nobody can exchange the root directory"
    )]
    pub(crate) async fn start(
        &self,
        application: &str,
        lock: File,
        shelter: &Shelter,
    ) -> io::Result<Child> {
        let log = self.open_log()?;
        let mut words = shelter.command.iter().map(Into::into).collect::<Vec<_>>();
        words.push(self.program.clone().into_os_string());
        let mut words = words.into_iter();
        let mut child = Command::new(words.next().unwrap_or_default())
            .args(words)
            .arg("--config")
            .arg(&self.config)
            .args(["--log", "info", "watch", application])
            .env_clear()
            .env("PATH", PATH)
            .envs(&shelter.environment)
            .current_dir("/")
            .stdin(Stdio::from(lock))
            .stdout(Stdio::piped())
            .stderr(Stdio::from(log))
            .spawn()?;
        let mut said = String::new();
        if let Some(output) = child.stdout.take() {
            let mut output = BufReader::new(output);
            // Nothing in time is nothing said.
            let _ = timeout(PATIENCE, output.read_line(&mut said)).await;
        }
        if said.trim() == READY {
            return Ok(child);
        }
        child.kill().await?;
        Err(io::Error::other(format!(
            "the detached helper did not start; see {}",
            self.log.display()
        )))
    }
}
