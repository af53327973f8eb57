//! A part of a bench in a process of its own, which tells its figures on standard output.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Runs this program with these arguments, and returns what it tells.
pub(crate) fn told(arguments: &[&str]) -> Result<String> {
    let output = Command::new(std::env::current_exe()?)
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(
        output.status.success(),
        "the part {arguments:?} ended with {}",
        output.status
    );
    String::from_utf8(output.stdout).context("figures are text")
}

/// Bytes in MiB.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
