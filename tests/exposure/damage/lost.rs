//! `store.sqlite` that was there and is lost: said by every command, never begun anew, and no reason to stay with a
//! tree that is to be rolled back.

use std::{fs, os::unix::fs::symlink, path::Path};

use anyhow::{Context, Result, ensure};
use spacecp_advisories::{
    ServiceError,
    store::{Loss, Lost, StoreError},
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
    let made = stage.works(&["recover", "--new-store", "--json"])?;
    let made: serde_json::Value = serde_json::from_slice(&made.stdout)?;
    let named: Vec<&str> = lost_with_a_copy().map(Lost::words).collect();
    assert_eq!(made["lost"], serde_json::json!(named));
    let aside = made["aside"].as_str().context("a path")?;
    assert!(Path::new(aside).exists(), "{aside}");
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

fn lost_with_a_copy() -> impl Iterator<Item = Lost> {
    Lost::ALWAYS.into_iter().chain([Lost::NewestAuditEntries])
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_that_a_new_store_begins_without_is_named_to_a_person() -> Result<()> {
    let stage = Stage::raise()?;
    stage.works(&["apply", CORRECTION, "--yes"])?;
    stage.at_rest().await?;
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' \
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_sqlx_migrations' ORDER BY name";
    let path = stage.state().join(STORE);
    let mut store = SqliteConnectOptions::new()
        .filename(&path)
        .connect()
        .await?;
    let there: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut store).await?;
    store.close().await?;
    // What the copy of the journal has, but for the newest entries of the log.
    let copied = ["applications", "audit_signed"].map(str::to_owned);
    let lost = lost_with_a_copy().flat_map(|lost| lost.tables().iter());
    let mut told: Vec<String> = lost
        .map(|table| (*table).to_owned())
        .chain(copied)
        .collect();
    told.sort();
    assert_eq!(there, told);
    // Where there is no copy, the journal and all of the log are lost, too.
    fs::remove_file(stage.state().join("journal.sqlite"))?;
    How::AnotherDatabase.happens_to(&stage).await?;
    let made = stage.works(&["recover", "--new-store"])?;
    let made = String::from_utf8(made.stdout)?;
    for lost in Lost::ALWAYS
        .into_iter()
        .chain([Lost::AuditLog, Lost::ApplyRuns])
    {
        assert!(made.contains(lost.words()), "{lost:?}: {made}");
    }
    assert!(!made.contains(Lost::NewestAuditEntries.words()), "{made}");
    Ok(())
}

/// What `doctor` finds of the audit log: whether it is well, and in which words.
fn audit_log(stage: &Stage) -> Result<(bool, String)> {
    let ended = stage.run(&["doctor", "--json"])?;
    let findings: Vec<serde_json::Value> = serde_json::from_slice(&ended.stdout)?;
    let found = findings.iter().find(|found| found["check"] == "audit log");
    let found = found.context("the log is looked at")?;
    let words = found["found"].as_str().context("words")?;
    Ok((found["well"] == true, words.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lacks_what_its_copy_has_is_found_by_the_doctor() -> Result<()> {
    let stage = Stage::raise()?;
    stage.works(&["apply", CORRECTION, "--yes"])?;
    stage.at_rest().await?;
    let store = stage.state().join(STORE);
    let yesterday = fs::read(&store)?;
    stage.works(&["rollback", "lobby", "--yes"])?;
    stage.at_rest().await?;
    assert_eq!(
        audit_log(&stage)?,
        (true, "all entries verified".to_owned())
    );
    let newest = audit_head(&stage)?;
    // A backup is put back: the log is whole in itself, and lacks its end.
    clear(&store)?;
    fs::write(&store, yesterday)?;
    let (well, found) = audit_log(&stage)?;
    assert!(
        !well && found.contains("journal.sqlite") && found.contains(&newest),
        "{found}"
    );
    // Without a copy there is nothing to compare with.
    stage.at_rest().await?;
    fs::remove_file(stage.state().join("journal.sqlite"))?;
    assert!(audit_log(&stage)?.0);
    Ok(())
}

/// The newest entry of the audit log, as it is written.
fn audit_head(stage: &Stage) -> Result<String> {
    let ended = stage.works(&["audit", "verify", "--json"])?;
    let verified: serde_json::Value = serde_json::from_slice(&ended.stdout)?;
    Ok(verified["head"].as_str().context("a head")?.to_owned())
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
