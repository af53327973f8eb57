//! What a correction would do to text files, those above all that were changed on this machine, line by
//! line.
//!
//! For a person to read before they give their word. Nothing is decided by it, and all of it is
//! bounded: files that are too large, or no text, are named with the reason.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read, Seek as _},
    path::Path,
    time::Duration,
};

use similar::TextDiff;
use spacecp_contract::{Blob, Correction, FileChange};

use super::{
    Applier, ApplyError, Difference, Part,
    applier::blocking,
    disk::Disk,
    error::Doing,
    folder::{Folder, There},
    plan::{self, Live},
    stage::decoder,
};
use spacecp_feed::fetch::{Source, fetch_payload_into};

/// Files that are shown.
const MOST_FILES: usize = 20;

/// Bytes of a file that is shown.
const LARGEST: u64 = 512 << 10;

/// Bytes of one difference; the rest is cut off.
const LONGEST: usize = 32 << 10;

/// How long two texts are compared before the comparison becomes a coarse one: the lines of a stranger's
/// file can be chosen so that an exact one takes hours.
const PATIENCE: Duration = Duration::from_millis(500);

/// Lines around a change.
const CONTEXT: usize = 3;

impl Applier {
    /// What would become of text files that were changed here; the new contents are fetched.
    pub async fn differences(
        &self,
        part: Part<'_>,
        source: &Source,
    ) -> Result<Vec<Difference>, ApplyError> {
        compared(part, source, false).await
    }

    /// What a correction changes in text files, those that were changed here first; the new contents
    /// are fetched.
    pub async fn changes(
        &self,
        part: Part<'_>,
        source: &Source,
    ) -> Result<Vec<Difference>, ApplyError> {
        compared(part, source, true).await
    }
}

/// Compares files as they are here with what the correction makes of them.
async fn compared(
    part: Part<'_>,
    source: &Source,
    all: bool,
) -> Result<Vec<Difference>, ApplyError> {
    let (folder, correction) = (&part.component.folder, part.correction);
    let live = tokio::task::block_in_place(|| {
        plan::look(&Folder::open(&Disk::default(), folder), correction)
    });
    let files = of_interest(correction, &live, all);
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let mut differences = Vec::with_capacity(files.len());
    for (file, here) in files {
        let compared = compare(file, folder, &correction.to, source).await;
        differences.push(Difference {
            path: file.path.clone(),
            here,
            lines: compared.unwrap_or_else(|reason| format!("({reason})\n")),
        });
    }
    Ok(differences)
}

/// A file of a correction, and whether it was changed on this machine.
type Interesting<'a> = (&'a FileChange, bool);

/// Files of a correction that lie here and are neither the vendor's old ones nor its new ones; and,
/// where all are wanted, the others after them. A bounded number.
fn of_interest<'a>(correction: &'a Correction, live: &[Live], all: bool) -> Vec<Interesting<'a>> {
    let files = correction.files.iter().zip(live).map(|(file, live)| {
        let vendors = [file.before, file.after.map(|after| after.digest)];
        let here = matches!(live, Live::File(digest) if !vendors.contains(&Some(*digest)));
        (file, here)
    });
    let (here, others): (Vec<_>, Vec<_>) = files.partition(|(_, here)| *here);
    let others = others.into_iter().filter(|_| all);
    here.into_iter().chain(others).take(MOST_FILES).collect()
}

async fn compare(
    file: &FileChange,
    folder: &Path,
    to: &str,
    source: &Source,
) -> Result<String, String> {
    let there = match file.after {
        None => None,
        Some(after) if after.size > LARGEST => {
            return Err(format!("{} bytes are too large to show", after.size));
        }
        Some(after) => {
            let there = payload(&after.blob, source).await;
            Some(there.map_err(|error| error.to_string())?)
        }
    };
    let (file, folder, to) = (file.clone(), folder.to_owned(), to.to_owned());
    let work = move || Ok(side_by_side(&file, &folder, there, &to));
    let compared = blocking(work).await;
    compared.map_err(|error| error.to_string())?
}

/// The difference from what is here to what lies in a payload, or to nothing.
fn side_by_side(
    file: &FileChange,
    folder: &Path,
    there: Option<File>,
    to: &str,
) -> Result<String, String> {
    let here = match open_here(folder, file).map_err(|error| error.to_string())? {
        Some(here) => text(here)?,
        None if file.before.is_none() => String::new(),
        None => return Err("the file does not exist".to_owned()),
    };
    let there = match there {
        Some(there) => {
            let payload = decoder(there);
            payload.map_err(|error| error.to_string()).and_then(text)?
        }
        None => String::new(),
    };
    if file.before.is_some() && here == there {
        return Err("contents unchanged".to_owned());
    }
    Ok(unified(&here, &there, &file.path.to_string(), to))
}

/// A file of the component's, if it is there. No link is followed, on the way or there: what a component
/// points at is not its own to be shown.
fn open_here(folder: &Path, file: &FileChange) -> Result<Option<File>, ApplyError> {
    let path = file.path.as_path();
    let name = path.file_name().unwrap_or(OsStr::new(""));
    let tree = Folder::open(&Disk::default(), folder)?;
    let Some(around) = tree.towards(path)? else {
        return Ok(None);
    };
    if around.look(name)?.is_none() {
        return Ok(None);
    }
    let file = around.open_file(name)?;
    let called = around.path_of(name);
    let there = There::of_file(&file).doing("inspect", &called)?;
    // It may be another user's file, to which the component's user has given one more name.
    if there.has_other_names && there.owner.0 != tree.itself()?.owner.0 {
        return Err(io::Error::other(
            "the file has hard links and another owner",
        ))
        .doing("show", called);
    }
    Ok(Some(file))
}

/// A payload in a file without a name, for this process alone: it may be under embargo.
async fn payload(blob: &Blob, source: &Source) -> Result<File, ApplyError> {
    let folder = std::env::temp_dir();
    let mut file = tempfile::tempfile().doing("make a file in", &folder)?;
    let into = file.try_clone().doing("make a file in", &folder)?;
    fetch_payload_into(source, blob, into, &folder).await?;
    file.rewind().doing("read a file in", &folder)?;
    Ok(file)
}

/// All of a reader, if that is text and not too much.
fn text(reader: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = reader.take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("more than {LARGEST} bytes are too large to show"));
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err("not a text file".to_owned()),
    }
}

/// A unified difference, harmless on a terminal.
fn unified(here: &str, there: &str, path: &str, to: &str) -> String {
    let difference = TextDiff::configure()
        .timeout(PATIENCE)
        .diff_lines(here, there);
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
