//! OSV records and CSAF documents: whatever the bytes, reading ends, and what is taken over comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spacecp_contract::{Advisory, decode, encode};
use spacecp_formats::{Format, Limits, Terms, json, restore, to_advisory};

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = json::read(bytes, &Limits::default()) else {
        return;
    };
    for format in [Format::Osv, Format::Csaf] {
        let Ok(taken) = to_advisory(format, &document, &Terms::public()) else {
            continue;
        };
        // One that no panel reads is refused by whoever imports it.
        let signed = encode(&taken.advisory);
        let Ok(read) = decode::<Advisory>(&signed, &spacecp_contract::Limits::default()) else {
            continue;
        };
        let again = restore(format, &read)
            .expect("it was made from one")
            .expect("it was proven when it was made");
        assert_eq!(json::canonical(&again), json::canonical(&document));
    }
});
