//! What a panel keeps on its machine is for its own user alone, whatever was there before.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

use anyhow::Result;
use spacecp_advisories::{
    App, ServiceError,
    config::Config,
    store::{Store, StoreError},
};
use spacecp_tests::catalog;
use walkdir::WalkDir;

use crate::{
    panel::{ADMINISTRATOR, Panel},
    program::{Ended, run},
};

fn mode(path: &Path) -> Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o777)
}

fn open_to_all(path: &Path, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

async fn doctor(panel: &Panel) -> Result<Ended> {
    let config = panel.folder().join("panel.toml").display().to_string();
    tokio::task::spawn_blocking(move || run(&["--config", &config, "doctor"])).await?
}

/// The files of a store, as they are while it is open.
fn modes(folder: &Path) -> Result<Vec<(String, u32)>> {
    let mut modes = Vec::new();
    for base in ["feed.sqlite", "store.sqlite"] {
        for part in ["", "-shm", "-wal"] {
            let name = format!("{base}{part}");
            modes.push((name.clone(), mode(&folder.join(name))?));
        }
    }
    Ok(modes)
}

#[tokio::test]
async fn a_new_store_is_its_owners_alone_with_everything_that_belongs_to_it() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let store = Store::open(&folder.path().join("store.sqlite")).await?;
    let second = Store::open(&folder.path().join("store.sqlite")).await?;
    for (name, mode) in modes(folder.path())? {
        assert_eq!(mode, 0o600, "{name}");
    }
    store.close().await;
    second.close().await;
    Ok(())
}

#[tokio::test]
async fn a_store_that_stood_open_is_closed_while_another_process_has_it_open_too() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let place = folder.path().join("store.sqlite");
    let first = Store::open(&place).await?;
    for (name, _) in modes(folder.path())? {
        open_to_all(&folder.path().join(name), 0o644)?;
    }
    let second = Store::open(&place).await?;
    for (name, mode) in modes(folder.path())? {
        assert_eq!(mode, 0o600, "{name}");
    }
    // Nobody's locks were let go of: both go on.
    for store in [&first, &second] {
        store.missed("nothing was heard").await?;
        assert!(store.look_for_damage().await?.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn a_damaged_feed_that_is_set_aside_is_closed_as_well() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let feed = folder.path().join("feed.sqlite");
    let store = folder.path().join("store.sqlite");
    Store::open(&store).await?.close().await;
    fs::write(&feed, "no database, and longer than a header ".repeat(100))?;
    open_to_all(&feed, 0o644)?;
    Store::open(&store).await?;
    for entry in fs::read_dir(folder.path())? {
        let path = entry?.path();
        assert_eq!(mode(&path)?, 0o600, "{}", path.display());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_of_the_state_is_closed_and_the_doctor_says_that_it_stood_open() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let state = panel.folder().join("state");
    assert_eq!(mode(&state)?, 0o700);
    open_to_all(&state, 0o755)?;
    open_to_all(&state.join("feed.sqlite"), 0o644)?;
    let told = doctor(&panel).await?;
    assert_eq!(told.code, Some(1), "{}", told.output);
    for words in [
        format!(
            "!!  state folder: {} was accessible to other users (mode 755)",
            state.display()
        ),
        format!(
            "{} was accessible to other users (mode 644)",
            state.join("feed.sqlite").display()
        ),
    ] {
        assert!(told.output.contains(&words), "{words}: {}", told.output);
    }
    assert_eq!(mode(&state)?, 0o700);
    assert_eq!(mode(&state.join("feed.sqlite"))?, 0o600);
    let again = doctor(&panel).await?;
    assert!(!again.output.contains("was accessible"), "{}", again.output);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_the_doctor_makes_is_closed() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let config = panel.folder().join("panel.toml");
    let elsewhere = panel.folder().join("never/used");
    let text = fs::read_to_string(&config)?;
    let (_, rest) = text.split_once('\n').expect("it begins with the state");
    let here = panel.folder().join("elsewhere.toml");
    fs::write(&here, format!("state = {elsewhere:?}\n{rest}"))?;
    let here = here.display().to_string();
    tokio::task::spawn_blocking(move || run(&["--config", &here, "doctor"])).await??;
    assert_eq!(mode(&elsewhere)?, 0o700);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_disks), ignore = "giving a folder to somebody else wants root")]
async fn what_stands_open_and_is_somebody_elses_is_refused_by_name() -> Result<()> {
    const NOBODY: u32 = 65534;
    let panel = Panel::without_plugin().await?;
    let state = panel.folder().join("state");
    let config = || Config::load(&panel.folder().join("panel.toml"));
    open_to_all(&state, 0o750)?;
    chown(&state, Some(NOBODY), None)?;
    let refused = App::open(config()?).await.map(drop);
    let error = refused.expect_err("others may enter it");
    assert!(matches!(error, ServiceError::Place(_)), "{error}");
    let words = error.to_string();
    for part in [&state.display().to_string(), "(mode 750)", "user 65534"] {
        assert!(words.contains(part), "{words}");
    }
    assert_eq!(
        (mode(&state)?, fs::metadata(&state)?.uid()),
        (0o750, NOBODY)
    );
    let told = doctor(&panel).await?;
    assert!(told.output.contains(&words), "{}", told.output);
    // Whose it is does not matter where nobody else may enter.
    open_to_all(&state, 0o700)?;
    let feed = state.join("feed.sqlite");
    chown(&feed, Some(NOBODY), None)?;
    open_to_all(&feed, 0o640)?;
    let refused = App::open(config()?).await.map(drop);
    let error = refused.expect_err("others may read it");
    let is_it = matches!(error, ServiceError::Store(StoreError::Place(_)));
    assert!(
        is_it && error.to_string().contains("feed.sqlite"),
        "{error}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_correction_under_embargo_leaves_can_be_read_by_others() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let changes = format!(
        "/changes?correction={}&component=module-backup",
        catalog::BACKUP_CORRECTION
    );
    assert_eq!(administrator.get(&changes).await?.status, 200);
    let page = format!("/advisories/{}", catalog::BACKUP);
    let form = administrator.get(&page).await?.form("/apply")?;
    administrator.post_to_the_end("/apply", &form).await?;
    let state = panel.folder().join("state");
    let kept = WalkDir::new(state.join("payloads")).into_iter();
    let mut payloads = 0;
    for entry in kept {
        let entry = entry?;
        payloads += u32::from(entry.file_type().is_file());
        let mode = entry.metadata()?.permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{}", entry.path().display());
    }
    for entry in WalkDir::new(panel.folder()) {
        let entry = entry?;
        if entry.file_name() == ".spacecp-advisories" {
            payloads += 1;
            assert_eq!(mode(entry.path())?, 0o700, "{}", entry.path().display());
        }
    }
    assert!(payloads > 0, "something was kept");
    Ok(())
}
