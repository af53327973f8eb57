//! The published folder in the hands of somebody else: nothing that lies there keeps a command waiting, takes its
//! memory, or leads it out of the folder, and what is under embargo or spoiled there is named.

use std::{
    fs::{self, File},
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use spacecp_contract::{DocumentKind, FeedPath};
use spacecp_publisher::{
    corrections,
    feed::{FeedError, FileError, FileKind},
};
use spacecp_tests::{
    catalog,
    ground::{Age, Ground},
    vendor::Vendor,
};

use crate::{
    ceremony::hours,
    private::{now, secret},
    record::Stage,
};

/// How long a command may take that waits for nobody.
const WAIT: Duration = Duration::from_mins(1);

/// What the three commands are refused for that look at the whole folder.
fn refusals(stage: &Arc<Stage>) -> Result<Vec<FeedError>> {
    let (sender, receiver) = mpsc::channel();
    let stage = Arc::clone(stage);
    // One that hangs is left behind: nobody will ever write into the pipe.
    thread::spawn(move || {
        let (service, until) = (stage.vendor.publisher(), now() + hours(24));
        let key = &stage.vendor.keys().feed;
        for refused in [
            service.refresh(now(), until, &[key]).err(),
            service.broadcast(now(), until, &[key]).err(),
            stage.vendor.feed().refuse_unpublished().err(),
        ] {
            let _ = sender.send(refused);
        }
    });
    let mut refused = Vec::new();
    for command in ["refresh", "broadcast", "status"] {
        let one = receiver.recv_timeout(WAIT);
        let one = one.with_context(|| format!("{command} hangs"))?;
        refused.push(one.with_context(|| format!("{command} goes on"))?);
    }
    Ok(refused)
}

fn paths() -> Result<Vec<FeedPath>> {
    let advisory = FeedPath::document(DocumentKind::Advisory, &crate::record::public(1)?.id, 1);
    Ok(vec![
        FeedPath::head(),
        FeedPath::index(2),
        FeedPath::root(1),
        FeedPath::root(1).signatures(),
        FeedPath::root(2),
        advisory,
    ])
}

fn remove(place: &Path) -> Result<()> {
    if fs::symlink_metadata(place).is_ok() {
        fs::remove_file(place)?;
    }
    Ok(())
}

#[test]
fn a_pipe_a_socket_or_a_link_in_the_place_of_a_file_is_named_and_not_opened() -> Result<()> {
    for path in paths()? {
        for kind in [FileKind::Pipe, FileKind::Socket, FileKind::Link] {
            let stage = Arc::new(Stage::new()?);
            let place = stage.place(&path);
            let genuine = stage.folder.path().join("genuine");
            fs::copy(&place, &genuine).or_else(|_| fs::write(&genuine, "x").map(|()| 1))?;
            remove(&place)?;
            let _socket = match kind {
                FileKind::Pipe => {
                    mknodat(CWD, &place, FileType::Fifo, Mode::RUSR, 0)?;
                    None
                }
                FileKind::Socket => Some(UnixListener::bind(&place)?),
                // Even where it leads to the very same contents.
                _ => {
                    symlink(&genuine, &place)?;
                    None
                }
            };
            for refused in refusals(&stage)? {
                assert!(
                    matches!(
                        &refused,
                        FeedError::Directory(FileError::NotAFile { path, found })
                            if *path == place && *found == kind
                    ),
                    "{path}: {refused:?}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn a_document_that_is_longer_than_panels_read_is_refused_by_its_length() -> Result<()> {
    for path in paths()? {
        let stage = Arc::new(Stage::new()?);
        let place = stage.place(&path);
        remove(&place)?;
        let length = 1 << 40;
        File::create(&place)?.set_len(length)?;
        for refused in refusals(&stage)? {
            assert!(
                matches!(
                    &refused,
                    FeedError::Directory(FileError::TooLong { path, length: found, .. })
                        if *path == place && *found == length
                ),
                "{path}: {refused:?}"
            );
        }
    }
    Ok(())
}

#[test]
fn a_directory_that_was_exchanged_for_a_link_is_not_written_through() -> Result<()> {
    let stage = Arc::new(Stage::new()?);
    let index = stage.vendor.feed_dir().join("index");
    let elsewhere = stage.folder.path().join("elsewhere");
    fs::rename(&index, &elsewhere)?;
    symlink(&elsewhere, &index)?;
    let there = fs::read_dir(&elsewhere)?.count();
    for refused in refusals(&stage)? {
        assert!(
            matches!(
                &refused,
                FeedError::Directory(FileError::NotADirectory { path, found: FileKind::Link })
                    if *path == index
            ),
            "{refused:?}"
        );
    }
    assert_eq!(fs::read_dir(&elsewhere)?.count(), there);
    Ok(())
}

#[test]
fn a_head_that_cannot_be_read_is_replaced_by_recovering_from_the_record() -> Result<()> {
    let mut stage = Stage::new()?;
    let head = stage.place(&FeedPath::head());
    fs::remove_file(&head)?;
    mknodat(CWD, &head, FileType::Fifo, Mode::RUSR, 0)?;
    assert_eq!(stage.recover_record()?, 3);
    stage.panel.sync(stage.vendor.feed_dir(), now())?;
    assert_eq!(stage.panel.sequence(), Some(3));
    Ok(())
}

#[test]
fn what_is_under_embargo_and_lies_there_in_clear_stops_refresh_and_broadcast_and_status_names_it()
-> Result<()> {
    let stage = Stage::new()?;
    let id = secret(1).id;
    let path = FeedPath::document(DocumentKind::Advisory, &id, 1);
    let place = stage.place(&path);
    fs::create_dir_all(place.parent().context("it lies in a folder")?)?;
    fs::copy(stage.vendor.waiting_dir().join(path.as_str()), &place)?;
    let (service, key) = (stage.vendor.publisher(), &stage.vendor.keys().feed);
    let until = now() + hours(24);
    for refused in [
        service.refresh(now(), until, &[key]).err(),
        service.broadcast(now(), until, &[key]).err(),
    ] {
        assert!(
            matches!(&refused, Some(FeedError::InClear { path, .. }) if *path == place),
            "{refused:?}"
        );
    }
    let problems = stage.problems()?;
    let is_named = |problem: &String| problem.contains(&place.display().to_string());
    assert!(problems.iter().any(is_named), "{problems:?}");
    Ok(())
}

#[test]
fn a_payload_that_was_deleted_or_exchanged_stops_refresh_and_status_names_it() -> Result<()> {
    for change in [
        |path: &Path| fs::remove_file(path),
        |path: &Path| fs::write(path, "x"),
    ] {
        let folder = spacecp_tests::scratch::folder()?;
        let mut vendor = Vendor::new(&folder.path().join("vendor"), catalog::AUDIENCE, now())?;
        let before = Ground::lay(&folder.path().join("before"), Age::Flawed)?;
        let after = Ground::lay(&folder.path().join("after"), Age::Corrected)?;
        let fix = &catalog::corrections()[2];
        let built = corrections::build(
            &(fix.folder)(&before),
            &(fix.folder)(&after),
            vendor.facts(fix)?,
        )?;
        vendor.publish_answering(built)?;
        vendor.broadcast()?;
        let mut blobs = walkdir::WalkDir::new(vendor.feed_dir().join("blob")).into_iter();
        let blob = blobs.find(|one| one.as_ref().is_ok_and(|one| one.file_type().is_file()));
        let blob = blob.context("a payload")??.into_path();
        change(&blob)?;
        let key = &vendor.keys().feed;
        let refused = vendor.publisher().refresh(now(), now() + hours(24), &[key]);
        ensure!(
            matches!(&refused, Err(FeedError::Payload { .. })),
            "{refused:?}"
        );
        let problems = crate::record::problems(&vendor)?;
        let is_named = |problem: &String| problem.contains(&blob.display().to_string());
        assert!(problems.iter().any(is_named), "{problems:?}");
    }
    Ok(())
}
