//! The state machine: whatever is answered, it believes only what is in the feed that was signed.
//!
//! The input is a list of answers, two bytes each: which file of the feed comes, and what is done to
//! it. What follows them is raw bytes for answers that are nothing of the feed.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use spacecp_contract::{Audience, Limits};
use spacecp_trust::{
    Unverified,
    workflow::{Answer, Held, News, Outcome, Pin, Trusted, Workflow},
};

/// A feed with two roots, two heads and two revisions, with the signatures of each file.
const FILES: &[(&[u8], &[u8])] = &[
    (
        include_bytes!("../feed/1.root"),
        include_bytes!("../feed/1.root.minisig"),
    ),
    (
        include_bytes!("../feed/2.root"),
        include_bytes!("../feed/2.root.minisig"),
    ),
    (
        include_bytes!("../feed/head.1"),
        include_bytes!("../feed/head.1.minisig"),
    ),
    (
        include_bytes!("../feed/head.2"),
        include_bytes!("../feed/head.2.minisig"),
    ),
    (
        include_bytes!("../feed/index.1"),
        include_bytes!("../feed/index.1.minisig"),
    ),
    (
        include_bytes!("../feed/index.2"),
        include_bytes!("../feed/index.2.minisig"),
    ),
    (
        include_bytes!("../feed/advisory.1"),
        include_bytes!("../feed/advisory.1.minisig"),
    ),
    (
        include_bytes!("../feed/advisory.2"),
        include_bytes!("../feed/advisory.2.minisig"),
    ),
];

fn answer(choice: [u8; 2], raw: &[u8]) -> Answer {
    let [which, how] = choice;
    let (bytes, signatures) = FILES[usize::from(which) % FILES.len()];
    let (mut bytes, mut signatures) = (bytes.to_vec(), signatures.to_vec());
    match how % 8 {
        0..=2 => {}
        3 => return Answer::Missing,
        4 => return Answer::Unchanged,
        5 => bytes = raw.to_vec(),
        6 => signatures = raw.to_vec(),
        _ => {
            let at = usize::from(how / 8) * 7 % bytes.len();
            bytes[at] ^= 1;
        }
    }
    Answer::File {
        bytes,
        signatures: (how % 8 != 2 || how < 128).then_some(signatures),
        validator: None,
    }
}

fuzz_target!(|input: (Vec<[u8; 2]>, Vec<u8>)| {
    let (choices, raw) = input;
    let audience = Audience::new("customers").expect("it is one");
    let pinned = Unverified {
        bytes: FILES[0].0,
        signatures: FILES[0].1,
    };
    let pin = Pin::root(pinned, &audience).expect("the feed's own root is good");
    let now: Timestamp = "2026-11-24T13:00:00Z".parse().expect("a time");
    let limits = Limits::default();
    let genuine = |bytes: &[u8]| assert!(FILES.iter().any(|(file, _)| *file == bytes));
    let mut run = Workflow::new(pin, audience, Trusted::default(), Held::new(), limits, now);
    let mut choices = choices.into_iter();
    while let Some(request) = run.next_request() {
        let Some(choice) = choices.next() else { return };
        match run.answer(&request.path, answer(choice, &raw)) {
            Ok(Some(News::Root(root))) => genuine(root.bytes()),
            Ok(Some(News::Document(document, _) | News::Private(document, _))) => {
                genuine(document.bytes());
            }
            Ok(Some(News::PassedOver { .. }) | None) => {}
            Err(_) => {
                assert!(run.outcome().is_none() && run.next_request().is_none());
                return;
            }
        }
    }
    if let Some(Outcome::Changed(update)) = run.outcome() {
        genuine(update.head.bytes());
        genuine(update.index.bytes());
        assert_eq!(update.head.sequence, update.index.sequence);
    }
});
