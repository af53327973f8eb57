//! Corrections that are signed and hostile all the same, and a component that changes its own tree
//! under the shim's hands: refused by name or harmless, and nothing outside is read or written.

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Result, ensure};
use spacecp_advisories::apply::{Action, ApplyError, Exchange, Faults, Outcome, Step};
use spacecp_contract::{Blob, Digest, FileChange, FileState};
use spacecp_publisher::corrections::Built;
use spacecp_tests::ground::write;
use walkdir::WalkDir;

use crate::{
    own_files::applied_while_at,
    site::{Template, see},
    tree::{Panel, look, new, now, old},
};

/// The first file of a correction that has contents afterwards.
fn some_file(built: &mut Built) -> &mut FileState {
    let files = built.correction.files.iter_mut();
    let mut contents = files.filter_map(|file| file.after.as_mut());
    contents.next().expect("a file has contents")
}

fn added(path: &str, contents: &[u8]) -> (FileChange, Vec<u8>) {
    let payload = zstd::bulk::compress(contents, 3).expect("it compresses");
    let after = FileState {
        digest: Digest::of(contents),
        size: contents.len() as u64,
        mode: 0o644,
        blob: Blob {
            digest: Digest::of(&payload),
            length: payload.len() as u64,
        },
    };
    let change = FileChange {
        path: path.parse().expect("a path"),
        before: None,
        after: Some(after),
    };
    (change, payload)
}

fn add(built: &mut Built, path: &str, contents: &[u8]) {
    let (change, payload) = added(path, contents);
    let blob = change.after.expect("it is added").blob;
    built.payload.insert(blob.digest, payload);
    built.correction.files.push(change);
    built
        .correction
        .files
        .sort_by(|one, other| one.path.cmp(&other.path));
}

/// Applies a correction that was changed before it was signed, and gives why it was refused. The tree
/// is as it was, and nothing is left beside it.
async fn refused(change: impl FnOnce(&mut Built)) -> Result<ApplyError> {
    let panel = Panel::with(&old(), &new(), change).await?;
    let error = panel.apply_with(&panel.plain(), "first", None, true).await;
    let error = error.expect_err("it was applied");
    assert!(panel.holds(&old())?, "{:#?}", look(&panel.component())?);
    assert!(panel.left_over().unwrap_or_default().is_empty());
    Ok(error)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mode_with_more_than_permissions_gives_nobody_anything() -> Result<()> {
    let panel = Panel::with(&old(), &new(), |built| some_file(built).mode = 0o106_777).await?;
    panel.apply().await?;
    for entry in WalkDir::new(panel.component()) {
        let entry = entry?;
        let mode = entry.metadata()?.permissions().mode();
        assert_eq!(mode & 0o7000, 0, "{}", entry.path().display());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_size_beyond_every_disk_is_refused_before_anything_is_written() -> Result<()> {
    let error = refused(|built| some_file(built).size = u64::MAX).await?;
    let ApplyError::Obstacle { plan } = &error else {
        panic!("{error}")
    };
    assert!(
        plan.obstacles().any(|found| found.check == "disk-space"),
        "{error}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_size_that_is_off_by_one_is_refused() -> Result<()> {
    for by in [-1i64, 1] {
        let error = refused(|built| {
            let size = &mut some_file(built).size;
            *size = size.saturating_add_signed(by);
        });
        let error = error.await?;
        assert!(matches!(error, ApplyError::Contents { .. }), "{error}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_that_are_not_those_announced_are_refused() -> Result<()> {
    let error = refused(|built| some_file(built).digest = Digest::of(b"something else")).await?;
    assert!(matches!(error, ApplyError::Contents { .. }), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lie_about_what_was_there_wants_a_word() -> Result<()> {
    let (old_tree, new_tree) = (old(), new());
    let panel = Panel::with(&old_tree, &new_tree, |built| {
        let changed = built
            .correction
            .files
            .iter_mut()
            .find(|file| file.before.is_some());
        changed.expect("a file is changed").before = Some(Digest::of(b"something else"));
    });
    let panel = panel.await?;
    let refused = panel.apply().await;
    assert!(
        matches!(refused, Err(ApplyError::WantsWord { .. })),
        "{refused:?}"
    );
    assert!(panel.holds(&old())?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_paths_that_are_one_where_case_does_not_count_are_never_signed_nor_accepted()
-> Result<()> {
    let twins = Panel::with(&old(), &new(), |built| add(built, "LIB/A.js", b"twin")).await;
    let error = twins
        .err()
        .map(|error| format!("{error:#}"))
        .unwrap_or_default();
    assert!(error.contains("only in case"), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_where_the_tree_has_a_folder_is_refused() -> Result<()> {
    let error = refused(|built| add(built, "deep", b"a file now")).await?;
    assert!(matches!(error, ApplyError::Obstacle { .. }), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_below_a_link_that_leads_out_is_refused_and_nothing_outside_is_touched() -> Result<()>
{
    let panel = Panel::with(&old(), &new(), |built| add(built, "cache/evil.js", b"out")).await?;
    let outside = panel.folder.path().join("outside");
    write(&outside, "evil.js", "not the component's")?;
    symlink(&outside, panel.component().join("cache"))?;
    let before = see(&outside)?;
    let refused = panel.apply_with(&panel.plain(), "first", None, true).await;
    assert!(
        matches!(refused, Err(ApplyError::Obstacle { .. })),
        "{refused:?}"
    );
    assert_eq!(see(&outside)?, before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_is_no_zstd_or_wants_a_huge_window_is_refused() -> Result<()> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1)?;
    encoder.long_distance_matching(true)?;
    encoder.window_log(27)?;
    encoder.include_contentsize(false)?;
    io::Write::write_all(&mut encoder, &vec![7; 1 << 20])?;
    for payload in [b"not compressed at all".to_vec(), encoder.finish()?] {
        let error = refused(|built| {
            let after = some_file(built);
            after.size = 1 << 20;
            after.digest = Digest::of(&vec![7; 1 << 20]);
            after.blob = Blob {
                digest: Digest::of(&payload),
                length: payload.len() as u64,
            };
            let digest = after.blob.digest;
            built.payload.insert(digest, payload);
        });
        let error = error.await?;
        assert!(matches!(error, ApplyError::Contents { .. }), "{error}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn very_many_files_are_applied_or_refused_and_cost_no_tree() -> Result<()> {
    let (old_tree, new_tree) = (old(), new());
    let panel = Panel::with(&old_tree, &new_tree, |built| {
        let (change, payload) = added("many/0", b"the same contents");
        let after = change.after.expect("it is added");
        built.payload.insert(after.blob.digest, payload);
        built.correction.files.extend((0..3_000).map(|number| {
            FileChange {
                path: format!("many/{:02}/{number}", number % 100)
                    .parse()
                    .expect("a path"),
                before: None,
                after: Some(after),
            }
        }));
    });
    let panel = panel.await?;
    assert_eq!(panel.apply().await?.outcome, Outcome::Applied);
    let many = WalkDir::new(panel.component().join("many")).into_iter();
    assert_eq!(
        many.filter(|entry| entry
            .as_ref()
            .is_ok_and(|entry| entry.file_type().is_file()))
            .count(),
        3_000
    );
    panel
        .plain()
        .roll_back("first", false, "for a test", now(), &())
        .await?;
    assert!(panel.holds(&old())?);
    Ok(())
}

/// At one action, exchanges a folder of the live tree for a link that leads out.
#[derive(Debug)]
struct Trap {
    at: usize,
    next: AtomicUsize,
    folder: PathBuf,
    outside: PathBuf,
}

impl Faults for Trap {
    fn before(&self, _: &Action<'_>) -> io::Result<()> {
        if self.next.fetch_add(1, Ordering::SeqCst) == self.at {
            let away = self.folder.with_extension("away");
            // Where the folder is not there at this moment, the trap is not laid.
            if fs::rename(&self.folder, &away).is_ok() {
                symlink(&self.outside, &self.folder)?;
            }
        }
        Ok(())
    }

    fn after(&self, _: &Action<'_>) {}
}

/// The component runs while its correction is applied, and may be in an attacker's hands already.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_becomes_a_link_at_any_moment_leads_nowhere() -> Result<()> {
    let template = Template::new(&old(), &new(), |_| {}).await?;
    for folder in ["lib", "data", "deep"] {
        let mut at = 0;
        loop {
            let copy = template.copy()?;
            let site = copy.open().await?;
            let outside = copy.path().join("outside");
            for name in [
                "a.js",
                "gone.js",
                "world/level",
                "run/socket.log",
                "down/only.js",
                "new/b.js",
            ] {
                write(&outside, name, "secret")?;
            }
            let before = see(&outside)?;
            let trap = Arc::new(Trap {
                at,
                next: AtomicUsize::new(0),
                folder: site.component().join(folder),
                outside: outside.clone(),
            });
            // Refused or not: the component may have any tree of its own making, and nobody else's.
            let _ = site
                .apply(&site.applier(Exchange::Atomic, trap.clone()), "first")
                .await;
            ensure!(
                see(&outside)? == before,
                "{folder} at {at}: something outside was changed"
            );
            ensure!(
                !holds(&copy.path().join("panel"), "secret")?,
                "{folder} at {at}: it was read"
            );
            site.close().await;
            if trap.next.load(Ordering::SeqCst) <= at {
                break;
            }
            at += 1;
        }
        assert!(at > 50, "the trap was laid at every action");
    }
    Ok(())
}

/// Whether a file below a folder holds a text; links are not followed.
fn holds(folder: &Path, text: &str) -> Result<bool> {
    for entry in WalkDir::new(folder) {
        let entry = entry?;
        if entry.file_type().is_file()
            && fs::read(entry.path())?
                .windows(text.len())
                .any(|piece| piece == text.as_bytes())
        {
            return Ok(true);
        }
    }
    Ok(false)
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_nested_deeper_than_anything_needs_are_refused_by_name() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    let nest = |component: &Path| Ok(fs::create_dir_all(component.join("d/".repeat(300)))?);
    let refused = applied_while_at(&panel, Step::Planned, nest).await;
    let Err(ApplyError::TooDeep { path }) = &refused else {
        panic!("{refused:?}")
    };
    assert!(path.ends_with("d/d/d"), "{}", path.display());
    assert_eq!(
        panel.left_over()?,
        Vec::<String>::new(),
        "what was copied is gone"
    );
    let refused = panel
        .apply_with(&panel.plain(), "second", None, false)
        .await;
    assert!(
        matches!(refused, Err(ApplyError::Obstacle { .. })),
        "{refused:?}"
    );
    fs::remove_dir_all(panel.component().join("d"))?;
    assert!(panel.holds(&old())?);
    let applied = panel
        .apply_with(&panel.plain(), "third", None, false)
        .await?;
    assert_eq!(applied.outcome, Outcome::Applied);
    Ok(())
}
