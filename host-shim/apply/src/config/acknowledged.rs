//! Paths that scans cannot read and the administrator has looked at: each with a reason, and until when.

use std::path::{Path, PathBuf};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;
use utoipa::ToSchema;

/// A path that cannot be read, acknowledged for a while: `check` does not exit with 1 because of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AcknowledgedPath {
    /// Path as `check` lists it. It covers everything inside that directory or archive.
    #[schema(value_type = String, format = "path")]
    pub path: PathBuf,
    /// Reason, as for an accepted risk.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
    /// Last day on which it counts (UTC), such as 2026-12-31.
    #[schema(value_type = String)]
    pub until: Date,
}

impl AcknowledgedPath {
    /// Whether it is about a path of a report, in which `!/` goes into an archive.
    pub fn covers(&self, path: &str) -> bool {
        let acknowledged = self.path.to_string_lossy();
        let inside = path.strip_prefix(acknowledged.trim_end_matches('/'));
        inside.is_some_and(|inside| {
            inside.is_empty() || inside.starts_with('/') || inside.starts_with("!/")
        })
    }

    /// Whether its last day is not over.
    pub fn is_current(&self, now: Timestamp) -> bool {
        TimeZone::UTC.to_datetime(now).date() <= self.until
    }
}

/// What does not fit, and where.
pub fn fault(all: &[AcknowledgedPath]) -> Option<(String, String)> {
    all.iter().find_map(|one| {
        let what = format!("acknowledged-path {}", one.path.display());
        if !one.path.is_absolute() || one.path == Path::new("/") {
            return Some((what, "path must be absolute, and not \"/\"".to_owned()));
        }
        let length = one.reason.trim().chars().count();
        let fits = (1..=1000).contains(&length);
        (!fits).then(|| (what, "reason must have 1 to 1000 characters".to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acknowledged(path: &str) -> AcknowledgedPath {
        AcknowledgedPath {
            path: path.into(),
            reason: "looked at by hand".to_owned(),
            until: jiff::civil::date(2026, 12, 31),
        }
    }

    #[test]
    fn it_covers_the_path_and_what_is_inside_and_nothing_beside() {
        let jar = acknowledged("/srv/plugins/Shop.jar");
        assert!(jar.covers("/srv/plugins/Shop.jar"));
        assert!(jar.covers("/srv/plugins/Shop.jar!/lib/a.jar"));
        assert!(!jar.covers("/srv/plugins/Shop.jar.old"));
        assert!(!jar.covers("/srv/plugins"));
        assert!(acknowledged("/srv/plugins/").covers("/srv/plugins/Shop.jar"));
    }

    #[test]
    fn it_counts_until_its_last_day_is_over() {
        let one = acknowledged("/srv");
        assert!(one.is_current("2026-12-31T23:59:59Z".parse().unwrap()));
        assert!(!one.is_current("2027-01-01T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn everything_at_once_and_no_reason_are_refused() {
        assert_eq!(fault(&[acknowledged("/srv")]), None);
        assert!(fault(&[acknowledged("/")]).is_some());
        assert!(fault(&[acknowledged("srv")]).is_some());
        let silent = AcknowledgedPath {
            reason: " ".to_owned(),
            ..acknowledged("/srv")
        };
        assert!(fault(&[silent]).is_some());
    }
}
