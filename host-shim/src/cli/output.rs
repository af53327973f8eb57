//! Where words go: results to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::arguments::{Arguments, Colour};
use crate::{
    plugin::bindings::exports::spacecp::advisories::pages::Page,
    render::{
        terminal::{self, Terminal},
        text::visible,
    },
    services::Redacted,
};
use spacecp_plugin_host::printable::escaped_json;

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

    /// Prints text.
    pub(super) fn text(self, text: &str) -> io::Result<()> {
        io::stdout().write_all(visible(text).as_bytes())
    }

    /// Prints a line.
    pub(super) fn line(self, line: &str) -> io::Result<()> {
        writeln!(io::stdout(), "{}", visible(line))
    }

    /// Prints a line to the letter where a program reads it.
    pub(super) fn exact_line(self, line: &str) -> io::Result<()> {
        if io::stdout().is_terminal() {
            return self.line(line);
        }
        writeln!(io::stdout(), "{line}")
    }

    /// Draws a page.
    pub(super) fn page(self, page: &Page) -> io::Result<()> {
        let drawn = terminal::page(page, self.terminal);
        io::stdout().write_all(drawn.as_bytes())
    }

    /// Says that what follows is under embargo.
    pub(super) fn embargo_mark(self) -> io::Result<()> {
        let mark = terminal::mark(self.terminal);
        io::stdout().write_all(mark.as_bytes())
    }

    /// Says something beside the result, on standard error.
    pub(super) fn note(self, words: &str) {
        // The result is there without it.
        let _ = writeln!(io::stderr(), "{}", visible(words));
    }

    /// Prints a value that names no advisory or correction as JSON; one that does is redacted.
    pub(super) fn value(self, value: &impl Serialize) -> io::Result<()> {
        let view = Redacted::without_documents(value).map_err(io::Error::other)?;
        self.redacted(&view)
    }

    /// Prints the view of a value as JSON.
    pub(super) fn redacted(self, view: &Redacted<impl Serialize>) -> io::Result<()> {
        let text = serde_json::to_string_pretty(view).map_err(io::Error::other)?;
        writeln!(io::stdout(), "{}", escaped_json(&text, None))
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
    let _ = writeln!(io::stderr(), "error: {}", visible(words));
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
    let log = tracing_subscriber::fmt().with_env_filter(filter);
    if io::stderr().is_terminal() {
        // Colours are the log's own: the subscriber escapes the escape character in what is logged.
        let coloured = || EscapingWriter {
            kept: Some('\u{1b}'),
        };
        log.with_writer(coloured).init();
    } else {
        let plain = || EscapingWriter { kept: None };
        log.json().with_writer(plain).init();
    }
}

/// Writes log entries to standard error, with what is not printable escaped: what is logged may come from
/// anybody.
struct EscapingWriter {
    kept: Option<char>,
}

impl Write for EscapingWriter {
    /// Takes one whole entry, which is what the subscriber writes at a time.
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(entry);
        let escaped = escaped_json(&text, self.kept);
        io::stderr().write_all(escaped.as_bytes())?;
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
