//! New files, written piece by piece.

use std::{
    fs::File,
    io::{self, Write},
    os::unix::fs::FileExt,
    path::PathBuf,
};

use spacecp_contract::Digest;

use super::{
    ApplyError,
    attributes::{self, Capabilities, Held},
    contents,
    disk::Disk,
    error::Doing,
    faults::Operation,
    folder::There,
};

/// Whether a file shares the contents of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shared {
    Yes,
    /// This one cannot; another one may.
    NotThisOne,
    /// The file system has no such thing.
    Unsupported,
}

/// What the kernel's answer to sharing means. What a full or broken disk says is said again by the copy that
/// follows where nothing is shared.
fn shared(answer: rustix::io::Result<()>) -> io::Result<Shared> {
    use rustix::io::Errno;
    match answer {
        Ok(()) => Ok(Shared::Yes),
        // Files without copy-on-write or with other checksums, files in use as swap, and immutable ones.
        Err(Errno::INVAL | Errno::TXTBSY | Errno::PERM) => Ok(Shared::NotThisOne),
        Err(Errno::OPNOTSUPP | Errno::NOTTY | Errno::XDEV | Errno::NOSYS) => {
            Ok(Shared::Unsupported)
        }
        Err(error) => Err(error.into()),
    }
}

/// A file that was just created and is not yet what it shall be.
#[derive(Debug)]
pub(super) struct NewFile {
    file: File,
    path: PathBuf,
    disk: Disk,
}

impl NewFile {
    pub(super) fn new(file: File, path: PathBuf, disk: Disk) -> Self {
        Self { file, path, disk }
    }

    /// Writes at the end.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), ApplyError> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(self.disk.piece(bytes.len()));
            let Self { file, path, disk } = self;
            disk.act(Operation::Write, path, || file.write_all(now))?;
            bytes = later;
        }
        Ok(())
    }

    /// Shares the contents of another file, where that can be done.
    pub(super) fn share(&mut self, of: &File) -> Result<Shared, ApplyError> {
        self.disk.act(Operation::ShareContents, &self.path, || {
            shared(rustix::fs::ioctl_ficlone(&self.file, of))
        })
    }

    /// Writes somewhere in it, and reads back what is there then. `again` has as much room.
    pub(super) fn write_at(
        &mut self,
        mut bytes: &[u8],
        mut at: u64,
        again: &mut [u8],
    ) -> Result<(), ApplyError> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(self.disk.piece(bytes.len()));
            let Self { file, path, disk } = self;
            disk.act(Operation::Write, path, || file.write_all_at(now, at))?;
            self.check(now, at, &mut again[..now.len()])?;
            at += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    fn check(&self, written: &[u8], at: u64, again: &mut [u8]) -> Result<(), ApplyError> {
        let read = self.file.read_exact_at(again, at);
        read.doing("verify", &self.path)?;
        if again == written {
            return Ok(());
        }
        Err(ApplyError::Unverified {
            path: self.path.display().to_string(),
            reason: "content differs from what was written".to_owned(),
        })
    }

    /// Ends it after so many bytes; what was not written is a hole.
    pub(super) fn end_at(&mut self, length: u64) -> Result<(), ApplyError> {
        let Self {
            file, path, disk, ..
        } = self;
        if file.metadata().doing("inspect", &*path)?.len() == length {
            return Ok(());
        }
        disk.act(Operation::Write, path, || file.set_len(length))
    }

    /// A digest of what it holds.
    pub(super) fn fingerprint(&self) -> Result<Digest, ApplyError> {
        contents::fingerprint(&self.file).doing("verify", &self.path)
    }

    /// What it is now.
    pub(super) fn there(&self) -> Result<There, ApplyError> {
        There::of_file(&self.file).doing("inspect", &self.path)
    }

    /// Gives it to somebody, where it is not theirs already.
    pub(super) fn own(&self, owner: (u32, u32)) -> Result<(), ApplyError> {
        attributes::own(&self.disk, self.held(), owner)
    }

    /// Sets its mode.
    pub(super) fn set_mode(&self, mode: u32) -> Result<(), ApplyError> {
        attributes::set_mode(&self.disk, self.held(), mode)
    }

    /// Sets its mode, and keeps whom its access control list names and the mask of that.
    pub(super) fn set_mode_within_list(&self, mode: u32) -> Result<(), ApplyError> {
        attributes::set_mode_within_list(&self.disk, self.held(), mode)
    }

    /// Gives it owner, mode and extended attributes of another.
    pub(super) fn take_attributes(
        &self,
        of: Held<'_>,
        capabilities: Capabilities,
    ) -> Result<(), ApplyError> {
        attributes::take_attributes(&self.disk, self.held(), of, capabilities)
    }

    /// Gives it the times of another.
    pub(super) fn set_times(&self, of: There) -> Result<(), ApplyError> {
        let times = attributes::times(of);
        self.disk.act(Operation::SetTime, &self.path, || {
            Ok(rustix::fs::futimens(&self.file, &times)?)
        })
    }

    fn held(&self) -> Held<'_> {
        (&self.file, &self.path)
    }

    /// Makes it durable.
    pub(super) fn sync(&self) -> Result<(), ApplyError> {
        self.disk
            .act(Operation::SyncFile, &self.path, || self.file.sync_all())
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn a_file_that_cannot_share_its_contents_says_nothing_of_the_others() -> io::Result<()> {
        for error in [Errno::INVAL, Errno::TXTBSY, Errno::PERM] {
            assert_eq!(shared(Err(error))?, Shared::NotThisOne);
        }
        assert_eq!(shared(Err(Errno::OPNOTSUPP))?, Shared::Unsupported);
        assert!(shared(Err(Errno::IO)).is_err());
        Ok(())
    }
}
