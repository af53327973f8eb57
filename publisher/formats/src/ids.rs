//! Ids of external documents, as our documents can have them.

use spacecp_contract::{Digest, DocumentId, LONGEST_SOURCE_ID};

use super::{Refusal, naming::shown};

/// Characters of a derived id before its digest.
const LONGEST_STEM: usize = 48;

/// Characters of the digest that tells derived ids apart.
const DIGEST: usize = 8;

/// The id of an advisory that is made from a document with this id.
///
/// Where our ids have no room for small letters, colons, underscores and full stops, the nearest one is
/// taken: `GHSA-jfh8-c2jp-5v3q` is `GHSA-JFH8-C2JP-5V3Q`, `RHSA-2026:0001` is `RHSA-2026-0001`. Every other
/// id is derived: what fits of it and a digest of the whole, so that no two documents get one id. The
/// advisory's source and aliases have the id as it was.
///
/// # Errors
///
/// [`Refusal::Id`] for an id that is empty, too long, or has characters that do not show as what they are.
pub(super) fn document_id(field: &'static str, id: &str) -> Result<DocumentId, Refusal> {
    let refused = |reason: String| Refusal::Id {
        field,
        found: shown(id),
        reason,
    };
    if id.len() > LONGEST_SOURCE_ID {
        return Err(refused(format!("longer than {LONGEST_SOURCE_ID} bytes")));
    }
    if id.trim().is_empty() {
        return Err(refused("empty".to_owned()));
    }
    if let Some(hidden) = id.chars().find(|letter| is_hidden(*letter)) {
        return Err(refused(format!("unexpected character {hidden:?}")));
    }
    let near = id.to_ascii_uppercase().replace(['_', '.', ':'], "-");
    let is_near = !id.contains("..");
    match DocumentId::new(near).ok().filter(|_| is_near) {
        Some(near) => Ok(near),
        None => derived(id).map_err(|error| refused(error.to_string())),
    }
}

/// Control characters, and those that turn the direction of what follows or end a line.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// What fits of an id, and a digest of the whole.
fn derived(id: &str) -> Result<DocumentId, spacecp_contract::NameError> {
    let mut stem = String::new();
    for letter in id.chars().flat_map(char::to_uppercase) {
        if letter.is_ascii_uppercase() || letter.is_ascii_digit() {
            stem.push(letter);
        } else if !stem.is_empty() && !stem.ends_with('-') {
            stem.push('-');
        }
    }
    if !stem.starts_with(|letter: char| letter.is_ascii_uppercase()) {
        stem.insert_str(0, "X-");
    }
    stem.truncate(LONGEST_STEM);
    let digest = Digest::of(id.as_bytes()).to_string().to_ascii_uppercase();
    let digest: String = digest.chars().take(DIGEST).collect();
    DocumentId::new(format!("{}-{digest}", stem.trim_end_matches('-')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(text: &str) -> Result<String, Refusal> {
        document_id("id", text).map(|id| id.to_string())
    }

    #[test]
    fn an_id_that_fits_is_taken_as_it_is_and_others_by_the_nearest_that_does() {
        for (foreign, ours) in [
            ("RUSTSEC-2016-0001", "RUSTSEC-2016-0001"),
            ("GHSA-jfh8-c2jp-5v3q", "GHSA-JFH8-C2JP-5V3Q"),
            ("RHSA-2026:0001", "RHSA-2026-0001"),
            ("x_acme-1", "X-ACME-1"),
        ] {
            assert_eq!(id(foreign).as_deref(), Ok(ours));
        }
    }

    #[test]
    fn an_id_that_does_not_fit_is_derived_with_a_digest_of_the_whole() {
        for (foreign, stem) in [
            ("9AKK108468A4093", "X-9AKK108468A4093-"),
            ("ACME 2026/01", "ACME-2026-01-"),
            ("../../etc/passwd", "ETC-PASSWD-"),
            ("Geräte-1", "GER-TE-1-"),
            ("1", "X-1-"),
            ("通告", "X-"),
        ] {
            let ours = id(foreign).unwrap();
            assert!(ours.starts_with(stem), "{foreign}: {ours}");
        }
        assert_ne!(id("ACME 2026/01"), id("ACME/2026 01"));
        assert_ne!(id("ACME 2026/01"), id("ACME-2026-01"));
    }

    #[test]
    fn an_id_that_is_empty_too_long_or_hides_something_is_refused() {
        for hostile in ["", " ", "A\0B", "A\nB", "A\u{202e}B", "A\u{200b}B"] {
            assert!(id(hostile).is_err(), "{hostile:?}");
        }
        assert!(id(&"A".repeat(1025)).is_err() && id(&"A".repeat(300)).is_ok());
    }

    proptest! {
        #[test]
        fn every_text_that_shows_as_it_is_becomes_an_id(text in "[ -~ä-ü]{1,80}") {
            prop_assume!(!text.trim().is_empty());
            prop_assert!(id(&text).is_ok());
        }
    }
}
