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
    let first = root.become_site(&site).unwrap();
    assert_eq!(first.written, ["a/b.html", "c.txt"]);
    let second = root.become_site(&site).unwrap();
    assert_eq!((second.written.len(), second.unchanged), (0, 2));
}

#[test]
fn what_is_no_longer_true_goes_and_its_folder_with_it() {
    let folder = TempDir::new().unwrap();
    let root = Webroot::at(folder.path());
    root.become_site(&site(&[("2025/a.json", "one"), ("c.txt", "two")]))
        .unwrap();
    let outcome = root.become_site(&site(&[("c.txt", "three")])).unwrap();
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
    let refused = root.become_site(&site);
    assert!(
        matches!(refused, Err(WebrootError::Foreign(_))),
        "{refused:?}"
    );
    assert!(
        !folder.path().join("a.html").exists(),
        "nothing is written before"
    );
    fs::remove_file(folder.path().join(".well-known/security.txt")).unwrap();
    root.become_site(&site).unwrap();
    root.become_site(&Site::default()).unwrap();
    assert_eq!(shown(folder.path()), ["robots.txt"]);
}

#[test]
fn what_somebody_changed_since_is_refused_and_stays_when_it_is_no_longer_true() {
    let folder = TempDir::new().unwrap();
    let root = Webroot::at(folder.path());
    root.become_site(&site(&[("a.html", "ours")])).unwrap();
    fs::write(folder.path().join("a.html"), "changed").unwrap();
    let refused = root.become_site(&site(&[("a.html", "newer")]));
    assert!(
        matches!(refused, Err(WebrootError::Foreign(_))),
        "{refused:?}"
    );
    let outcome = root.become_site(&Site::default()).unwrap();
    assert_eq!(outcome.left, ["a.html"]);
    assert_eq!(read(&folder, "a.html"), "changed");
}

#[test]
fn a_link_on_the_way_leads_nowhere() {
    let (folder, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("osv")).unwrap();
    let root = Webroot::at(folder.path());
    let refused = root.become_site(&site(&[("osv/a.json", "x")]));
    assert!(
        matches!(refused, Err(WebrootError::NoFolder(_))),
        "{refused:?}"
    );
    fs::remove_file(folder.path().join("osv")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("a.html")).unwrap();
    let refused = root.become_site(&site(&[("a.html", "x")]));
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
        let refused = Webroot::at(&web).become_site(&Site::default());
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
    root.become_site(&old).unwrap();
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
    let outcome = root.become_site(&new).unwrap();
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
    root.become_site(&site).unwrap();
    fs::create_dir(root.staging()).unwrap();
    fs::write(root.staging().join("0"), "a part").unwrap();
    root.become_site(&site).unwrap();
    assert!(!root.staging().exists());
}
