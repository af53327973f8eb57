//! Has the component written a line that says that it is up?
//!
//! Only what is written after the watch began counts: the same line of an earlier start is in the
//! same file, as often as not.
//!
//! The log is reached through a handle to the component's directory, or to its own where it is configured
//! by an absolute path. Links are followed, but not out of that directory: a component could otherwise have
//! any file of the machine opened, devices among them.

use std::{
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use cap_std::fs::{File, MetadataExt, OpenOptions, OpenOptionsExt};
use regex::Regex;

use crate::apply::open_directory;

/// Bytes of one line; what is beyond is not looked at.
const LONGEST_LINE: usize = 64 << 10;

/// Bytes that are read in one look; the rest waits for the next.
const ONE_LOOK: u64 = 4 << 20;

#[derive(Debug)]
pub(super) struct Log {
    folder: PathBuf,
    /// The log, within that directory.
    file: PathBuf,
    pattern: Regex,
    /// The file that was looked at last, and how far.
    at: Option<(u64, u64)>,
    /// The line that has no end yet.
    line: Vec<u8>,
}

impl Log {
    /// A log of the component in `folder`; an absolute path names one elsewhere.
    pub(super) fn begin(folder: &Path, file: &Path, pattern: &str) -> Result<Self, String> {
        let (folder, file) = match (file.is_absolute(), file.parent(), file.file_name()) {
            (true, Some(around), Some(name)) => (around, Path::new(name)),
            _ => (folder, file),
        };
        let mut log = Self {
            folder: folder.to_owned(),
            file: file.to_owned(),
            pattern: Regex::new(pattern).map_err(|error| error.to_string())?,
            at: None,
            line: Vec::new(),
        };
        let there = log.open().and_then(|file| file.metadata()).ok();
        log.at = there.map(|there| (there.ino(), there.len()));
        Ok(log)
    }

    fn open(&self) -> io::Result<File> {
        // Without waiting: a pipe that the component puts there would keep the application from its end.
        let without_waiting = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let mut options = OpenOptions::new();
        let options = options.read(true).custom_flags(without_waiting);
        open_directory(&self.folder)?.open_with(&self.file, options)
    }

    pub(super) fn has_said_it(&mut self) -> Result<(), String> {
        let name = self.folder.join(&self.file).display().to_string();
        let failed = |error: io::Error| format!("{name}: {error}");
        let mut file = self.open().map_err(failed)?;
        let there = file.metadata().map_err(failed)?;
        if !there.is_file() {
            return Err(format!("{name} is not a regular file"));
        }
        let from = match self.at {
            // Emptied, or another file in its place: all of it is new.
            Some((inode, read)) if inode == there.ino() && read <= there.len() => read,
            _ => {
                self.line.clear();
                0
            }
        };
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        let mut bytes = Vec::new();
        let read = file
            .take(ONE_LOOK)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        self.at = Some((there.ino(), from + read as u64));
        if self.take_in(&bytes) {
            return Ok(());
        }
        Err(format!(
            "{name} has no new line matching {:?}",
            self.pattern.as_str()
        ))
    }

    /// Looks at the lines that have come to their end, and at the one that has not.
    fn take_in(&mut self, bytes: &[u8]) -> bool {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LONGEST_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            let line = String::from_utf8_lossy(&self.line);
            if self.pattern.is_match(line.trim_end_matches(['\n', '\r'])) {
                return true;
            }
            if piece.ends_with(b"\n") {
                self.line.clear();
            }
        }
        false
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests lay out what is attacked")]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_in_the_place_of_the_log_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("log");
        let made = rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        );
        made.expect("a pipe");
        let mut log = Log::begin(folder.path(), Path::new("log"), "up").expect("a pattern");
        let said = log.has_said_it().expect_err("nothing was written to it");
        assert!(said.contains("not a regular file"), "{said}");
    }

    #[test]
    fn a_link_that_leads_out_of_the_component_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let component = folder.path().join("component");
        std::fs::create_dir(&component).expect("a folder");
        std::fs::write(folder.path().join("outside"), "").expect("a file");
        std::os::unix::fs::symlink("../outside", component.join("log")).expect("a link");
        let mut log = Log::begin(&component, Path::new("log"), "up").expect("a pattern");
        std::fs::write(folder.path().join("outside"), "up\n").expect("a file");
        log.has_said_it()
            .expect_err("it leads outside the component");
    }
}
