//! Embargo in logs: of an advisory under embargo and its correction, logs and metrics have the ids and nothing more,
//! whether the correction is applied or fails, and wherever it fails.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex},
};

use anyhow::{Context, Result};
use jiff::Timestamp;
use spacecp_advisories::{ServiceError, apply::ApplyError};
use spacecp_contract::{Digest, Restart};
use spacecp_publisher::corrections::Built;
use spacecp_tests::hand_signed::Side;
use tracing::{Dispatch, Level, dispatcher};
use tracing_subscriber::fmt::format::FmtSpan;

use super::panel::{DAEMON, Panel, fix, flaw};

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

/// Runs `scene` and gives everything that the programs logged meanwhile, on all threads, with every span. What the
/// compiler of the plugin and the client of the database log is their own, and knows of no correction.
fn logged<T>(scene: impl Future<Output = Result<T>>) -> Result<(T, String)> {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(Level::TRACE)
        .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
        .with_writer(move || writer.clone())
        .finish();
    let log = Dispatch::new(subscriber);
    // With a single one, what another test's thread comes to first would be logged by nobody any more.
    let _second = Dispatch::new(tracing_subscriber::registry());
    let of_each_thread = log.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .on_thread_start(move || std::mem::forget(dispatcher::set_default(&of_each_thread)))
        .build()?;
    let answer = dispatcher::with_default(&log, || runtime.block_on(scene))?;
    drop(runtime);
    let bytes = captured.0.lock().unwrap().clone();
    Ok((answer, String::from_utf8(bytes)?))
}

/// How the component is stopped, started and looked at.
const CONTROL: &str = "control = { stop = [\"STOP\"], start = [\"/bin/true\"], running = [\"/bin/true\"], \
    stop-within = 5, start-within = 5 }\n[[component.health]]\nname = \"web\"\ncommand = [\"HEALTH\"]\nwithin = 1\n";

/// Says what would give it away, and fails.
const TELLING_COMMAND: &str = "#!/bin/sh\necho secret-handler.js of 1.0.1 >&2\nexit 7\n";

/// Where an application comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Applied,
    Preflight,
    Fetch,
    Stage,
    Stop,
    Health,
}

/// A panel with a sealed correction that comes to this end.
async fn coming_to(end: End) -> Result<(Panel, Built)> {
    let panel = Panel::new("").await?;
    let root = panel.folder.path().to_owned();
    let command = root.join("command");
    fs::write(&command, TELLING_COMMAND)?;
    fs::set_permissions(&command, fs::Permissions::from_mode(0o755))?;
    let command = command.display().to_string();
    let fine = "/bin/true".to_owned();
    let (stop, health) = match end {
        End::Stop => (&command, &fine),
        End::Health => (&fine, &command),
        _ => (&fine, &fine),
    };
    let control = CONTROL.replace("STOP", stop).replace("HEALTH", health);
    let path = root.join("panel.toml");
    let text = fs::read_to_string(&path)?;
    fs::write(
        &path,
        text.replace("automatic = true", "automatic = false") + &control,
    )?;
    let panel = panel.again().await?;
    let mut vendor = panel.vendor.clone();
    let built = panel
        .told_as(&mut vendor, 3, Side::Sealed, |built| {
            built.correction.restart = Restart::Component;
            built.correction.health = Some("web".to_owned());
            if end == End::Stage {
                // The payload is the one that is announced, and not what the file is to be.
                for file in &mut built.correction.files {
                    if let Some(after) = &mut file.after {
                        after.digest = Digest::of(b"something else");
                    }
                }
            }
        })
        .await?;
    let live = root.join(DAEMON);
    match end {
        End::Preflight => fs::write(live.join("a.js"), "changed here")?,
        End::Fetch => remove_sealed_payloads(panel.vendor.folder())?,
        _ => {}
    }
    Ok((panel, built))
}

/// Removes what is sealed of the feed, after the panel has followed it.
fn remove_sealed_payloads(feed: &Path) -> Result<()> {
    Ok(fs::remove_dir_all(feed.join("sealed"))?)
}

/// Applies it, and has everything look at it that the panel does by itself.
async fn apply(panel: &Panel, end: End) -> Result<()> {
    let applied = panel
        .app
        .panel
        .corrections
        .apply(Panel::request(3)?, &())
        .await;
    let fits = match (&applied, end) {
        (Ok(_), End::Applied) => true,
        (Err(ServiceError::Apply(error)), end) => matches!(
            (error, end),
            (
                ApplyError::Obstacle { .. } | ApplyError::WantsWord { .. },
                End::Preflight
            ) | (ApplyError::Payload(_), End::Fetch)
                | (
                    ApplyError::Contents { .. } | ApplyError::Unverified { .. },
                    End::Stage
                )
                | (ApplyError::Control { .. }, End::Stop)
                | (ApplyError::Unwell { .. }, End::Health)
        ),
        _ => false,
    };
    anyhow::ensure!(fits, "{end:?}: {applied:?}");
    let now = Timestamp::now();
    panel.app.panel.corrections.reconcile(now).await?;
    panel.app.panel.exposure.note_exposures(now).await?;
    panel.run().await?;
    if end == End::Applied {
        let id = applied?.id;
        panel
            .app
            .panel
            .corrections
            .roll_back(&id, false, "ada", &())
            .await?;
    }
    Ok(())
}

/// What a log must not have of it.
fn telling(built: &Built) -> Vec<String> {
    let mut words = vec![
        format!("A flaw called {}", flaw(3)),
        "It is flawed".to_owned(),
        "a.js".to_owned(),
        "secret-handler".to_owned(),
        format!("/{DAEMON}"),
        "spacecp:daemon".to_owned(),
        format!("component=\"{DAEMON}"),
        "\"1.0.0\"".to_owned(),
        "1.0.1".to_owned(),
    ];
    for file in &built.correction.files {
        words.extend(file.before.map(|before| before.short()));
        words.extend(file.after.iter().map(|after| after.blob.digest.short()));
        words.extend(file.after.iter().map(|after| after.digest.short()));
    }
    words
}

#[test]
fn of_a_correction_under_embargo_a_log_has_no_more_than_ids_however_it_ends() -> Result<()> {
    for end in [
        End::Applied,
        End::Preflight,
        End::Fetch,
        End::Stage,
        End::Stop,
        End::Health,
    ] {
        let ((panel, built), log) = logged(async {
            let (panel, built) = coming_to(end).await?;
            apply(&panel, end).await?;
            Ok((panel, built))
        })?;
        assert!(log.contains(&fix(3)), "{end:?}: the log has the id");
        for word in telling(&built) {
            let line = log.lines().find(|line| line.contains(&word));
            assert_eq!(line, None, "{end:?}: {word:?}");
        }
        drop(panel);
    }
    Ok(())
}

/// Source files in which nothing is logged but ids, states and what an error may say in a log.
const QUIET: [&str; 2] = ["host-shim/apply/src/apply", "host-shim/apply/src/control"];

/// What would name more, in a call of tracing.
const NAMING: [&str; 7] = [
    "%error",
    "%problem",
    "%why",
    ".display()",
    "component",
    "folder",
    "version",
];

/// Errors that name nothing of a component: of a lock, and of the panel's own store.
const HARMLESS: [&str; 2] = ["cannot release the lock", "cannot copy the journal"];

/// What follows `tracing::`, to the end of its parentheses.
fn arguments(call: &str) -> &str {
    let mut depth = 0_usize;
    for (at, letter) in call.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' if depth <= 1 => return &call[..at],
            ')' => depth -= 1,
            _ => {}
        }
    }
    call
}

#[test]
fn nothing_that_is_logged_while_a_correction_is_applied_names_a_path_or_a_component() -> Result<()>
{
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("the workspace")?;
    let mut calls = 0;
    for directory in QUIET {
        for file in walkdir::WalkDir::new(root.join(directory)) {
            let file = file?;
            if file.path().extension().is_none_or(|kind| kind != "rs") {
                continue;
            }
            let text = fs::read_to_string(file.path())?;
            for call in text.split("tracing::").skip(1).map(arguments) {
                calls += 1;
                if HARMLESS.iter().any(|words| call.contains(words)) {
                    continue;
                }
                // Fields, without the words of the message.
                let fields = call.split('"').step_by(2).collect::<Vec<_>>().join(" ");
                for naming in NAMING {
                    let path = file.path().display();
                    assert!(!fields.contains(naming), "{path}: {naming} in {call}");
                }
            }
        }
    }
    assert!(calls > 30, "only {calls} calls were found");
    Ok(())
}
