//! Decides which processes run an earlier tree of a component. No I/O.

use std::path::{Component, Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::{
    Exchange, FileUse, OutdatedProcess, Process, ProcessPath, Processes, Running, Seen, Tree,
};

/// How much the start of a process may be off: start times count in hundredths of a second, from a start of the machine
/// that the clock was set after.
const UNSURE: SignedDuration = SignedDuration::from_millis(50);

/// Programs that a person works with in a directory without running what is in it.
const SHELLS: [&str; 8] = ["bash", "sh", "zsh", "fish", "dash", "ash", "ksh", "tmux"];

/// What runs of one component.
pub fn judge(tree: &Tree, processes: &Processes) -> Running {
    let mut running = Running::default();
    let mut unexamined = 0_u64;
    for process in &processes.processes {
        if let Some(why) = outdated(process, tree) {
            running.outdated.push(OutdatedProcess {
                pid: process.pid,
                uid: process.uid,
                user: process.uid.to_string(),
                name: process.name.clone(),
                started: process.shown_start,
                why,
                version: exchange(process, tree).map(|exchange| exchange.from.clone()),
                unit: process.unit.clone(),
            });
        } else if may_be_outdated(process, tree) {
            unexamined += 1;
        }
    }
    running.outdated.sort_by_key(|process| process.pid);
    running.undecided = undecided(tree, processes, unexamined);
    running
}

/// Why it cannot be said whether a process runs an earlier tree of what has been changed.
fn undecided(tree: &Tree, processes: &Processes, unexamined: u64) -> Option<String> {
    last_change(tree)?;
    if let Some(problem) = &processes.problem {
        return Some(problem.clone());
    }
    let is_own = tree.owner == Some(rustix::process::geteuid().as_raw());
    if processes.hidden && !is_own {
        return Some("processes of other users are hidden from this user (hidepid)".to_owned());
    }
    (unexamined > 0).then(|| {
        let processes = if unexamined == 1 {
            "1 process".to_owned()
        } else {
            format!("{unexamined} processes")
        };
        format!("{processes} of the component's owner from before the change may not be examined by this user")
    })
}

/// When a component was last changed, as far as this panel knows.
fn last_change(tree: &Tree) -> Option<Timestamp> {
    let exchanged = tree.exchanges.iter().map(|exchange| exchange.at);
    let changed = tree.changed.iter().map(|(_, at)| *at);
    exchanged.chain(changed).max()
}

/// Whether a process was there before a component was changed.
pub(super) fn is_from_before(process: &Process, tree: &Tree) -> bool {
    match (process.started, last_change(tree)) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(started), Some(changed)) => started < changed,
    }
}

/// A process that may not be examined runs the component possibly if it is its owner's and was there before the change.
/// Root's are recognised by command line and unit, which everybody may read: else every machine would be undecided.
fn may_be_outdated(process: &Process, tree: &Tree) -> bool {
    let is_hidden = process.program == Seen::Denied || process.files_denied;
    let is_owners = tree.owner == Some(process.uid) && process.uid != 0;
    is_hidden && is_owners && is_from_before(process, tree)
}

/// Why a process runs an earlier tree, if it does.
fn outdated(process: &Process, tree: &Tree) -> Option<String> {
    held(process, tree).or_else(|| by_time(process, tree))
}

/// What a process holds of an earlier tree.
fn held(process: &Process, tree: &Tree) -> Option<String> {
    if !process.same_root || is_at_a_prompt(process) {
        return None;
    }
    let program = seen(&process.program).map(|path| ("its program", path));
    let directory = seen(&process.directory).map(|path| ("its working directory", path));
    let files = process.files.iter().map(|(how, path)| match how {
        FileUse::Mapped => ("a mapped file", path),
        FileUse::Open => ("an open file", path),
    });
    let all = program.into_iter().chain(directory).chain(files);
    all.into_iter().find_map(|(what, path)| {
        let shown = shown(&path.path);
        if is_former(&path.path, tree) {
            return Some(format!("{what} is in an earlier tree: {shown}"));
        }
        let counts = path.replaced || is_loaded_whole(&path.path) || is_from_before(process, tree);
        (path.deleted && counts && is_inside(&path.path, tree))
            .then(|| format!("{what} has been deleted or replaced: {shown}"))
    })
}

/// Whether a deleted file is part of a program whatever has become of its name. Other files may have been made to be
/// deleted at once, as Java libraries do with the native code that they unpack.
fn is_loaded_whole(path: &Path) -> bool {
    let extension = path.extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("jar"))
}

/// A process of the component that started before it was changed.
fn by_time(process: &Process, tree: &Tree) -> Option<String> {
    if is_at_a_prompt(process) {
        return None;
    }
    let belongs = belongs(process, tree)?;
    if process.started.is_none() && last_change(tree).is_some() {
        return Some(format!("{belongs}; when it started could not be read"));
    }
    if let Some(exchange) = exchange(process, tree) {
        let at = minute(exchange.at);
        return Some(format!(
            "{belongs}; it started before the files were exchanged at {at}"
        ));
    }
    let (file, changed) = tree.changed.as_ref()?;
    let started = process.started?;
    // What this panel exchanged is older than the exchange, and a tree that it brought back older still.
    let by_somebody_else = tree.exchanges.iter().all(|exchange| exchange.at < *changed);
    (by_somebody_else && started + UNSURE < *changed).then(|| {
        let (file, at) = (shown(file), minute(*changed));
        format!("{belongs}; it started before {file} was changed at {at}")
    })
}

/// The exchange that took away the tree that a process runs: the first after its start.
fn exchange<'a>(process: &Process, tree: &'a Tree) -> Option<&'a Exchange> {
    let started = process.started?;
    let after = tree.exchanges.iter().filter(|exchange| {
        started + UNSURE < exchange.at
            && exchange
                .unless_before
                .is_none_or(|before| started >= before)
    });
    after.min_by_key(|exchange| exchange.at)
}

/// How a process is recognised as one of the component's, if it is.
pub(super) fn belongs(process: &Process, tree: &Tree) -> Option<String> {
    if let (Some(unit), Some(own)) = (&process.unit, &tree.unit)
        && is_unit(unit, own)
    {
        return Some(format!("it belongs to {unit}"));
    }
    if process.program != Seen::Denied && !process.same_root {
        return None;
    }
    let of_component = |path: &Path| is_inside(path, tree) || is_former(path, tree);
    if let Some(program) = seen(&process.program)
        && of_component(&program.path)
    {
        return Some(format!("its program is {}", shown(&program.path)));
    }
    if let Some(directory) = seen(&process.directory)
        && of_component(&directory.path)
    {
        return Some(format!(
            "its working directory is {}",
            shown(&directory.path)
        ));
    }
    let argument = process.arguments.iter().find(|argument| {
        paths(argument).any(|path| {
            let directory = seen(&process.directory).map(|directory| directory.path.as_path());
            resolved(path, directory).is_some_and(|path| of_component(&path))
        })
    })?;
    Some(format!("its command line names {}", shown(argument)))
}

/// The paths that an argument may be or contain: itself, what follows an equals sign, and the entries of a class path.
fn paths(argument: &Path) -> impl Iterator<Item = &str> {
    let text = argument.to_str().into_iter();
    text.flat_map(|text| text.split([':', '=']))
        .filter(|part| !part.is_empty() && !part.starts_with('-'))
}

/// An absolute path without `.` and `..`, as text: the links on it are not followed.
fn resolved(path: &str, directory: Option<&Path>) -> Option<PathBuf> {
    let path = Path::new(path);
    if !path.is_absolute() && directory.is_none() {
        return None;
    }
    let whole = directory.map_or_else(|| path.to_owned(), |directory| directory.join(path));
    let mut clean = PathBuf::from("/");
    for part in whole.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Some(clean)
}

/// Whether a path lies in the component, but for what it writes itself.
fn is_inside(path: &Path, tree: &Tree) -> bool {
    path.strip_prefix(&tree.folder)
        .is_ok_and(|inside| !is_kept(inside, tree))
}

fn is_kept(inside: &Path, tree: &Tree) -> bool {
    let mut kept = tree.keep.iter();
    kept.any(|kept| inside.starts_with(kept.trim_end_matches('/')))
}

fn is_former(path: &Path, tree: &Tree) -> bool {
    let mut former = tree.former.iter();
    former.any(|former| {
        path.strip_prefix(former).is_ok_and(|inside| {
            // The tree has a directory of its own there.
            let mut parts = inside.components();
            parts.next();
            !is_kept(parts.as_path(), tree)
        })
    })
}

/// Whether a unit is the one that is configured, which may leave out `.service`.
fn is_unit(unit: &str, configured: &str) -> bool {
    unit == configured || unit.strip_suffix(".service") == Some(configured)
}

/// Whether a process is a shell that waits for a person: it stands in a directory, and runs nothing of it.
fn is_at_a_prompt(process: &Process) -> bool {
    let given = process.arguments.iter().skip(1);
    let has_script = given.clone().any(|argument| {
        let text = argument.to_string_lossy();
        !text.starts_with('-') || text == "-c"
    });
    process.has_terminal && !has_script && SHELLS.contains(&process.name.as_str())
}

fn seen(path: &Seen<ProcessPath>) -> Option<&ProcessPath> {
    match path {
        Seen::Is(path) => Some(path),
        Seen::Nothing | Seen::Denied => None,
    }
}

fn shown(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    super::parse::printable(path.as_os_str().as_bytes())
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
