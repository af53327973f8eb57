//! Where words go: results to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::arguments::{Arguments, Colour};
use crate::render::terminal::Terminal;

/// How results are printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    /// As JSON.
    pub(super) json: bool,
    /// With what is under embargo in it.
    pub(super) under_embargo: bool,
    terminal: Terminal,
}

impl Output {
    pub(super) fn new(arguments: &Arguments) -> Self {
        let on_terminal = io::stdout().is_terminal();
        let colour = match arguments.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => on_terminal && std::env::var_os("NO_COLOR").is_none(),
        };
        let width = if on_terminal { columns() } else { 100 };
        Self {
            json: arguments.json,
            under_embargo: arguments.under_embargo,
            terminal: Terminal { width, colour },
        }
    }

    /// What the terminal can show.
    pub(super) fn terminal(self) -> Terminal {
        self.terminal
    }

    /// Prints text as it is.
    pub(super) fn text(self, text: &str) -> io::Result<()> {
        io::stdout().write_all(text.as_bytes())
    }

    /// Prints a line.
    pub(super) fn line(self, line: &str) -> io::Result<()> {
        writeln!(io::stdout(), "{line}")
    }

    /// Says something beside the result, on standard error.
    pub(super) fn note(self, words: &str) {
        // The result is there without it.
        let _ = writeln!(io::stderr(), "{words}");
    }

    /// Prints a value as JSON.
    pub(super) fn value(self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
        writeln!(io::stdout(), "{text}")
    }
}

fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout());
    size.map_or(100, |size| usize::from(size.ws_col))
        .clamp(40, 200)
}

/// Says on standard error what went wrong.
pub(super) fn complain(words: &str) {
    // With nowhere to complain to there is nothing left to do.
    let _ = writeln!(io::stderr(), "error: {words}");
}

/// Sends the log to standard error: for people on a terminal, as JSON elsewhere.
pub(super) fn log(arguments: &Arguments) {
    let default = if matches!(arguments.command, super::Command::Serve { .. }) {
        "info"
    } else {
        "error"
    };
    let filter = arguments.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    if io::stderr().is_terminal() {
        log.init();
    } else {
        log.json().init();
    }
}
