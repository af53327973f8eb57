//! Everything that a scan may spend. Each limit has its default here and nowhere else.

use serde::{Deserialize, Serialize};

/// What a scan may spend. Whatever is beyond a limit is named in the report and counts as unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ScanLimits {
    /// Bytes of one list of packages: a lock file, dpkg's status, an SBOM.
    pub document_bytes: u64,
    /// Bytes of one description of one package: `package.json`, `plugin.yml`, a manifest.
    pub descriptor_bytes: u64,
    /// Bytes of archives inside archives that are held in memory at once.
    pub nested_bytes: u64,
    /// Entries of one archive.
    pub archive_entries: u64,
    /// Archives inside one another; 1 means that no archive inside another is opened.
    pub archive_depth: u32,
    /// Folders inside one another.
    pub folder_depth: u32,
    /// Bytes that one scan reads, with what it unpacks.
    pub bytes: u64,
    /// Files, folders and entries of archives that one scan looks at.
    pub entries: u64,
    /// Components that one scan finds.
    pub components: u64,
    /// Places that could not be read which are named one by one; the rest is counted.
    pub problems: u64,
    /// Seconds that one scan takes. What was read until then is remembered, so the next one goes on.
    pub seconds: u64,
    /// Seconds for which a scan counts as fresh, while nothing is applied or taken back.
    pub fresh_seconds: u64,
}

impl Default for ScanLimits {
    fn default() -> Self {
        Self {
            document_bytes: 32 << 20,
            descriptor_bytes: 1 << 20,
            nested_bytes: 128 << 20,
            archive_entries: 200_000,
            archive_depth: 6,
            folder_depth: 64,
            bytes: 8 << 30,
            entries: 5_000_000,
            components: 50_000,
            problems: 1_000,
            seconds: 60,
            fresh_seconds: 60,
        }
    }
}
