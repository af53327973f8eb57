//! Embargo in logs and errors: the digest of a payload under embargo, which tells what it is, is in none.

use std::{
    collections::BTreeMap,
    fs, io,
    io::Write,
    path::Path,
    sync::{Arc, Mutex},
};

use anyhow::{Context, Result};
use spacecp_advisories::fetch::{Access, FetchError, Kept, PayloadName, Source, fetch_payload};
use spacecp_contract::{Blob, DocumentId, FeedPath, SealedObject, capsule};
use spacecp_tests::feed_server::Fault;
use tempfile::TempDir;
use tracing::{Dispatch, Level, dispatcher};
use tracing_subscriber::fmt::format::FmtSpan;

use super::wire::{CORRECTION, Secret};

/// What was logged.
#[derive(Debug, Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs `scene` and gives everything that it logged beside its answer, on all of its threads, with every span.
fn logged<T>(scene: impl Future<Output = Result<T>>) -> Result<(T, String)> {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(Level::TRACE)
        .with_span_events(FmtSpan::NEW)
        .with_writer(move || writer.clone())
        .finish();
    let log = Dispatch::new(subscriber);
    // With a single one, what another test's thread comes to first would be logged by nobody any more.
    let _second = Dispatch::new(tracing_subscriber::registry());
    let of_each_thread = log.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .on_thread_start(move || std::mem::forget(dispatcher::set_default(&of_each_thread)))
        .build()?;
    let answer = dispatcher::with_default(&log, || runtime.block_on(scene))?;
    drop(runtime);
    let bytes = captured.0.lock().unwrap().clone();
    Ok((answer, String::from_utf8(bytes)?))
}

/// Everything that goes wrong with two payloads under embargo, with the errors that say so.
struct Failing<'a> {
    secret: &'a Secret,
    blobs: [Blob; 2],
    folder: TempDir,
    errors: Vec<FetchError>,
}

impl Failing<'_> {
    async fn kept(&self, name: &str, most: u64) -> Result<Kept> {
        let source = Source::new(&self.secret.server.url(), Access::default())?;
        let sealed = self.secret.scene.panel.store.sealed_payloads().await?;
        let folder = self.folder.path().join(name);
        Ok(Kept::new(folder, vec![Arc::new(source)], most).opening(sealed))
    }

    async fn refused(&mut self, kept: &Kept) {
        for blob in self.blobs {
            self.errors.extend(kept.bring(&blob).await.err());
        }
    }

    /// Something that lies where a file of a payload would.
    async fn in_the_way(&mut self, extension: &str) -> Result<()> {
        let kept = self
            .kept(&format!("in-the-way-{extension}"), u64::MAX)
            .await?;
        for blob in self.blobs {
            fs::create_dir_all(kept.place(&blob).with_extension(extension).join("full"))?;
        }
        self.refused(&kept).await;
        Ok(())
    }

    async fn cached(&mut self) -> Result<()> {
        let [one, other] = self.blobs;
        let kept = self.kept("cached", one.length.max(other.length)).await?;
        kept.bring(&one).await?;
        // The first makes room for the second, and the second for nobody.
        kept.bring(&other).await?;
        let refused = kept.clone().sparing([&other]).bring(&one).await;
        self.errors.extend(refused.err());
        damage(&kept.place(&other))?;
        kept.forget_if_damaged(&other).await?;
        kept.bring(&other).await?;
        damage(&kept.place(&other))?;
        let source = Source::Kept(kept);
        fetch_payload(&source, &other, &self.folder.path().join("copy")).await?;
        Ok(())
    }
}

/// Other contents of the same length.
fn damage(file: &Path) -> Result<()> {
    let length = fs::metadata(file)?.len();
    Ok(fs::write(file, vec![b'x'; usize::try_from(length)?])?)
}

/// The two payloads, and every error about them.
async fn everything_fails() -> Result<([Blob; 2], Vec<FetchError>)> {
    let secret = Secret::told().await?;
    let [one, other, ..] = secret.blobs[..] else {
        anyhow::bail!("it brings too little");
    };
    let sealed = secret.scene.panel.store.sealed_payloads().await?;
    let mut failing = Failing {
        blobs: [one, other],
        secret: &secret,
        folder: spacecp_tests::scratch::folder()?,
        errors: Vec::new(),
    };
    failing.cached().await?;
    let little = failing.kept("little", 1).await?;
    failing.refused(&little).await;
    for extension in ["part", "room", "sealed"] {
        failing.in_the_way(extension).await?;
    }
    let correction = DocumentId::new(CORRECTION)?;
    let withheld = [one, other].map(|blob| (blob.digest, correction.clone()));
    let unsealed = failing.kept("unsealed", u64::MAX).await?;
    let unsealed = unsealed
        .opening(BTreeMap::new())
        .withholding(withheld.into());
    failing.refused(&unsealed).await;
    for object in sealed.values() {
        let path = FeedPath::sealed(&object.digest);
        secret.server.always(path.as_str(), Fault::Busy(404, 0));
    }
    let missing = failing.kept("missing", u64::MAX).await?;
    failing.refused(&missing).await;
    Ok((failing.blobs, failing.errors))
}

#[test]
fn no_log_and_no_error_has_the_digest_of_a_payload_under_embargo() -> Result<()> {
    let ((blobs, errors), log) = logged(everything_fails())?;
    assert!(errors.len() > 8, "{errors:?}");
    for event in [
        "cached payload damaged",
        "payload evicted",
        "did not deliver",
    ] {
        assert!(log.contains(event), "{event} was not logged");
    }
    for digest in blobs.map(|blob| blob.digest.short()) {
        let line = log.lines().find(|line| line.contains(&digest));
        assert_eq!(line, None);
        for error in &errors {
            let words = format!("{error} {error:?}");
            assert!(!words.contains(&digest), "{words}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_payload_under_embargo_is_called_by_its_sealed_file_or_its_correction() -> Result<()> {
    let secret = Secret::told().await?;
    let blob = *secret.blobs.first().context("it brings something")?;
    let sealed = secret.scene.panel.store.sealed_payloads().await?;
    let object: SealedObject = sealed[&blob.digest];
    let folder = secret.scene.folder.path().join("little");
    let plain = Kept::new(folder, Vec::new(), 1);
    let id = DocumentId::new(CORRECTION)?;
    for (kept, name, length) in [
        (plain.clone(), PayloadName::Public(blob.digest), blob.length),
        (
            plain.clone().opening(sealed.clone()),
            PayloadName::Sealed(object.digest),
            capsule::padded(blob.length),
        ),
        (
            plain.withholding([(blob.digest, id.clone())].into()),
            PayloadName::Embargoed(id),
            capsule::padded(blob.length),
        ),
    ] {
        let refused = kept.bring(&blob).await;
        assert!(
            matches!(&refused, Err(FetchError::NoRoom { payload, length: found, .. })
                if *payload == name && *found == length),
            "{refused:?}"
        );
    }
    Ok(())
}
