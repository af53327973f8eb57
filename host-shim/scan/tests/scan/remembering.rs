//! What did not change is not opened again, and what did is.

use std::{ffi::CString, fs, mem::MaybeUninit, path::Path};

use rustix::fs::inotify;
use spacecp_contract::TreePath;
use spacecp_scan::{Provider, Report, ScanLimits, Scanner};

use crate::place::{Jar, Place, later, listed};

/// Watches who opens a file: the kernel says so, whatever the scanner counts.
struct Watch(rustix::fd::OwnedFd);

impl Watch {
    fn over(file: &Path) -> Self {
        let watch = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
        let path = CString::new(file.to_str().unwrap()).unwrap();
        inotify::add_watch(&watch, path, inotify::WatchFlags::OPEN).unwrap();
        Self(watch)
    }

    /// How often it was opened since the last question.
    fn opened(&self) -> usize {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(&self.0, &mut buffer);
        std::iter::from_fn(|| events.next().ok().map(drop)).count()
    }
}

fn shop(version: &str) -> Vec<u8> {
    let text = format!("name: Shop\nversion: {version}\n");
    Jar::default().with("plugin.yml", text).bytes()
}

fn scan(scanner: &mut Scanner, place: &Place) -> Report {
    scanner.scan(&[place.job(Provider::Minecraft)], &[].into(), later())
}

#[test]
fn an_unchanged_archive_is_not_opened_again_and_a_changed_one_is() {
    let place = Place::new();
    let jar = place.put("plugins/Shop.jar", shop("1"));
    let mut scanner = Scanner::new(ScanLimits::default(), None);
    let watch = Watch::over(&jar);

    let first = scan(&mut scanner, &place);
    assert_eq!((watch.opened(), first.files_read), (1, 1));

    let second = scan(&mut scanner, &place);
    assert_eq!(
        (watch.opened(), second.files_read, second.files_unchanged),
        (0, 0, 1)
    );
    assert_eq!(second.found, first.found);

    // Of the same length, and with its time set back: nothing but the kernel's own time tells.
    let before = fs::metadata(&jar).unwrap().modified().unwrap();
    fs::write(&jar, shop("2")).unwrap();
    fs::File::options()
        .write(true)
        .open(&jar)
        .unwrap()
        .set_modified(before)
        .unwrap();
    watch.opened();
    let third = scan(&mut scanner, &place);
    assert_eq!((watch.opened(), third.files_read), (1, 1));
    assert_eq!(listed(&third.found), ["lobby/Shop = bukkit:Shop 2"]);
}

#[test]
fn another_process_remembers_what_this_one_found() {
    let (place, state) = (Place::new(), Place::new());
    let jar = place.put("plugins/Shop.jar", shop("1"));
    let memory = state.path().join("scanned");
    let scanner = || Scanner::new(ScanLimits::default(), Some(memory.clone()));
    let first = scan(&mut scanner(), &place);
    let watch = Watch::over(&jar);
    let second = scan(&mut scanner(), &place);
    assert_eq!(watch.opened(), 0);
    assert_eq!(second.found, first.found);
    // Under other limits more may be found.
    let others = ScanLimits {
        archive_depth: 2,
        ..ScanLimits::default()
    };
    scan(&mut Scanner::new(others, Some(memory)), &place);
    assert_eq!(watch.opened(), 1);
}

#[test]
fn a_damaged_memory_costs_time_and_nothing_else() {
    let (place, state) = (Place::new(), Place::new());
    place.put("plugins/Shop.jar", shop("1"));
    for damage in [&b""[..], b"\xff\xff\xff", &[0xdd, 0xff, 0xff, 0xff, 0xff]] {
        let memory = state.put("scanned", damage);
        let mut scanner = Scanner::new(ScanLimits::default(), Some(memory));
        let report = scan(&mut scanner, &place);
        assert_eq!(listed(&report.found), ["lobby/Shop = bukkit:Shop 1"]);
    }
}

#[test]
fn a_file_that_was_just_written_is_not_believed_to_stay() {
    let place = Place::new();
    place.put("plugins/Shop.jar", shop("1"));
    let mut scanner = Scanner::new(ScanLimits::default(), None);
    let now = || jiff::Timestamp::now();
    let job = [place.job(Provider::Minecraft)];
    scanner.scan(&job, &[].into(), now());
    let again = scanner.scan(&job, &[].into(), now());
    assert_eq!((again.files_read, again.files_unchanged), (1, 0));
}

#[test]
fn what_is_broken_for_good_is_named_every_time_and_not_read_again() {
    let place = Place::new();
    let jar = place.put("plugins/Shop.jar", "no archive");
    let mut scanner = Scanner::new(ScanLimits::default(), None);
    let first = scan(&mut scanner, &place);
    let watch = Watch::over(&jar);
    let second = scan(&mut scanner, &place);
    assert_eq!(watch.opened(), 0);
    assert_eq!((first.unread.len(), second.unread), (1, first.unread));
}

#[test]
fn what_a_limit_of_the_scan_left_out_is_read_the_next_time() {
    let place = Place::new();
    place.put("plugins/A.jar", shop("1"));
    let mut scanner = Scanner::new(
        ScanLimits {
            bytes: 1,
            ..ScanLimits::default()
        },
        None,
    );
    assert_eq!(scan(&mut scanner, &place).found, []);
    let again = scan(&mut scanner, &place);
    assert_eq!((again.files_read, again.files_unchanged), (1, 0));
}

#[test]
fn a_file_that_is_gone_is_gone() {
    let place = Place::new();
    let jar = place.put("plugins/Shop.jar", shop("1"));
    place.put(
        "plugins/Other.jar",
        Jar::default()
            .with("plugin.yml", "name: Other\nversion: 1\n")
            .bytes(),
    );
    let mut scanner = Scanner::new(ScanLimits::default(), None);
    assert_eq!(scan(&mut scanner, &place).found.len(), 2);
    fs::remove_file(jar).unwrap();
    assert_eq!(
        listed(&scan(&mut scanner, &place).found),
        ["lobby/Other = bukkit:Other 1"]
    );
    let mut job = place.job(Provider::Minecraft);
    job.except = vec![TreePath::new("plugins/Other.jar").unwrap()];
    assert_eq!(scanner.scan(&[job], &[].into(), later()).found, []);
}
