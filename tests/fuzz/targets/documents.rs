//! Signed documents of every kind: what decodes is written again and read back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spacecp_contract::{
    Advisory, Correction, Document, Head, Index, Limits, PluginManifest, Root, decode, encode,
};

fn round<T: Document + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    if let Ok(document) = decode::<T>(bytes, &Limits::default()) {
        let again = encode(&document);
        assert_eq!(decode::<T>(&again, &Limits::default()), Ok(document));
    }
}

fuzz_target!(|bytes: &[u8]| {
    round::<Root>(bytes);
    round::<Head>(bytes);
    round::<Index>(bytes);
    round::<Advisory>(bytes);
    round::<Correction>(bytes);
    round::<PluginManifest>(bytes);
});
