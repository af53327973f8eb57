//! What a panel keeps on its machine is for its own user alone, whatever was there before.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

use anyhow::{Context, Result};
use rustix::fs::{CWD, FileType, Mode, mknodat};
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
async fn a_folder_that_a_command_makes_is_closed() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let config = panel.folder().join("panel.toml");
    let elsewhere = panel.folder().join("never/used");
    let text = fs::read_to_string(&config)?;
    let (_, rest) = text.split_once('\n').expect("it begins with the state");
    let here = panel.folder().join("elsewhere.toml");
    fs::write(&here, format!("state = {elsewhere:?}\n{rest}"))?;
    let here = here.display().to_string();
    tokio::task::spawn_blocking(move || run(&["--config", &here, "trust"])).await??;
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

/// A panel's configuration with another place for its state.
fn with_state(panel: &Panel, state: &Path) -> Result<String> {
    let text = fs::read_to_string(panel.folder().join("panel.toml"))?;
    let (_, rest) = text.split_once('\n').expect("it begins with the state");
    let here = panel.folder().join("elsewhere.toml");
    fs::write(&here, format!("state = {state:?}\n{rest}"))?;
    Ok(here.display().to_string())
}

/// What each of the ways to open a state says of this one, which is refused.
async fn refused_by_every_command(config: String) -> Result<Vec<String>> {
    let commands: [&[&str]; 5] = [
        &["sync"],
        &["doctor"],
        &["recover"],
        &["recover", "--new-store"],
        &["rollback", "SPACECP-SC-2026-0001", "--yes"],
    ];
    let run_all = move || -> Result<Vec<String>> {
        let mut said = Vec::new();
        for command in commands {
            let ended = run(&[&["--config", &config], command].concat())?;
            assert!(
                matches!(ended.code, Some(1 | 3 | 4)),
                "{command:?}: {}",
                ended.output
            );
            said.push(ended.output + &ended.complaint);
        }
        Ok(said)
    };
    tokio::task::spawn_blocking(run_all).await?
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_directory_that_others_could_exchange_is_refused_before_it_is_made_or_opened()
-> Result<()> {
    let panel = Panel::without_plugin().await?;
    let around = panel.folder().join("around");
    fs::create_dir(&around)?;
    open_to_all(&around, 0o777)?;
    let state = around.join("state");
    let config = with_state(&panel, &state)?;
    for said in refused_by_every_command(config.clone()).await? {
        let named = format!("every user can rename entries of {}", around.display());
        // Tables break lines.
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(&named), "{said}");
    }
    assert!(!state.exists());
    open_to_all(&around, 0o755)?;
    let app = App::open(Config::load(Path::new(&config))?).await?;
    drop(app);
    open_to_all(&around, 0o777)?;
    let refused = App::open(Config::load(Path::new(&config))?).await.map(drop);
    assert!(
        matches!(refused, Err(ServiceError::InsecureState { .. })),
        "{refused:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_others_could_have_put_in_the_place_of_the_state_leads_nowhere() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let around = panel.folder().join("around");
    let victim = panel.folder().join("victim");
    for folder in [&around, &victim] {
        fs::create_dir(folder)?;
    }
    open_to_all(&around, 0o777)?;
    open_to_all(&victim, 0o755)?;
    std::os::unix::fs::symlink(&victim, around.join("state"))?;
    let config = with_state(&panel, &around.join("state"))?;
    refused_by_every_command(config).await?;
    assert_eq!(mode(&victim)?, 0o755);
    assert_eq!(fs::read_dir(&victim)?.count(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_in_the_place_of_a_file_that_the_panel_trusts_is_refused_and_keeps_nobody_waiting()
-> Result<()> {
    let panel = Panel::raise().await?;
    let config = panel.folder().join("panel.toml");
    let loaded = Config::load(&config)?;
    let identity = loaded.state.join("identity.txt");
    let pinned = loaded.feed.root.context("a root is pinned")?;
    let files = [
        (pinned, "sync"),
        (loaded.plugin.manifest, "check"),
        (loaded.plugin.component, "check"),
        (identity, "identity"),
    ];
    let config = config.display().to_string();
    let run_all = move || -> Result<()> {
        // Makes the identity, and nothing that a later answer could be taken from.
        run(&["--config", &config, "identity"])?;
        for (file, command) in files {
            let aside = file.with_extension("aside");
            fs::rename(&file, &aside)?;
            let mode = Mode::RUSR | Mode::WUSR;
            mknodat(CWD, &file, FileType::Fifo, mode, 0)?;
            let ended = run(&["--config", &config, command])?;
            let said = ended.output + &ended.complaint;
            let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                words.contains("not a regular file"),
                "{command} {}: {said}",
                file.display()
            );
            fs::remove_file(&file)?;
            fs::rename(&aside, &file)?;
        }
        Ok(())
    };
    tokio::task::spawn_blocking(run_all).await?
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_command_left_in_the_state_is_removed_by_the_next_and_what_one_writes_is_not()
-> Result<()> {
    let panel = Panel::without_plugin().await?;
    let state = panel.folder().join("state");
    let (left, written) = (state.join(".tmpAbCdEf"), state.join(".tmpGhIjKl"));
    for file in [&left, &written] {
        fs::write(file, "half an identity")?;
    }
    let being_written = fs::File::open(&written)?;
    being_written.lock()?;
    doctor(&panel).await?;
    assert!(!left.exists());
    assert!(written.exists());
    Ok(())
}

/// What is in a folder, by name.
fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name());
    }
    names.sort();
    Ok(names)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_makes_nothing_and_says_where_nothing_is_yet() -> Result<()> {
    let mut panel = Panel::raise().await?;
    panel.stop_serving().await?;
    let state = panel.folder().join("state");
    // This process may still be closing what is in it.
    fs::rename(&state, panel.folder().join("state-elsewhere"))?;
    let before = names(panel.folder())?;
    let looked = doctor(&panel).await?;
    assert_eq!(looked.code, Some(1));
    assert!(looked.output.contains("never synced"), "{}", looked.output);
    assert_eq!(names(panel.folder())?, before);
    fs::create_dir(&state)?;
    doctor(&panel).await?;
    assert_eq!(names(&state)?, Vec::<std::ffi::OsString>::new());
    Ok(())
}
