//! Reports of strangers: what decodes is within its limits, and is written again and read back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spacecp_contract::{Report, ReportLimits};

fuzz_target!(|bytes: &[u8]| {
    let limits = ReportLimits::default();
    if let Ok(report) = Report::from_bytes(bytes, &limits) {
        assert_eq!(report.check(&limits), Ok(()));
        assert!(
            report
                .attachments
                .iter()
                .all(|file| !file.name.as_str().contains(['/', '\0']))
        );
        assert_eq!(Report::from_bytes(&report.to_bytes(), &limits), Ok(report));
    }
});
