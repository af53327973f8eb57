//! External documents in files: one in a `.json`, one a line in a `.jsonl`, or a folder of either.
//!
//! One document at a time is in memory, and none that is longer than the limit. What is no file –
//! a link, a pipe, a device – is refused by name and not followed or waited for.

use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use spacecp_formats::{JsonError, Limits};
use walkdir::WalkDir;

/// Where a document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1, in a file with one document a line.
    pub line: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        match self.line {
            Some(line) => write!(f, ":{line}"),
            None => Ok(()),
        }
    }
}

/// Why a document is not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("cannot read it: {0}")]
    File(#[from] io::Error),
    /// It is no file.
    #[error("not a regular file or directory")]
    NoFile,
    /// The file is too long.
    #[error("its {length} bytes exceed the limit of {most}")]
    TooLong {
        /// Its length.
        length: u64,
        /// The limit.
        most: u64,
    },
    /// The document is beyond a limit.
    #[error(transparent)]
    Document(#[from] JsonError),
    /// More documents than one import takes.
    #[error("more than {most} documents; import the rest separately")]
    TooMany {
        /// The limit.
        most: usize,
    },
}

/// The bytes of one document, or why they are not read.
pub type Found = (Place, Result<Vec<u8>, ReadError>);

/// The documents of a file or a folder, in the order of their names. Files of a folder whose names
/// end otherwise are none of them.
pub fn documents(path: &Path, limits: Limits) -> Documents {
    // A folder that is named by way of a link is meant; what links inside it point at is not.
    let files = WalkDir::new(path).sort_by_file_name().into_iter();
    Documents {
        files: Box::new(files.filter(|entry| {
            entry.as_ref().map_or(true, |entry| {
                !entry.file_type().is_dir() && (entry.depth() == 0 || is_document(entry.path()))
            })
        })),
        lines: None,
        limits,
        count: 0,
        read: 0,
        ended: false,
    }
}

fn is_document(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("json" | "jsonl"))
}

/// The documents of a file or a folder.
pub struct Documents {
    files: Box<dyn Iterator<Item = walkdir::Result<walkdir::DirEntry>>>,
    lines: Option<(Place, BufReader<File>)>,
    limits: Limits,
    count: usize,
    read: u64,
    ended: bool,
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl Documents {
    /// How many bytes were read so far.
    pub fn bytes(&self) -> u64 {
        self.read
    }

    fn next_found(&mut self) -> Option<Found> {
        loop {
            if let Some(found) = self.next_line() {
                return Some(found);
            }
            let entry = match self.files.next()? {
                Ok(entry) => entry,
                Err(error) => {
                    let place = Place {
                        path: error.path().unwrap_or(Path::new("")).to_owned(),
                        line: None,
                    };
                    return Some((place, Err(ReadError::File(error.into()))));
                }
            };
            let place = Place {
                path: entry.path().to_owned(),
                line: None,
            };
            match self.open(&entry) {
                Ok(file) if place.path.extension().is_some_and(|end| end == "jsonl") => {
                    self.lines = Some((
                        Place {
                            line: Some(0),
                            ..place
                        },
                        BufReader::new(file),
                    ));
                }
                Ok(file) => {
                    let found = self.whole(file);
                    return Some((place, found));
                }
                Err(error) => return Some((place, Err(error))),
            }
        }
    }

    fn open(&self, entry: &walkdir::DirEntry) -> Result<File, ReadError> {
        // Opening a pipe would wait for whoever writes into it.
        let named = entry.depth() == 0;
        let is_file = |kind: std::fs::FileType| kind.is_file();
        let fits = if named {
            is_file(std::fs::metadata(entry.path())?.file_type())
        } else {
            is_file(entry.file_type())
        };
        if !fits {
            return Err(ReadError::NoFile);
        }
        let file = File::open(entry.path())?;
        let length = file.metadata()?.len();
        let is_lines = entry.path().extension().is_some_and(|end| end == "jsonl");
        let most = if is_lines {
            self.limits.file
        } else {
            self.limits.document as u64
        };
        if length > most {
            return Err(ReadError::TooLong { length, most });
        }
        Ok(file)
    }

    fn whole(&mut self, file: File) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        let most = self.limits.document;
        file.take(most as u64 + 1).read_to_end(&mut bytes)?;
        self.read += bytes.len() as u64;
        if bytes.len() > most {
            return Err(JsonError::TooLong { most }.into());
        }
        Ok(bytes)
    }

    /// The next line that is not blank of the file that is read by lines.
    fn next_line(&mut self) -> Option<Found> {
        loop {
            let most = self.limits.document;
            let (place, reader) = self.lines.as_mut()?;
            let mut bytes = Vec::new();
            place.line = place.line.map(|line| line + 1);
            let read = reader
                .by_ref()
                .take(most as u64 + 1)
                .read_until(b'\n', &mut bytes);
            let found = match read {
                Ok(0) => {
                    self.lines = None;
                    return None;
                }
                Ok(length) => {
                    self.read += length as u64;
                    if bytes.last() == Some(&b'\n') {
                        bytes.pop();
                        Ok(bytes)
                    } else if bytes.len() > most {
                        let skipped = skip_line(reader);
                        skipped.map_err(ReadError::from).and_then(|skipped| {
                            self.read += skipped;
                            Err(JsonError::TooLong { most }.into())
                        })
                    } else {
                        Ok(bytes)
                    }
                }
                Err(error) => {
                    let place = place.clone();
                    self.lines = None;
                    return Some((place, Err(error.into())));
                }
            };
            if found
                .as_ref()
                .is_ok_and(|bytes| bytes.iter().all(u8::is_ascii_whitespace))
            {
                continue;
            }
            return Some((place.clone(), found));
        }
    }
}

/// Goes to the end of a line without keeping any of it; says how many bytes that were.
fn skip_line(reader: &mut BufReader<File>) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(skipped);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        reader.consume(length);
        skipped += length as u64;
        if end.is_some() {
            return Ok(skipped);
        }
    }
}

impl Iterator for Documents {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        if self.ended {
            return None;
        }
        let found = self.next_found()?;
        self.count += 1;
        if self.count > self.limits.documents {
            self.ended = true;
            let most = self.limits.documents;
            return Some((found.0, Err(ReadError::TooMany { most })));
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn limits() -> Limits {
        Limits {
            document: 16,
            file: 64,
            documents: 5,
            ..Limits::default()
        }
    }

    fn found(path: &Path) -> Vec<(String, Result<String, String>)> {
        let name = |place: &Place| {
            let text = place.to_string();
            text.rsplit('/').next().unwrap_or("").to_owned()
        };
        documents(path, limits())
            .map(|(place, bytes)| {
                let text = bytes.map(|bytes| String::from_utf8(bytes).unwrap());
                (name(&place), text.map_err(|error| error.to_string()))
            })
            .collect()
    }

    #[test]
    fn a_folder_gives_its_documents_in_the_order_of_names_and_passes_over_other_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b.json"), "{}").unwrap();
        fs::write(folder.path().join("a.jsonl"), "1\n\n2").unwrap();
        fs::write(folder.path().join("README.md"), "words").unwrap();
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(
            found(folder.path()),
            [
                ("a.jsonl:1".to_owned(), ok("1")),
                ("a.jsonl:3".to_owned(), ok("2")),
                ("b.json".to_owned(), ok("{}"))
            ]
        );
    }

    #[test]
    fn a_line_beyond_the_limit_is_refused_and_the_next_one_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        fs::write(&path, format!("{}\n{}\n", "x".repeat(40), "x".repeat(16))).unwrap();
        let found = found(&path);
        assert!(
            found[0]
                .1
                .as_ref()
                .is_err_and(|reason| reason.contains("longer than 16"))
        );
        assert_eq!(found[1], ("a.jsonl:2".to_owned(), Ok("x".repeat(16))));
    }

    #[test]
    fn a_file_of_four_gibibytes_is_refused_by_its_length() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.json", "a.jsonl"] {
            let path = folder.path().join(name);
            File::create(&path).unwrap().set_len(4 << 30).unwrap();
            let mut documents = documents(&path, Limits::default());
            let (_, refused) = documents.next().unwrap();
            assert!(matches!(refused, Err(ReadError::TooLong { length, .. }) if length == 4 << 30));
            assert!(documents.next().is_none());
            assert_eq!(documents.bytes(), 0);
        }
    }

    #[test]
    fn a_link_within_a_folder_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("a.json")).unwrap();
        let found = found(folder.path());
        assert!(
            found[0]
                .1
                .as_ref()
                .is_err_and(|reason| reason.contains("not a regular file")),
            "{found:?}"
        );
    }

    #[test]
    fn more_documents_than_one_import_takes_end_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        fs::write(&path, "1\n".repeat(9)).unwrap();
        let found = found(&path);
        assert_eq!(found.len(), 6);
        assert!(
            found[5]
                .1
                .as_ref()
                .is_err_and(|reason| reason.contains("more than 5"))
        );
    }

    #[test]
    fn a_place_that_is_not_there_is_named() {
        let found = found(Path::new("/nowhere/at-all"));
        assert!(matches!(found.as_slice(), [(_, Err(_))]));
    }

    #[test]
    fn what_is_no_file_is_named_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b.json"), "{}").unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.path().join("a.json")).unwrap();
        std::os::unix::net::UnixListener::bind(folder.path().join("c.json")).unwrap();
        let found: Vec<_> = documents(folder.path(), Limits::default()).collect();
        assert_eq!(found.len(), 3);
        for (place, document) in &found {
            let is_file = place.path.ends_with("b.json");
            assert_eq!(document.is_ok(), is_file, "{place}: {document:?}");
        }
    }

    #[test]
    fn a_file_that_claims_four_gibibytes_is_refused_by_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.jsonl");
        File::create(&path).unwrap().set_len(4 << 30).unwrap();
        let found: Vec<_> = documents(&path, Limits::default()).collect();
        let words = found[0].1.as_ref().unwrap_err().to_string();
        assert!(words.contains("4294967296 bytes exceed"), "{words}");
    }

    #[test]
    fn a_line_that_never_ends_is_not_gathered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("endless.jsonl");
        File::create(&path).unwrap().set_len(1 << 30).unwrap();
        let found: Vec<_> = documents(&path, Limits::default()).collect();
        let words = found[0].1.as_ref().unwrap_err().to_string();
        assert!(words.contains("longer than"), "{words}");
    }
}
