//! Many small files as one ZIP archive; the same files make the same bytes.

use std::{collections::BTreeMap, io::Write};

use flate2::{Compression, write::DeflateEncoder};
use rawzip::{CompressionMethod, ZipArchiveWriter};

/// The archive of these files.
///
/// # Errors
///
/// In words, where an archive cannot have so much.
pub(super) fn zip(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, String> {
    let words = |error: rawzip::Error| error.to_string();
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, bytes) in files {
        let file = archive.new_file(name.as_str());
        let file = file.compression_method(CompressionMethod::DEFLATE);
        let (mut entry, config) = file.start().map_err(words)?;
        let encoder = DeflateEncoder::new(&mut entry, Compression::default());
        let mut writer = config.wrap(encoder);
        writer.write_all(bytes).map_err(|error| error.to_string())?;
        let (encoder, output) = writer.finish().map_err(words)?;
        encoder.finish().map_err(|error| error.to_string())?;
        entry.finish(output).map_err(words)?;
    }
    archive.finish().map_err(words)
}
