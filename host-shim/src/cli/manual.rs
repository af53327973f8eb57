//! `completions` and `man`: this program's part in what a shell and a reader want to know of it.

use std::{
    io::{self, Write},
    path::Path,
};

use clap::CommandFactory;
use spacecp_manual::Shell;

use super::{CommandError, Ending, Output, arguments::Arguments};

pub(super) fn completions(shell: Shell) -> Result<Ending, CommandError> {
    let script = spacecp_manual::completions(Arguments::command(), shell);
    io::stdout().write_all(&script)?;
    Ok(Ending::Well)
}

pub(super) fn man(directory: &Path, out: &Output) -> Result<Ending, CommandError> {
    for page in spacecp_manual::pages(Arguments::command(), directory)? {
        out.line(&page.display().to_string())?;
    }
    Ok(Ending::Well)
}
