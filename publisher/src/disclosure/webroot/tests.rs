use tempfile::TempDir;

use super::*;
use crate::disclosure::site::Turn;

fn site(files: &[(&str, &str)]) -> Site {
    let mut site = Site::default();
    for (path, text) in files {
        site.put(Turn::Document, *path, *text).unwrap();
    }
    site
}

fn becomes(root: &Webroot, site: &Site) -> Result<Outcome, WebrootError> {
    root.become_site(&root.lock()?, site, Sequence::default())
}

/// Every file below a folder that a web server would show.
fn shown(folder: &Path) -> Vec<String> {
    let files = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter();
    let files = files
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file());
    let names = files.map(|file| {
        file.path()
            .strip_prefix(folder)
            .unwrap()
            .display()
            .to_string()
    });
    names.filter(|name| !name.starts_with(OWN)).collect()
}

fn read(folder: &TempDir, path: &str) -> String {
    fs::read_to_string(folder.path().join(path)).unwrap()
}

#[test]
fn the_same_site_once_more_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let root = Webroot::at(folder.path());
    let site = site(&[("a/b.html", "one"), ("c.txt", "two")]);
    let first = becomes(&root, &site).unwrap();
    assert_eq!(first.written, ["a/b.html", "c.txt"]);
    let second = becomes(&root, &site).unwrap();
    assert_eq!((second.written.len(), second.unchanged), (0, 2));
}

#[test]
fn what_is_no_longer_true_goes_and_its_folder_with_it() {
    let folder = TempDir::new().unwrap();
    let root = Webroot::at(folder.path());
    becomes(&root, &site(&[("2025/a.json", "one"), ("c.txt", "two")])).unwrap();
    let outcome = becomes(&root, &site(&[("c.txt", "three")])).unwrap();
    assert_eq!(outcome.removed, ["2025/a.json"]);
    assert_eq!(shown(folder.path()), ["c.txt"]);
    assert!(!folder.path().join("2025").exists());
    assert_eq!(read(&folder, "c.txt"), "three");
}

#[test]
fn a_file_of_somebody_elses_is_neither_written_over_nor_removed() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join(".well-known")).unwrap();
    fs::write(folder.path().join(".well-known/security.txt"), "by hand").unwrap();
    fs::write(folder.path().join("robots.txt"), "by hand").unwrap();
    let root = Webroot::at(folder.path());
    let site = site(&[("a.html", "x"), (".well-known/security.txt", "ours")]);
    let refused = becomes(&root, &site);
    assert!(
        matches!(refused, Err(WebrootError::Foreign(_))),
        "{refused:?}"
    );
    assert!(
        !folder.path().join("a.html").exists(),
        "nothing is written before"
    );
    fs::remove_file(folder.path().join(".well-known/security.txt")).unwrap();
    becomes(&root, &site).unwrap();
    becomes(&root, &Site::default()).unwrap();
    assert_eq!(shown(folder.path()), ["robots.txt"]);
}

#[test]
fn what_somebody_changed_since_is_refused_and_stays_when_it_is_no_longer_true() {
    let folder = TempDir::new().unwrap();
    let root = Webroot::at(folder.path());
    becomes(&root, &site(&[("a.html", "ours")])).unwrap();
    fs::write(folder.path().join("a.html"), "changed").unwrap();
    let refused = becomes(&root, &site(&[("a.html", "newer")]));
    assert!(
        matches!(refused, Err(WebrootError::Foreign(_))),
        "{refused:?}"
    );
    let outcome = becomes(&root, &Site::default()).unwrap();
    assert_eq!(outcome.left, ["a.html"]);
    assert_eq!(read(&folder, "a.html"), "changed");
}

#[test]
fn a_link_on_the_way_leads_nowhere() {
    let (folder, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("osv")).unwrap();
    let root = Webroot::at(folder.path());
    let refused = becomes(&root, &site(&[("osv/a.json", "x")]));
    assert!(
        matches!(refused, Err(WebrootError::NoFolder(_))),
        "{refused:?}"
    );
    fs::remove_file(folder.path().join("osv")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("a.html")).unwrap();
    let refused = becomes(&root, &site(&[("a.html", "x")]));
    assert!(
        matches!(refused, Err(WebrootError::Foreign(_))),
        "{refused:?}"
    );
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn a_list_that_names_files_elsewhere_is_refused_and_removes_nothing() {
    let folder = TempDir::new().unwrap();
    let web = folder.path().join("web");
    fs::create_dir_all(web.join(OWN)).unwrap();
    fs::write(folder.path().join("precious"), "x").unwrap();
    let digest = Digest::of(b"x");
    for line in [
        format!("{digest}  ../precious"),
        format!("{digest}  {}/precious", folder.path().display()),
        format!("{digest} precious"),
        "no digest  a.html".to_owned(),
    ] {
        fs::write(web.join(OWN).join("written"), line).unwrap();
        let refused = becomes(&Webroot::at(&web), &Site::default());
        assert!(
            matches!(refused, Err(WebrootError::List { line: 1, .. })),
            "{refused:?}"
        );
    }
    assert!(folder.path().join("precious").exists());
}

#[test]
fn a_process_that_ended_in_between_leaves_what_the_next_one_finishes() {
    let folder = TempDir::new().unwrap();
    let root = Webroot::at(folder.path());
    let (old, new) = (
        site(&[("a", "1"), ("b", "1"), ("c", "1")]),
        site(&[("a", "2"), ("b", "2")]),
    );
    becomes(&root, &old).unwrap();
    // As after the list and the first rename, with the second file half staged.
    let plan = root.plan(&new).unwrap();
    let mut all = plan.before.clone();
    all.extend(plan.after.iter().cloned());
    root.remember(&all).unwrap();
    fs::create_dir_all(root.own().join("staging")).unwrap();
    fs::write(root.own().join("staging/1"), "ha").unwrap();
    fs::write(folder.path().join("a"), "2").unwrap();
    for file in ["b", "c"] {
        assert_eq!(read(&folder, file), "1");
    }
    let outcome = becomes(&root, &new).unwrap();
    assert_eq!(
        (outcome.written, outcome.removed),
        (vec!["b".to_owned()], vec!["c".to_owned()])
    );
    assert_eq!(
        (read(&folder, "a"), read(&folder, "b")),
        ("2".to_owned(), "2".to_owned())
    );
    assert!(!root.own().join("staging").exists());
}

#[test]
fn looking_first_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let root = Webroot::at(folder.path().join("web"));
    let would = root.compare(&site(&[("a", "1")])).unwrap();
    assert_eq!(would.written, ["a"]);
    assert!(!folder.path().join("web").exists());
}

#[test]
fn what_a_process_left_that_ended_at_the_very_last_is_cleared_away() {
    let folder = TempDir::new().unwrap();
    let root = Webroot::at(folder.path());
    let site = site(&[("a.html", "one")]);
    becomes(&root, &site).unwrap();
    fs::create_dir(root.staging()).unwrap();
    fs::write(root.staging().join("0"), "a part").unwrap();
    fs::write(root.own().join(".tmpabc"), "a part").unwrap();
    becomes(&root, &site).unwrap();
    assert!(!root.staging().exists());
    assert!(!root.own().join(".tmpabc").exists());
}

#[test]
fn what_is_older_than_what_is_told_is_refused() {
    let folder = TempDir::new().unwrap();
    let root = Webroot::at(folder.path());
    let at = |epoch, number| Sequence { epoch, number };
    let lock = root.lock().unwrap();
    let newer = site(&[("a.html", "withdrawn")]);
    root.become_site(&lock, &newer, at(0, 7)).unwrap();
    let refused = root.become_site(&lock, &site(&[("a.html", "holds")]), at(0, 6));
    assert!(
        matches!(refused, Err(WebrootError::Older { told, .. }) if told == at(0, 7)),
        "{refused:?}"
    );
    assert_eq!(read(&folder, "a.html"), "withdrawn");
    root.become_site(&lock, &newer, at(1, 1)).unwrap();
    assert!(root.refuse_older(at(0, 8)).is_err());
}

#[test]
fn a_link_in_the_place_of_the_own_folder_leads_nowhere() {
    let (folder, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fs::create_dir(other.path().join("staging")).unwrap();
    fs::write(other.path().join("staging/0"), "theirs").unwrap();
    std::os::unix::fs::symlink(other.path(), folder.path().join(OWN)).unwrap();
    let refused = becomes(&Webroot::at(folder.path()), &site(&[("a.html", "one")]));
    assert!(
        matches!(refused, Err(WebrootError::NoFolder(_))),
        "{refused:?}"
    );
    assert!(other.path().join("staging/0").exists());
}

#[test]
fn what_is_left_is_said_each_time() {
    let folder = TempDir::new().unwrap();
    let root = Webroot::at(folder.path());
    becomes(&root, &site(&[("a.html", "one")])).unwrap();
    fs::write(folder.path().join("a.html"), "changed").unwrap();
    for _ in 0..2 {
        let outcome = becomes(&root, &Site::default()).unwrap();
        assert_eq!(outcome.left, ["a.html"]);
    }
    fs::remove_file(folder.path().join("a.html")).unwrap();
    let outcome = becomes(&root, &Site::default()).unwrap();
    assert!(outcome.left.is_empty());
}

#[test]
fn what_is_no_sequence_is_refused_before_it_is_read() {
    let folder = TempDir::new().unwrap();
    let root = Webroot::at(folder.path());
    becomes(&root, &Site::default()).unwrap();
    let told = root.own().join("sequence");
    for strange in ["", "1", "1 2 3", "-1 2", "a b", &"1 ".repeat(64)] {
        fs::write(&told, strange).unwrap();
        let refused = becomes(&root, &site(&[("a.html", "one")]));
        assert!(
            matches!(&refused, Err(WebrootError::Foreign(path)) if *path == told),
            "{strange:?}: {refused:?}"
        );
    }
    fs::remove_file(&told).unwrap();
    becomes(&root, &site(&[("a.html", "one")])).unwrap();
}
