//! Manual pages and shell completions of a program, made from its command line, so that a package brings what
//! `--help` says. Writes the pages that it is asked for and nothing else.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Command;
pub use clap_complete::Shell;

/// The completion script of a program for a shell.
pub fn completions(mut command: Command, shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}

/// Writes a page of section 1 for a program and for each of its commands, `PROGRAM-COMMAND.1`, into a directory, which
/// is created where it is missing. Gives the files in the order in which they were written.
pub fn pages(command: Command, directory: &Path) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(directory)?;
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut written = Vec::new();
    write(&command, directory, &mut written)?;
    Ok(written)
}

fn write(command: &Command, directory: &Path, written: &mut Vec<PathBuf>) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let path = directory.join(format!("{name}.1"));
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name.to_owned())
        .render(&mut page)?;
    fs::write(&path, page)?;
    written.push(path);
    command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
        .try_for_each(|below| write(below, directory, written))
}
