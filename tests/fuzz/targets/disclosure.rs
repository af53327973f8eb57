//! What a web root and a desk say of themselves: a list of files that were written never names one outside
//! the web root, and is written again as the same; settings are refused or fit for the lines they become.
#![no_main]

use std::path::Path;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use spacecp_publisher::disclosure::{
    Settings,
    webroot::{list_of, read_list},
};

fuzz_target!(|text: &str| {
    let place = Path::new("written");
    if let Ok(written) = read_list(place, text) {
        for (path, _) in &written {
            let steps = Path::new(path.as_str()).components();
            for step in steps {
                assert!(matches!(step, std::path::Component::Normal(_)), "{path}");
            }
        }
        assert_eq!(read_list(place, &list_of(&written)).ok(), Some(written));
    }
    let now: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a time");
    if let Ok(settings) = Settings::read(place, text, None, now) {
        let contact = &settings.contact;
        let lines = contact.addresses.iter().chain([&contact.policy]);
        for line in lines.chain(&contact.languages) {
            assert!(line.bytes().all(|byte| byte.is_ascii_graphic()), "{line:?}");
        }
    }
});
