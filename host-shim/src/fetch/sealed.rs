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

use super::FetchError;
use crate::{
    streamed::PIECE,
    trust::{OpenError, sealed},
};

/// Opens the sealed file into the place of the payload.
pub(super) fn open(
    object: &SealedObject,
    blob: &Blob,
    from: &Path,
    place: &Path,
) -> Result<(), FetchError> {
    let failed = |path: &Path, source| FetchError::File {
        path: path.to_owned(),
        source,
    };
    let unopened = |source| FetchError::Unopened {
        payload: blob.digest,
        source,
    };
    let file = fs::File::open(from).map_err(|source| failed(from, source))?;
    let mut contents = sealed::reader(&object.key, file).map_err(unopened)?;
    let folder = place.parent().unwrap_or(place);
    let opening = tempfile::Builder::new()
        .prefix(&blob.digest.short())
        .suffix(".open")
        .tempfile_in(folder)
        .and_then(|file| {
            // Whoever makes room leaves alone what is locked.
            file.as_file().lock()?;
            Ok(file)
        });
    let mut opening = opening.map_err(|source| failed(folder, source))?;
    let damaged = |error: io::Error| unopened(OpenError::Contents(error.to_string()));
    let found = copy(contents.by_ref().take(blob.length), &mut opening).map_err(damaged)?;
    if found != blob.digest {
        return Err(FetchError::Digest {
            address: from.display().to_string(),
            found,
        });
    }
    // To its very end, for that is what says that it is whole.
    if !is_padding(contents).map_err(damaged)? {
        return Err(unopened(OpenError::TooLong(blob.length)));
    }
    let kept = || {
        opening.as_file().sync_all()?;
        opening.persist(place).map_err(|error| error.error)?;
        fs::File::open(folder)?.sync_all()
    };
    kept().map_err(|source| failed(place, source))
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
