//! The program `spacecp-publisher`.

mod arguments;
mod broadcast_arguments;
mod case_arguments;
mod case_broadcast;
mod cases;
mod commands;
mod current;
mod described;
mod desk;
mod disclosure;
mod disclosure_arguments;
mod document_arguments;
mod foreign;
mod panels;
mod report_keys;
mod requests;
mod review;
mod root_arguments;
mod roots;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

use arguments::Arguments;

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

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
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
