//! What is found on a machine: archives, lists of packages and bills of materials by strangers end nothing,
//! and cost no more than their limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spacecp_scan::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    fuzzing::archive(bytes);
    fuzzing::dpkg(bytes);
    fuzzing::rpm(bytes);
    fuzzing::apk(bytes);
    fuzzing::sbom(bytes);
});
