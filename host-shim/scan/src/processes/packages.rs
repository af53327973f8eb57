//! Processes that still have files of packages mapped which dpkg has replaced, and the kernel that still runs after
//! another one was installed.
//!
//! Which package a file is from is said by dpkg's own lists (`/var/lib/dpkg/info/*.list`). The version that runs is not
//! known for libraries; for the kernel it is in what the kernel says of itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use spacecp_contract::{VersionScheme, version::compare};

use super::{FileUse, OutdatedProcess, Process, Processes, parse};

/// Where packages have the code that programs map.
const CODE: [&str; 6] = ["/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/", "/opt/"];

/// The list of packages, and the lists of their files, below the root directory of a system.
const STATUS: &str = "var/lib/dpkg/status";
const LISTS: &str = "var/lib/dpkg/info";

/// The longest list of files or packages that is read.
const LONGEST: u64 = 64 << 20;

/// When the packages of the system at `root` were last changed; none where dpkg keeps none.
pub fn packages_changed(root: &Path) -> Option<Timestamp> {
    let status = fs::metadata(root.join(STATUS)).ok()?;
    Timestamp::new(status.mtime(), i32::try_from(status.mtime_nsec()).ok()?).ok()
}

/// Processes with files of replaced packages mapped, by the source package.
pub fn replaced_packages(
    root: &Path,
    processes: &Processes,
) -> BTreeMap<String, Vec<OutdatedProcess>> {
    let mut replaced: BTreeMap<String, Vec<OutdatedProcess>> = BTreeMap::new();
    let held: Vec<(&Process, Vec<&Path>)> = processes
        .processes
        .iter()
        .map(|process| (process, mapped_and_deleted(process)))
        .filter(|(_, files)| !files.is_empty())
        .collect();
    if held.is_empty() {
        return replaced;
    }
    let wanted: BTreeSet<&Path> = held
        .iter()
        .flat_map(|(_, files)| files.iter().copied())
        .collect();
    let owners = owners(root, &wanted);
    for (process, files) in held {
        let mut told = BTreeSet::new();
        for file in files {
            let Some(package) = owners.get(file).filter(|package| told.insert(*package)) else {
                continue;
            };
            let all = replaced.entry(package.clone()).or_default();
            all.push(OutdatedProcess {
                pid: process.pid,
                uid: process.uid,
                user: process.uid.to_string(),
                name: process.name.clone(),
                started: process.shown_start,
                why: format!("a mapped file has been replaced: {}", file.display()),
                version: None,
                unit: process.unit.clone(),
            });
        }
    }
    replaced
}

fn mapped_and_deleted(process: &Process) -> Vec<&Path> {
    if !process.same_root {
        return Vec::new();
    }
    let files = process.files.iter().filter(|(how, file)| {
        let is_code = CODE.iter().any(|code| file.path.starts_with(code));
        *how == FileUse::Mapped && file.deleted && is_code
    });
    files.map(|(_, file)| file.path.as_path()).collect()
}

/// The source packages that these files are from.
fn owners(root: &Path, wanted: &BTreeSet<&Path>) -> BTreeMap<PathBuf, String> {
    // A library's file carries a version, and its list names the file of the version that is installed now.
    let mut names: BTreeMap<PathBuf, BTreeSet<&Path>> = BTreeMap::new();
    for file in wanted {
        for name in names_of(file) {
            names.entry(name).or_default().insert(file);
        }
    }
    let sources = sources(root);
    let mut owners = BTreeMap::new();
    let lists = fs::read_dir(root.join(LISTS))
        .into_iter()
        .flatten()
        .flatten();
    for list in lists {
        let path = list.path();
        let is_list = path
            .extension()
            .is_some_and(|extension| extension == "list");
        let Some(package) = path
            .file_stem()
            .and_then(|name| name.to_str())
            .filter(|_| is_list)
        else {
            continue;
        };
        // Packages of several architectures have the architecture behind their name.
        let package = package.split(':').next().unwrap_or(package);
        let Ok(text) = text(&path) else { continue };
        for line in text.lines() {
            for file in names
                .get(&without_link(Path::new(line)))
                .into_iter()
                .flatten()
            {
                let source = sources.get(package).map_or(package, String::as_str);
                owners.insert(file.to_path_buf(), source.to_owned());
            }
        }
    }
    owners
}

/// The names under which a list may have a file: its own, and that of a library without the end of its version.
fn names_of(file: &Path) -> Vec<PathBuf> {
    let mut names = vec![without_link(file)];
    let (Some(directory), Some(name)) = (
        file.parent(),
        file.file_name().and_then(|name| name.to_str()),
    ) else {
        return names;
    };
    let mut rest = name;
    while let Some((shorter, number)) = rest.rsplit_once('.') {
        let is_version = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if !is_version || !shorter.contains(".so.") {
            break;
        }
        names.push(without_link(&directory.join(shorter)));
        rest = shorter;
    }
    names
}

/// `/lib` is a link to `/usr/lib` on every system of today, and lists name files by either.
fn without_link(path: &Path) -> PathBuf {
    path.strip_prefix("/usr")
        .map_or_else(|_| path.to_owned(), |rest| Path::new("/").join(rest))
}

/// The source package of each package where it has another name.
fn sources(root: &Path) -> BTreeMap<String, String> {
    let status = text(&root.join(STATUS)).unwrap_or_default();
    let mut sources = BTreeMap::new();
    let mut package = "";
    for line in status.lines() {
        if let Some(name) = line.strip_prefix("Package: ") {
            package = name.trim();
        } else if let Some(source) = line.strip_prefix("Source: ") {
            let source = source.split_whitespace().next().unwrap_or_default();
            sources.insert(package.to_owned(), source.to_owned());
        }
    }
    sources
}

/// The kernel that runs: its release, and the version of the package that it is from, where it says that
/// (`proc_version(5)`; Ubuntu's kernels say it in a file of their own).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningKernel {
    /// As `uname -r` prints it.
    pub release: String,
    /// As dpkg would print it.
    pub version: Option<String>,
    /// When it started.
    pub started: Option<Timestamp>,
}

/// Reads which kernel runs.
pub fn running_kernel(proc: &Path) -> Option<RunningKernel> {
    let release = text(&proc.join("sys/kernel/osrelease"))
        .ok()?
        .trim()
        .to_owned();
    let said = text(&proc.join("version")).unwrap_or_default();
    let of_debian = said.split_once(" Debian ").map(|(_, rest)| rest.to_owned());
    let of_ubuntu = text(&proc.join("version_signature")).ok();
    let of_ubuntu = of_ubuntu.and_then(|text| {
        let signature = text.split_whitespace().nth(1)?;
        // The flavour stands behind the version: `6.8.0-45.45-generic`.
        let (version, flavour) = signature.rsplit_once('-')?;
        flavour
            .starts_with(|first: char| first.is_ascii_alphabetic())
            .then(|| version.to_owned())
    });
    let first = |text: String| text.split_whitespace().next().map(str::to_owned);
    let started = text(&proc.join("stat")).ok();
    let started = started.and_then(|text| Timestamp::from_second(parse::boot_time(&text)?).ok());
    Some(RunningKernel {
        release,
        version: of_debian.and_then(first).or(of_ubuntu),
        started,
    })
}

impl RunningKernel {
    /// The running kernel as an outdated process, if `installed` is a newer version of the kernel's package. A kernel
    /// that does not say which package it is from, as below a container, is compared with none.
    pub fn outdated(&self, installed: &str) -> Option<OutdatedProcess> {
        let version = self.version.as_ref()?;
        let order = compare(VersionScheme::Deb, version, installed)?;
        order.is_lt().then(|| OutdatedProcess {
            pid: 0,
            uid: 0,
            user: "0".to_owned(),
            name: format!("kernel {}", self.release),
            started: self.started,
            why: format!("the kernel that runs is {version}, and {installed} is installed"),
            version: Some(version.clone()),
            unit: None,
        })
    }
}

fn text(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(LONGEST)
        .read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_found_by_the_name_that_its_versions_share() {
        let names = names_of(Path::new("/usr/lib/x86_64-linux-gnu/libcurl.so.4.8.0"));
        let expected = ["libcurl.so.4.8.0", "libcurl.so.4.8", "libcurl.so.4"];
        let expected = expected.map(|name| Path::new("/lib/x86_64-linux-gnu").join(name));
        assert_eq!(names, expected);
        assert_eq!(names_of(Path::new("/usr/bin/python3.11")).len(), 1);
    }

    #[test]
    fn the_kernel_says_which_package_it_is_from() {
        let proc = tempfile::tempdir().unwrap();
        fs::create_dir_all(proc.path().join("sys/kernel")).unwrap();
        fs::write(proc.path().join("sys/kernel/osrelease"), "6.1.0-28-amd64\n").unwrap();
        let said = "Linux version 6.1.0-28-amd64 (debian-kernel@lists.debian.org) (gcc) #1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)\n";
        fs::write(proc.path().join("version"), said).unwrap();
        let kernel = running_kernel(proc.path()).unwrap();
        assert_eq!(kernel.version.as_deref(), Some("6.1.119-1"));
        let outdated = kernel.outdated("6.1.124-1").unwrap();
        assert_eq!(outdated.name, "kernel 6.1.0-28-amd64");
        assert_eq!(kernel.outdated("6.1.119-1"), None);
        assert_eq!(kernel.outdated("6.1.115-1"), None);
        fs::write(
            proc.path().join("version_signature"),
            "Ubuntu 6.8.0-45.45-generic 6.8.12\n",
        )
        .unwrap();
        fs::write(
            proc.path().join("version"),
            "Linux version 6.8.0-45-generic\n",
        )
        .unwrap();
        let kernel = running_kernel(proc.path()).unwrap();
        assert_eq!(kernel.version.as_deref(), Some("6.8.0-45.45"));
        fs::remove_file(proc.path().join("version_signature")).unwrap();
        assert_eq!(running_kernel(proc.path()).unwrap().outdated("9"), None);
    }
}
