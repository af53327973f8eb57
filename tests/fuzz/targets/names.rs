//! Names and paths: what is accepted is written the same way, and leads nowhere else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spacecp_contract::{
    Audience, ComponentName, Digest, DocumentId, FeedPath, TreePath, TrustedComment,
    identity::{LONGEST_PURL, Package, Purl, Surroundings, canonical_name},
};

fn leads_nowhere(path: &str) {
    assert!(!path.starts_with('/') && !path.contains('\0'));
    assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")));
}

fuzz_target!(|text: &str| {
    if let Ok(path) = TreePath::new(text) {
        assert_eq!(path.as_str(), text);
        leads_nowhere(path.as_str());
    }
    if let Some(path) = FeedPath::parse(text) {
        assert_eq!(path.as_str(), text);
        leads_nowhere(path.as_str());
    }
    if let Ok(id) = DocumentId::new(text) {
        assert_eq!(id.as_str(), text);
        leads_nowhere(id.as_str());
    }
    if let Ok(comment) = TrustedComment::parse(text) {
        assert_eq!(comment.to_string(), text);
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text.to_lowercase());
    }
    let _ = Audience::new(text).map(|audience| assert_eq!(audience.as_str(), text));
    let _ = ComponentName::new(text).map(|name| assert_eq!(name.as_str(), text));
    let canonical = canonical_name(text);
    assert_eq!(canonical_name(&canonical), canonical);
    if let Ok(purl) = text.parse::<Purl>() {
        let _ = Package::of(&purl, Surroundings::default());
        let written = purl.to_string();
        // Encoded it may be longer than what is read.
        if written.len() <= LONGEST_PURL {
            assert_eq!(written.parse(), Ok(purl));
        }
    }
});
