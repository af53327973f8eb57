//! What runs of the components although something else is installed by now.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use spacecp_scan::processes::{Exchange, Processes, Running, Tree, judge};

use crate::{ComponentConfig, apply::ExchangedTree};

/// What was found among the processes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunningNow {
    /// What runs of components from before they were changed, by their names; those of which nothing does are left out.
    pub components: BTreeMap<String, Running>,
    /// Processes of which this user may see neither program nor files.
    pub denied: u64,
    /// Why not all processes were read.
    pub problem: Option<String>,
}

impl RunningNow {
    /// Decides what runs of these trees.
    pub fn of(trees: &[Tree], processes: &Processes) -> Self {
        let judged = trees
            .iter()
            .map(|tree| (tree.component.clone(), judge(tree, processes)));
        let denied = processes
            .processes
            .iter()
            .filter(|one| one.is_denied())
            .count() as u64;
        let hidden = "processes of other users are hidden from this user (hidepid)".to_owned();
        Self {
            components: judged.filter(|(_, running)| !running.is_empty()).collect(),
            denied,
            problem: processes
                .problem
                .clone()
                .or_else(|| processes.hidden.then_some(hidden)),
        }
    }

    /// What runs of something that is installed: of itself, or of the component that it is inside.
    pub fn of_component(&self, name: &str) -> Option<(&str, &Running)> {
        let mut name = name;
        loop {
            if let Some((name, running)) = self.components.get_key_value(name) {
                return Some((name, running));
            }
            (name, _) = name.rsplit_once('/')?;
        }
    }

    /// One line for a person about what could not be examined; none where everything could.
    pub fn unexamined(&self) -> Option<String> {
        let denied = match self.denied {
            0 => None,
            1 => Some("1 process of another user could not be examined".to_owned()),
            many => Some(format!(
                "{many} processes of other users could not be examined"
            )),
        };
        let all: Vec<String> = denied.into_iter().chain(self.problem.clone()).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// What to look for of a component, given all exchanges of this panel.
pub(crate) fn tree(component: &ComponentConfig, exchanged: &[ExchangedTree]) -> Tree {
    let own = exchanged
        .iter()
        .filter(|one| one.component == component.name);
    let own: Vec<&ExchangedTree> = own.collect();
    // What the process directory says is without links.
    let folder = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    let live = folder(&component.folder);
    Tree {
        component: component.name.clone(),
        former: own.iter().map(|one| folder(&one.moved_to)).collect(),
        keep: component.keep.clone(),
        unit: unit(component),
        owner: fs::metadata(&live).ok().map(|there| there.uid()),
        changed: changed(&live, component),
        exchanges: own
            .iter()
            .map(|one| Exchange {
                at: one.at,
                unless_before: one.unless_before,
                from: one.from.clone(),
            })
            .collect(),
        folder: live,
    }
}

/// The systemd unit of a component, if it is controlled by one.
fn unit(component: &ComponentConfig) -> Option<String> {
    let control = component.control.as_ref()?;
    if let Some(unit) = &control.unit {
        return Some(unit.clone());
    }
    let (program, arguments) = control.start.split_first()?;
    let is_systemctl = Path::new(program).file_name()? == "systemctl";
    arguments.last().filter(|_| is_systemctl).cloned()
}

/// When the file with a component's version was last changed, unless the component writes it itself. Tools keep the time
/// of contents of what they unpack, and none can keep that of the file's own change.
fn changed(folder: &Path, component: &ComponentConfig) -> Option<(PathBuf, Timestamp)> {
    let file = component.version.file.as_path();
    let mut kept = component.keep.iter();
    if kept.any(|kept| file.starts_with(kept.trim_end_matches('/'))) {
        return None;
    }
    let there = fs::symlink_metadata(folder.join(file)).ok()?;
    let nanoseconds = i32::try_from(there.ctime_nsec()).ok()?;
    let changed = Timestamp::new(there.ctime(), nanoseconds).ok()?;
    Some((file.to_owned(), changed))
}

/// What to look for of each component.
pub fn trees(components: &[ComponentConfig], exchanged: &[ExchangedTree]) -> Vec<Tree> {
    components
        .iter()
        .map(|component| tree(component, exchanged))
        .collect()
}

/// How a component is restarted, for a person.
pub fn remedy(component: Option<&ComponentConfig>, running: &Running) -> String {
    let control = component.and_then(|component| component.control.as_ref());
    if let Some(unit) = control.and_then(|control| control.unit.as_ref()) {
        return format!("Run \"systemctl restart {unit}\".");
    }
    if let Some(control) = control
        && !control.start.is_empty()
    {
        return format!(
            "Stop it, then start it with \"{}\".",
            control.start.join(" ")
        );
    }
    if running.outdated.iter().any(|one| one.pid == 0) {
        return "Reboot the machine.".to_owned();
    }
    let mut units: Vec<&str> = running
        .outdated
        .iter()
        .filter_map(|one| one.unit.as_deref())
        .collect();
    units.sort_unstable();
    units.dedup();
    if !units.is_empty() && running.outdated.iter().all(|one| one.unit.is_some()) {
        return format!("Run \"systemctl restart {}\".", units.join(" "));
    }
    match component {
        Some(_) => "Stop these processes and start the component again.".to_owned(),
        None => "Restart these programs.".to_owned(),
    }
}
