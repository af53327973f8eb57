//! Reads the texts of a process directory: `stat`, `maps` and `cgroup` as `proc(5)` and `cgroups(7)` describe them.
//!
//! No I/O. Names in these files are chosen by processes and may contain anything.

use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

/// The kernel's mark behind the path of a deleted file.
const DELETED: &[u8] = b" (deleted)";

/// `PF_KTHREAD` of `include/linux/sched.h`: a thread of the kernel, which runs no program.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// What is read from `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) name: String,
    pub(super) is_kernel: bool,
    pub(super) has_terminal: bool,
    /// Whether it has ended and only waits to be collected.
    pub(super) is_over: bool,
    /// Clock ticks since the machine started.
    pub(super) started: u64,
}

/// Reads `stat`. The name stands in parentheses and may itself contain parentheses, spaces and line ends: it reaches to
/// the last one that closes.
pub(super) fn stat(bytes: &[u8]) -> Option<Stat> {
    let begin = bytes.iter().position(|byte| *byte == b'(')?;
    let end = bytes.iter().rposition(|byte| *byte == b')')?;
    let name = bytes.get(begin + 1..end)?;
    let rest = std::str::from_utf8(bytes.get(end + 1..)?).ok()?;
    // Fields from the third on.
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<i64>().ok();
    let flags = fields.get(9 - 3)?.parse::<u64>().ok()?;
    Some(Stat {
        name: printable(name),
        is_kernel: flags & KERNEL_THREAD != 0,
        has_terminal: number(7)? != 0,
        is_over: matches!(fields.first(), Some(&("Z" | "X" | "x"))),
        started: fields.get(22 - 3)?.parse().ok()?,
    })
}

/// A text of a process for a person: without control characters, which would speak to a terminal.
pub(super) fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let shown = |character: char| {
        let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || turns {
            '\u{fffd}'
        } else {
            character
        }
    };
    text.chars().map(shown).collect()
}

/// When the machine started, in seconds since 1970, from `/proc/stat`.
pub(super) fn boot_time(text: &str) -> Option<i64> {
    let line = text.lines().find_map(|line| line.strip_prefix("btime "));
    line?.trim().parse().ok()
}

/// The path of a link of the process directory, and whether the kernel says that it is deleted.
pub(super) fn link(path: &Path) -> (PathBuf, bool) {
    match path.as_os_str().as_bytes().strip_suffix(DELETED) {
        Some(bytes) => (PathBuf::from(OsString::from_vec(bytes.to_vec())), true),
        None => (path.to_owned(), false),
    }
}

/// The files in `maps`, each once: path as the kernel writes it, and the inode.
pub(super) fn maps(bytes: &[u8]) -> Vec<(PathBuf, u64)> {
    let mut files: Vec<(PathBuf, u64)> = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some(file) = mapped(line) else { continue };
        // The segments of one file stand one after the other.
        if files.last() != Some(&file) && !files.contains(&file) {
            files.push(file);
        }
    }
    files
}

/// `address perms offset dev inode path`; the path begins after padding and may contain spaces.
fn mapped(line: &[u8]) -> Option<(PathBuf, u64)> {
    let mut rest = line;
    let mut inode = 0;
    for field in 0..5 {
        let end = rest.iter().position(|byte| *byte == b' ')?;
        if field == 4 {
            inode = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
        }
        rest = &rest[end + 1..];
    }
    let begin = rest.iter().position(|byte| *byte != b' ')?;
    let path = rest.get(begin..)?;
    // What has no path is memory without a file: `[heap]`, `anon_inode:…`.
    (inode != 0 && path.starts_with(b"/")).then(|| (unescaped(path), inode))
}

/// The kernel writes a line end in a path as `\012`, and nothing else so.
fn unescaped(path: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some(place) = rest.windows(4).position(|four| four == b"\\012") {
        bytes.extend_from_slice(&rest[..place]);
        bytes.push(b'\n');
        rest = &rest[place + 4..];
    }
    bytes.extend_from_slice(rest);
    PathBuf::from(OsString::from_vec(bytes))
}

/// The arguments of a command line, which end with a zero byte each.
pub(super) fn arguments(bytes: &[u8]) -> Vec<PathBuf> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    let arguments = bytes.split(|byte| *byte == 0);
    arguments
        .map(|one| PathBuf::from(OsString::from_vec(one.to_vec())))
        .collect()
}

/// The systemd unit in a `cgroup` file: the innermost service of the hierarchy that systemd keeps.
///
/// None for services of a user's own manager, which the system's manager does not restart, and for names that a shell
/// would need quoted: users choose the names of their control groups, and the name is printed in a command to run.
pub(super) fn unit(text: &str) -> Option<String> {
    let of_systemd = |line: &&str| line.starts_with("0::") || line.contains(":name=systemd:");
    let line = text.lines().find(of_systemd)?;
    let path = line.splitn(3, ':').nth(2)?;
    let is_manager = |name: &str| name.starts_with("user@") && name.ends_with(".service");
    if path.split('/').any(is_manager) {
        return None;
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.@".contains(&byte);
    let unit = path.rsplit('/').find(|name| name.ends_with(".service"))?;
    (unit.bytes().all(is_plain) && !unit.starts_with('-')).then(|| unit.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A line as the kernel writes it.
    fn line(name: &[u8], flags: u64, terminal: i64, started: u64) -> Vec<u8> {
        let mut line = b"42 (".to_vec();
        line.extend_from_slice(name);
        line.extend_from_slice(
            format!(") S 1 42 42 {terminal} -1 {flags} 0 0 0 0 0 0 0 0 20 0 1 0 {started} 1 2")
                .as_bytes(),
        );
        line
    }

    #[test]
    fn a_name_with_parentheses_and_line_ends_hides_no_field() {
        let read = stat(&line(b"a) S 1 (b\n", 0, 34_816, 777)).unwrap();
        assert_eq!(
            (read.started, read.has_terminal, read.is_kernel),
            (777, true, false)
        );
        assert_eq!(read.name, "a) S 1 (b\u{fffd}");
    }

    #[test]
    fn a_thread_of_the_kernel_is_known_by_its_flag() {
        assert!(
            stat(&line(b"kworker/0:1", 0x0420_8060, 0, 1))
                .unwrap()
                .is_kernel
        );
    }

    #[test]
    fn a_mapped_file_has_its_whole_path() {
        let text = b"7f00-7f01 r-xp 00000000 fe:01 131                        /usr/lib/a b.so (deleted)\n\
                     7f01-7f02 r--p 00001000 fe:01 131                        /usr/lib/a b.so (deleted)\n\
                     7f02-7f03 rw-p 00000000 00:00 0                          [heap]\n\
                     7f03-7f04 r--p 00000000 fe:01 9                          /srv/x\\012y\n";
        let files = maps(text);
        assert_eq!(
            files,
            [
                (PathBuf::from("/usr/lib/a b.so (deleted)"), 131),
                (PathBuf::from("/srv/x\ny"), 9)
            ]
        );
    }

    #[test]
    fn the_unit_is_the_innermost_service() {
        let within = "0::/system.slice/houston.service/workers\n";
        assert_eq!(unit(within).as_deref(), Some("houston.service"));
        let old = "12:cpu:/\n1:name=systemd:/system.slice/nginx.service\n";
        assert_eq!(unit(old).as_deref(), Some("nginx.service"));
        assert_eq!(unit("0::/user.slice/session-1.scope\n"), None);
    }

    #[test]
    fn nobody_is_told_to_restart_what_a_user_started_or_named() {
        for cgroup in [
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/houston.service\n",
            "0::/system.slice/$(reboot).service\n",
            "0::/system.slice/a b.service\n",
            "0::/system.slice/--force.service\n",
        ] {
            assert_eq!(unit(cgroup), None, "{cgroup}");
        }
    }

    proptest! {
        #[test]
        fn no_name_moves_the_start(name in prop::collection::vec(any::<u8>(), 0..15), started: u64) {
            let read = stat(&line(&name, 0, 0, started)).expect("a line of the kernel");
            prop_assert_eq!(read.started, started);
        }

        #[test]
        fn no_bytes_end_the_process(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            stat(&bytes);
            maps(&bytes);
            arguments(&bytes);
        }
    }
}
