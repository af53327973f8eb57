//! Opens directories of the machine by their paths, and says who could exchange what lies there.
//!
//! A path is walked from the root directory, one name at a time, with a handle to each directory. A
//! symbolic link is followed only where nobody but root and the panel's user could have put it there.
//! Below a directory in which others may rename, nothing is ever reached by its path alone.

#![expect(
    clippy::disallowed_methods,
    reason = "paths are walked here, with a handle to each directory"
)]

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read},
    os::unix::ffi::OsStringExt,
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{self, CWD, Mode, OFlags},
    io::Errno,
};
use xattr::FileExt as _;

use super::{ApplyError, disk::Disk, error::Doing, folder::Folder, folder::There};

/// The most symbolic links on one path, as in the kernel (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// The most bytes that are read of a list of users or groups.
const LONGEST_LIST: u64 = 4 << 20;

/// Why users other than root and the panel's own could exchange what lies in a directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InsecurePath {
    /// The directory belongs to another user, who may rename everything in it.
    #[error("{} belongs to user {owner}, who can rename its entries", directory.display())]
    Owner {
        /// The directory.
        directory: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// A group that may have other members, or an access control list, gives write access.
    #[error("group {group} or an access control list can rename entries of {}", directory.display())]
    Group {
        /// The directory.
        directory: PathBuf,
        /// Its group.
        group: u32,
    },
    /// Every user may write there.
    #[error("every user can rename entries of {}", directory.display())]
    Everybody {
        /// The directory.
        directory: PathBuf,
    },
    /// Others may write there, and the sticky bit does not protect what belongs to one of them.
    #[error("{} belongs to user {owner}, who can rename it in a directory writable by others", entry.display())]
    Entry {
        /// What lies in the directory.
        entry: PathBuf,
        /// Its owner.
        owner: u32,
    },
}

impl InsecurePath {
    /// What to give to root or to the panel's user.
    pub fn path(&self) -> &Path {
        match self {
            Self::Owner { directory, .. }
            | Self::Group { directory, .. }
            | Self::Everybody { directory } => directory,
            Self::Entry { entry, .. } => entry,
        }
    }
}

/// Opens a directory by its path. The second is why others could exchange it for another one.
pub(super) fn open(disk: &Disk, path: &Path) -> Result<(Folder, Option<InsecurePath>), ApplyError> {
    let mut walk = Walk::new(path)?;
    while let Some(name) = walk.names.pop_front() {
        walk.step(&name).doing("open the directory", path)?;
    }
    let handle = walk.for_reading().doing("open the directory", path)?;
    Ok((Folder::new(handle, path, disk), walk.insecure))
}

/// Why users other than root and the panel's own could exchange the directory at `path` for another one, if they
/// could. One that is not there yet is judged by the directory in which it would be made. A link on the way that
/// others could have put there is an error.
pub fn insecure_path(path: &Path) -> Result<Option<InsecurePath>, ApplyError> {
    let mut walk = Walk::new(path)?;
    while let Some(name) = walk.names.pop_front() {
        match walk.step(&name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let insecure = weakness(&walk.handle, &walk.reached, None);
                return Ok(walk.insecure.or(insecure.doing("inspect", &walk.reached)?));
            }
            stepped => stepped.doing("open the directory", path)?,
        }
    }
    Ok(walk.insecure)
}

/// A path that is being walked.
struct Walk {
    handle: File,
    /// Where the handle is, without links.
    reached: PathBuf,
    /// What is still to be entered.
    names: VecDeque<OsString>,
    links: usize,
    insecure: Option<InsecurePath>,
}

impl Walk {
    fn new(path: &Path) -> Result<Self, ApplyError> {
        let path = std::path::absolute(path).doing("find", path)?;
        Ok(Self {
            handle: root().doing("open", "/")?,
            reached: PathBuf::from("/"),
            names: names(&path),
            links: 0,
            insecure: None,
        })
    }

    /// Enters what lies under one name, or follows the link there.
    fn step(&mut self, name: &OsStr) -> io::Result<()> {
        if name == ".." {
            // The directory above was walked through: it is where the way led here.
            self.handle = enter(&self.handle, name)?;
            self.reached.pop();
            return Ok(());
        }
        let entry = There::under(&self.handle, name)?;
        let weakness = weakness(&self.handle, &self.reached, Some((name, entry)))?;
        if self.insecure.is_none() {
            self.insecure = weakness;
        }
        if entry.is_link() {
            return self.follow(name);
        }
        self.handle = enter(&self.handle, name)?;
        self.reached.push(name);
        Ok(())
    }

    fn follow(&mut self, name: &OsStr) -> io::Result<()> {
        if let Some(insecure) = &self.insecure {
            let link = self.reached.join(name);
            return Err(io::Error::other(format!(
                "{} is a symbolic link that other users could have created: {insecure}",
                link.display()
            )));
        }
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(Errno::LOOP.into());
        }
        let target = fs::readlinkat(&self.handle, name, Vec::new())?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        if target.is_absolute() {
            self.handle = root()?;
            self.reached = PathBuf::from("/");
        }
        let mut ahead = names(&target);
        ahead.append(&mut self.names);
        self.names = ahead;
        Ok(())
    }

    /// The directory that was reached, open for listing and not only for passing through.
    fn for_reading(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(fs::openat(&self.handle, ".", flags, Mode::empty())?.into())
    }
}

fn names(path: &Path) -> VecDeque<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    parts.collect()
}

fn root() -> io::Result<File> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(fs::openat(CWD, "/", flags, Mode::empty())?.into())
}

/// Enters a directory that is no link. One that may only be passed through is held as such.
fn enter(directory: &File, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let entered = match fs::openat(directory, name, flags | OFlags::RDONLY, Mode::empty()) {
        Err(Errno::ACCESS) => fs::openat(directory, name, flags | OFlags::PATH, Mode::empty()),
        entered => entered,
    };
    Ok(entered?.into())
}

/// Why users other than root and the panel's own may rename an entry of a directory, if they may.
///
/// Without an entry the answer is for one that this process makes itself.
pub(super) fn weakness(
    directory: &File,
    path: &Path,
    entry: Option<(&OsStr, There)>,
) -> io::Result<Option<InsecurePath>> {
    let there = There::of(&fs::fstat(directory)?);
    let (owner, group) = there.owner;
    let directory_path = || path.to_owned();
    if !is_trusted(owner) {
        return Ok(Some(InsecurePath::Owner {
            directory: directory_path(),
            owner,
        }));
    }
    // The bits of the group are also the mask of an access control list (acl(5)).
    let by_group = there.mode & 0o020 != 0 && (!is_private(group) || has_list(directory));
    let by_everybody = there.mode & 0o002 != 0;
    if !by_group && !by_everybody {
        return Ok(None);
    }
    if there.mode & 0o1000 != 0 {
        // Whoever owns an entry may rename it all the same.
        let others = entry.filter(|(_, entry)| !is_trusted(entry.owner.0));
        return Ok(others.map(|(name, entry)| InsecurePath::Entry {
            entry: path.join(name),
            owner: entry.owner.0,
        }));
    }
    Ok(Some(if by_everybody {
        InsecurePath::Everybody {
            directory: directory_path(),
        }
    } else {
        InsecurePath::Group {
            directory: directory_path(),
            group,
        }
    }))
}

/// Root may do everything anyway, and this process is the panel's user.
fn is_trusted(user: u32) -> bool {
    user == 0 || user == rustix::process::geteuid().as_raw()
}

/// Whether a directory has an access control list. One that cannot be asked may have.
fn has_list(directory: &File) -> bool {
    match directory.get_xattr("system.posix_acl_access") {
        Ok(list) => list.is_some(),
        Err(error) => error.kind() != io::ErrorKind::Unsupported,
    }
}

/// Whether a group is the private one of root or of the panel's user: it is called like the user, and
/// nobody else is in it. Many systems give each user such a group, and let it write everywhere.
fn is_private(group: u32) -> bool {
    let (users, groups) = (list("/etc/passwd"), list("/etc/group"));
    [0, rustix::process::geteuid().as_raw()]
        .into_iter()
        .any(|user| is_private_to(user, group, &users, &groups))
}

fn list(path: &str) -> String {
    let mut text = String::new();
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let opened = fs::openat(CWD, path, flags, Mode::empty());
    // Without a list no group is known to be anybody's own.
    let read = opened.map(|file| {
        File::from(file)
            .take(LONGEST_LIST)
            .read_to_string(&mut text)
    });
    match read {
        Ok(Ok(_)) => text,
        _ => String::new(),
    }
}

/// The same, by the contents of `passwd(5)` and `group(5)`.
fn is_private_to(user: u32, group: u32, users: &str, groups: &str) -> bool {
    let lines = |text: &str| -> Vec<Vec<String>> {
        let lines = text.lines();
        lines
            .map(|line| line.split(':').map(str::to_owned).collect())
            .collect()
    };
    let number = |field: Option<&String>| field.and_then(|field| field.parse::<u32>().ok());
    let users = lines(users);
    let Some(name) = users
        .iter()
        .find(|line| number(line.get(2)) == Some(user))
        .and_then(|line| line.first())
    else {
        return false;
    };
    let primary = users
        .iter()
        .filter(|line| number(line.get(3)) == Some(group));
    let only_this_user = primary
        .into_iter()
        .all(|line| number(line.get(2)) == Some(user));
    let groups = lines(groups);
    let mut groups = groups
        .iter()
        .filter(|line| number(line.get(2)) == Some(group))
        .peekable();
    let is_named_so = groups.peek().is_some_and(|line| line.first() == Some(name));
    let has_no_others = groups.all(|line| {
        let members = line.get(3).map_or("", String::as_str);
        members
            .split(',')
            .all(|member| member.is_empty() || member == name)
    });
    only_this_user && is_named_so && has_no_others
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n\
        bob:x:1001:1001::/home/bob:/bin/sh\nguest:x:1002:1001::/home/guest:/bin/sh\n";
    const GROUPS: &str =
        "root:x:0:\nada:x:1000:ada\nbob:x:1001:\nstaff:x:50:\nada2:x:1003:\nshared:x:7:ada,bob\n";

    #[test]
    fn a_group_of_one_user_that_is_called_like_the_user_is_private() {
        assert!(is_private_to(0, 0, USERS, GROUPS));
        assert!(is_private_to(1000, 1000, USERS, GROUPS));
    }

    #[test]
    fn a_group_with_other_members_or_another_name_is_not_private() {
        for (user, group) in [
            (1001, 1001),
            (1000, 50),
            (1000, 7),
            (1000, 1003),
            (0, 1000),
            (1000, 4),
        ] {
            assert!(!is_private_to(user, group, USERS, GROUPS), "{user} {group}");
        }
    }

    #[test]
    fn without_lists_of_users_no_group_is_private() {
        assert!(!is_private_to(0, 0, "", ""));
    }
}
