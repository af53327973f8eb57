//! `completions` and `man`: this program's part in what a shell and a reader want to know of it. Touches no desk.

use std::{
    io::{self, Write},
    path::Path,
};

use anyhow::{Context, Result};
use spacecp_manual::Shell;

use super::{Ending, cli_context::CliContext, command};

pub(super) fn completions(shell: Shell) -> Result<Ending> {
    io::stdout().write_all(&spacecp_manual::completions(command(), shell))?;
    Ok(Ending::Well)
}

pub(super) fn man(directory: &Path, desk: &CliContext<'_>) -> Result<Ending> {
    let pages = spacecp_manual::pages(command(), directory)
        .with_context(|| format!("cannot write to {}", directory.display()))?;
    let lines: Vec<String> = pages
        .iter()
        .map(|page| page.display().to_string())
        .collect();
    desk.say(&pages, &lines.join("\n"))
}
