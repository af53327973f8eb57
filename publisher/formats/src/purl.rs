//! Package URLs of components: <https://github.com/package-url/purl-spec>.

use packageurl::PackageUrl;
use spacecp_contract::Ecosystem;

/// The package URL of a package, or of one version of it; none where it has no name that fits one.
pub(super) fn write(ecosystem: &Ecosystem, package: &str, version: Option<&str>) -> Option<String> {
    let (kind, namespace, name) = match ecosystem {
        Ecosystem::Cargo => ("cargo", None, package),
        Ecosystem::Npm => match package.split_once('/') {
            Some((scope, name)) => ("npm", Some(scope), name),
            None => ("npm", None, package),
        },
        Ecosystem::Maven => {
            let (group, name) = package.split_once(':')?;
            ("maven", Some(group), name)
        }
        Ecosystem::Deb(release) => ("deb", Some(release.id.as_str()), package),
        Ecosystem::Rpm(release) => ("rpm", Some(release.id.as_str()), package),
    };
    let mut purl = PackageUrl::new(kind, name).ok()?;
    if let Some(namespace) = namespace {
        purl.with_namespace(namespace).ok()?;
    }
    if let Some(version) = version {
        purl.with_version(version).ok()?;
    }
    if let Ecosystem::Deb(release) | Ecosystem::Rpm(release) = ecosystem {
        let distribution = format!("{}-{}", release.id, release.version);
        purl.add_qualifier("distro", distribution).ok()?;
    }
    if matches!(ecosystem, Ecosystem::Deb(_)) {
        purl.add_qualifier("arch", "source").ok()?;
    }
    Some(purl.to_string())
}
