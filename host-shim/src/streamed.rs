//! Long files, read a piece at a time and never held.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use sha2::{Digest as _, Sha256};
use spacecp_contract::Digest;

/// Bytes read at a time.
pub(crate) const PIECE: usize = 128 << 10;

/// The digest of a file.
pub(crate) fn digest(path: &Path) -> io::Result<Digest> {
    digest_of(&mut File::open(path)?)
}

/// The digest of everything that a reader gives.
pub(crate) fn digest_of(reader: &mut impl Read) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        match reader.read(&mut piece)? {
            0 => return Ok(Digest::from_bytes(hash.finalize().into())),
            length => hash.update(&piece[..length]),
        }
    }
}

/// Reads until there is no more, or no more room; says how much came.
pub(crate) fn fill(reader: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    loop {
        match reader.read(&mut into[filled..]) {
            Ok(0) => return Ok(filled),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
