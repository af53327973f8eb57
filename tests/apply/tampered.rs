//! The audit log and somebody with the file: what the store refuses, and what the chain tells.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use proptest::{prelude::*, test_runner::TestRunner};
use spacecp_advisories::{
    audit::{self, Event, Fault, Head, Recorded, Walked, What},
    store::Store,
};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::tree::now;

/// The log, which must hold.
pub(crate) async fn log(store: &Store) -> Result<Vec<Recorded>> {
    let mut entries = Vec::new();
    let walked = audit::walk(store, None, |entry| entries.push(entry)).await?;
    match walked.fault {
        Some(fault) => bail!("{fault}"),
        None => Ok(entries),
    }
}

async fn look(store: &Store, expect: Option<Head>) -> Result<Walked> {
    Ok(audit::walk(store, expect, |_| {}).await?)
}

/// Somebody with the file and without the program.
async fn intruder(path: &Path) -> Result<SqliteConnection> {
    Ok(SqliteConnectOptions::new().filename(path).connect().await?)
}

pub(crate) async fn run(path: &Path, statement: &str) -> Result<()> {
    let mut intruder = intruder(path).await?;
    let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()));
    statement.execute(&mut intruder).await?;
    Ok(intruder.close().await?)
}

fn event(number: usize) -> Event {
    Event {
        reason: Some(format!("for a test, number {number}")),
        ..Event::new(What::PolicyChanged, "a test")
    }
}

/// A store whose log has so many entries, closed.
async fn filled(folder: &Path, entries: usize) -> Result<std::path::PathBuf> {
    let path = folder.join("store.sqlite");
    let store = Store::open(&path).await?;
    for number in 0..entries {
        audit::record(&store, &event(number), now()).await?;
    }
    store.close().await;
    Ok(path)
}

#[tokio::test]
async fn the_store_refuses_to_change_remove_or_insert_entries() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let path = filled(folder.path(), 3).await?;
    for statement in [
        "UPDATE audit SET entry = '{}' WHERE number = 2",
        "DELETE FROM audit WHERE number = 3",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit (number, entry, hash) VALUES (2, '{}', x'00')",
        "INSERT INTO audit (number, entry, hash) VALUES (7, '{}', x'00')",
        "INSERT INTO audit (number, entry, hash) VALUES (0, '{}', x'00')",
    ] {
        assert!(run(&path, statement).await.is_err(), "{statement}");
    }
    let store = Store::open(&path).await?;
    assert_eq!(log(&store).await?.len(), 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_are_added_at_once_form_one_chain() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let path = filled(folder.path(), 1).await?;
    let mut adding = tokio::task::JoinSet::new();
    for _ in 0..4 {
        // A store of its own each, as another process has.
        let store = Store::open(&path).await?;
        adding.spawn(async move {
            for number in 0..10 {
                audit::record(&store, &event(number), now()).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(added) = adding.join_next().await {
        added??;
    }
    assert_eq!(log(&Store::open(&path).await?).await?.len(), 41);
    Ok(())
}

#[tokio::test]
async fn a_log_that_was_cut_off_or_written_anew_is_not_the_one_that_was_remembered() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let path = filled(folder.path(), 4).await?;
    let store = Store::open(&path).await?;
    let head = look(&store, None).await?.head.context("it has a head")?;
    assert_eq!(look(&store, Some(head)).await?.fault, None);
    assert_eq!(head.to_string().parse::<Head>()?, head);
    store.close().await;

    // Cut off by somebody who covers their tracks.
    run(
        &path,
        "DROP TRIGGER audit_is_never_shortened; DELETE FROM audit WHERE number > 2; \
         UPDATE sqlite_sequence SET seq = 2 WHERE name = 'audit'",
    )
    .await?;
    let store = Store::open(&path).await?;
    assert_eq!(
        look(&store, None).await?.fault,
        None,
        "nothing tells by itself"
    );
    let cut_off = Fault::CutOff {
        number: 3,
        recorded: 4,
    };
    assert_eq!(look(&store, Some(head)).await?.fault, Some(cut_off));

    // And written anew to the same length.
    for number in 10..12 {
        audit::record(&store, &event(number), now()).await?;
    }
    assert_eq!(
        look(&store, None).await?.fault,
        None,
        "nothing tells by itself"
    );
    let rewritten = Fault::Rewritten { number: 4 };
    assert_eq!(look(&store, Some(head)).await?.fault, Some(rewritten));
    Ok(())
}

#[tokio::test]
async fn an_entry_is_bounded_whatever_it_is_told() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let store = Store::open(&folder.path().join("store.sqlite")).await?;
    let long = "\u{1}".repeat(100_000);
    let event = Event {
        component: Some(long.clone()),
        keys: vec![long.clone(); 1_000],
        reason: Some(long.clone()),
        ..Event::new(What::Failed, long)
    };
    audit::record(&store, &event, now()).await?;
    let log = log(&store).await?;
    assert!(log[0].text.len() < 64 << 10, "{}", log[0].text.len());
    assert!(log[0].entry.event.who.ends_with('…'));
    Ok(())
}

/// What somebody may do to a log of some entries.
#[derive(Debug, Clone)]
enum Tampering {
    /// Change one byte of an entry.
    Entry { place: usize, byte: usize, by: u8 },
    /// Change one byte of a hash.
    Hash { place: usize, byte: usize, by: u8 },
    /// Remove an entry.
    Remove { place: usize },
    /// Remove an entry and close the gap.
    Close { place: usize },
    /// Exchange two entries, hashes included.
    Swap { one: usize, other: usize },
    /// Put an entry in another's place too.
    Copy { from: usize, to: usize },
}

const ENTRIES: usize = 8;

fn tampering() -> impl Strategy<Value = Tampering> {
    let place = || 1..=ENTRIES;
    let two = || (place(), place()).prop_filter("two places", |(one, other)| one != other);
    prop_oneof![
        (place(), 0..10_000_usize, 1..=255_u8).prop_map(|(place, byte, by)| Tampering::Entry {
            place,
            byte,
            by
        }),
        (place(), 0..32_usize, 1..=255_u8).prop_map(|(place, byte, by)| Tampering::Hash {
            place,
            byte,
            by
        }),
        place().prop_map(|place| Tampering::Remove { place }),
        place().prop_map(|place| Tampering::Close { place }),
        two().prop_map(|(one, other)| Tampering::Swap { one, other }),
        two().prop_map(|(from, to)| Tampering::Copy { from, to }),
    ]
}

impl Tampering {
    /// The first place at which the log is no longer what it was.
    fn first(&self) -> usize {
        match *self {
            Self::Entry { place, .. }
            | Self::Hash { place, .. }
            | Self::Remove { place }
            | Self::Close { place } => place,
            Self::Swap { one, other } => one.min(other),
            Self::Copy { to, .. } => to,
        }
    }

    async fn carry_out(&self, path: &Path) -> Result<()> {
        let unlock = "DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_shortened; \
                      DROP TRIGGER audit_grows_at_its_end";
        run(path, unlock).await?;
        let statement = match *self {
            Self::Entry { place, byte, by } => return flip(path, "entry", place, byte, by).await,
            Self::Hash { place, byte, by } => return flip(path, "hash", place, byte, by).await,
            Self::Remove { place } => format!("DELETE FROM audit WHERE number = {place}"),
            Self::Close { place } => format!(
                "DELETE FROM audit WHERE number = {place}; \
                 UPDATE audit SET number = -number WHERE number > {place}; \
                 UPDATE audit SET number = -number - 1 WHERE number < 0"
            ),
            Self::Swap { one, other } => format!(
                "UPDATE audit SET number = -1 WHERE number = {one}; \
                 UPDATE audit SET number = {one} WHERE number = {other}; \
                 UPDATE audit SET number = {other} WHERE number = -1"
            ),
            Self::Copy { from, to } => format!(
                "UPDATE audit SET (entry, hash) = (SELECT entry, hash FROM audit WHERE number = {from}) \
                 WHERE number = {to}"
            ),
        };
        run(path, &statement).await
    }
}

/// Changes one byte of a stored value.
async fn flip(path: &Path, column: &str, place: usize, byte: usize, by: u8) -> Result<()> {
    let mut intruder = intruder(path).await?;
    let read = format!("SELECT CAST({column} AS BLOB) FROM audit WHERE number = {place}");
    let mut value: Vec<u8> = sqlx::query_scalar(sqlx::AssertSqlSafe(read))
        .fetch_one(&mut intruder)
        .await?;
    let byte = byte % value.len();
    value[byte] ^= by;
    let write = format!("UPDATE audit SET {column} = ? WHERE number = {place}");
    sqlx::query(sqlx::AssertSqlSafe(write))
        .bind(value)
        .execute(&mut intruder)
        .await?;
    Ok(intruder.close().await?)
}

#[test]
fn any_single_change_removal_or_swap_of_stored_entries_is_found_where_it_is() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let folder = spacecp_tests::scratch::folder().expect("a folder");
    let original = runtime
        .block_on(filled(folder.path(), ENTRIES))
        .expect("a log");
    let mut runner = TestRunner::new(ProptestConfig::with_cases(96));
    let found = runner.run(&tampering(), |tampering| {
        let walked = runtime.block_on(async {
            let copy = spacecp_tests::scratch::folder()?;
            let path = copy.path().join("store.sqlite");
            fs::copy(&original, &path)?;
            tampering.carry_out(&path).await?;
            let store = Store::open(&path).await?;
            let walked = look(&store, None).await?;
            store.close().await;
            anyhow::Ok(walked)
        });
        let walked = walked.map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        let fault = walked
            .fault
            .ok_or_else(|| TestCaseError::fail("not found"))?;
        let first = u64::try_from(tampering.first()).unwrap_or_default();
        prop_assert_eq!(fault.number(), first, "{}", fault);
        prop_assert_eq!(walked.head.map_or(0, |head| head.number), first - 1);
        Ok(())
    });
    found.expect("found, whatever was done");
}

#[tokio::test]
async fn what_is_wrong_is_said_in_a_word() -> Result<()> {
    for (tampering, word) in [
        (
            Tampering::Entry {
                place: 3,
                byte: 60,
                by: 1,
            },
            "changed",
        ),
        (
            Tampering::Hash {
                place: 3,
                byte: 0,
                by: 1,
            },
            "changed",
        ),
        (Tampering::Remove { place: 3 }, "missing"),
        (Tampering::Remove { place: ENTRIES }, "cut-off"),
        (Tampering::Swap { one: 3, other: 5 }, "reordered"),
        (Tampering::Close { place: 3 }, "reordered"),
    ] {
        let folder = spacecp_tests::scratch::folder()?;
        let path = filled(folder.path(), ENTRIES).await?;
        tampering.carry_out(&path).await?;
        let fault = look(&Store::open(&path).await?, None).await?.fault;
        assert_eq!(fault.map(|fault| fault.word()), Some(word), "{tampering:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_store_that_is_damaged_is_named() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let path = filled(folder.path(), 400).await?;
    let store = Store::open(&path).await?;
    // A page in the middle of the log: the store opens, and cannot be read through.
    let mut bytes = fs::read(&path)?;
    let length = bytes.len();
    bytes[length - 40_000..].fill(0xff);
    store.close().await;
    fs::write(&path, bytes)?;
    let store = Store::open(&path).await?;
    let error = look(&store, None).await.expect_err("it is damaged");
    assert!(
        error.to_string().contains(&path.display().to_string()),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn an_exported_line_can_be_checked_by_anybody() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let store = Store::open(&filled(folder.path(), 2).await?).await?;
    let mut previous = "0".repeat(64);
    for recorded in log(&store).await? {
        let line = recorded.line();
        let json: serde_json::Value = serde_json::from_str(&line)?;
        assert_eq!(json["previous"], previous.as_str());
        let (_, entry) = line
            .split_once(r#","entry":"#)
            .context("a line has an entry")?;
        let entry = entry.strip_suffix('}').context("a line ends")?;
        let bytes = [
            hex::decode(&previous).expect("hexadecimal digits"),
            entry.as_bytes().to_vec(),
        ]
        .concat();
        previous = spacecp_contract::Digest::of(&bytes).to_string();
        assert_eq!(json["hash"], previous.as_str());
        let at: Timestamp = json["entry"]["at"].as_str().context("a time")?.parse()?;
        assert_eq!(at, now());
    }
    Ok(())
}
