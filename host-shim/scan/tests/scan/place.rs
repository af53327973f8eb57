//! A folder to scan, and archives to put into it.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use rawzip::{CompressionMethod, ZipArchiveWriter, path::EntryPath};
use spacecp_scan::{Found, Job, Provider, Report, ScanLimits, Scanner};
use tempfile::TempDir;

/// A folder.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::with_prefix("spacecp-scan-").unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file, with the folders that it lies in.
    pub(crate) fn put(&self, path: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        path
    }

    pub(crate) fn job(&self, provider: Provider) -> Job {
        Job {
            name: "lobby".to_owned(),
            place: self.path().to_owned(),
            providers: vec![provider],
            except: Vec::new(),
        }
    }

    pub(crate) fn scan(&self, provider: Provider) -> Report {
        self.scan_within(provider, ScanLimits::default())
    }

    pub(crate) fn scan_within(&self, provider: Provider, limits: ScanLimits) -> Report {
        let jobs = [self.job(provider)];
        Scanner::new(limits, None).scan(&jobs, &[].into(), Timestamp::now())
    }
}

/// Scans for one job.
pub(crate) fn scan(job: Job) -> Report {
    Scanner::new(ScanLimits::default(), None).scan(&[job], &[].into(), Timestamp::now())
}

/// A while from now: long enough for files that were just written to be believed.
pub(crate) fn later() -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(60)
}

/// Entries of an archive.
#[derive(Default)]
pub(crate) struct Jar(Vec<(String, Vec<u8>)>);

impl Jar {
    pub(crate) fn with(mut self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        self.0.push((name.to_owned(), contents.as_ref().to_vec()));
        self
    }

    /// What Maven leaves of a library.
    pub(crate) fn with_library(self, group: &str, id: &str, version: &str) -> Self {
        let text =
            format!("#Created by Maven\nversion={version}\ngroupId={group}\nartifactId={id}\n");
        self.with(&format!("META-INF/maven/{group}/{id}/pom.properties"), text)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.behind(&[])
    }

    /// The archive behind something else, which its offsets count.
    pub(crate) fn behind(&self, before: &[u8]) -> Vec<u8> {
        let mut archive = ZipArchiveWriter::builder()
            .with_offset(before.len() as u64)
            .build(before.to_vec());
        for (name, contents) in &self.0 {
            // As it is written, whatever it leads to.
            let (mut entry, config) = archive
                .new_file(EntryPath::verbatim(name.as_bytes()))
                .compression_method(CompressionMethod::DEFLATE)
                .start()
                .unwrap();
            let level = flate2::Compression::default();
            let mut writer = config.wrap(flate2::write::DeflateEncoder::new(&mut entry, level));
            writer.write_all(contents).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            entry.finish(descriptor).unwrap();
        }
        archive.finish().unwrap()
    }
}

/// Names, names that advisories use, and versions.
pub(crate) fn listed(found: &[Found]) -> Vec<String> {
    let found = found.iter().map(|found| {
        let version = found.version.as_deref().unwrap_or("?");
        format!("{} = {} {version}", found.name, found.advisory_name)
    });
    found.collect()
}

/// What could not be read, one line each, without the folder.
pub(crate) fn unread(report: &Report, place: &Place) -> Vec<String> {
    let folder = place.path().display().to_string();
    let unread = report.unread.iter().map(|unread| {
        let at = unread.at.replace(&folder, "");
        format!("{at}: {}", unread.why)
    });
    unread.collect()
}
