//! Versions and ranges: whatever the text, reading it ends, and the order is one.
#![no_main]

use std::cmp::Ordering;

use libfuzzer_sys::fuzz_target;
use spacecp_contract::{
    VersionRange, VersionScheme,
    version::{Range, Version},
};

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let (one, other) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    for scheme in VersionScheme::ALL {
        let range = VersionRange {
            introduced: one.to_owned(),
            fixed: Some(other.to_owned()),
            last_affected: None,
            limit: None,
        };
        let range = Range::read(scheme, &range);
        let (Ok(one), Ok(other)) = (Version::read(scheme, one), Version::read(scheme, other))
        else {
            continue;
        };
        assert_eq!(one.compare(&one), Some(Ordering::Equal));
        assert_eq!(
            one.compare(&other),
            other.compare(&one).map(Ordering::reverse)
        );
        if let Ok(range) = range {
            assert_ne!(
                range.contains(&other),
                Some(true),
                "the fixed version is in it"
            );
        }
    }
});
