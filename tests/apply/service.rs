//! A component that really runs: what users see of it, how it is stopped and started, and what
//! happened to it.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use spacecp_advisories::config::{ControlConfig, HealthConfig, HttpHealth, LogHealth};
use spacecp_tests::http::client;

const PROGRAM: &str = env!("CARGO_BIN_EXE_component");

/// What runs of a component; it ends with the test.
#[derive(Debug)]
pub(crate) struct Service {
    run: PathBuf,
    component: PathBuf,
}

impl Service {
    /// Below a panel's folder, on a port that is free.
    pub(crate) fn new(panel: &Path, name: &str) -> Result<Self> {
        let service = Self::at(panel, name);
        fs::create_dir_all(&service.run)?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        fs::write(service.run.join("port"), port.to_string())?;
        Ok(service)
    }

    /// The one that is there.
    pub(crate) fn at(panel: &Path, name: &str) -> Self {
        Self {
            run: panel.join("run").join(name),
            component: panel.join("panel").join(name),
        }
    }

    fn port(&self) -> String {
        fs::read_to_string(self.run.join("port")).expect("it has a port")
    }

    /// Where users reach it.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port())
    }

    fn command(&self, act: &str) -> Vec<String> {
        [PROGRAM, act, &self.run.display().to_string()]
            .map(str::to_owned)
            .to_vec()
    }

    pub(crate) fn control(&self) -> ControlConfig {
        ControlConfig {
            unit: None,
            stop: self.command("stop"),
            start: self.command("start"),
            running: self.command("running"),
            environment: BTreeMap::new(),
            stop_within: 20,
            start_within: 20,
            running_within: 20,
        }
    }

    /// One check of each kind, by the kind's name.
    pub(crate) fn health(&self) -> Vec<HealthConfig> {
        let check = |name: &str| HealthConfig {
            name: name.to_owned(),
            command: None,
            tcp: None,
            http: None,
            log: None,
            within: 20,
            every: 1,
        };
        let address = format!("127.0.0.1:{}", self.port());
        vec![
            HealthConfig {
                tcp: Some(address.clone()),
                ..check("tcp")
            },
            HealthConfig {
                http: Some(HttpHealth {
                    url: format!("http://{address}/"),
                    status: 200,
                }),
                ..check("http")
            },
            HealthConfig {
                log: Some(LogHealth {
                    file: self.run.join("log"),
                    pattern: "^component .* is up$".to_owned(),
                }),
                ..check("log")
            },
            HealthConfig {
                command: Some(self.command("running")),
                ..check("command")
            },
        ]
    }

    /// Starts what is installed, and waits until users can see it.
    pub(crate) async fn start(&self) -> Result<()> {
        let started = Command::new(PROGRAM)
            .arg("start")
            .arg(&self.run)
            .current_dir(&self.component)
            .stdin(Stdio::null())
            .status()?;
        ensure!(started.success(), "the component does not start");
        self.seen().await.context("nobody can see the component")?;
        Ok(())
    }

    /// The version that users see; none if nobody answers within a while.
    pub(crate) async fn seen(&self) -> Option<String> {
        let url = format!("http://127.0.0.1:{}/", self.port());
        for _ in 0..100 {
            if let Ok(answer) = client().get(&url).send().await {
                return answer.text().await.ok();
            }
            self.pid()?;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        None
    }

    fn pid(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.run.join("pid")).ok()?;
        let pid = Pid::from_raw(text.trim().parse().ok()?)?;
        // One that has ended and that nobody has taken off the list yet does not run.
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
        (!stat.contains(") Z ")).then_some(pid)
    }

    /// Whether a process of it runs.
    pub(crate) fn runs(&self) -> bool {
        self.pid().is_some()
    }

    /// What was done to it, in order.
    pub(crate) fn happened(&self) -> Vec<String> {
        let text = fs::read_to_string(self.run.join("happened")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

impl Service {
    /// Ends what runs.
    pub(crate) fn end(&self) {
        if let Some(pid) = self.pid() {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

impl Service {
    /// Forgets which process it is, as after a reboot.
    pub(crate) fn forget(&self) {
        let _ = fs::remove_file(self.run.join("pid"));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.end();
    }
}
