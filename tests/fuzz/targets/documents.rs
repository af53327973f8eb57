//! Signed documents of every kind: what decodes is written again and read back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spacecp_contract::{
    Advisory, Correction, Document, Head, Index, IndexDelta, Limits, PluginManifest, Root, decode,
    encode,
};

fn round<T: Document + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    if let Ok(document) = decode::<T>(bytes, &Limits::default()) {
        let again = encode(&document);
        assert_eq!(decode::<T>(&again, &Limits::default()), Ok(document));
    }
}

/// What is left in the bytes is what would have been taken out of them, and refused for the same reason.
fn left_in_place(bytes: &[u8]) {
    let limits = Limits::default();
    let (owned, borrowed) = (
        decode::<Advisory>(bytes, &limits),
        Advisory::borrowed(bytes, &limits),
    );
    assert_eq!(format!("{owned:?}"), format!("{borrowed:?}"));
}

fuzz_target!(|bytes: &[u8]| {
    left_in_place(bytes);
    round::<Root>(bytes);
    round::<Head>(bytes);
    round::<Index>(bytes);
    round::<Advisory>(bytes);
    round::<Correction>(bytes);
    round::<PluginManifest>(bytes);
    if let Some(delta) = IndexDelta::from_bytes(bytes, &Limits::default()) {
        let again = delta.to_bytes();
        assert_eq!(
            IndexDelta::from_bytes(&again, &Limits::default()),
            Some(delta)
        );
    }
});
