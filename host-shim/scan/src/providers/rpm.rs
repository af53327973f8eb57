//! RPM packages: finds the database, and says that it is not read.
//!
//! A machine whose packages nobody looked at must not look safe. The database lies in one of two
//! places, in one of three formats.

use std::path::Path;

use crate::{Why, look::Look};

/// The databases, with what they are.
const DATABASES: [(&str, &str); 6] = [
    (
        "usr/lib/sysimage/rpm/rpmdb.sqlite",
        "a database of RPM packages in SQLite",
    ),
    (
        "var/lib/rpm/rpmdb.sqlite",
        "a database of RPM packages in SQLite",
    ),
    (
        "usr/lib/sysimage/rpm/Packages.db",
        "a database of RPM packages in ndb",
    ),
    (
        "var/lib/rpm/Packages.db",
        "a database of RPM packages in ndb",
    ),
    (
        "usr/lib/sysimage/rpm/Packages",
        "a database of RPM packages in Berkeley DB",
    ),
    (
        "var/lib/rpm/Packages",
        "a database of RPM packages in Berkeley DB",
    ),
];

pub(super) fn look(look: &mut Look<'_>) {
    let found = DATABASES
        .into_iter()
        .find(|(path, _)| look.is_there(Path::new(path)));
    match found {
        Some((path, what)) => look.unread(Path::new(path), Why::NotRead(what.to_owned())),
        None => look.unread(
            Path::new("var/lib/rpm"),
            Why::Io("no database of RPM packages found".to_owned()),
        ),
    }
}
