//! Reads a process directory, cheap things of everybody first and files only of candidates.
//!
//! A process that ends while it is read is no process. One that may not be examined is read as far as it may be.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};

use super::{FileUse, Process, ProcessPath, Processes, Seen, Tree, judge, parse};

/// What reading the process directory may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessLimits {
    /// Processes.
    pub processes: usize,
    /// Bytes of one list of mapped files.
    pub maps_bytes: u64,
    /// Open files of one process.
    pub open_files: usize,
    /// Time for all of it.
    pub time: Duration,
}

impl Default for ProcessLimits {
    /// 65,536 processes, 8 MiB of mappings and 16,384 open files each, 2 seconds.
    fn default() -> Self {
        Self {
            processes: 65_536,
            maps_bytes: 8 << 20,
            open_files: 16_384,
            time: Duration::from_secs(2),
        }
    }
}

/// The longest command line that is read; more of it names no further program.
const LONGEST_COMMAND: u64 = 128 << 10;

/// The longest of the other texts.
const LONGEST_TEXT: u64 = 64 << 10;

/// Clock ticks a second in the process directory. `USER_HZ` is 100 on every architecture that Linux runs panels on;
/// asking `sysconf` would need unsafe code.
const TICKS: u64 = 100;

/// Reads the process directory `root`, usually `/proc`, for these components.
///
/// `packages` is when packages of the machine were last changed: of processes from before that the mapped files are
/// read, too. Otherwise files are read of processes that have to do with one of them, or that may. It never fails: why not everything was
/// read is in the answer.
pub fn read(
    root: &Path,
    trees: &[Tree],
    packages: Option<Timestamp>,
    limits: &ProcessLimits,
) -> Processes {
    let mut read = Processes::default();
    let started = Instant::now();
    let directory = match fs::read_dir(root) {
        Ok(directory) => directory,
        Err(error) => {
            read.problem = Some(format!("cannot read {}: {error}", root.display()));
            return read;
        }
    };
    let reader = Reader::new(root, trees, packages, limits);
    read.hidden = reader.hides_processes();
    let is_number = |name: &str| name.parse::<u32>().ok();
    for entry in directory.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(is_number) else {
            continue;
        };
        let beyond = if read.processes.len() >= limits.processes {
            Some(format!(
                "only the first {} processes were read",
                limits.processes
            ))
        } else {
            (started.elapsed() > limits.time).then(|| {
                format!(
                    "reading processes took longer than {} s",
                    limits.time.as_secs()
                )
            })
        };
        if beyond.is_some() {
            read.problem = beyond;
            break;
        }
        read.processes.extend(reader.process(pid));
    }
    read
}

/// What is the same for all processes.
struct Reader<'a> {
    root: &'a Path,
    trees: &'a [Tree],
    packages: Option<Timestamp>,
    limits: &'a ProcessLimits,
    boot: Option<Timestamp>,
    boot_second: Option<i64>,
    /// Device and inode of this process's root directory.
    own_root: Option<(u64, u64)>,
    own_pid: u32,
    own_program: Option<PathBuf>,
    owners: BTreeSet<u32>,
}

impl<'a> Reader<'a> {
    fn new(
        root: &'a Path,
        trees: &'a [Tree],
        packages: Option<Timestamp>,
        limits: &'a ProcessLimits,
    ) -> Self {
        Self {
            root,
            trees,
            packages,
            limits,
            boot: boot(root),
            boot_second: boot_second(root),
            own_root: fs::metadata("/").ok().map(|root| (root.dev(), root.ino())),
            own_pid: std::process::id(),
            own_program: std::env::current_exe().ok(),
            // Root's processes are many, and what they have to do with a component is said by their other traits.
            owners: trees
                .iter()
                .filter_map(|tree| tree.owner.filter(|owner| *owner != 0))
                .collect(),
        }
    }

    /// Whether the file system of the process directory hides processes of other users, and this user is not exempt.
    fn hides_processes(&self) -> bool {
        if rustix::process::geteuid().is_root() {
            return false;
        }
        let Ok(mounts) = text(&self.root.join("self/mountinfo")) else {
            return false;
        };
        let hides = |line: &str| {
            let (_, of_system) = line.split_once(" - proc ")?;
            let option = of_system
                .split([' ', ','])
                .find_map(|one| one.strip_prefix("hidepid="))?;
            (!matches!(option, "0" | "off")).then_some(())
        };
        mounts.lines().any(|line| hides(line).is_some())
    }

    /// One process; none where it has ended, is a thread of the kernel or this very process.
    fn process(&self, pid: u32) -> Option<Process> {
        if pid == self.own_pid {
            return None;
        }
        let at = self.root.join(pid.to_string());
        let uid = fs::metadata(&at).ok()?.uid();
        let stat = match bytes(&at.join("stat"), LONGEST_TEXT) {
            Ok(bytes) => parse::stat(&bytes),
            Err(error) if is_denied(&error) => return Some(unreadable(pid, uid)),
            Err(_) => return None,
        };
        let Some(stat) = stat else {
            return Some(unreadable(pid, uid));
        };
        if stat.is_kernel || stat.is_over {
            return None;
        }
        let arguments = bytes(&at.join("cmdline"), LONGEST_COMMAND);
        let mut process = Process {
            name: stat.name,
            started: self.instant(stat.started),
            shown_start: self.second(stat.started),
            arguments: parse::arguments(&arguments.unwrap_or_default()),
            program: path(&at.join("exe")),
            directory: path(&at.join("cwd")),
            has_terminal: stat.has_terminal,
            ..unreadable(pid, uid)
        };
        if let (Seen::Is(program), Some(own)) = (&process.program, &self.own_program)
            && program.path == *own
        {
            // Another command of this program names components without running them.
            return None;
        }
        self.examine(&at, &mut process);
        Some(process)
    }

    /// Reads more of a process that may run one of the components.
    fn examine(&self, at: &Path, process: &mut Process) {
        process.unit = text(&at.join("cgroup"))
            .ok()
            .as_deref()
            .and_then(parse::unit);
        if process.program == Seen::Denied {
            return;
        }
        let root = fs::metadata(at.join("root"));
        let root = root.ok().map(|root| (root.dev(), root.ino()));
        process.same_root = root.is_some() && root == self.own_root;
        let concerns = |tree: &Tree| {
            judge::belongs(process, tree).is_some() || judge::is_from_before(process, tree)
        };
        let may_run = self.owners.contains(&process.uid) || self.trees.iter().any(concerns);
        let changed = self.packages;
        let is_older = changed.is_some_and(|at| process.started.is_none_or(|start| start < at));
        if !may_run && !is_older {
            return;
        }
        let mapped = bytes(&at.join("maps"), self.limits.maps_bytes);
        process.files_denied = mapped.as_ref().is_err_and(is_denied);
        for (file, inode) in parse::maps(&mapped.unwrap_or_default()) {
            let file = unmarked(&file, |there| there.ino() == inode);
            process.files.push((FileUse::Mapped, file));
        }
        if may_run {
            self.open_files(at, process);
        }
    }

    fn open_files(&self, at: &Path, process: &mut Process) {
        let Ok(directory) = fs::read_dir(at.join("fd")) else {
            return;
        };
        for entry in directory.flatten().take(self.limits.open_files) {
            // The mode of the link says how the file is open. What is written to is data.
            let mode = entry.metadata().map(|link| link.permissions().mode());
            if !mode.is_ok_and(|mode| mode & 0o600 == 0o400) {
                continue;
            }
            if let Seen::Is(file) = path(&entry.path())
                && file.path.is_absolute()
            {
                process.files.push((FileUse::Open, file));
            }
        }
    }

    fn second(&self, ticks: u64) -> Option<Timestamp> {
        let seconds = i64::try_from(ticks / TICKS).ok()?;
        Timestamp::from_second(self.boot_second?.checked_add(seconds)?).ok()
    }

    fn instant(&self, ticks: u64) -> Option<Timestamp> {
        let milliseconds = i64::try_from(ticks.checked_mul(1_000)? / TICKS).ok()?;
        self.boot?
            .checked_add(SignedDuration::from_millis(milliseconds))
            .ok()
    }
}

/// When the machine started. `btime` is cut to whole seconds; the time since then, where it can be read, is finer.
fn boot(root: &Path) -> Option<Timestamp> {
    let coarse = Timestamp::from_second(boot_second(root)?).ok()?;
    let fine = || -> Option<Timestamp> {
        let uptime = text(&root.join("uptime")).ok()?;
        let uptime: f64 = uptime.split_ascii_whitespace().next()?.parse().ok()?;
        let since = SignedDuration::try_from_secs_f64(uptime).ok()?;
        Timestamp::now().checked_sub(since).ok()
    };
    // They differ where the directory is another machine's.
    let near = |fine: &Timestamp| fine.duration_since(coarse).as_secs().abs() <= 2;
    Some(fine().filter(near).unwrap_or(coarse))
}

fn boot_second(root: &Path) -> Option<i64> {
    parse::boot_time(&text(&root.join("stat")).ok()?)
}

/// A process of which nothing may be read but whose it is.
fn unreadable(pid: u32, uid: u32) -> Process {
    Process {
        pid,
        uid,
        name: String::new(),
        started: None,
        shown_start: None,
        arguments: Vec::new(),
        program: Seen::Denied,
        directory: Seen::Denied,
        unit: None,
        has_terminal: false,
        same_root: false,
        files: Vec::new(),
        files_denied: true,
    }
}

fn path(link: &Path) -> Seen<ProcessPath> {
    match fs::read_link(link) {
        Ok(target) => {
            let there = fs::metadata(link);
            let same = |other: &fs::Metadata| {
                let there = there.as_ref();
                there.is_ok_and(|there| (there.dev(), there.ino()) == (other.dev(), other.ino()))
            };
            Seen::Is(unmarked(&target, same))
        }
        Err(error) if is_denied(&error) => Seen::Denied,
        Err(_) => Seen::Nothing,
    }
}

/// A path without the mark for deleted files, unless that is a part of its name: then a file with this name is there.
fn unmarked(target: &Path, is_it: impl Fn(&fs::Metadata) -> bool) -> ProcessPath {
    let (path, deleted) = parse::link(target);
    if deleted && fs::symlink_metadata(target).is_ok_and(|there| is_it(&there)) {
        return ProcessPath {
            path: target.to_owned(),
            deleted: false,
            replaced: false,
        };
    }
    ProcessPath {
        replaced: deleted && fs::symlink_metadata(&path).is_ok(),
        path,
        deleted,
    }
}

fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

fn text(path: &Path) -> io::Result<String> {
    let bytes = bytes(path, LONGEST_TEXT)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The beginning of a file.
fn bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
