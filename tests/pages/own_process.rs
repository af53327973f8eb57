//! The panel's real program, serving the pages in a process of its own.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};

use crate::visitor::Visitor;

/// A program that serves; killed when it is dropped.
pub(crate) struct Serving {
    child: Child,
    address: SocketAddr,
}

impl Serving {
    /// Starts `serve` with what `command` runs, on a free port.
    pub(crate) fn start(mut command: Command, config: &Path) -> Result<Self> {
        let mut child = command
            .arg("--config")
            .arg(config)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("its output is piped")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.split_once("http://").map(|(_, rest)| rest.trim());
        let address = address.and_then(|rest| rest.trim_end_matches('/').parse().ok());
        let serving = address.map(|address| Self { child, address });
        serving.with_context(|| format!("it did not say its address: {line:?}"))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::new(self.address)
    }

    /// The descriptors that it has open.
    pub(crate) fn descriptors(&self) -> Result<usize> {
        let open = format!("/proc/{}/fd", self.child.id());
        Ok(fs::read_dir(open)?.count())
    }

    /// How many descriptors it may have open.
    pub(crate) fn limit_of_descriptors(&self) -> Result<u64> {
        let limits = fs::read_to_string(format!("/proc/{}/limits", self.child.id()))?;
        let mut lines = limits.lines();
        let soft = lines.find_map(|line| line.strip_prefix("Max open files"));
        let soft = soft.and_then(|line| line.split_whitespace().next());
        Ok(soft.context("Linux says it")?.parse()?)
    }

    /// Its resident memory in bytes (proc(5)).
    pub(crate) fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line
            .context("Linux says it")?
            .trim()
            .trim_end_matches(" kB");
        Ok(kib.trim().parse::<u64>()? << 10)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
