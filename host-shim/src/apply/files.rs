//! Single files: digests, and copies that keep what a file is.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use sha2::{Digest as _, Sha256};
use spacecp_contract::Digest;

/// Bytes read at a time.
const PIECE: usize = 128 << 10;

/// The digest of a file that is streamed, never held.
pub(super) fn digest(path: &Path) -> io::Result<Digest> {
    digest_of(&mut File::open(path)?)
}

/// The digest of everything that a reader gives.
pub(super) fn digest_of(reader: &mut impl Read) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        match reader.read(&mut piece)? {
            0 => return Ok(Digest::from_bytes(hash.finalize().into())),
            length => hash.update(&piece[..length]),
        }
    }
}

/// Copies a regular file with its mode, owner, times and extended attributes; the contents are
/// shared where the file system can, and copied where it cannot. Says whether they are shared.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<bool> {
    let source = File::open(from)?;
    // Nobody else's to read, even for the moment until it has the mode of the original.
    let target = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    let shared = rustix::fs::ioctl_ficlone(&target, &source).is_ok();
    if !shared {
        io::copy(&mut &source, &mut &target)?;
    }
    let metadata = source.metadata()?;
    keep_attributes(from, to, &metadata)?;
    let times = fs::FileTimes::new().set_modified(metadata.modified()?);
    target.set_times(times)?;
    target.sync_all()?;
    Ok(shared)
}

/// Gives a file or folder the owner, mode and extended attributes of another.
pub(super) fn keep_attributes(from: &Path, to: &Path, metadata: &fs::Metadata) -> io::Result<()> {
    let there = fs::symlink_metadata(to)?;
    if (there.uid(), there.gid()) != (metadata.uid(), metadata.gid()) {
        // Only root may give files away; as anybody else all files are one's own.
        std::os::unix::fs::lchown(to, Some(metadata.uid()), Some(metadata.gid()))?;
    }
    if !metadata.file_type().is_symlink() {
        fs::set_permissions(
            to,
            fs::Permissions::from_mode(metadata.permissions().mode() & 0o7777),
        )?;
    }
    keep_extended(from, to)
}

fn keep_extended(from: &Path, to: &Path) -> io::Result<()> {
    let names = match xattr::list(from) {
        // A file system without extended attributes has none to keep.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(()),
        names => names?,
    };
    for name in names {
        if let Some(value) = xattr::get(from, &name)? {
            xattr::set(to, &name, &value)?;
        }
    }
    Ok(())
}
