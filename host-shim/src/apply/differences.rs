//! What a correction would do to text files, those above all that were changed on this machine, line by
//! line.
//!
//! For a person to read before they give their word. Nothing is decided by it, and all of it is
//! bounded: files that are too large, or no text, are named with the reason.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use similar::TextDiff;
use spacecp_contract::{Blob, Correction, FileChange};

use super::{ApplyError, Difference, error::Doing, plan::Live};
use crate::fetch::{Source, fetch_payload};

/// Files that are shown.
const MOST_FILES: usize = 20;

/// Bytes of a file that is shown.
const LARGEST: u64 = 512 << 10;

/// Bytes of one difference; the rest is cut off.
const LONGEST: usize = 32 << 10;

/// Lines around a change.
const CONTEXT: usize = 3;

/// A file of a correction, and whether it was changed on this machine.
pub(super) type Interesting<'a> = (&'a FileChange, bool);

/// Files of a correction that lie here and are neither the vendor's old ones nor its new ones; and,
/// where all are wanted, the others after them. A bounded number.
pub(super) fn of_interest<'a>(
    correction: &'a Correction,
    live: &[Live],
    all: bool,
) -> Vec<Interesting<'a>> {
    let files = correction.files.iter().zip(live).map(|(file, live)| {
        let vendors = [file.before, file.after.map(|after| after.digest)];
        let here = matches!(live, Live::File(digest) if !vendors.contains(&Some(*digest)));
        (file, here)
    });
    let (here, others): (Vec<_>, Vec<_>) = files.partition(|(_, here)| *here);
    let others = others.into_iter().filter(|_| all);
    here.into_iter().chain(others).take(MOST_FILES).collect()
}

/// Compares each file as it is here with what the correction makes of it. New contents are fetched
/// into `scratch`, a folder that is there and whose contents are nobody's.
pub(super) async fn differences(
    correction: &Correction,
    files: Vec<Interesting<'_>>,
    folder: &Path,
    source: &Source,
    scratch: &Path,
) -> Vec<Difference> {
    let mut differences = Vec::with_capacity(files.len());
    for (file, here) in files {
        let compared = compare(file, folder, &correction.to, source, scratch).await;
        differences.push(Difference {
            path: file.path.clone(),
            here,
            lines: compared.unwrap_or_else(|reason| format!("({reason})\n")),
        });
    }
    differences
}

async fn compare(
    file: &FileChange,
    folder: &Path,
    to: &str,
    source: &Source,
    scratch: &Path,
) -> Result<String, String> {
    let path = folder.join(file.path.as_path());
    let here = match (file.before, path.symlink_metadata()) {
        (None, Err(error)) if error.kind() == io::ErrorKind::NotFound => String::new(),
        _ => File::open(path)
            .map_err(|error| error.to_string())
            .and_then(text)?,
    };
    let Some(after) = file.after else {
        return Ok(unified(&here, "", &file.path.to_string(), to));
    };
    if after.size > LARGEST {
        return Err(format!("{} bytes are too many to show", after.size));
    }
    let there = payload(&after.blob, source, scratch).await;
    let there = there.map_err(|error| error.to_string())?;
    let decoder = zstd::Decoder::new(File::open(there).map_err(|error| error.to_string())?);
    let there = decoder.map_err(|error| error.to_string()).and_then(text)?;
    if here == there {
        return Err("the contents stay as they are".to_owned());
    }
    Ok(unified(&here, &there, &file.path.to_string(), to))
}

async fn payload(blob: &Blob, source: &Source, scratch: &Path) -> Result<PathBuf, ApplyError> {
    let place = scratch.join(blob.digest.to_string());
    if !place.exists() {
        fetch_payload(source, blob, &place).await?;
    }
    File::open(&place).doing("open", &place)?;
    Ok(place)
}

/// All of a reader, if that is text and not too much.
fn text(reader: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = reader.take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("more than {LARGEST} bytes are too many to show"));
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err("it is no text".to_owned()),
    }
}

/// A unified difference, harmless on a terminal.
fn unified(here: &str, there: &str, path: &str, to: &str) -> String {
    let difference = TextDiff::from_lines(here, there);
    let mut unified = difference.unified_diff();
    unified.context_radius(CONTEXT);
    unified.header(&format!("{path} (here)"), &format!("{path} ({to})"));
    let mut lines = String::new();
    for line in unified.to_string().lines() {
        if lines.len() + line.len() > LONGEST {
            lines.push_str("(and more)\n");
            break;
        }
        let harmless = |letter: char| {
            if letter.is_control() && letter != '\t' {
                ' '
            } else {
                letter
            }
        };
        lines.extend(line.chars().map(harmless));
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_the_lines_around_it_and_nothing_that_steers_a_terminal() {
        let here = "one\ntwo\nmine \u{1b}[2J\nfour\n";
        let there = "one\ntwo\nthree\nfour\n";
        let lines = unified(here, there, "lib/a.js", "1.0.1");
        assert_eq!(
            lines,
            "--- lib/a.js (here)\n+++ lib/a.js (1.0.1)\n@@ -1,4 +1,4 @@\n one\n two\n-mine  [2J\n+three\n four\n"
        );
    }

    #[test]
    fn a_long_difference_is_cut_off_and_says_so() {
        let here = "a line of mine\n".repeat(10_000);
        let lines = unified(&here, "", "a", "1");
        assert!(lines.len() < LONGEST + 100 && lines.ends_with("(and more)\n"));
    }

    #[test]
    fn what_is_no_text_or_too_long_is_not_shown() {
        assert!(text(&b"\xff\xfe"[..]).is_err() && text(&b"a\0b"[..]).is_err());
        assert!(text(std::io::repeat(b'a')).is_err());
        assert_eq!(text(&b"text"[..]), Ok("text".to_owned()));
    }
}
