//! What a plugin may add to the log: bounded in lines and bytes, and nothing that steers a terminal.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use anyhow::Result;
use spacecp_advisories::config::PluginLimits;
use spacecp_hostile_guest::Behaviour;

use crate::panel::{Panel, Quiet, tight};

/// What was logged.
#[derive(Debug, Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines that the plugin logs, and what the panel says beside them.
async fn logged(limits: PluginLimits, behaviour: Behaviour) -> Result<(Vec<String>, Vec<String>)> {
    let panel = Panel::with(limits, Quiet::default())?;
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let log = tracing::subscriber::set_default(subscriber);
    panel.says(behaviour).await?;
    drop(log);
    let text = String::from_utf8(captured.0.lock().unwrap().clone())?;
    let lines = text.lines().map(str::to_owned);
    Ok(lines.partition(|line| !line.contains("dropped=")))
}

#[tokio::test]
async fn lines_of_a_megabyte_are_cut_and_counted_in_bytes() -> Result<()> {
    let limits = PluginLimits {
        log_bytes: 10 << 10,
        ..tight()
    };
    let (lines, dropped) = logged(limits, Behaviour::LogsMegabytes).await?;
    let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
    assert!(bytes <= limits.log_bytes, "{bytes} bytes were logged");
    assert!(bytes > limits.log_bytes / 2, "{bytes} bytes were logged");
    assert!(lines.iter().all(|line| line.len() <= (4 << 10) + 128));
    assert_eq!(dropped.len(), 1, "{dropped:?}");
    Ok(())
}

#[tokio::test]
async fn lines_within_the_bounds_are_logged_whole() -> Result<()> {
    let limits = PluginLimits {
        log_lines: 1_000_000,
        log_bytes: 1 << 30,
        ..tight()
    };
    let (lines, dropped) = logged(limits, Behaviour::LogsWithoutEnd).await?;
    assert_eq!(lines.len(), 100_000);
    assert!(lines[99_999].contains("line 99999 "), "{}", lines[99_999]);
    assert_eq!(dropped, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn direction_marks_and_control_characters_are_written_out() -> Result<()> {
    let (lines, _) = logged(tight(), Behaviour::LogsMegabytes).await?;
    assert!(lines[0].contains(r"\u{202e}evil\u{2028}"), "{}", lines[0]);
    let (more, _) = logged(tight(), Behaviour::LogsALongLine).await?;
    assert!(more[0].contains(r"\u{1b}[2Jlong long"), "{}", more[0]);
    for line in lines.iter().chain(&more) {
        assert!(
            !line.contains(['\u{202e}', '\u{2028}', '\u{1b}']),
            "{line:?}"
        );
    }
    Ok(())
}
