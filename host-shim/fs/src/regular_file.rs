//! Opens files that come from outside: hand-overs, bundles, roots, plugins.
//!
//! May not: wait for another process, as opening a pipe does; read anything but a regular file.

use std::{fs::File, io, os::unix::fs::OpenOptionsExt, path::Path};

use rustix::fs::OFlags;

/// Opens a regular file for reading; anything else is refused at once.
pub fn open(path: &Path) -> io::Result<File> {
    let file = File::options()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok(file)
}
