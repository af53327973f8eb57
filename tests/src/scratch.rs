//! Folders for what a test writes: in memory where there is room, since what most tests ask is which bytes are where,
//! and not whether they have reached a disk. Tests about disks mount their own, and say so by `TMPDIR`;
//! `TMPDIR=/var/tmp cargo test` runs all of them on a disk.

use std::{env, io, path::Path};

use rustix::fs::{StatVfsMountFlags, statvfs};
use tempfile::TempDir;

const MEMORY: &str = "/dev/shm";

/// So much must be free in memory: containers often have 64 MiB.
const ROOM: u64 = 2 << 30;

/// A folder that goes with the test.
pub fn folder() -> io::Result<TempDir> {
    if env::var_os("TMPDIR").is_none() && has_room() {
        TempDir::with_prefix_in("spacecp-test-", MEMORY)
    } else {
        TempDir::with_prefix("spacecp-test-")
    }
}

/// Whether programs can be run there, and there is room.
fn has_room() -> bool {
    let Ok(there) = statvfs(Path::new(MEMORY)) else {
        return false;
    };
    let free = there.f_bavail.saturating_mul(there.f_frsize);
    !there.f_flag.contains(StatVfsMountFlags::NOEXEC) && free >= ROOM
}
