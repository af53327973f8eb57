//! Opens a sealed payload on this machine, a piece at a time.
//!
//! It gets its own name only when it is whole and has the digest that the correction names: that it opened
//! says who wrote it, and the digest says what it must be.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
};

use sha2::{Digest as _, Sha256};
use spacecp_contract::{Blob, Digest, SealedObject};

use spacecp_fs::hashing::PIECE;
use spacecp_trust::{OpenError, sealed};

/// Why a sealed payload is not in its place. Neither says which it is, since paths here end in its digest.
pub(super) enum Unopened {
    /// A file cannot be used.
    File(io::Error),
    /// It does not open to what the correction names.
    Sealed(OpenError),
}

/// Opens the sealed file into the place of the payload.
pub(super) fn open(
    object: &SealedObject,
    blob: &Blob,
    from: &Path,
    place: &Path,
) -> Result<(), Unopened> {
    let file = fs::File::open(from).map_err(Unopened::File)?;
    let mut contents = sealed::reader(&object.key, file).map_err(Unopened::Sealed)?;
    let folder = place.parent().unwrap_or(place);
    let opening = tempfile::Builder::new()
        .prefix("sealed-")
        .suffix(".open")
        .tempfile_in(folder)
        .and_then(|file| {
            // Whoever makes room leaves alone what is locked.
            file.as_file().lock()?;
            Ok(file)
        });
    // The error of a temporary file has its path in it.
    let mut opening = opening.map_err(|error| Unopened::File(error.kind().into()))?;
    let damaged = |reason: String| Unopened::Sealed(OpenError::Contents(reason));
    let payload = contents.by_ref().take(blob.length);
    let found = copy(payload, opening.as_file_mut()).map_err(|error| damaged(error.to_string()))?;
    // To its very end, for that is what says that it is whole.
    let is_all = is_padding(contents).map_err(|error| damaged(error.to_string()))?;
    if found != blob.digest || !is_all {
        let reason = "it is not what the correction names".to_owned();
        return Err(damaged(reason));
    }
    let kept = || {
        opening.as_file().sync_all()?;
        opening.persist(place).map_err(|error| error.error)?;
        fs::File::open(folder)?.sync_all()
    };
    kept().map_err(Unopened::File)
}

/// Copies the payload out of a sealed file; gives its digest.
fn copy(mut payload: impl Read, into: &mut impl Write) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        match payload.read(&mut piece)? {
            0 => return Ok(Digest::from_bytes(hash.finalize().into())),
            read => {
                hash.update(&piece[..read]);
                into.write_all(&piece[..read])?;
            }
        }
    }
}

/// Whether nothing but zeros follows the payload: what hides how long it is. How many may come is bounded by
/// the length of the sealed file, which was checked before it was fetched.
fn is_padding(mut rest: impl Read) -> io::Result<bool> {
    let mut piece = vec![0; PIECE];
    loop {
        match rest.read(&mut piece)? {
            0 => return Ok(true),
            read if piece[..read].iter().any(|byte| *byte != 0) => return Ok(false),
            _ => {}
        }
    }
}
