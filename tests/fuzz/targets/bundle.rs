//! Bundles: whatever the file, each member that is found is a feed's and lies within the file, and finding
//! them costs no more memory than the file is long.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use spacecp_contract::{FeedPath, bundle::members};

fuzz_target!(|bytes: &[u8]| {
    let total = bytes.len() as u64;
    let Ok(members) = members(Cursor::new(bytes), total) else {
        return;
    };
    // A header has 512 bytes, so there is a bound on how many there are.
    assert!(members.len() <= bytes.len() / 512);
    for (path, place) in members {
        assert_eq!(FeedPath::parse(path.as_str()), Some(path));
        assert!(
            place
                .begin
                .checked_add(place.length)
                .is_some_and(|end| end <= total)
        );
    }
});
