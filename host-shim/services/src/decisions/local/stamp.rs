//! Of which state of a file a decision is: size and times, without reading it.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use spacecp_apply::inventory::Component;

/// The state of a file; of a directory only which one it is, since programs write into theirs all the time.
///
/// The time of the last change of the inode is part of it: whoever may write a file can set the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stamp(pub(super) String);

impl Stamp {
    /// Of the file at a place as scans name it: in an archive, the outermost one; of several places, the first.
    pub(super) fn of(place: &str) -> Self {
        let outermost = place.split("!/").next().unwrap_or(place);
        let first = outermost.split(" and ").next().unwrap_or(outermost);
        // A name may have the words in it.
        let whole = Self::of_file(Path::new(outermost));
        if whole == Self::default() {
            return Self::of_file(Path::new(first));
        }
        whole
    }

    /// Of a configured component: its directory, and the file that should say its version.
    pub(super) fn of_component(component: &Component) -> Self {
        let folder = Self::of_file(&component.folder);
        let file = Self::of_file(Path::new(&component.found_at));
        Self(format!("{} {}", folder.0, file.0))
    }

    fn of_file(path: &Path) -> Self {
        let Ok(metadata) = fs::metadata(path) else {
            return Self::default();
        };
        if metadata.is_dir() {
            return Self(format!("directory {}", metadata.ino()));
        }
        Self(format!(
            "{} {}.{} {}.{}",
            metadata.len(),
            metadata.mtime(),
            metadata.mtime_nsec(),
            metadata.ctime(),
            metadata.ctime_nsec()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_written_again_has_another_stamp_also_with_its_old_times() {
        let folder = tempfile::tempdir().unwrap();
        let jar = folder.path().join("a.jar");
        fs::write(&jar, "one").unwrap();
        let place = format!("{}!/b.jar", jar.display());
        let before = Stamp::of(&place);
        let times = fs::metadata(&jar).unwrap().modified().unwrap();
        assert_ne!(before, Stamp::default());
        assert_eq!(before, Stamp::of(&format!("{} and 2 more", jar.display())));
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&jar, "two").unwrap();
        let file = fs::File::options().write(true).open(&jar).unwrap();
        file.set_modified(times).unwrap();
        assert_ne!(before, Stamp::of(&place));
    }

    #[test]
    fn a_directory_is_the_same_whatever_is_written_into_it() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display().to_string();
        let before = Stamp::of(&place);
        fs::write(folder.path().join("log"), "").unwrap();
        assert_eq!(before, Stamp::of(&place));
    }
}
