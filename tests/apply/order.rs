//! What must have reached the disk before what, so that a loss of power is as harmless as a kill.
//!
//! A pure checker: it reads the log of everything that was done, in order, and names what was relied
//! on before it was durable. It supposes nothing about a file system but that what was synced is
//! there; what was not may be there, or not, in any order.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use spacecp_advisories::apply::Operation;

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) operation: Operation,
    pub(crate) path: PathBuf,
    pub(crate) to: Option<PathBuf>,
}

/// What was relied on too early.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The journal says that the new tree is complete, and this file or folder of it is not durable.
    StagedBefore(PathBuf),
    /// Trees were exchanged though the journal does not say that they are about to be.
    ExchangedUnannounced,
    /// Trees were exchanged, and this file or folder of the one in the workspace is not durable.
    ExchangedBefore(PathBuf),
    /// The journal says where the trees are, and this is not durable.
    NotedBefore(PathBuf),
    /// Something of the tree that is no longer live was removed before the exchange was durable here.
    RemovedBefore(PathBuf),
}

/// The states of the journal by which an exchange is announced.
const ANNOUNCED: [&str; 3] = ["swapping", "undoing", "rolling-back"];
/// The states which say where the trees are.
const SETTLED: [&str; 4] = ["swapped", "committed", "failed", "rolled-back"];

/// Names everything in the log that was relied on too early. The component lies in `live`, and the
/// application's own folder is `workspace`.
pub(crate) fn check(log: &[Done], live: &Path, workspace: &Path) -> Vec<Fault> {
    let mut following = Following {
        live,
        around: live.parent().unwrap_or(live),
        workspace,
        tree: workspace.join("tree"),
        links: BTreeSet::new(),
        files: BTreeSet::new(),
        folders: BTreeSet::new(),
        moved: BTreeSet::new(),
        state: "",
        faults: BTreeSet::new(),
    };
    for done in log {
        following.follow(done);
    }
    following.faults.into_iter().collect()
}

/// Follows a log.
struct Following<'a> {
    live: &'a Path,
    around: &'a Path,
    workspace: &'a Path,
    tree: PathBuf,
    /// Symbolic links, by the names under which they were made.
    links: BTreeSet<PathBuf>,
    /// What may have other contents or attributes than it seems to.
    files: BTreeSet<PathBuf>,
    /// Folders that may list something else than they seem to.
    folders: BTreeSet<PathBuf>,
    /// Of the two folders that list the trees, those that may still list them as before.
    moved: BTreeSet<PathBuf>,
    /// What the journal says.
    state: &'static str,
    faults: BTreeSet<Fault>,
}

impl Following<'_> {
    fn follow(&mut self, done: &Done) {
        let path = &done.path;
        match done.operation {
            Operation::MakeFolder => {
                self.listed(path);
                self.folders.insert(path.clone());
            }
            Operation::MakeLink => {
                self.listed(path);
                self.links.insert(path.clone());
            }
            // No call makes the time of a link durable, and nothing goes by it: one that is lost does no harm.
            Operation::SetTime if self.links.contains(path) => {}
            Operation::CreateFile
            | Operation::Write
            | Operation::ShareContents
            | Operation::SetOwner
            | Operation::SetMode
            | Operation::SetAttribute
            | Operation::SetTime => {
                if done.operation == Operation::CreateFile {
                    self.listed(path);
                }
                self.files.insert(path.clone());
            }
            Operation::SyncFile | Operation::SyncFolder => {
                for waiting in [&mut self.files, &mut self.folders, &mut self.moved] {
                    waiting.remove(path);
                }
            }
            Operation::SyncFileSystem => {
                for waiting in [&mut self.files, &mut self.folders, &mut self.moved] {
                    waiting.clear();
                }
            }
            Operation::Rename => {
                let to = done.to.clone().expect("a rename has two names");
                if path == self.live || to == self.live {
                    self.move_tree();
                }
                self.rename(path, &to);
                self.listed(path);
                self.listed(&to);
            }
            Operation::Exchange => self.move_tree(),
            Operation::RemoveFile | Operation::RemoveFolder => {
                if path.starts_with(&self.tree) {
                    let early = self.moved.iter().cloned().map(Fault::RemovedBefore);
                    self.faults.extend(early);
                }
                self.rename(path, Path::new(""));
                self.listed(path);
            }
            // A payload is durable when it has been fetched, and a lock means nothing after a crash.
            Operation::Fetch | Operation::Lock => {}
            Operation::Journal(state) => self.note(state),
        }
    }

    /// The folder around a path lists something else now.
    fn listed(&mut self, path: &Path) {
        self.folders.extend(path.parent().map(Path::to_owned));
    }

    /// What was not durable is still not, under its new name; what was removed is of no concern.
    fn rename(&mut self, from: &Path, to: &Path) {
        for waiting in [&mut self.files, &mut self.folders] {
            let moved: Vec<PathBuf> = waiting
                .iter()
                .filter_map(|path| path.strip_prefix(from).ok())
                .map(|rest| {
                    if rest == Path::new("") {
                        to.to_owned()
                    } else {
                        to.join(rest)
                    }
                })
                .collect();
            waiting.retain(|path| !path.starts_with(from));
            if to != Path::new("") {
                waiting.extend(moved);
            }
        }
    }

    /// One of the trees leaves its place, or gets there.
    fn move_tree(&mut self) {
        if !ANNOUNCED.contains(&self.state) {
            self.faults.insert(Fault::ExchangedUnannounced);
        }
        let lost = self.waiting_in(&self.tree);
        self.faults
            .extend(lost.into_iter().map(Fault::ExchangedBefore));
        let both = [self.around, self.workspace].map(Path::to_owned);
        self.moved.extend(both.clone());
        self.folders.extend(both);
    }

    fn note(&mut self, state: &'static str) {
        if state == "staged" {
            let mut lost = self.waiting_in(&self.tree);
            let way = [
                self.workspace,
                self.workspace.parent().unwrap_or(self.workspace),
                self.around,
            ];
            let way = way
                .into_iter()
                .filter(|folder| self.folders.contains(*folder));
            lost.extend(way.map(Path::to_owned));
            self.faults
                .extend(lost.into_iter().map(Fault::StagedBefore));
        }
        if SETTLED.contains(&state) {
            let mut lost = self.waiting_in(self.live);
            lost.extend(self.moved.iter().cloned());
            self.faults.extend(lost.into_iter().map(Fault::NotedBefore));
        }
        self.state = state;
    }

    fn waiting_in(&self, tree: &Path) -> Vec<PathBuf> {
        let all = self.files.iter().chain(&self.folders);
        all.filter(|path| path.starts_with(tree)).cloned().collect()
    }
}
