use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use spacecp_plugin_host::bindings::{
    exports::spacecp::advisories::exposure::{
        ExposureReport, NoticeKind, Noticed, Repeated, Status, Summary, Verdict,
    },
    spacecp::advisories::types::{DocumentRef, Severity},
};
use spacecp_store::Cursor;

fn grounds() -> CacheKey {
    CacheKey {
        plugin: Digest::of(b"plugin"),
        documents: Cursor {
            epoch: 7,
            position: 630,
        },
        index: Digest::of(b"index"),
        inventory: "inventory".to_owned(),
        decisions: Digest::of(b"decisions"),
        configuration: Digest::of(b"configuration"),
    }
}

fn report() -> ExposureReport {
    let verdict = Verdict {
        advisory: DocumentRef {
            id: "SPACECP-SA-2026-0001".to_owned(),
            revision: 3,
        },
        title: "Anybody may log in".to_owned(),
        component: "houston".to_owned(),
        version: Some("1.4.2".to_owned()),
        status: Status::Affected,
        reason: "1.4.2 is in [1.4.0, 1.4.3)".to_owned(),
        severity: Severity::High,
        score: Some(81),
        known_exploited: false,
        embargo: true,
        correction: None,
        mark: None,
    };
    ExposureReport {
        summary: Summary {
            components: 2,
            exposed: 1,
            restart_pending: 0,
            undecided: 0,
            unread: 0,
            advisories: 2,
            notices: 1,
            worst: Some(Severity::High),
        },
        verdicts: vec![verdict.clone()],
        repeated: vec![Repeated {
            verdict: verdict.clone(),
            same_flaw_as: "SPACECP-SA-2026-0002".to_owned(),
        }],
        notices: vec![Noticed {
            verdict,
            kind: NoticeKind::Unmaintained,
        }],
        unreadable: Vec::new(),
    }
}

/// A state folder with a report in it.
fn kept() -> (TempDir, PathBuf) {
    let state = tempfile::tempdir().unwrap();
    Cache::within(state.path(), REPORT).keep(grounds().digest(), &report());
    let file = state.path().join(REPORT);
    (state, file)
}

fn why(file: &Path) -> Unusable {
    read::<ExposureReport>(file, grounds().digest()).unwrap_err()
}

#[test]
fn a_report_comes_back_as_it_was_given() {
    let (state, _) = kept();
    let remembered = Cache::<ExposureReport>::within(state.path(), REPORT);
    assert_eq!(remembered.recall(grounds().digest()), Some(report()));
}

#[test]
fn a_report_is_for_its_owner_alone() {
    let (_state, file) = kept();
    let mode = fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn each_of_the_grounds_counts() {
    let (_state, file) = kept();
    let other = Digest::of(b"other");
    let end = |epoch, position| Cursor { epoch, position };
    let others = [
        CacheKey {
            plugin: other,
            ..grounds()
        },
        CacheKey {
            documents: end(7, 631),
            ..grounds()
        },
        CacheKey {
            documents: end(8, 630),
            ..grounds()
        },
        CacheKey {
            index: other,
            ..grounds()
        },
        CacheKey {
            inventory: "other".to_owned(),
            ..grounds()
        },
        CacheKey {
            decisions: other,
            ..grounds()
        },
        CacheKey {
            configuration: other,
            ..grounds()
        },
    ];
    for other in others {
        let found = read::<ExposureReport>(&file, other.digest());
        assert!(matches!(found, Err(Unusable::OtherKey)), "{other:?}");
    }
}

#[test]
fn a_report_of_an_earlier_form_is_damaged_or_none() {
    let (_state, file) = kept();
    let mut bytes = rmp_serde::to_vec(&("what an earlier program kept", 1)).unwrap();
    bytes.extend_from_slice(Digest::of(&bytes).as_bytes());
    fs::write(&file, bytes).unwrap();
    assert!(matches!(why(&file), Unusable::Misnamed(_)));
}

#[test]
fn a_file_that_is_too_large_is_not_even_read() {
    let (_state, file) = kept();
    let grown = OpenOptions::new().write(true).open(&file).unwrap();
    grown.set_len(LARGEST + 1).unwrap();
    assert!(matches!(why(&file), Unusable::TooLarge));
}

#[test]
fn a_report_that_is_too_large_is_not_kept_and_the_one_before_stays() {
    let (state, file) = kept();
    let before = fs::read(&file).unwrap();
    let mut large = report();
    large.verdicts[0].reason = "x".repeat(usize::try_from(LARGEST).unwrap());
    let other = CacheKey {
        inventory: "other".to_owned(),
        ..grounds()
    };
    Cache::within(state.path(), REPORT).keep(other.digest(), &large);
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_file_that_others_may_write_is_not_believed() {
    let (_state, file) = kept();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o620)).unwrap();
    assert!(matches!(why(&file), Unusable::Foreign));
}

#[test]
fn a_link_a_folder_and_a_pipe_are_not_read() {
    let (state, file) = kept();
    let aside = state.path().join("aside");
    fs::rename(&file, &aside).unwrap();
    std::os::unix::fs::symlink(&aside, &file).unwrap();
    assert!(matches!(why(&file), Unusable::File(_)));
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(matches!(why(&file), Unusable::Foreign));
    fs::remove_dir(&file).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &file, rustix::fs::Mode::RUSR).unwrap();
    assert!(matches!(why(&file), Unusable::Foreign));
}

#[test]
fn one_that_was_cut_off_before_it_got_its_name_leaves_the_one_before() {
    let (state, file) = kept();
    // What a process leaves that was killed while it wrote: a file of another name, half full.
    let half = fs::read(&file).unwrap();
    fs::write(state.path().join(".tmpcutoff"), &half[..half.len() / 2]).unwrap();
    let remembered = Cache::<ExposureReport>::within(state.path(), REPORT);
    assert_eq!(remembered.recall(grounds().digest()), Some(report()));
}

#[test]
fn where_nothing_can_be_written_nothing_is_lost() {
    let (state, file) = kept();
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let remembered = Cache::<ExposureReport>::within(state.path(), REPORT);
    remembered.keep(grounds().digest(), &report());
    assert_eq!(remembered.recall(grounds().digest()), None);
}

proptest! {
    #[test]
    fn whatever_is_done_to_the_bytes_it_is_found_out(
        place in any::<prop::sample::Index>(), change in 1..=u8::MAX, cut in any::<prop::sample::Index>(),
    ) {
        let (_state, file) = kept();
        let whole = fs::read(&file).unwrap();
        let mut changed = whole.clone();
        changed[place.index(whole.len())] ^= change;
        prop_assert!(matches!(decode::<ExposureReport>(&changed, grounds().digest()), Err(Unusable::Damaged)));
        let cut = &whole[..cut.index(whole.len())];
        prop_assert!(matches!(decode::<ExposureReport>(cut, grounds().digest()), Err(Unusable::Damaged)));
    }

    #[test]
    fn strange_bytes_are_no_report(mut bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        bytes.extend_from_slice(Digest::of(&bytes).as_bytes());
        prop_assert!(decode::<ExposureReport>(&bytes, grounds().digest()).is_err());
    }
}
