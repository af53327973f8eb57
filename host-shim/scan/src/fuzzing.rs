//! The decoders, as fuzz targets reach them: bytes in, and nothing that ends the process.

use spacecp_contract::{Release, identity::System};

use crate::{
    ScanLimits,
    budget::Purse,
    jar, providers,
    rpm::{Format, Storage},
};

/// Goes through an archive as that of a server, under small limits; how many components were found.
pub fn archive(bytes: &[u8]) -> usize {
    let limits = ScanLimits {
        nested_bytes: 1 << 20,
        bytes: 16 << 20,
        archive_entries: 1_000,
        ..ScanLimits::default()
    };
    jar::read_bytes(bytes, "server.jar", &mut Purse::new(limits, 1).share(1))
}

/// Reads a status file of dpkg; how many packages were listed, and how many were not understood.
pub fn dpkg(bytes: &[u8]) -> (usize, usize) {
    let system = System::of_release(Release::canonical("debian", "12"));
    let found = providers::dpkg::read(bytes, &system, true);
    (found.entries.len(), found.unread.len())
}

/// Reads a database of Alpine packages; how many were listed, and how many were not understood.
pub fn apk(bytes: &[u8]) -> (usize, usize) {
    let found = providers::apk::read(bytes, &Release::canonical("alpine", "3.18"));
    (found.entries.len(), found.unread.len())
}

/// Reads a database of RPM packages in each of its formats; how many packages were listed, and how many places were
/// not read, at most.
pub fn rpm(bytes: &[u8]) -> (usize, usize) {
    let release = Release::canonical("almalinux", "9");
    let formats = [Format::Sqlite, Format::Ndb, Format::Berkeley];
    let found = formats.map(|format| {
        let limits = ScanLimits {
            bytes: 16 << 20,
            ..ScanLimits::default()
        };
        let mut budget = Purse::new(limits, 1).share(1);
        let mut storage = Storage::of_bytes(bytes, &mut budget);
        let found = providers::rpm::read(format, &mut storage, None, &release);
        (found.entries.len(), found.unread.len())
    });
    found.into_iter().max().unwrap_or_default()
}

/// Reads a bill of materials.
pub fn sbom(bytes: &[u8]) {
    let _ = providers::sbom::read(bytes);
}
