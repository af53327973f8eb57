//! Signature files: only those that the root's own key made are believed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spacecp_contract::Audience;
use spacecp_trust::{Unverified, pinned_root};

const ROOT: &[u8] = include_bytes!("../feed/1.root");
const SIGNATURES: &str = include_str!("../feed/1.root.minisig");

fuzz_target!(|signatures: &[u8]| {
    let audience = Audience::new("customers").expect("it is one");
    let offered = Unverified {
        bytes: ROOT,
        signatures,
    };
    if let Ok(root) = pinned_root(offered, &audience) {
        // The signature proper and what it covers: everything but the untrusted comment.
        let told = std::str::from_utf8(signatures).expect("it was parsed as text");
        let lines: Vec<&str> = told.lines().collect();
        let real: Vec<&str> = SIGNATURES.lines().collect();
        let genuine = |block: &[&str]| block[1..] == real[1..];
        assert!(lines.chunks(4).any(genuine));
        assert_eq!(root.bytes(), ROOT);
    }
});
