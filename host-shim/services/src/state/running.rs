//! What runs of the components, as of now: the journal and the process directory together.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use spacecp_apply::ComponentConfig;
use spacecp_scan::{
    Provider, Report,
    processes::{
        self, OutdatedProcess, ProcessLimits, packages_changed, replaced_packages, running_kernel,
    },
};

use super::{State, on_a_thread};
use crate::inventory::{RunningNow, trees};

/// Where the kernel shows processes (`proc(5)`).
const PROCESSES: &str = "/proc";

/// The names of users (`passwd(5)`).
const USERS: &str = "/etc/passwd";

impl State {
    /// What runs from before the components were changed. A journal that cannot be read takes the times of exchanges
    /// with it, and says so.
    pub(super) async fn running(&self, report: &Report) -> Arc<RunningNow> {
        let packages = self.machine_packages(report);
        if self.config.components.is_empty() && packages.is_empty() {
            return Arc::default();
        }
        let (exchanged, problem) = match self.applier.exchanged_trees().await {
            Ok(exchanged) => (exchanged, None),
            Err(error) => (
                Vec::new(),
                Some(format!(
                    "cannot read when corrections were applied: {error}"
                )),
            ),
        };
        let components = self.config.components.clone();
        let running = on_a_thread(move || {
            let trees = trees(&components, &exchanged);
            let (proc, root) = (Path::new(PROCESSES), Path::new("/"));
            let changed = (!packages.is_empty())
                .then(|| packages_changed(root))
                .flatten();
            let read = processes::read(proc, &trees, changed, &ProcessLimits::default());
            let mut running = RunningNow::of(&trees, &read);
            if !packages.is_empty() {
                add_packages(&packages, replaced_packages(root, &read), &mut running);
                add_kernel(&packages, &mut running);
            }
            if let Some(problem) = &problem {
                undecided(&components, problem, &mut running);
            }
            running.problem = problem.or(running.problem);
            name_users(&mut running);
            running
        });
        Arc::new(running.await)
    }

    /// The packages of this machine that were found by dpkg's status, if that is looked at: the names of those that were
    /// found with their versions, by source package.
    fn machine_packages(&self, report: &Report) -> Packages {
        let mut inventories = self.config.inventories.iter();
        let of_machine = inventories.find(|one| {
            let place = one.place.as_deref();
            one.provider == Provider::Dpkg && place.is_none_or(|place| place == Path::new("/"))
        });
        let Some(inventory) = of_machine else {
            return Packages::new();
        };
        let within = format!("{}/", inventory.name());
        let mut packages = Packages::new();
        for found in &report.found {
            if found.provider == Provider::Dpkg
                && found.name.starts_with(&within)
                && let Ok(version) = &found.version
            {
                let name = found.advisory_name.as_str();
                let source = name.rsplit(':').next().unwrap_or(name).to_owned();
                let named = (found.name.clone(), version.clone());
                packages.entry(source).or_default().push(named);
            }
        }
        packages
    }
}

/// Names and versions of what was found, by source package.
type Packages = BTreeMap<String, Vec<(String, String)>>;

/// Marks every component as undecided: without the times of exchanges, processes of an earlier version cannot be
/// recognised.
fn undecided(components: &[ComponentConfig], problem: &str, running: &mut RunningNow) {
    for component in components {
        let one = running.components.entry(component.name.clone());
        let undecided = &mut one.or_default().undecided;
        undecided.get_or_insert_with(|| problem.to_owned());
    }
}

/// Adds what still has files of replaced packages mapped.
fn add_packages(
    packages: &Packages,
    replaced: BTreeMap<String, Vec<OutdatedProcess>>,
    running: &mut RunningNow,
) {
    for (source, outdated) in replaced {
        for (name, _) in packages.get(&source).into_iter().flatten() {
            let one = running.components.entry(name.clone()).or_default();
            one.outdated.extend(outdated.clone());
        }
    }
}

/// Adds the kernel, where a newer one is installed.
fn add_kernel(packages: &Packages, running: &mut RunningNow) {
    let Some(kernel) = running_kernel(Path::new(PROCESSES)) else {
        return;
    };
    for (name, version) in packages.get("linux").into_iter().flatten() {
        if let Some(outdated) = kernel.outdated(version) {
            let one = running.components.entry(name.clone()).or_default();
            one.outdated.push(outdated);
        }
    }
}

/// Names the users of processes as this machine does.
fn name_users(running: &mut RunningNow) {
    if running.components.is_empty() {
        return;
    }
    let users = std::fs::read_to_string(USERS).unwrap_or_default();
    let user = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some((fields.nth(1)?.parse::<u32>().ok()?, name))
    };
    let users: BTreeMap<u32, String> = users.lines().rev().filter_map(user).collect();
    let all = running.components.values_mut();
    for process in all.flat_map(|running| &mut running.outdated) {
        if let Some(name) = users.get(&process.uid) {
            process.user.clone_from(name);
        }
    }
}
