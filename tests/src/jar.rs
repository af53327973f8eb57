//! Java archives, as builds make them.

use std::{fs, io::Write, path::Path};

use anyhow::Result;
use rawzip::{CompressionMethod, ZipArchiveWriter};

/// An archive that is being put together.
#[derive(Debug, Clone, Default)]
pub struct Jar(Vec<(String, Vec<u8>)>);

impl Jar {
    /// With one more entry.
    #[must_use]
    pub fn with(mut self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        self.0.push((name.to_owned(), contents.as_ref().to_vec()));
        self
    }

    /// With what Maven leaves of a library.
    #[must_use]
    pub fn with_library(self, group: &str, id: &str, version: &str) -> Self {
        let text = format!("version={version}\ngroupId={group}\nartifactId={id}\n");
        self.with(&format!("META-INF/maven/{group}/{id}/pom.properties"), text)
    }

    /// Its bytes.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut archive = ZipArchiveWriter::new(Vec::new());
        for (name, contents) in &self.0 {
            let (mut entry, config) = archive
                .new_file(name)
                .compression_method(CompressionMethod::DEFLATE)
                .start()?;
            let level = flate2::Compression::default();
            let mut writer = config.wrap(flate2::write::DeflateEncoder::new(&mut entry, level));
            writer.write_all(contents)?;
            let (encoder, descriptor) = writer.finish()?;
            encoder.finish()?;
            entry.finish(descriptor)?;
        }
        Ok(archive.finish()?)
    }

    /// Puts it there, with the folders that it lies in.
    pub fn put(&self, path: &Path) -> Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        Ok(fs::write(path, self.bytes()?)?)
    }
}
