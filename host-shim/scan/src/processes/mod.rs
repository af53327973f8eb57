//! Which processes still run what was there before a component was changed: what `check` calls *restart pending*.
//!
//! [`read`] reads a process directory (`proc(5)`), bounded in number, bytes and time; [`judge`] decides from what was
//! read, and reads nothing. Neither calls a program, sends a signal or follows a path that a process chose: paths of
//! processes are compared as text, and only where the process has the same root directory as this one.
//!
//! What counts as running an earlier tree: the program, a mapped file, a file open for reading or the working directory
//! lies in it, or is a deleted file of the component. A runtime that closes its files (Node, Python) is recognised by
//! working directory, command line or systemd unit, and by having started before the change. A process that may not be
//! examined is never taken for a recent one.

mod judge;
mod packages;
mod parse;
mod read;

use std::path::PathBuf;

use jiff::Timestamp;

pub use judge::judge;
pub use packages::{RunningKernel, packages_changed, replaced_packages, running_kernel};
pub use read::{ProcessLimits, read};

/// A component whose processes are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// Its name on this panel.
    pub component: String,
    /// Its directory, without links.
    pub folder: PathBuf,
    /// Directories that earlier trees of it were moved to.
    pub former: Vec<PathBuf>,
    /// Paths inside the directory that the component writes at run time: they say nothing of its version.
    pub keep: Vec<String>,
    /// Its systemd unit, where one is configured.
    pub unit: Option<String>,
    /// The user who owns the directory.
    pub owner: Option<u32>,
    /// When its tree was exchanged by this panel, in any order.
    pub exchanges: Vec<Exchange>,
    /// When the file with its version was last changed by anybody, with the name of the file.
    pub changed: Option<(PathBuf, Timestamp)>,
}

/// One exchange of a component's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// When.
    pub at: Timestamp,
    /// A process from before this moment runs the tree that is live now: the tree came back at `at`.
    pub unless_before: Option<Timestamp>,
    /// The version of the tree that was live until then.
    pub from: String,
}

/// What could be read of something in the process directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen<T> {
    /// It was read.
    Is(T),
    /// There is none, as a kernel thread has no program.
    Nothing,
    /// This process may not look.
    Denied,
}

/// One process, as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Whose it is.
    pub uid: u32,
    /// The name of its program, as it gave it: at most 15 bytes, without control characters.
    pub name: String,
    /// When it started; none where that could not be read.
    pub started: Option<Timestamp>,
    /// The same, cut to seconds and the same each time that it is read, for a person.
    pub shown_start: Option<Timestamp>,
    /// Its command line; empty for one that hides it.
    pub arguments: Vec<PathBuf>,
    /// Its program.
    pub program: Seen<ProcessPath>,
    /// Its working directory.
    pub directory: Seen<ProcessPath>,
    /// Its systemd unit (`cgroups(7)`).
    pub unit: Option<String>,
    /// Whether a terminal controls it.
    pub has_terminal: bool,
    /// Whether its paths mean what they mean to this process.
    pub same_root: bool,
    /// Files that it has mapped, or open for reading; read for candidates only.
    pub files: Vec<(FileUse, ProcessPath)>,
    /// Whether all of its files could be read, where they were asked for.
    pub files_denied: bool,
}

/// How a process holds a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileUse {
    /// Mapped into its memory.
    Mapped,
    /// Open for reading.
    Open,
}

/// A path that the kernel gave for a file of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessPath {
    /// The path, without the kernel's mark for deleted files.
    pub path: PathBuf,
    /// Whether the file is no longer there.
    pub deleted: bool,
    /// Whether another file has its name now.
    pub replaced: bool,
}

/// All processes that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Processes {
    /// Those that run programs; kernel threads and this process itself are left out.
    pub processes: Vec<Process>,
    /// Whether processes of other users are hidden from this one (`hidepid` of `proc(5)`).
    pub hidden: bool,
    /// Why not all of them were read, where a limit was reached or the directory could not be read.
    pub problem: Option<String>,
}

/// A process that runs what was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutdatedProcess {
    /// Its number.
    pub pid: u32,
    /// Whose it is, by number.
    pub uid: u32,
    /// The name of that user; the number where there is none.
    pub user: String,
    /// The name of its program.
    pub name: String,
    /// When it started.
    pub started: Option<Timestamp>,
    /// How it was recognised, for a person.
    pub why: String,
    /// The version that it runs, where this panel exchanged the trees.
    pub version: Option<String>,
    /// Its systemd unit.
    pub unit: Option<String>,
}

/// What runs of one component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Running {
    /// Processes that run an earlier tree.
    pub outdated: Vec<OutdatedProcess>,
    /// Why it could not be decided whether there are others.
    pub undecided: Option<String>,
}

impl Running {
    /// Whether nothing is to be said.
    pub fn is_empty(&self) -> bool {
        self.outdated.is_empty() && self.undecided.is_none()
    }
}

impl Process {
    /// Whether this user may see neither its program nor its files.
    pub fn is_denied(&self) -> bool {
        self.program == Seen::Denied
    }
}
