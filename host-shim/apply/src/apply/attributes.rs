//! What a file, folder or link is beside its contents: owner, mode, extended attributes, times.
//!
//! May not: read or write contents, or follow a link.

use std::{
    ffi::{OsStr, OsString},
    fs::{File, Permissions},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use rustix::fs::{Timespec, Timestamps};
use xattr::FileExt as _;

use super::{ApplyError, acl, disk::Disk, error::Doing, faults::Operation, folder::There};

/// A file or folder held open, and what it is called.
pub(super) type Held<'a> = (&'a File, &'a Path);

/// The attribute with the capabilities that a program has whoever runs it (`capabilities(7)`).
const CAPABILITIES: &str = "security.capability";

/// Whether the capabilities of one file become those of another. They are given to contents, not to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Capabilities {
    Take,
    Leave,
}

/// Whether a file has capabilities.
pub(super) fn has_capabilities(of: Held<'_>) -> Result<bool, ApplyError> {
    Ok(names(of)?.iter().any(|name| name == CAPABILITIES))
}

/// Gives a file or folder the owner, mode and extended attributes of another.
pub(super) fn take_attributes(
    disk: &Disk,
    to: Held<'_>,
    of: Held<'_>,
    capabilities: Capabilities,
) -> Result<(), ApplyError> {
    let metadata = of.0.metadata().doing("inspect", of.1)?;
    own(disk, to, (metadata.uid(), metadata.gid()))?;
    let names = names(of)?;
    for inherited in [acl::ACCESS, acl::DEFAULT].map(OsStr::new) {
        if !names.iter().any(|name| name == inherited) {
            remove(disk, to, inherited)?;
        }
    }
    // Before the attributes: a mode that is set later changes the mask of an access control list.
    set_mode(disk, to, metadata.permissions().mode() & 0o7777)?;
    for name in names {
        let are_capabilities = name == CAPABILITIES;
        if are_capabilities && capabilities == Capabilities::Leave {
            continue;
        }
        if let Some(value) = of.0.get_xattr(&name).doing("read an attribute of", of.1)? {
            let set = disk.act(Operation::SetAttribute, to.1, || {
                to.0.set_xattr(&name, &value)
            });
            set.map_err(|error| match error {
                ApplyError::File { source, .. }
                    if are_capabilities && source.kind() == io::ErrorKind::PermissionDenied =>
                {
                    ApplyError::Capabilities {
                        path: of.1.to_owned(),
                        source,
                    }
                }
                error => error,
            })?;
        }
    }
    Ok(())
}

fn names(of: Held<'_>) -> Result<Vec<OsString>, ApplyError> {
    unless_unsupported(of.0.list_xattr()).doing("list the attributes of", of.1)
}

/// Removes an attribute that a new file has from the default access control list of its folder.
fn remove(disk: &Disk, of: Held<'_>, name: &OsStr) -> Result<(), ApplyError> {
    if !names(of)?.iter().any(|there| there == name) {
        return Ok(());
    }
    disk.act(Operation::SetAttribute, of.1, || of.0.remove_xattr(name))
}

/// Whether two files have the same extended attributes.
pub(super) fn are_alike(one: Held<'_>, other: Held<'_>) -> Result<bool, ApplyError> {
    let of = |held: Held<'_>| -> Result<Vec<_>, ApplyError> {
        let values = names(held)?.into_iter().map(|name| {
            let value = held.0.get_xattr(&name);
            Ok((name, value.doing("read an attribute of", held.1)?))
        });
        let mut values = values.collect::<Result<Vec<_>, ApplyError>>()?;
        values.sort();
        Ok(values)
    };
    Ok(of(one)? == of(other)?)
}

/// Gives a file or folder to somebody, where it is not theirs already.
pub(super) fn own(disk: &Disk, to: Held<'_>, owner: (u32, u32)) -> Result<(), ApplyError> {
    let there = to.0.metadata().doing("inspect", to.1)?;
    if (there.uid(), there.gid()) == owner {
        return Ok(());
    }
    // Only root may give files away; as anybody else all files are one's own.
    disk.act(Operation::SetOwner, to.1, || {
        std::os::unix::fs::fchown(to.0, Some(owner.0), Some(owner.1))
    })
}

/// Sets the mode of a file or folder.
pub(super) fn set_mode(disk: &Disk, to: Held<'_>, mode: u32) -> Result<(), ApplyError> {
    disk.act(Operation::SetMode, to.1, || {
        to.0.set_permissions(Permissions::from_mode(mode))
    })
}

/// Sets the mode of a file, and keeps whom its access control list names and the mask of that.
pub(super) fn set_mode_within_list(disk: &Disk, to: Held<'_>, mode: u32) -> Result<(), ApplyError> {
    let list = access_list(to)?.and_then(|list| acl::with_mode(&list, mode));
    set_mode(disk, to, mode)?;
    let Some(list) = list else {
        return Ok(());
    };
    disk.act(Operation::SetAttribute, to.1, || {
        to.0.set_xattr(acl::ACCESS, &list)
    })
}

/// The mode of a file without what an access control list grants beside it.
pub(super) fn mode_within_list(of: Held<'_>) -> Result<u32, ApplyError> {
    let mode = of.0.metadata().doing("inspect", of.1)?.permissions().mode() & 0o7777;
    let list = access_list(of)?.and_then(|list| acl::mode_of(&list));
    Ok(list.map_or(mode, |bits| mode & 0o7000 | bits))
}

fn access_list(of: Held<'_>) -> Result<Option<Vec<u8>>, ApplyError> {
    match of.0.get_xattr(acl::ACCESS) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        list => list.doing("read an attribute of", of.1),
    }
}

/// When something was last read and written, as a call sets it.
pub(super) fn times(of: There) -> Timestamps {
    Timestamps {
        last_access: time(of.accessed),
        last_modification: time(of.modified),
    }
}

fn time(nanoseconds: i128) -> Timespec {
    const SECOND: i128 = 1_000_000_000;
    Timespec {
        tv_sec: i64::try_from(nanoseconds.div_euclid(SECOND)).unwrap_or_default(),
        tv_nsec: i64::try_from(nanoseconds.rem_euclid(SECOND)).unwrap_or_default(),
    }
}

/// The extended attributes of a link itself; the path leads there through a handle.
#[expect(
    clippy::disallowed_methods,
    reason = "no call takes a handle and a name; this one does not follow the link"
)]
pub(super) fn attributes_of_link(link: &Path) -> io::Result<Vec<(OsString, Vec<u8>)>> {
    let mut found = Vec::new();
    for name in unless_unsupported(xattr::list(link))? {
        if let Some(value) = xattr::get(link, &name)? {
            found.push((name, value));
        }
    }
    Ok(found)
}

/// A file system without extended attributes has none to keep.
fn unless_unsupported(names: io::Result<xattr::XAttrs>) -> io::Result<Vec<OsString>> {
    match names {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(Vec::new()),
        names => Ok(names?.collect()),
    }
}
