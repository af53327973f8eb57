//! Other people's advisories: whatever is taken over goes through signed bytes and comes back as the
//! document that it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spacecp_contract::{Advisory, decode, encode};
use spacecp_publisher::foreign::{Format, Limits, Terms, give_back, json, take_over};

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = json::read(bytes, &Limits::default()) else {
        return;
    };
    for format in [Format::Osv, Format::Csaf] {
        let Ok(taken) = take_over(format, &document, &Terms::public()) else {
            continue;
        };
        let signed = encode(&taken.advisory);
        // What is too large for a panel is refused when it is signed.
        let Ok(advisory) = decode::<Advisory>(&signed, &spacecp_contract::Limits::default()) else {
            continue;
        };
        let back = give_back(format, &advisory).expect("it was made from this format");
        assert_eq!(back.expect("it says what it said"), document);
    }
});
