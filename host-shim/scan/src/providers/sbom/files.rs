//! Which files of a directory are bills of materials: by the names that the formats recommend, by names that say so,
//! and at the top of the directory by their contents. It reads none of them.

use std::{fs::File, os::unix::fs::FileExt, path::Path};

use crate::Why;

/// What a list says within its first bytes, in lower case.
const MARKS: [&[u8]; 4] = [b"bomformat", b"cyclonedx", b"spdx", b"in-toto.io"];

/// The bytes that are looked at.
const SEEN: usize = 16 << 10;

/// Endings of the formats.
const FORMATS: [&str; 9] = [
    "cdx", "json", "jsonld", "rdf", "spdx", "txt", "xml", "yaml", "yml",
];

/// How sure it is that a file is a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// Its name is one that the formats recommend.
    AsList,
    /// It may be one, by its contents.
    Perhaps,
    No,
}

/// What a file is by its name; `is_top` where it lies directly in the directory that is looked at.
pub(super) fn named(path: &Path, is_top: bool) -> Named {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let recommended = [
        ".cdx.json",
        ".cdx.xml",
        ".spdx",
        ".spdx.json",
        ".spdx3.json",
        ".spdx.jsonld",
        ".spdx.xml",
        ".spdx.rdf",
        ".spdx.yaml",
        ".spdx.yml",
    ];
    if matches!(&*name, "bom.json" | "bom.xml") || recommended.iter().any(|end| name.ends_with(end))
    {
        return Named::AsList;
    }
    let format = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let says_so = ["bom", "spdx", "cdx", "cyclonedx", "attestation"]
        .iter()
        .any(|word| name.contains(word));
    if FORMATS.contains(&format) && (is_top && format != "txt" || says_so) {
        return Named::Perhaps;
    }
    Named::No
}

/// Whether a file is a list by how it begins.
pub(super) fn is_list(file: &File) -> Result<bool, Why> {
    let mut begins = vec![0; SEEN];
    let read = file
        .read_at(&mut begins, 0)
        .map_err(|error| Why::io(&error))?;
    begins.truncate(read);
    // In UTF-16 every other byte is zero.
    begins.retain(|byte| *byte != 0);
    begins.make_ascii_lowercase();
    let has = |mark: &&[u8]| begins.windows(mark.len()).any(|part| part == *mark);
    Ok(MARKS.iter().any(has))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_list_by_its_name_or_perhaps_by_its_contents() {
        for (path, top, inside) in [
            ("bom.json", Named::AsList, Named::AsList),
            ("App.CDX.json", Named::AsList, Named::AsList),
            ("sbom.json", Named::Perhaps, Named::Perhaps),
            ("my-cyclonedx.xml", Named::Perhaps, Named::Perhaps),
            ("report.json", Named::Perhaps, Named::No),
            ("bombay.png", Named::No, Named::No),
            ("readme.txt", Named::No, Named::No),
        ] {
            assert_eq!(named(Path::new(path), true), top, "{path}");
            assert_eq!(named(Path::new(path), false), inside, "{path}");
        }
    }
}
