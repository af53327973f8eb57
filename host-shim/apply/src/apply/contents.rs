//! The contents of files: copied without filling their holes, compared, and told by a digest.
//!
//! May not: look at names or attributes.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use rustix::{fs::SeekFrom, io::Errno};
use sha2::{Digest as _, Sha256};
use spacecp_contract::Digest;

use super::{ApplyError, error::Doing, files::NewFile};
use spacecp_fs::hashing::PIECE;

/// Copies at most the first `length` bytes of a file into a new one, and reads back what was written.
///
/// Somebody may write to the source meanwhile: whoever calls this finds out afterwards.
pub(super) fn copy(
    (source, path): (&File, &Path),
    length: u64,
    target: &mut NewFile,
    (piece, again): (&mut [u8], &mut [u8]),
) -> Result<(), ApplyError> {
    let mut at = 0;
    // To look for data waits for a write that is under way (the lock of the inode), so that what began
    // before the file was looked at is copied.
    while let Some(start) = next_data(source, at).doing("read", path)?
        && start < length
    {
        at = start;
        let end = next_hole(source, start)
            .doing("read", path)?
            .map_or(length, |hole| hole.min(length));
        while at < end {
            let read = read(source, piece, at, end).doing("read", path)?;
            if read == 0 {
                // It has become shorter.
                return Ok(());
            }
            target.write_at(&piece[..read], at, again)?;
            at += read as u64;
        }
    }
    target.end_at(length)
}

fn read(source: &File, piece: &mut [u8], at: u64, end: u64) -> io::Result<usize> {
    let room = usize::try_from(end - at).unwrap_or(usize::MAX);
    let room = room.min(piece.len());
    loop {
        match source.read_at(&mut piece[..room], at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Whether two files hold the same bytes. What neither has on the disk is not read.
pub(super) fn are_alike(one: &File, other: &File) -> io::Result<bool> {
    let length = one.metadata()?.len();
    if other.metadata()?.len() != length {
        return Ok(false);
    }
    let room = usize::try_from(length).unwrap_or(PIECE).min(PIECE);
    let (mut first, mut second) = (vec![0; room], vec![0; room]);
    let mut at = 0;
    loop {
        let data = [next_data(one, at)?, next_data(other, at)?];
        let Some(start) = data.into_iter().flatten().min().filter(|at| *at < length) else {
            return Ok(true);
        };
        let room = usize::try_from(length - start).unwrap_or(room).min(room);
        let (first, second) = (&mut first[..room], &mut second[..room]);
        for (file, piece) in [(one, &mut *first), (other, &mut *second)] {
            match file.read_exact_at(piece, start) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
                read => read?,
            }
        }
        if first != second {
            return Ok(false);
        }
        at = start + room as u64;
    }
}

/// A digest of what a file holds, the same wherever its holes lie. What is in none of its bytes is not read.
pub(super) fn fingerprint(file: &File) -> io::Result<Digest> {
    let length = file.metadata()?.len();
    let mut hash = Sha256::new();
    hash.update(length.to_le_bytes());
    let whole = PIECE as u64;
    let mut piece = vec![0; usize::try_from(length).unwrap_or(PIECE).min(PIECE)];
    let mut at = 0;
    while let Some(start) = next_data(file, at)?.filter(|start| *start < length) {
        at = start - start % whole;
        let mut held = 0;
        let end = length.min(at + whole);
        while at + (held as u64) < end {
            match read(file, &mut piece[held..], at + held as u64, end)? {
                0 => break,
                read => held += read,
            }
        }
        // Nothing but zeros may be a hole elsewhere.
        if piece[..held].iter().any(|byte| *byte != 0) {
            hash.update(at.to_le_bytes());
            hash.update(&piece[..held]);
        }
        at += whole;
    }
    Ok(Digest::from_bytes(hash.finalize().into()))
}

/// Where the next bytes are that are not in a hole; a file system that does not know holes says that
/// they are right there.
fn next_data(file: &File, at: u64) -> io::Result<Option<u64>> {
    match rustix::fs::seek(file, SeekFrom::Data(at)) {
        Ok(data) => Ok(Some(data)),
        Err(Errno::NXIO) => Ok(None),
        Err(error) if is_not_possible(error) => {
            let length = file.metadata()?.len();
            Ok((at < length).then_some(at))
        }
        Err(error) => Err(error.into()),
    }
}

/// Where the next hole begins, if the file system knows.
fn next_hole(file: &File, at: u64) -> io::Result<Option<u64>> {
    match rustix::fs::seek(file, SeekFrom::Hole(at)) {
        Ok(hole) => Ok(Some(hole)),
        Err(Errno::NXIO) => Ok(None),
        Err(error) if is_not_possible(error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_not_possible(error: Errno) -> bool {
    matches!(error, Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS)
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    fn file(parts: &[(u64, &[u8])], length: u64) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        for (at, bytes) in parts {
            file.seek(io::SeekFrom::Start(*at)).expect("a place in it");
            file.write_all(bytes).expect("there is room");
        }
        file.set_len(length).expect("there is room");
        file
    }

    #[test]
    fn files_are_alike_whose_bytes_are_wherever_their_holes_lie() {
        let long = 3 * PIECE as u64 + 7;
        let zeros = vec![0; PIECE];
        let holes = file(&[(long - 1, b"x")], long);
        let filled = file(&[(0, &zeros), (long - 1, b"x")], long);
        let other = file(&[(PIECE as u64 + 5, b"y"), (long - 1, b"x")], long);
        let shorter = file(&[], long - 1);
        let alike = |one: &File, other: &File| are_alike(one, other).expect("they can be read");
        assert!(alike(&holes, &filled) && alike(&filled, &holes));
        assert!(!alike(&holes, &other) && !alike(&other, &filled));
        assert!(!alike(&holes, &shorter));
        assert!(alike(&file(&[], 0), &file(&[], 0)));
    }

    #[test]
    fn a_fingerprint_is_of_the_bytes_wherever_their_holes_lie() {
        let long = 3 * PIECE as u64 + 7;
        let zeros = vec![0; PIECE];
        let holes = file(&[(long - 1, b"x")], long);
        let filled = file(&[(0, &zeros), (long - 1, b"x")], long);
        let other = file(&[(PIECE as u64 + 5, b"x"), (long - 1, b"x")], long);
        let moved = file(&[(PIECE as u64, b"x")], long);
        let longer = file(&[(long - 1, b"x")], long + 1);
        let of = |file: &File| fingerprint(file).expect("it can be read");
        assert_eq!(of(&holes), of(&filled));
        for differs in [&other, &moved, &longer, &file(&[], long)] {
            assert_ne!(of(&holes), of(differs));
        }
        let huge = 1 << 40;
        assert_eq!(of(&file(&[(9, b"x")], huge)), of(&file(&[(9, b"x")], huge)));
    }

    #[test]
    fn a_file_as_long_as_a_number_says_is_compared_by_what_is_in_it() {
        let huge = 1 << 40;
        assert!(are_alike(&file(&[(9, b"x")], huge), &file(&[(9, b"x")], huge)).expect("read"));
        assert!(!are_alike(&file(&[(9, b"x")], huge), &file(&[(8, b"x")], huge)).expect("read"));
    }
}
