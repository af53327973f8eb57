//! Long files, read a piece at a time and never held.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use sha2::{Digest as _, Sha256};
use spacecp_contract::Digest;

/// Bytes read at a time.
pub const PIECE: usize = 128 << 10;

/// The digest of a file.
pub fn digest(path: &Path) -> io::Result<Digest> {
    digest_of(&mut File::open(path)?)
}

/// The digest of everything that a reader gives.
pub fn digest_of(reader: &mut impl Read) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        match reader.read(&mut piece)? {
            0 => return Ok(Digest::from_bytes(hash.finalize().into())),
            length => hash.update(&piece[..length]),
        }
    }
}
