//! Has the component written a line that says that it is up?
//!
//! Only what is written after the watch began counts: the same line of an earlier start is in the
//! same file, as often as not.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use regex::Regex;

/// Bytes of one line; what is beyond is not looked at.
const LONGEST_LINE: usize = 64 << 10;

/// Bytes that are read in one look; the rest waits for the next.
const ONE_LOOK: u64 = 4 << 20;

#[derive(Debug)]
pub(super) struct Log {
    file: PathBuf,
    pattern: Regex,
    /// The file that was looked at last, and how far.
    at: Option<(u64, u64)>,
    /// The line that has no end yet.
    line: Vec<u8>,
}

impl Log {
    pub(super) fn begin(file: &Path, pattern: &str) -> Result<Self, String> {
        let there = fs::metadata(file).ok();
        Ok(Self {
            file: file.to_owned(),
            pattern: Regex::new(pattern).map_err(|error| error.to_string())?,
            at: there.map(|there| (there.ino(), there.len())),
            line: Vec::new(),
        })
    }

    pub(super) fn has_said_it(&mut self) -> Result<(), String> {
        let name = self.file.display().to_string();
        let failed = |error: std::io::Error| format!("{name}: {error}");
        // Without waiting: a pipe that the component puts there would keep the application from its end.
        let without_waiting = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let opened = File::options()
            .read(true)
            .custom_flags(without_waiting)
            .open(&self.file);
        let mut file = opened.map_err(failed)?;
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
            "{name} has no new line that matches {:?}",
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
        let mut log = Log::begin(&pipe, "up").expect("a pattern");
        let said = log.has_said_it().expect_err("nobody has written to it");
        assert!(said.contains("not a regular file"), "{said}");
    }
}
