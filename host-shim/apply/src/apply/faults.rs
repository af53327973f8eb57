//! Everything that an application changes outside its own memory, as single actions that may fail.
//!
//! Each is announced before it is done and told of afterwards. A panel runs with [`NoFaults`]; tests
//! count the actions, let each of them fail, and end the process before and after each.

use std::{io, path::Path};

use super::NoFaults;

/// What an action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Makes a folder.
    MakeFolder,
    /// Makes a symbolic link.
    MakeLink,
    /// Creates a file.
    CreateFile,
    /// Writes a piece of a file.
    Write,
    /// Has a file share the contents of another, where the file system can.
    ShareContents,
    /// Sets the owner of a file, folder or link.
    SetOwner,
    /// Sets the mode of a file or folder.
    SetMode,
    /// Sets an extended attribute.
    SetAttribute,
    /// Sets the time of a file's last change.
    SetTime,
    /// Makes a file durable.
    SyncFile,
    /// Makes what a folder lists durable.
    SyncFolder,
    /// Makes a whole file system durable.
    SyncFileSystem,
    /// Gives something another name.
    Rename,
    /// Exchanges what two names stand for.
    Exchange,
    /// Removes a file or link.
    RemoveFile,
    /// Removes an empty folder.
    RemoveFolder,
    /// Takes the lock of a component.
    Lock,
    /// Brings a payload into a file, verified and durable.
    Fetch,
    /// Writes to the journal; the word is the state that it goes to.
    Journal(&'static str),
}

impl Operation {
    /// The operation as what cannot be done.
    pub(super) fn doing(self) -> &'static str {
        match self {
            Self::MakeFolder => "create the directory",
            Self::MakeLink => "create the link",
            Self::CreateFile => "create",
            Self::Write => "write",
            Self::ShareContents => "copy the contents of",
            Self::SetOwner => "set the owner of",
            Self::SetMode => "set the mode of",
            Self::SetAttribute => "set an attribute of",
            Self::SetTime => "set the time of",
            Self::SyncFile | Self::SyncFolder => "sync",
            Self::SyncFileSystem => "sync the file system of",
            Self::Rename => "rename",
            Self::Exchange => "exchange",
            Self::RemoveFile => "remove",
            Self::RemoveFolder => "remove the directory",
            Self::Lock => "lock",
            Self::Fetch => "fetch",
            Self::Journal(_) => "record in the journal the state of",
        }
    }
}

/// One action.
#[derive(Debug, Clone, Copy)]
pub struct Action<'a> {
    /// What it does.
    pub operation: Operation,
    /// To what: a path, or the name of an application for what goes to the journal.
    pub path: &'a Path,
    /// The other name, of what is renamed or exchanged.
    pub to: Option<&'a Path>,
}

/// Is told of every action.
pub trait Faults: Send + Sync + std::fmt::Debug {
    /// The action is about to be done. An error is taken for its own, and it is not done.
    fn before(&self, action: &Action<'_>) -> io::Result<()>;

    /// The action was done.
    fn after(&self, action: &Action<'_>);

    /// How many of `length` bytes are written at once; what is left is an action of its own.
    fn piece(&self, length: usize) -> usize {
        length
    }
}

impl Faults for NoFaults {
    fn before(&self, _: &Action<'_>) -> io::Result<()> {
        Ok(())
    }

    fn after(&self, _: &Action<'_>) {}
}
