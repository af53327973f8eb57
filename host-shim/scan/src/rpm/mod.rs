//! Databases of RPM packages, in the three formats that librpm writes or wrote. No program is called.
//!
//! Each format gives out one header a package; what lies in a header is said by [`header`]. What is damaged costs the
//! package or the page that it is in, by name, and the rest is read. Nothing is believed of a length or a place before
//! it is compared with what is really there.
//!
//! Formats: <https://www.sqlite.org/fileformat.html>; rpm's `lib/backend/ndb/rpmpkg.c` and `lib/backend/bdb_ro.cc`,
//! and Berkeley DB's `db_page.h`.

mod berkeley;
mod header;
mod ndb;
mod sqlite;
mod storage;
mod wal;

pub(crate) use self::{
    header::{Header, header},
    storage::Storage,
};
use crate::Why;

/// What messages call all three.
const DATABASE: &str = "a database of RPM packages";

/// The most pages of a database: at 4 KiB, 16 GiB of them. Which were read is kept in memory.
const MOST_PAGES: u32 = 1 << 22;

/// In which format a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `rpmdb.sqlite`: Fedora from 33, RHEL 9 and later, Mageia.
    Sqlite,
    /// `Packages.db`: SUSE.
    Ndb,
    /// `Packages`, a hash of Berkeley DB: RHEL up to 8, older Fedora.
    Berkeley,
}

/// Something that one package was read from, by what it is called in messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A package by its number in the database.
    Package(u64),
    /// A page of the file: packages may be on it.
    Page(u32),
    /// The log beside the file.
    Log,
}

/// Whoever is given the headers of a database, or the reason why there is none in a place.
pub(crate) type Take<'a> = dyn FnMut(Place, Result<&[u8], Why>) + 'a;

/// Gives out the headers of a database in the order in which they lie there. `log` is the one that `SQLite` keeps
/// beside the file.
///
/// # Errors
///
/// [`Why`] where the database as a whole cannot be read, or no further.
pub(crate) fn headers(
    format: Format,
    storage: &mut Storage<'_>,
    log: Option<&std::fs::File>,
    take: &mut Take<'_>,
) -> Result<(), Why> {
    match format {
        Format::Sqlite => sqlite::headers(storage, log, take),
        Format::Ndb => ndb::headers(storage, take),
        Format::Berkeley => berkeley::headers(storage, take),
    }
}

fn malformed(reason: impl std::fmt::Display) -> Why {
    Why::malformed(DATABASE, reason)
}

/// Gives out what was read of one package, unless the scan as a whole cannot go on.
fn give(place: Place, read: Result<Vec<u8>, Why>, take: &mut Take<'_>) -> Result<(), Why> {
    match read {
        Ok(bytes) => take(place, Ok(&bytes)),
        Err(why) if why.cuts_short() => return Err(why),
        Err(why) => take(place, Err(why)),
    }
    Ok(())
}
