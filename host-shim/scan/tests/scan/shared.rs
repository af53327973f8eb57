//! What a scan may spend is shared out, and what it did not get to is not taken for gone.

use std::fs;

use jiff::Timestamp;
use spacecp_scan::{Job, Limit, Provider, Report, ScanLimits, Scanner, Why};

use crate::place::{Jar, Place, later, listed};

/// A component with this name in a place of its own.
fn component(place: &Place, name: &str, provider: Provider) -> Job {
    Job {
        name: name.to_owned(),
        ..place.job(provider)
    }
}

fn plugin(version: &str) -> Vec<u8> {
    let text = format!("name: Shop\nversion: {version}\n");
    Jar::default().with("plugin.yml", text).bytes()
}

/// A component with one plugin, that is named after another in the alphabet and in the configuration.
fn small() -> (Place, Job) {
    let place = Place::new();
    place.put("plugins/Shop.jar", plugin("1"));
    let job = component(&place, "small", Provider::Minecraft);
    (place, job)
}

fn scan(scanner: &mut Scanner, jobs: &[Job]) -> Report {
    scanner.scan(jobs, &[].into(), later())
}

fn once(limits: ScanLimits, jobs: &[Job]) -> Report {
    scan(&mut Scanner::new(limits, None), jobs)
}

/// The jobs that a limit cut short.
fn cut_short(report: &Report, by: Limit) -> Vec<&str> {
    let unread = report.unread.iter();
    let cut = unread.filter(|unread| matches!(unread.why, Why::Limit { limit, .. } if limit == by));
    let mut jobs: Vec<&str> = cut.map(|unread| unread.job.as_str()).collect();
    jobs.dedup();
    jobs
}

#[test]
fn a_component_full_of_bombs_leaves_the_others_what_they_need() {
    let hostile = Place::new();
    // Each is small on the disk, and within the limit of one file when it is unpacked.
    let zeros = "0".repeat(200_000);
    for number in 0..20 {
        let text = format!("name: A\nversion: 1\nd: {zeros}\n");
        let jar = Jar::default().with("plugin.yml", text);
        hostile.put(&format!("plugins/{number}.jar"), jar.bytes());
    }
    let (_place, small) = small();
    let jobs = [component(&hostile, "hostile", Provider::Minecraft), small];
    let limits = ScanLimits {
        bytes: 1_000_000,
        ..ScanLimits::default()
    };
    let report = once(limits, &jobs);
    assert_eq!(cut_short(&report, Limit::Bytes), ["hostile"]);
    assert!(
        listed(&report.found).contains(&"small/Shop = bukkit:Shop 1".to_owned()),
        "{:?}",
        report.found
    );
}

#[test]
fn a_component_with_files_without_end_leaves_the_others_what_they_need() {
    let hostile = Place::new();
    for number in 0..300 {
        hostile.put(&format!("libraries/{number}.txt"), "");
    }
    let (_place, small) = small();
    let jobs = [component(&hostile, "hostile", Provider::Minecraft), small];
    let limits = ScanLimits {
        entries: 200,
        ..ScanLimits::default()
    };
    let report = once(limits, &jobs);
    assert_eq!(cut_short(&report, Limit::Entries), ["hostile"]);
    assert_eq!(listed(&report.found), ["small/Shop = bukkit:Shop 1"]);
}

#[test]
fn a_component_that_seems_to_have_everything_leaves_the_others_their_place_in_the_list() {
    let hostile = Place::new();
    let (_place, small) = small();
    for number in 0..40 {
        let text = format!(r#"{{"name":"p{number}","version":"1.0.0"}}"#);
        hostile.put(&format!("node_modules/p{number}/package.json"), text);
        hostile.put(&format!("node_modules/x{number}/package.json"), "{");
    }
    let broken = Place::new();
    broken.put("plugins/Broken.jar", "no archive");
    let jobs = [
        component(&hostile, "hostile", Provider::Npm),
        small,
        component(&broken, "broken", Provider::Minecraft),
    ];
    let limits = ScanLimits {
        components: 10,
        problems: 6,
        ..ScanLimits::default()
    };
    let report = once(limits, &jobs);
    assert!(report.found.len() <= 10);
    assert!(report.found.iter().any(|found| found.name == "small/Shop"));
    assert!(
        report.unread.iter().any(|unread| unread.job == "broken"),
        "{:?}",
        report.unread
    );
}

#[test]
fn what_small_components_leave_over_goes_to_one_that_has_more_to_read() {
    let large = Place::new();
    for number in 0..60 {
        let jar = Jar::default().with("plugin.yml", format!("name: P{number}\nversion: 1\n"));
        large.put(&format!("plugins/{number}.jar"), jar.bytes());
    }
    let (_place, small) = small();
    let mut jobs = vec![component(&large, "large", Provider::Minecraft)];
    for number in 0..9 {
        jobs.push(Job {
            name: format!("small{number}"),
            ..small.clone()
        });
    }
    let limits = ScanLimits {
        entries: 500,
        ..ScanLimits::default()
    };
    let report = once(limits, &jobs);
    assert_eq!(report.unread, [], "a tenth of the entries would not do");
    assert_eq!(report.found.len(), 69);
}

#[test]
fn what_a_scan_that_was_cut_short_did_not_read_again_is_listed_in_no_known_version() {
    let (place, state) = (Place::new(), Place::new());
    place.put("plugins/Shop.jar", plugin("1"));
    let jobs = [component(&place, "lobby", Provider::Minecraft)];
    let scanner = |limits| Scanner::new(limits, Some(state.path().join("scanned")));
    let few = ScanLimits {
        entries: 50,
        ..ScanLimits::default()
    };
    let first = scan(&mut scanner(few), &jobs);
    assert_eq!(listed(&first.found), ["lobby/Shop = bukkit:Shop 1"]);
    for number in 0..100 {
        place.put(&format!("plugins/0{number}.txt"), "");
    }
    // Again and again, by another process each time: it is never forgotten.
    for _ in 0..3 {
        let cut = scan(&mut scanner(few), &jobs);
        assert_eq!(cut_short(&cut, Limit::Entries), ["lobby"]);
        let [found] = &cut.found[..] else {
            panic!("{:?}", cut.found)
        };
        assert_eq!(found.name, "lobby/Shop");
        let problem = found.version.as_ref().unwrap_err();
        assert!(problem.contains("last seen as 1,"), "{problem}");
        assert!(problem.contains("scan.entries"), "{problem}");
    }
    let whole = scan(&mut scanner(ScanLimits::default()), &jobs);
    assert_eq!(whole.found, first.found, "and it is known when it is read");
}

#[test]
fn what_was_seen_for_a_moment_only_is_not_forgotten_either() {
    let place = Place::new();
    place.put("plugins/Shop.jar", plugin("1"));
    let jobs = [component(&place, "lobby", Provider::Minecraft)];
    let mut scanner = Scanner::new(
        ScanLimits {
            entries: 50,
            ..ScanLimits::default()
        },
        None,
    );
    // Too young to be believed to stay as it is, and found all the same.
    scanner.scan(&jobs, &[].into(), Timestamp::now());
    for number in 0..100 {
        place.put(&format!("plugins/0{number}.txt"), "");
    }
    let cut = scanner.scan(&jobs, &[].into(), Timestamp::now());
    assert_eq!(cut.found.len(), 1);
    assert!(cut.found[0].version.is_err());
}

#[test]
fn what_cannot_be_read_any_more_is_listed_in_no_known_version() {
    let place = Place::new();
    let jar = place.put("plugins/Shop.jar", plugin("1"));
    let jobs = [component(&place, "lobby", Provider::Minecraft)];
    let mut scanner = Scanner::new(ScanLimits::default(), None);
    scan(&mut scanner, &jobs);
    fs::write(&jar, "no archive any more").unwrap();
    for _ in 0..2 {
        let report = scan(&mut scanner, &jobs);
        assert_eq!(report.unread.len(), 1);
        assert_eq!(report.found.len(), 1, "{report:?}");
        assert!(report.found[0].version.is_err());
    }
    // A folder that leads nowhere now: nobody can say what became of what was in it.
    fs::write(&jar, plugin("2")).unwrap();
    let mended = scan(&mut scanner, &jobs);
    assert_eq!(listed(&mended.found), ["lobby/Shop = bukkit:Shop 2"]);
    let away = Place::new();
    fs::rename(place.path().join("plugins"), away.path().join("plugins")).unwrap();
    std::os::unix::fs::symlink("/nowhere", place.path().join("plugins")).unwrap();
    let report = scan(&mut scanner, &jobs);
    assert_eq!(report.found.len(), 1, "{report:?}");
    assert!(report.found[0].version.is_err());
    // And one that is gone is gone.
    fs::remove_file(place.path().join("plugins")).unwrap();
    assert_eq!(scan(&mut scanner, &jobs).found, []);
}

#[test]
fn what_was_known_is_listed_before_what_is_new() {
    let place = Place::new();
    place.put("plugins/Shop.jar", plugin("1"));
    let jobs = [component(&place, "lobby", Provider::Minecraft)];
    let mut scanner = Scanner::new(
        ScanLimits {
            components: 5,
            ..ScanLimits::default()
        },
        None,
    );
    scan(&mut scanner, &jobs);
    for number in 0..20 {
        let jar = Jar::default().with("plugin.yml", format!("name: P{number}\nversion: 1\n"));
        place.put(&format!("plugins/A{number}.jar"), jar.bytes());
    }
    let report = scan(&mut scanner, &jobs);
    assert_eq!(cut_short(&report, Limit::Components), ["lobby"]);
    assert!(
        listed(&report.found).contains(&"lobby/Shop = bukkit:Shop 1".to_owned()),
        "{:?}",
        report.found
    );
}
