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
    let contents = sealed::reader(&object.key, file).map_err(unopened)?;
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
    let (found, length) = copy(contents, blob.length, &mut opening)
        .map_err(|error| unopened(OpenError::Contents(error.to_string())))?;
    if length > blob.length {
        return Err(unopened(OpenError::TooLong(blob.length)));
    }
    if found != blob.digest {
        return Err(FetchError::Digest {
            address: from.display().to_string(),
            found,
        });
    }
    let kept = || {
        opening.as_file().sync_all()?;
        opening.persist(place).map_err(|error| error.error)?;
        fs::File::open(folder)?.sync_all()
    };
    kept().map_err(|source| failed(place, source))
}

/// Copies what is in a sealed file, and no more of it than one byte too many.
fn copy(contents: impl Read, most: u64, into: &mut impl Write) -> io::Result<(Digest, u64)> {
    let mut contents = contents.take(most.saturating_add(1));
    let (mut hash, mut length) = (Sha256::new(), 0);
    let mut piece = vec![0; PIECE];
    loop {
        match contents.read(&mut piece)? {
            0 => return Ok((Digest::from_bytes(hash.finalize().into()), length)),
            read => {
                hash.update(&piece[..read]);
                into.write_all(&piece[..read])?;
                length += read as u64;
            }
        }
    }
}
