//! Whoever may write to a folder exchanges what lies there while it is scanned: nothing outside is read.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use spacecp_scan::Provider;

use crate::place::{Jar, Place, listed};

/// Scans within which an exchange has to come in between.
const MOST_SCANS: usize = 50_000;

/// Scans during which each thing in the folder and each link was met.
const ENOUGH: usize = 100;

fn put_plugin(place: &Place, path: &str, name: &str) {
    let described = format!("name: {name}\nversion: 1\n");
    place.put(path, Jar::default().with("plugin.yml", described).bytes());
}

fn exchange(one: &Path, other: &Path) {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
}

#[test]
fn what_is_exchanged_for_a_link_during_a_scan_leads_nowhere_outside() {
    let outside = Place::new();
    put_plugin(&outside, "plugins/Outside.jar", "Outside");
    let place = Place::new();
    put_plugin(&place, "plugins/Inside.jar", "Inside");
    put_plugin(&place, "mods/Mod.jar", "Mod");
    let pairs = [
        ["plugins", "folder-link"].map(|name| place.path().join(name)),
        ["mods/Mod.jar", "file-link"].map(|name| place.path().join(name)),
    ];
    symlink(outside.path().join("plugins"), &pairs[0][1]).unwrap();
    symlink(outside.path().join("plugins/Outside.jar"), &pairs[1][1]).unwrap();

    let ended = AtomicBool::new(false);
    let (mut inside, mut links) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                for [one, other] in &pairs {
                    exchange(one, other);
                }
            }
        });
        for _ in 0..MOST_SCANS {
            let report = place.scan(Provider::Minecraft);
            let found = listed(&report.found);
            if found.iter().any(|one| one.contains("Outside")) {
                ended.store(true, Ordering::Relaxed);
                panic!("{found:?}");
            }
            inside += usize::from(found.iter().any(|one| one.contains("Inside")));
            links += usize::from(report.unread.iter().any(|one| one.at.contains("plugins")));
            if inside >= ENOUGH && links >= ENOUGH {
                break;
            }
        }
        ended.store(true, Ordering::Relaxed);
    });
    assert!(inside >= ENOUGH && links >= ENOUGH, "{inside} {links}");
}

#[test]
fn a_root_that_is_a_link_of_this_user_is_followed() {
    let (place, links) = (Place::new(), Place::new());
    put_plugin(&place, "plugins/Inside.jar", "Inside");
    let link = links.path().join("current");
    symlink(place.path(), &link).unwrap();
    let mut job = place.job(Provider::Minecraft);
    job.place = link;
    let report = crate::place::scan(job);
    assert_eq!(listed(&report.found), ["lobby/Inside = bukkit:Inside 1"]);
}

#[test]
fn links_in_a_circle_end_the_scan_of_their_job() {
    let place = Place::new();
    let [one, other] = ["one", "other"].map(|name| place.path().join(name));
    symlink(&one, &other).unwrap();
    symlink(&other, &one).unwrap();
    let mut job = place.job(Provider::Minecraft);
    job.place = one.join("plugins");
    let report = crate::place::scan(job);
    assert_eq!(report.unread.len(), 1, "{:?}", report.unread);
    assert!(!fs::exists(one.join("plugins")).unwrap_or(false));
}
