//! Everything that a scan may spend. Each limit has its default here and nowhere else.

use serde::{Deserialize, Serialize};

/// Limits of one scan of components and inventories. What lies beyond a limit is listed in the report and counts as
/// unread, so that a verdict about it is `unknown`.
///
/// Limits of the whole scan are shared out evenly among components and inventories, so that none of them uses up what
/// another one needs; what some leave over goes to those that have more to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ScanLimits {
    /// Bytes of one package list: a lock file, the status of dpkg, an SBOM.
    pub document_bytes: u64,
    /// Bytes of one package description: `package.json`, `plugin.yml`, a manifest.
    pub descriptor_bytes: u64,
    /// Bytes of nested archives held in memory at the same time.
    pub nested_bytes: u64,
    /// Entries of one archive.
    pub archive_entries: u64,
    /// Levels of nested archives; 1 opens no archive inside another one.
    pub archive_depth: u32,
    /// Levels of nested directories.
    pub folder_depth: u32,
    /// Bytes that one scan reads and unpacks.
    pub bytes: u64,
    /// Files, directories and archive entries that one scan visits.
    pub entries: u64,
    /// Components that one scan finds.
    #[schema(maximum = 1_000_000)]
    pub components: u64,
    /// Unreadable paths that are listed one by one; further ones are counted.
    pub problems: u64,
    /// Seconds that one scan takes. What was read is cached, so the next scan continues from there.
    #[schema(minimum = 1, maximum = 3600)]
    pub seconds: u64,
    /// Seconds for which a scan is reused, unless something was applied or rolled back.
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
