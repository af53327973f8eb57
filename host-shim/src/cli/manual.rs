//! `completions` and `man`: what a shell and a reader want to know of this program, made from what it
//! says of itself.

use std::{fs, io, path::Path};

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::{CommandError, Ending, Output, arguments::Arguments};

pub(super) fn completions(shell: Shell) -> Result<Ending, CommandError> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut script);
    io::Write::write_all(&mut io::stdout(), &script)?;
    Ok(Ending::Well)
}

pub(super) fn man(folder: &Path, out: &Output) -> Result<Ending, CommandError> {
    fs::create_dir_all(folder)?;
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    write(&command, folder, out)?;
    Ok(Ending::Well)
}

/// One page for a command, and one for each of those below it.
fn write(command: &Command, folder: &Path, out: &Output) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let name = name.to_owned();
    let path = folder.join(format!("{name}.1"));
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name)
        .render(&mut page)?;
    fs::write(&path, page)?;
    out.line(&path.display().to_string())?;
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        write(below, folder, out)?;
    }
    Ok(())
}
