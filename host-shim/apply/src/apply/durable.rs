//! How a whole tree becomes durable: file by file, or all at once where that is known to hold.

use super::{ApplyError, folder::Folder};

/// How a tree that was just written becomes durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durably {
    /// Every file and folder on its own (`fsync`): right everywhere, and slow for many files.
    OneByOne,
    /// The whole file system in one call (`syncfs`).
    AllAtOnce,
}

/// File systems of which `syncfs(2)` makes everything durable that was written before the call, by
/// their numbers in `statfs(2)`. It does not for those that keep their files elsewhere: FUSE does
/// not pass it on, and what lies under an overlay may be anything.
const WHOLE: [u64; 5] = [
    0xef53,      // ext4
    0x5846_5342, // xfs
    0x9123_683e, // btrfs
    0xf2f5_2010, // f2fs
    0x0102_1994, // tmpfs, where nothing outlives the machine
];

impl Durably {
    /// How a tree in this folder becomes durable.
    pub(super) fn in_folder(folder: &Folder) -> Result<Self, ApplyError> {
        Ok(Self::on(folder.file_system()?, &kernel()))
    }

    /// How it does on a kind of file system, under a kernel of this release.
    fn on(file_system: u64, kernel: &str) -> Self {
        if WHOLE.contains(&file_system) && reports_failures(kernel) {
            Self::AllAtOnce
        } else {
            Self::OneByOne
        }
    }
}

/// The release of the kernel. Who cannot read it learns nothing, and takes the way that is always right.
#[expect(clippy::disallowed_methods, reason = "the file is the kernel's own")]
fn kernel() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default()
}

/// Whether `syncfs` reports what could not be written; it does since Linux 5.8.
fn reports_failures(kernel: &str) -> bool {
    let mut numbers = kernel.split(|character: char| !character.is_ascii_digit());
    let mut next = || numbers.next().and_then(|number| number.parse::<u32>().ok());
    matches!((next(), next()), (Some(major), Some(minor)) if (major, minor) >= (5, 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_is_enough_where_it_reaches_the_disk_and_reports_what_did_not() {
        assert_eq!(Durably::on(0xef53, "6.1.0-18-amd64\n"), Durably::AllAtOnce);
        assert_eq!(Durably::on(0xef53, "5.8.0"), Durably::AllAtOnce);
        for (file_system, kernel) in [
            (0xef53, "5.7.19"),
            (0xef53, "4.19.0-25-amd64"),
            (0xef53, ""),
            (0x6573_5546, "6.1.0"), // FUSE
            (0x794c_7630, "6.1.0"), // overlayfs
        ] {
            assert_eq!(
                Durably::on(file_system, kernel),
                Durably::OneByOne,
                "{kernel}"
            );
        }
    }
}
