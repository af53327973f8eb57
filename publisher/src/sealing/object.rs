//! Encrypts one file so that whoever has its key can read it: an age file without a recipient.

use std::{
    cell::RefCell,
    collections::HashSet,
    io::{self, Read, Write},
};

use age_core::{
    format::{FileKey, Stanza},
    secrecy::ExposeSecret,
};
use sha2::{Digest as _, Sha256};
use spacecp_contract::{Digest, ObjectKey, SealedObject};
use spacecp_trust::sealed::STANZA;

/// Stands in the header where a recipient would, and remembers the key.
#[derive(Default)]
struct Keeper(RefCell<Option<ObjectKey>>);

impl age::Recipient for Keeper {
    fn wrap_file_key(
        &self,
        key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        *self.0.borrow_mut() = Some(ObjectKey::from_bytes(*key.expose_secret()));
        let stanza = Stanza {
            tag: STANZA.to_owned(),
            args: Vec::new(),
            body: Vec::new(),
        };
        Ok((vec![stanza], HashSet::new()))
    }
}

/// Counts and hashes what is written.
struct Counted<W> {
    into: W,
    hash: Sha256,
    length: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.into.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

/// Encrypts `contents` into `into`, piece by piece, with a key that nothing else has.
pub(super) fn seal(mut contents: impl Read, into: impl Write) -> io::Result<SealedObject> {
    let keeper = Keeper::default();
    let recipients = std::iter::once(&keeper as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
    let counted = Counted {
        into,
        hash: Sha256::new(),
        length: 0,
    };
    let mut sealing = encryptor.wrap_output(counted)?;
    io::copy(&mut contents, &mut sealing)?;
    let mut counted = sealing.finish()?;
    counted.flush()?;
    let Counted { hash, length, .. } = counted;
    let key = keeper.0.into_inner();
    Ok(SealedObject {
        digest: Digest::from_bytes(hash.finalize().into()),
        length,
        key: key.ok_or_else(|| io::Error::other("no key from age"))?,
    })
}
