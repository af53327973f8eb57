//! The program `spacecp-publisher`.

mod arguments;
mod broadcast_arguments;
mod case_arguments;
mod case_broadcast;
mod cases;
mod cli_context;
mod commands;
mod described;
mod disclosure;
mod disclosure_arguments;
mod document_arguments;
mod external;
mod feed_commands;
mod init;
mod manual;
mod panels;
mod products;
mod recovery;
mod report_keys;
mod requests;
mod review;
mod root_arguments;
mod roots;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{CommandFactory, Parser};

use arguments::Arguments;

use crate::private_files;

/// How the program ends. The numbers are part of its interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Ending {
    /// It was done.
    Well = 0,
    /// A check found faults.
    Faults = 1,
    /// The command line cannot be used.
    Usage = 2,
    /// It was tried and did not work, or was refused.
    Failed = 4,
}

/// The command line, for those who look at what there is.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    if let Err(error) = private_files::forbid_core_dumps() {
        let _ = writeln!(io::stderr(), "error: cannot forbid core dumps: {error}");
        return ExitCode::from(Ending::Failed as u8);
    }
    let arguments = Arguments::parse();
    let ending = commands::run(&arguments).unwrap_or_else(|error| {
        // With nowhere to complain to there is nothing left to do.
        let _ = writeln!(io::stderr(), "error: {}", in_words(&error));
        Ending::Failed
    });
    ExitCode::from(ending as u8)
}

/// An error with its causes, each said once: most of our errors say their cause themselves.
fn in_words(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |words, cause| {
        let cause = cause.to_string();
        match words.as_str() {
            "" => cause,
            said if said.contains(&cause) => words,
            said => format!("{said}: {cause}"),
        }
    })
}
