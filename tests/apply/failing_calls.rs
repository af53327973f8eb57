//! The kernel answers a call with "input/output error", whichever it is: applying, rolling back and recovering
//! leave the old tree or the new one, lose nothing, and say what could not be done.
//!
//! Other tests have announced actions fail; here it is the calls themselves, those of the database among them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use spacecp_advisories::apply::{ApplyError, Exchange, NoFaults, Outcome, Step};
use spacecp_tests::{apart, siege};

use crate::{
    ends::EndAfter,
    site::{Site, Template, Trees},
    tree::{new, now, old},
};

/// What is under way when a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Apply,
    RollBack,
    Recover,
}

const CALLS: [&str; 12] = [
    "write",
    "pwrite64",
    "read",
    "pread64",
    "fsync",
    "fdatasync",
    "syncfs",
    "renameat",
    "renameat2",
    "unlinkat",
    "mkdirat",
    "getdents64",
];

const WORK: &str = "SPACECP_TEST_WORK";
const FOLDER: &str = "SPACECP_TEST_FOLDER";

/// The process whose calls fail.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn the_process_whose_calls_fail() -> Result<()> {
    let (work, folder) = (apart::text(WORK)?, PathBuf::from(apart::given(FOLDER)?));
    let site = Site::open(&folder).await?;
    let plain = site.ending(Exchange::Atomic, Arc::new(NoFaults));
    let ended = match work.as_str() {
        "Apply" => site.apply(&plain, "first").await.map(drop),
        "RollBack" => site.roll_back(&plain, "first").await.map(drop),
        _ => plain.recover(now()).await.map(drop),
    };
    let said = match &ended {
        Ok(()) => "ended".to_owned(),
        Err(error) if names_the_step(error) => format!("said: {error}"),
        Err(error) => format!("said nothing: {error:?}"),
    };
    fs::write(folder.with_extension("said"), said)?;
    Ok(())
}

/// Whether an error says what could not be done, and to what.
fn names_the_step(error: &ApplyError) -> bool {
    match error {
        ApplyError::File { source, .. } => source.raw_os_error() == Some(5),
        ApplyError::NotRunning { cause, .. } => names_the_step(cause),
        ApplyError::Store(_) | ApplyError::Payload(_) => true,
        // What cannot be read has no digest, and is found before anything is written.
        ApplyError::Obstacle { .. } | ApplyError::Unverified { .. } => true,
        // A version that cannot be read, before the exchange or after it.
        error => error.to_string().contains("(os error 5)"),
    }
}

impl Work {
    /// Everything that comes before, on a disk where nothing fails.
    async fn prepare(self, folder: &Path) -> Result<()> {
        let site = Site::open(folder).await?;
        match self {
            Self::Apply => {}
            Self::RollBack => drop(site.apply(&site.plain(), "first").await?),
            Self::Recover => {
                let applier = site.ending(Exchange::Atomic, Arc::new(EndAfter(Step::Exchanged)));
                let ended = site.apply(&applier, "first").await;
                ensure!(
                    matches!(ended, Err(ApplyError::Interrupted(_))),
                    "{ended:?}"
                );
            }
        }
        site.close().await;
        Ok(())
    }
}

/// The panel's own files and directories: no call to anything else fails.
fn paths(folder: &Path) -> Vec<PathBuf> {
    let component = folder.join("panel/component");
    let workspace = folder.join("panel/.spacecp-advisories/first");
    // One that cannot be read of feed.sqlite is set aside, and fetched again.
    let databases = ["store.sqlite", "journal.sqlite"];
    let mut paths: Vec<PathBuf> = databases
        .iter()
        .flat_map(|name| ["", "-wal", "-journal"].map(|end| folder.join(format!("{name}{end}"))))
        .collect();
    paths.extend(["", "payload", "stamps.new", "stamps"].map(|name| workspace.join(name)));
    paths.push(folder.join("panel"));
    paths.push(folder.join("panel/.spacecp-advisories"));
    let trees = [component, workspace.join("tree"), workspace.join("going")];
    let names = [
        "",
        "lib",
        "lib/new",
        "deep",
        "deep/down",
        "bin",
        "data",
        "data/world",
        "empty",
        "VERSION",
        "lib/a.js",
        "lib/new/b.js",
        "bin/run",
        "same.txt",
        "settings.json",
    ];
    for tree in trees {
        paths.extend(names.map(|name| tree.join(name)));
    }
    paths
}

/// Has one call of a process fail. Says whether there was one, and shows that everything is as it should be.
async fn fail(
    template: &Template,
    trees: &Trees,
    (work, call, when): (Work, &str, &str),
) -> Result<bool> {
    let copy = template.copy()?;
    let folder = copy.path();
    work.prepare(&folder).await?;
    let log = folder.with_extension("log");
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-qq", "-o"])
        .arg(&log)
        .args(["-e", &format!("trace={call}")])
        .args(["-e", &format!("inject={call}:error=EIO:when={when}")]);
    for path in paths(&folder) {
        strace.arg("-P").arg(path);
    }
    let mut child = strace
        .arg(std::env::current_exe()?)
        .args(apart::arguments(
            "failing_calls::the_process_whose_calls_fail",
        ))
        .env(WORK, format!("{work:?}"))
        .env(FOLDER, &folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // Whatever a failing call does to a process, this is the same as a kill.
    let patience = Instant::now() + Duration::from_mins(1);
    while child.try_wait()?.is_none() {
        if Instant::now() > patience {
            child.kill()?;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let said = fs::read_to_string(folder.with_extension("said")).unwrap_or_default();
    ensure!(!said.starts_with("said nothing"), "{said}");
    let site = copy.open().await?;
    let outcome = site.survived(trees).await.with_context(|| said.clone())?;
    if said == "ended" && work == Work::Apply {
        ensure!(outcome == Outcome::Applied, "it said that it was applied");
    }
    site.close().await;
    Ok(fs::read_to_string(&log)?.contains("(INJECTED)"))
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_strace), ignore = "strace has calls fail")]
async fn a_call_that_fails_leaves_one_of_the_two_trees_and_is_named() -> Result<()> {
    let template = Template::new(&old(), &new(), |_| {}).await?;
    let trees = {
        let copy = template.copy()?;
        let site = copy.open().await?;
        site.apply(&site.plain(), "first").await?;
        let new = site.seen()?;
        site.close().await;
        Trees {
            old: template.old()?,
            new,
        }
    };
    let mut failed = 0;
    let works = [Work::Apply, Work::RollBack, Work::Recover];
    for (turn, call) in CALLS.into_iter().enumerate() {
        // Every run of the tests tries a sample: one call alone, and all from one on.
        let (works, whens): (&[Work], Vec<String>) = if siege::is_long() {
            let all = (1..200).flat_map(|at| [format!("{at}"), format!("{at}+")]);
            (&works[..], all.collect())
        } else {
            let at = 1 + turn % 3;
            (
                &works[turn % 3..][..1],
                vec![format!("{at}"), format!("{at}+")],
            )
        };
        for work in works {
            for when in &whens {
                let tried = fail(&template, &trees, (*work, call, when)).await;
                if tried.with_context(|| format!("{work:?}, {call} {when}"))? {
                    failed += 1;
                } else if siege::is_long() {
                    break;
                }
            }
        }
    }
    ensure!(failed >= CALLS.len(), "only {failed} calls failed");
    Ok(())
}
