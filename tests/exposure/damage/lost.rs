//! `store.sqlite` that was there and is lost: said by every command, never begun anew, and no reason to stay with a
//! tree that is to be rolled back.

use std::{fs, os::unix::fs::symlink, path::Path};

use anyhow::{Context, Result, ensure};
use spacecp_advisories::{
    ServiceError,
    store::{Loss, StoreError},
};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use super::stage::{CORRECTION, Stage};

const STORE: &str = "store.sqlite";

/// How it is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Gone,
    Empty,
    /// With a log that is left.
    Shortened,
    AnotherDatabase,
    Folder,
    Device,
}

impl How {
    const ALL: [Self; 6] = [
        Self::Gone,
        Self::Empty,
        Self::Shortened,
        Self::AnotherDatabase,
        Self::Folder,
        Self::Device,
    ];

    async fn happens_to(self, stage: &Stage) -> Result<()> {
        let path = stage.state().join(STORE);
        clear(&path)?;
        match self {
            Self::Gone => {}
            Self::Empty => fs::write(&path, "")?,
            Self::Shortened => {
                fs::write(&path, "")?;
                fs::write(path.with_extension("sqlite-wal"), "a log")?;
            }
            Self::AnotherDatabase => {
                statement(&path, "CREATE TABLE a (b)").await?;
            }
            Self::Folder => fs::create_dir(&path)?,
            Self::Device => symlink("/dev/null", &path)?,
        }
        Ok(())
    }

    fn is(self, loss: &Loss) -> bool {
        matches!(
            (self, loss),
            (Self::Gone, Loss::Missing)
                | (Self::Empty | Self::Shortened, Loss::Empty)
                | (Self::AnotherDatabase, Loss::Foreign)
                | (Self::Folder | Self::Device, Loss::NotAFile(_))
        )
    }
}

/// Removes whatever has the names of the store.
fn clear(path: &Path) -> Result<()> {
    for part in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(part);
        let path = Path::new(&name);
        match fs::symlink_metadata(path) {
            Ok(there) if there.is_dir() => fs::remove_dir(path)?,
            Ok(_) => fs::remove_file(path)?,
            Err(_) => {}
        }
    }
    Ok(())
}

async fn statement(database: &Path, statement: &'static str) -> Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true);
    let mut connection = options.connect().await?;
    sqlx::query(statement).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_lost_is_said_and_keeps_nobody_from_rolling_back() -> Result<()> {
    let stage = Stage::raise()?;
    let flawed = stage.version()?;
    stage.works(&["apply", CORRECTION, "--yes"])?;
    let saved = stage.save().await?;
    for how in How::ALL {
        clear(&stage.state().join(STORE))?;
        saved.put_back()?;
        if stage.version()? == flawed {
            stage.works(&["apply", CORRECTION, "--yes"])?;
            stage.at_rest().await?;
        }
        how.happens_to(&stage).await?;
        let opened = stage.app().await;
        let is_said = opened.as_ref().err().and_then(|error| error.downcast_ref());
        ensure!(
            matches!(
                is_said,
                Some(ServiceError::Store(StoreError::PanelLost { loss, .. })) if how.is(loss)
            ),
            "{how:?}: {opened:?}"
        );
        for (command, code) in [("check", 4), ("doctor", 1), ("audit", 3)] {
            let ended = stage.run(&[command])?.status.code();
            assert_eq!(ended, Some(code), "{how:?}: {command}");
        }
        stage
            .works(&["rollback", "lobby", "--yes"])
            .with_context(|| format!("{how:?}"))?;
        assert_eq!(stage.version()?, flawed, "{how:?}");
        let history = stage.works(&["history", "--json"])?.stdout;
        let history = String::from_utf8(history)?;
        assert!(history.contains("rolled-back"), "{how:?}: {history}");
        assert!(stage.app().await.is_err(), "{how:?}: it was begun anew");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_store_is_made_of_the_copy_when_that_is_asked_for_and_its_log_goes_on() -> Result<()>
{
    let stage = Stage::raise()?;
    let flawed = stage.version()?;
    stage.works(&["apply", CORRECTION, "--yes"])?;
    let refused = stage.run(&["recover", "--new-store"])?;
    assert_eq!(refused.status.code(), Some(3), "while there is one");
    let verify = |more: &[&str]| -> Result<serde_json::Value> {
        let ended = stage.works(&[&["audit", "verify", "--json"], more].concat())?;
        Ok(serde_json::from_slice(&ended.stdout)?)
    };
    let before = verify(&[])?;
    stage.at_rest().await?;
    How::AnotherDatabase.happens_to(&stage).await?;
    stage.works(&["recover", "--new-store"])?;
    let head = before["head"].as_str().context("a head")?;
    let after = verify(&["--expect", head])?;
    assert_eq!(
        after["entries"].as_u64(),
        before["entries"].as_u64().map(|count| count + 1)
    );
    stage.works(&["rollback", "lobby", "--yes"])?;
    assert_eq!(stage.version()?, flawed);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_neither_be_finished_nor_undone_yet_is_told_by_the_exit_code() -> Result<()> {
    let stage = Stage::raise()?;
    stage.works(&["apply", CORRECTION, "--yes"])?;
    stage.at_rest().await?;
    let cut_off = "UPDATE applications SET state = 'rolling-back'";
    statement(&stage.state().join(STORE), cut_off).await?;
    let workspaces = stage.disk().join("panel/servers/.spacecp-advisories");
    let away = workspaces.with_extension("away");
    fs::rename(&workspaces, &away)?;
    assert_eq!(stage.run(&["recover"])?.status.code(), Some(4));
    fs::remove_dir_all(&workspaces)?;
    fs::rename(&away, &workspaces)?;
    stage.works(&["recover"])?;
    Ok(())
}
