//! Our reading of RPM databases and of the order of versions, against rpm's own. Needs the programs `rpm`, `rpmbuild`,
//! `python3` and `db5.3_load`.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use spacecp_contract::{VersionScheme, version::compare};
use spacecp_scan::Provider;

use crate::place::Place;

fn run(command: &mut Command) -> String {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn rpm(database: &Path) -> Command {
    let mut command = Command::new("rpm");
    command.arg("--dbpath").arg(database);
    command
}

/// Packages that are built and put into a database by rpm itself, in the formats that it still knows.
struct Built {
    place: Place,
    packages: Vec<PathBuf>,
}

impl Built {
    fn new(packages: usize) -> Self {
        let place = Place::new();
        place.put("etc/os-release", "ID=almalinux\nVERSION_ID=9\n");
        let text = (0..packages).fold(String::new(), |mut text, number| {
            let begins = match number {
                0 => "Name: p0\nVendor: AlmaLinux\nLicense: MIT\nBuildArch: noarch\n".to_owned(),
                number => format!("%package -n p{number}\n"),
            };
            let of = if number == 0 { String::new() } else { format!(" -n p{number}") };
            let epoch = if number.is_multiple_of(3) { format!("Epoch: {number}\n") } else { String::new() };
            let long = "A line of a description. ".repeat(number * 37 % 400);
            write!(
                text,
                "{begins}{epoch}Version: {number}.{}~rc1\nRelease: {number}%{{?dist}}.el9\nSummary: x\n%description{of}\n{long}\n%files{of}\n",
                number * 7 % 11,
            )
            .unwrap();
            text
        });
        let spec = place.put("build/p.spec", text);
        let top = place.path().join("build");
        let mut build = Command::new("rpmbuild");
        run(build
            .arg("-bb")
            .arg("--quiet")
            .arg("--define")
            .arg(format!("_topdir {}", top.display()))
            .arg(spec)
            .stdout(Stdio::null()));
        let built = fs::read_dir(top.join("RPMS/noarch")).unwrap();
        let mut packages: Vec<PathBuf> = built.map(|entry| entry.unwrap().path()).collect();
        packages.sort();
        let built = Self { place, packages };
        run(rpm(&built.database()).arg("--initdb"));
        built.install(&built.packages);
        built
    }

    fn database(&self) -> PathBuf {
        self.place.path().join("var/lib/rpm")
    }

    fn install(&self, packages: &[PathBuf]) {
        let mut install = rpm(&self.database());
        let install = install.args(["-i", "--justdb", "--nodeps", "--ignoreos", "--ignorearch"]);
        run(install.args(packages).stderr(Stdio::null()));
    }

    /// What rpm lists, and what is found.
    fn both(&self) -> [BTreeSet<String>; 2] {
        let format = "%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\n";
        let listed = run(rpm(&self.database()).args(["-qa", "--qf", format]));
        let report = self.place.scan(Provider::Rpm);
        assert_eq!(report.unread, []);
        let found = report.found.iter().map(|found| {
            let name = found.name.strip_prefix("lobby/").unwrap();
            format!("{name} {}", found.version.as_deref().unwrap())
        });
        // No epoch is epoch 0.
        let listed = listed.lines().map(|line| line.replace(" 0:", " "));
        [listed.collect(), found.collect()]
    }

    /// Runs statements of Python that have the database as `db`, and the folder as `folder`.
    fn python(&self, statements: &str) -> String {
        let database = self.database().join("rpmdb.sqlite");
        let script = format!(
            "import sqlite3, struct, os, shutil, sys\nfolder = {:?}\ndb = sqlite3.connect({:?})\n{statements}\n",
            self.database().display().to_string(),
            database.display().to_string(),
        );
        run(Command::new("python3").arg("-c").arg(script))
    }
}

#[test]
fn what_rpm_lists_is_found_in_its_database_and_after_packages_were_removed() {
    let built = Built::new(60);
    let [listed, found] = built.both();
    assert_eq!(listed.len(), 60);
    assert_eq!(found, listed);
    let mut remove = rpm(&built.database());
    let remove = remove.args(["-e", "--justdb", "--nodeps", "p3", "p17", "p41"]);
    run(remove.stderr(Stdio::null()));
    let [listed, found] = built.both();
    assert_eq!(listed.len(), 57);
    assert_eq!(found, listed);
}

#[test]
fn what_rpm_lists_is_found_in_a_hash_of_berkeley_db() {
    let built = Built::new(60);
    built.python(
        "rows = db.execute('select hnum, blob from Packages').fetchall()
db.close()
with open(folder + '/rows', 'w') as out:
    out.write('VERSION=3\\nformat=bytevalue\\ntype=hash\\ndb_pagesize=4096\\nHEADER=END\\n')
    for number, blob in [(0, struct.pack('<I', 60))] + rows:
        out.write(' ' + struct.pack('<I', number).hex() + '\\n ' + blob.hex() + '\\n')
    out.write('DATA=END\\n')
for name in ('', '-wal', '-shm'):
    if os.path.exists(folder + '/rpmdb.sqlite' + name): os.remove(folder + '/rpmdb.sqlite' + name)",
    );
    let file = |name| built.database().join(name);
    let mut load = Command::new("db5.3_load");
    run(load.arg("-f").arg(file("rows")).arg(file("Packages")));
    let [listed, found] = built.both();
    assert_eq!(listed.len(), 60);
    assert_eq!(found, listed);
}

#[test]
fn what_is_in_the_log_alone_is_found_and_what_was_not_committed_is_not() {
    let built = Built::new(12);
    // A copy, as a machine leaves it that stops at this instant.
    built.python(
        "db.execute('pragma journal_mode=wal')
db.execute('pragma wal_autocheckpoint=0')
db.execute('pragma cache_size=1')
names = ('', '-wal')
db.execute('delete from Packages where hnum in (2, 5)')
db.commit()
db.execute('insert into Packages select hnum + 100, zeroblob(9000) from Packages')
for name in names: shutil.copy(folder + '/rpmdb.sqlite' + name, folder + '/copy' + name)
db.rollback()
db.close()
for name in names: shutil.move(folder + '/copy' + name, folder + '/rpmdb.sqlite' + name)",
    );
    let log = built.database().join("rpmdb.sqlite-wal");
    assert!(fs::metadata(&log).unwrap().len() > 0);
    let [_, found] = built.both();
    assert_eq!(found.len(), 10, "{found:?}");
    let [listed, _] = built.both();
    assert_eq!(found, listed);
}

#[test]
fn versions_are_ordered_as_rpm_orders_them() {
    let config = Config::default();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let part = "([0-9]{1,3}|[a-zA-Z]{1,2}|[~^]|[._+]){1,6}";
    let mut texts = Vec::new();
    for _ in 0..400 {
        let one = part.new_tree(&mut runner).unwrap().current();
        let mut other = part.new_tree(&mut runner).unwrap().current();
        if texts.len().is_multiple_of(2) {
            // Texts that differ in their ends alone.
            other = format!("{one}{other}");
        }
        texts.push((one, other));
    }
    let lines = texts.iter().fold(String::new(), |mut lines, (one, other)| {
        writeln!(lines, "print(rpm.vercmp(\"{one}\", \"{other}\") .. \" \")").unwrap();
        lines
    });
    let ordered = run(Command::new("rpm")
        .arg("--eval")
        .arg(format!("%{{lua: {lines}}}")));
    let ordered: Vec<i32> = ordered
        .split_whitespace()
        .map(|order| order.parse().unwrap())
        .collect();
    assert_eq!(ordered.len(), texts.len());
    for ((one, other), order) in texts.iter().zip(ordered) {
        let ours = compare(VersionScheme::Rpm, one, other);
        assert_eq!(ours, Some(order.cmp(&0)), "{one} {other}");
    }
}
