//! A test that another test starts as a process of its own: to be killed, attacked, or run where it has other rights
//! or another disk.
//!
//! It is marked `#[ignore = "another test starts it as a process of its own"]`, so that a run without such a parent
//! does not count it as passed. What it is to do is in variables of its environment.

use std::{env, ffi::OsString, io, process::Command};

/// The arguments that have this program run that one test.
pub fn arguments(test: &str) -> [&str; 4] {
    ["--exact", test, "--ignored", "--nocapture"]
}

/// This program again, to run that one test.
pub fn process(test: &str) -> io::Result<Command> {
    let mut program = Command::new(env::current_exe()?);
    program.args(arguments(test));
    Ok(program)
}

/// What the parent says under this name.
pub fn given(name: &str) -> io::Result<OsString> {
    env::var_os(name)
        .ok_or_else(|| io::Error::other(format!("no test that sets {name} started this one")))
}

/// The same as text.
pub fn text(name: &str) -> io::Result<String> {
    let given = given(name)?.into_string();
    given.map_err(|given| io::Error::other(format!("{name} is {}", given.display())))
}
