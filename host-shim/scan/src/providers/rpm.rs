//! RPM packages that are installed, by binary package, as rpm's own database has them. No program is called.
//!
//! Where the database lies and what a package is called is said here; how its formats are read, by [`crate::rpm`].

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
};

use spacecp_contract::{
    Ecosystem, Release,
    identity::{Module, System},
};

use crate::{
    Why,
    findings::Findings,
    ground::{Ground, Stamp},
    look::Look,
    names,
    rpm::{self, Format, Header, Place, Storage},
};

/// Where a database lies: in newer systems, and in older ones. Mostly one is a link to the other.
const DIRECTORIES: [&str; 2] = ["usr/lib/sysimage/rpm", "var/lib/rpm"];

/// What it is called there. Where a system was converted, the first is the one in use.
const DATABASES: [(&str, Format); 3] = [
    ("rpmdb.sqlite", Format::Sqlite),
    ("Packages.db", Format::Ndb),
    ("Packages", Format::Berkeley),
];

/// What stands in the database for a key of a repository.
const PUBLIC_KEY: &str = "gpg-pubkey";

pub(super) fn look(look: &mut Look<'_>) {
    let mut found = databases(look).into_iter();
    let Some((path, format, _)) = found.next() else {
        let why = Why::Io("no database of RPM packages found".to_owned());
        return look.unread(Path::new("var/lib/rpm"), why);
    };
    for (other, ..) in found {
        let first = path.display();
        let why = format!("whether this database is in use: {first} is there, too, and was read");
        look.unread(&other, Why::Missing(why));
    }
    match super::os::system(look) {
        Ok(system) => database(look, &path, format, &system),
        Err(why) => look.unread(&path, why),
    }
}

/// The databases that are there, each once.
fn databases(look: &mut Look<'_>) -> Vec<(PathBuf, Format, Option<Stamp>)> {
    let mut found: Vec<(PathBuf, Format, Option<Stamp>)> = Vec::new();
    for (name, format) in DATABASES {
        for directory in DIRECTORIES {
            let path = Path::new(directory).join(name);
            // What cannot be looked at is there, and is named when it is read.
            let stamp = match look.stamp(&path) {
                Ok(None) => continue,
                Ok(stamp) => stamp,
                Err(_) => None,
            };
            let is_known = |(_, _, known): &(_, _, Option<Stamp>)| *known == stamp;
            if stamp.is_none() || !found.iter().any(is_known) {
                found.push((path, format, stamp));
            }
        }
    }
    found
}

fn database(look: &mut Look<'_>, path: &Path, format: Format, system: &System) {
    let log = match format {
        Format::Sqlite => log(look, path),
        Format::Ndb | Format::Berkeley => None,
    };
    // The same file means something else under another release, and with another log beside it.
    let reader = match &log {
        Some((_, stamp)) => format!("rpm {system} {stamp:?}"),
        None => format!("rpm {system}"),
    };
    look.file(path, &reader, |file, budget| {
        let mut storage = Storage::of_file(file, budget)?;
        let log_file = log.as_ref().map(|(file, _)| file);
        let mut findings = read(format, &mut storage, log_file, &system.own);
        if let Some((file, stamp)) = &log
            && Ground::stamp_of(file)? != *stamp
        {
            findings.unread("-wal".to_owned(), Why::Changed);
        }
        Ok(findings)
    });
}

/// What `SQLite` has written and not yet put into the file. A transaction that was broken off, and is to be taken back
/// by whoever opens the database next, is named as unread.
fn log(look: &mut Look<'_>, path: &Path) -> Option<(File, Stamp)> {
    let beside = |suffix| path.with_file_name(format!("rpmdb.sqlite{suffix}"));
    if let Ok(Some(journal)) = look.stamp(&beside("-journal"))
        && !journal.is_empty()
    {
        let why = Why::malformed(
            "a database of RPM packages",
            "a transaction was not finished; run \"rpm -qa\" once to have it taken back",
        );
        look.unread(&beside("-journal"), why);
    }
    let wal = beside("-wal");
    match look.stamp(&wal) {
        Ok(None) => None,
        Ok(Some(stamp)) if stamp.is_empty() => None,
        Ok(Some(_)) | Err(_) => match look.open(&wal) {
            Ok(opened) => Some(opened),
            Err(why) => {
                look.unread(&wal, why);
                None
            }
        },
    }
}

/// The packages of a database, of a system of this release.
pub(crate) fn read(
    format: Format,
    storage: &mut Storage<'_>,
    log: Option<&File>,
    release: &Release,
) -> Findings {
    let mut packages = Packages {
        release,
        findings: Findings::default(),
        unadvised: BTreeMap::new(),
    };
    let end = rpm::headers(format, storage, log, &mut |place, bytes| {
        let header = bytes.and_then(rpm::header);
        match header {
            Ok(header) => packages.add(&header),
            Err(why) => packages.unread(&place, why),
        }
    });
    packages.end(end)
}

struct Packages<'a> {
    release: &'a Release,
    findings: Findings,
    /// Packages that no advisory speaks of, by whose they are.
    unadvised: BTreeMap<String, u64>,
}

impl Packages<'_> {
    fn add(&mut self, header: &Header) {
        if header.name == PUBLIC_KEY {
            return;
        }
        let evr = header.evr();
        let vendor = header.vendor.as_deref();
        let is_own = self.release.is_built_by(vendor);
        let builder = vendor.unwrap_or("an unnamed vendor");
        if !is_own || !self.release.has_advisories() {
            let whose = if is_own {
                self.release.to_string()
            } else {
                builder.to_owned()
            };
            *self.unadvised.entry(whose).or_default() += 1;
        }
        let label = header.modularity.as_deref();
        let module = label.and_then(Module::of_label);
        let name = match module {
            Some(module) => module.package(&header.name),
            None => header.name.clone(),
        };
        let version = if !is_own {
            Err(format!(
                "{evr} is built by {builder}, not by the distribution"
            ))
        } else if module.is_none() && (label.is_some() || Module::has_built(&evr)) {
            Err(format!(
                "{evr} is built for a module, and its stream is not given"
            ))
        } else {
            Ok(evr.as_str())
        };
        let named = names::package(&Ecosystem::Rpm(self.release.clone()), &name);
        self.findings
            .add(vec![header.name.clone()], named, version, "");
    }

    fn unread(&mut self, place: &Place, why: Why) {
        let within = match place {
            Place::Package(number) => format!(", package {number}"),
            Place::Page(number) => format!(", page {number}"),
            Place::Log => "-wal".to_owned(),
        };
        self.findings.unread(within, why);
    }

    fn end(mut self, end: Result<(), Why>) -> Findings {
        if let Err(why) = end {
            self.findings.unread(String::new(), why);
        } else if self.findings.count() == 0 {
            // A system without any package is one whose database was cut off.
            let why = Why::Missing("any package".to_owned());
            self.findings.unread(String::new(), why);
        }
        for (whose, packages) in self.unadvised {
            let packages = format!("{packages} packages of {whose}");
            self.findings
                .unread(String::new(), Why::NoAdvisories(packages));
        }
        self.findings
    }
}
