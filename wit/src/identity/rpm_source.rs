//! The source package that advisories of some RPM distributions speak of, for a binary package that is installed.
//!
//! SUSE and Rocky Linux name source packages in their OSV records; Red Hat, `AlmaLinux` and others name binary packages.

use crate::Release;

/// A source package, and its version where that is certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpmSource {
    /// The name.
    pub name: String,
    /// The version, with its epoch.
    pub version: Option<String>,
}

impl RpmSource {
    /// The source in the name of its file, `openssl-3.0.1-1.el9.src.rpm`, or by its name alone, of a binary package of
    /// this version. The name of the file has no epoch: only where the rest is the binary package's is its epoch, too.
    pub fn of_file(text: &str, own_version: Option<&str>) -> Option<Self> {
        let text = text.trim();
        let file = [".src.rpm", ".nosrc.rpm"]
            .iter()
            .find_map(|ending| text.strip_suffix(ending));
        let Some(file) = file else {
            let name = text.split('@').next().unwrap_or(text);
            return (!name.is_empty()).then(|| Self {
                name: name.to_owned(),
                version: None,
            });
        };
        let (rest, release) = file.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        let own = own_version.filter(|own| {
            let plain = own.split_once(':').map_or(*own, |(_, plain)| plain);
            plain == format!("{version}-{release}")
        });
        (!name.is_empty()).then(|| Self {
            name: name.to_owned(),
            version: own.map(str::to_owned),
        })
    }

    /// Whether advisories of a release name source packages.
    pub fn is_named_for(release: &Release) -> bool {
        matches!(release.id.as_str(), "rocky" | "sles") || release.id.starts_with("opensuse")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_the_epoch_of_its_package_where_all_else_is_the_same() {
        let of_file = |text: &str, own: &str| {
            let source = RpmSource::of_file(text, Some(own)).unwrap();
            (source.name, source.version)
        };
        let named =
            |name: &str, version: Option<&str>| (name.to_owned(), version.map(str::to_owned));
        for (text, own, expected) in [
            (
                "openssl-3.0.1-1.el9.src.rpm",
                "1:3.0.1-1.el9",
                named("openssl", Some("1:3.0.1-1.el9")),
            ),
            (
                "openssl-1_1-1.1.1l-150500.17.1.1.src.rpm",
                "1.1.1l-150500.17.1.1",
                named("openssl-1_1", Some("1.1.1l-150500.17.1.1")),
            ),
            // A part with a version of its own.
            (
                "perl-5.32.1-481.el9.src.rpm",
                "4:1.9-1.el9",
                named("perl", None),
            ),
            ("kernel-5-1.nosrc.rpm", "5-1", named("kernel", Some("5-1"))),
            ("openssl", "1-1", named("openssl", None)),
            ("openssl@1", "1-1", named("openssl", None)),
        ] {
            assert_eq!(of_file(text, own), expected, "{text}");
        }
        assert_eq!(RpmSource::of_file(".src.rpm", None), None);
        assert_eq!(RpmSource::of_file("", None), None);
    }

    #[test]
    fn only_some_distributions_name_sources() {
        let named = |id: &str| RpmSource::is_named_for(&Release::canonical(id, "9"));
        assert!(named("rocky") && named("sles") && named("opensuse-leap"));
        assert!(!named("almalinux") && !named("rhel") && !named("fedora"));
    }
}
