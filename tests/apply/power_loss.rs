//! A loss of power is as harmless as a kill: nothing is relied on before it has reached the disk.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use anyhow::Result;
use spacecp_advisories::apply::{Action, ApplyError, Exchange, Faults, Operation};

use crate::{
    order::{Done, Fault, check},
    site::{Site, Template},
    tree::{new, old},
};

/// Writes down everything that was done.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Vec<Done>>);

impl Recorder {
    pub(crate) fn log(&self) -> Vec<Done> {
        self.0.lock().expect("nobody panics with it").clone()
    }
}

impl Faults for Recorder {
    fn before(&self, _: &Action<'_>) -> io::Result<()> {
        Ok(())
    }

    fn after(&self, action: &Action<'_>) {
        let done = Done {
            operation: action.operation,
            path: action.path.to_owned(),
            to: action.to.map(Path::to_owned),
        };
        self.0.lock().expect("nobody panics with it").push(done);
    }
}

/// What was done in each kind of work, with the component and the workspace of each.
struct Logs {
    live: PathBuf,
    workspace: PathBuf,
    applied: Vec<Done>,
    taken_back: Vec<Done>,
}

impl Logs {
    async fn of(site: &Site, exchange: Exchange) -> Result<Self> {
        let recorder = Arc::new(Recorder::default());
        site.apply(&site.applier(exchange, recorder.clone()), "first")
            .await?;
        let applied = recorder.log();
        let recorder = Arc::new(Recorder::default());
        site.roll_back(&site.applier(exchange, recorder.clone()), "first")
            .await?;
        let live = site.component();
        Ok(Self {
            workspace: live.with_file_name(".spacecp-advisories").join("first"),
            live,
            applied,
            taken_back: recorder.log(),
        })
    }

    fn faults(&self, log: &[Done]) -> Vec<Fault> {
        check(log, &self.live, &self.workspace)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn applying_and_taking_back_rely_on_nothing_that_may_be_lost() -> Result<()> {
    for exchange in [Exchange::Atomic, Exchange::Renames] {
        let copy = Template::new(&old(), &new(), |_| {}).await?.copy()?;
        let logs = Logs::of(&copy.open().await?, exchange).await?;
        assert!(
            logs.applied.len() > 50 && logs.taken_back.len() > 10,
            "it was written down"
        );
        assert_eq!(logs.faults(&logs.applied), [], "{exchange:?}");
        assert_eq!(logs.faults(&logs.taken_back), [], "{exchange:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing_relies_on_nothing_that_may_be_lost() -> Result<()> {
    for exchange in [Exchange::Atomic, Exchange::Renames] {
        let (old_tree, new_tree) = (old(), new());
        let lying = Template::new(&old_tree, &new_tree, |built| {
            "1.0.9".clone_into(&mut built.correction.to);
        });
        let copy = lying.await?.copy()?;
        let site = copy.open().await?;
        let recorder = Arc::new(Recorder::default());
        let refused = site
            .apply(&site.applier(exchange, recorder.clone()), "first")
            .await;
        assert!(
            matches!(refused, Err(ApplyError::Unhealthy { .. })),
            "{refused:?}"
        );
        let live = site.component();
        let workspace = live.with_file_name(".spacecp-advisories").join("first");
        let log = recorder.log();
        let words: Vec<_> = log.iter().map(|done| done.operation).collect();
        assert!(words.contains(&Operation::Journal("undoing")), "{words:?}");
        assert_eq!(check(&log, &live, &workspace), []);
    }
    Ok(())
}

/// The checker finds what is wrong: without any one of the calls that make something durable before
/// the last thing that relies on it, or with the journal written too late, a log is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lacks_any_one_sync_is_refused() -> Result<()> {
    for exchange in [Exchange::Atomic, Exchange::Renames] {
        let copy = Template::new(&old(), &new(), |_| {}).await?.copy()?;
        let logs = Logs::of(&copy.open().await?, exchange).await?;
        let whole = position(&logs.applied, Operation::SyncFileSystem);
        let missed = logs.faults(&without(&logs.applied, whole));
        assert!(
            missed
                .iter()
                .any(|fault| matches!(fault, Fault::StagedBefore(_))),
            "{missed:?}"
        );
        for log in [&logs.applied, &logs.taken_back] {
            let announced = log
                .iter()
                .position(|done| {
                    matches!(
                        done.operation,
                        Operation::Journal("swapping" | "rolling-back")
                    )
                })
                .expect("it is announced");
            let mut late = without(log, announced);
            late.push(log[announced].clone());
            let missed = logs.faults(&late);
            assert!(missed.contains(&Fault::ExchangedUnannounced), "{missed:?}");
        }
        if exchange == Exchange::Atomic {
            let around = logs.live.parent().expect("it is in a folder");
            for folder in [around, &logs.workspace] {
                let exchanged = position(&logs.applied, Operation::Exchange);
                let synced = logs.applied[exchanged..]
                    .iter()
                    .position(|done| done.operation == Operation::SyncFolder && done.path == folder)
                    .expect("it is synced")
                    + exchanged;
                let missed = logs.faults(&without(&logs.applied, synced));
                assert!(
                    missed.contains(&Fault::NotedBefore(folder.to_owned())),
                    "{missed:?}"
                );
            }
        }
    }
    Ok(())
}

fn position(log: &[Done], operation: Operation) -> usize {
    log.iter()
        .position(|done| done.operation == operation)
        .expect("it was done")
}

fn without(log: &[Done], place: usize) -> Vec<Done> {
    let mut log = log.to_vec();
    log.remove(place);
    log
}

/// A log in few words: what is done to what, below `/c`.
fn log(words: &[(Operation, &str, &str)]) -> Vec<Done> {
    let path = |name: &str| Path::new("/c").join(name);
    words
        .iter()
        .map(|(operation, name, to)| Done {
            operation: *operation,
            path: path(name),
            to: (!to.is_empty()).then(|| path(to)),
        })
        .collect()
}

#[test]
fn each_thing_that_is_relied_on_too_early_has_its_name() {
    use Operation::{
        CreateFile, Exchange, Journal, MakeFolder, RemoveFile, Rename, SetMode, SyncFile,
        SyncFolder, Write,
    };
    let path = |name: &str| Path::new("/c").join(name);
    let staged = [
        (MakeFolder, "w/tree", ""),
        (CreateFile, "w/tree/a", ""),
        (Write, "w/tree/a", ""),
        (SyncFile, "w/tree/a", ""),
        (SyncFolder, "w/tree", ""),
        (SyncFolder, "w", ""),
        (Journal("staged"), "", ""),
        (Journal("swapping"), "", ""),
    ];
    let after = |more: &[(Operation, &str, &str)]| {
        let words: Vec<_> = staged.iter().chain(more).copied().collect();
        check(&log(&words), Path::new("/c/live"), Path::new("/c/w"))
    };
    let good = [
        (Exchange, "live", "w/tree"),
        (SyncFolder, "", ""),
        (SyncFolder, "w", ""),
    ];
    let and = |more: &[(Operation, &'static str, &'static str)]| {
        let words: Vec<_> = good.iter().chain(more).copied().collect();
        after(&words)
    };
    assert_eq!(and(&[(Journal("swapped"), "", "")]), []);
    assert_eq!(
        after(&[
            (Exchange, "live", "w/tree"),
            (SyncFolder, "w", ""),
            (Journal("swapped"), "", "")
        ]),
        [Fault::NotedBefore(path(""))],
        "the folder around the component"
    );
    assert_eq!(
        after(&[(SetMode, "w/tree/a", ""), (Exchange, "live", "w/tree")]),
        [Fault::ExchangedBefore(path("w/tree/a"))],
        "a file that was touched again"
    );
    assert_eq!(
        and(&[
            (Rename, "w/tree/data", "live/data"),
            (Journal("swapped"), "", "")
        ]),
        [Fault::NotedBefore(path("live"))],
        "run-time data that was carried"
    );
    assert_eq!(
        after(&[
            (Exchange, "live", "w/tree"),
            (SyncFolder, "", ""),
            (RemoveFile, "w/tree/a", "")
        ]),
        [Fault::RemovedBefore(path("w"))],
        "the old tree goes while the exchange may still be lost"
    );
    assert_eq!(and(&[(RemoveFile, "w/tree/a", "")]), []);
    let unannounced = log(&[(Exchange, "live", "w/tree")]);
    assert_eq!(
        check(&unannounced, Path::new("/c/live"), Path::new("/c/w")),
        [Fault::ExchangedUnannounced]
    );
    for (missing, lost) in [(3, "w/tree/a"), (4, "w/tree"), (5, "w")] {
        let words = staged
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != missing);
        let words: Vec<_> = words.map(|(_, word)| *word).collect();
        let found = check(&log(&words), Path::new("/c/live"), Path::new("/c/w"));
        assert_eq!(found, [Fault::StagedBefore(path(lost))]);
    }
}
