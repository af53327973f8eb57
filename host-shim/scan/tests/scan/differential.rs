//! What is read in dpkg's status is what dpkg itself says of this machine's packages.

use std::{collections::BTreeSet, fs, process::Command};

use spacecp_scan::Provider;

use crate::place::Place;

const ASKED: &str = "${db:Status-Status} ${source:Package} ${source:Version} ${Package}\n";

#[test]
fn the_packages_of_this_machine_are_those_that_dpkg_names() {
    let output = Command::new("dpkg-query")
        .args(["-W", "-f", ASKED])
        .output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        return eprintln!("skipped: dpkg-query is not installed");
    };
    let place = Place::new();
    for file in ["etc/os-release", "var/lib/dpkg/status"] {
        place.put(file, fs::read(format!("/{file}")).unwrap());
    }
    let report = place.scan(Provider::Dpkg);
    let found: BTreeSet<(String, String)> = report
        .found
        .iter()
        .map(|found| {
            let name = found.advisory_name.as_str();
            let name = name.rsplit(':').next().unwrap();
            (name.to_owned(), found.version.clone().unwrap())
        })
        .collect();
    let text = String::from_utf8(output.stdout).unwrap();
    let said: BTreeSet<(String, String)> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let (status, name, version) = (words.next()?, words.next()?, words.next()?);
            let package = words.next()?;
            // Kernels are named after what they were built from.
            let is_kernel = name.starts_with("linux") || package.starts_with("linux");
            let is_there = status != "not-installed" && status != "config-files" && !is_kernel;
            is_there.then(|| (name.to_owned(), version.to_owned()))
        })
        .collect();
    assert!(!said.is_empty());
    let missing: Vec<_> = said.difference(&found).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let more: Vec<_> = found
        .difference(&said)
        .filter(|(name, _)| !name.starts_with("linux"))
        .collect();
    assert!(more.is_empty(), "{more:?}");
}
