//! A component that keeps one of its files mapped and open, as databases do, and writes to it whenever a
//! test says so.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Mutex,
};

use anyhow::{Context, Result, ensure};

/// How it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Through the mapping: no system call, and no time changes if the page is dirty already.
    Store,
    /// By `pwrite`.
    Write,
}

#[derive(Debug)]
struct Pipes {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// The process that has the file mapped; it ends with this.
#[derive(Debug)]
pub(crate) struct Mapping {
    process: Child,
    pipes: Mutex<Pipes>,
}

impl Mapping {
    /// Maps a file that is there.
    pub(crate) fn of(file: &Path) -> Result<Self> {
        let mut process = Command::new("python3")
            .args(["-c", include_str!("mapping.py")])
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("python3")?;
        let input = process.stdin.take().context("it is piped")?;
        let output = BufReader::new(process.stdout.take().context("it is piped")?);
        let mut pipes = Pipes { input, output };
        answered(&mut pipes, "ready")?;
        Ok(Self {
            process,
            pipes: Mutex::new(pipes),
        })
    }

    /// Has it write a text at an offset, and waits until it has.
    pub(crate) fn write(&self, how: How, at: usize, text: &str) -> Result<()> {
        let how = match how {
            How::Store => "store",
            How::Write => "write",
        };
        let mut pipes = self.pipes.lock().expect("nobody panics with it");
        writeln!(pipes.input, "{how} {at} {text}")?;
        pipes.input.flush()?;
        answered(&mut pipes, "done")
    }
}

fn answered(pipes: &mut Pipes, expected: &str) -> Result<()> {
    let mut line = String::new();
    pipes.output.read_line(&mut line)?;
    ensure!(line.trim() == expected, "it answered {line:?}");
    Ok(())
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
