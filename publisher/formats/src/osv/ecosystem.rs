//! What OSV calls the ecosystems that panels have packages of.
//!
//! The names are those of the list in the OSV schema ("Defined ecosystems"), with their suffixes.

use spacecp_contract::{Ecosystem, Release};

/// The ecosystem of this name, if its versions have an order that is known here and its name says
/// all that a component's name has to.
pub(super) fn read(name: &str) -> Result<Ecosystem, String> {
    let (family, suffix) = match name.split_once(':') {
        Some((family, suffix)) => (family, Some(suffix)),
        None => (name, None),
    };
    let release = |id: &str, version: Option<&str>| {
        version
            .filter(|version| is_version(version))
            .map(|version| Release {
                id: id.to_owned(),
                version: version.to_owned(),
            })
            .ok_or_else(|| format!("no release given in {name:?}"))
    };
    match (family, suffix) {
        ("crates.io", None) => Ok(Ecosystem::Cargo),
        ("npm", None) => Ok(Ecosystem::Npm),
        ("Maven", None) => Ok(Ecosystem::Maven),
        ("Debian", version) => release("debian", version).map(Ecosystem::Deb),
        ("Ubuntu", suffix) => {
            let version = suffix.map(|suffix| suffix.strip_suffix(":LTS").unwrap_or(suffix));
            release("ubuntu", version).map(Ecosystem::Deb)
        }
        ("AlmaLinux", version) => release("almalinux", version).map(Ecosystem::Rpm),
        ("Rocky Linux", version) => release("rocky", version).map(Ecosystem::Rpm),
        ("Red Hat", Some(product)) => {
            // A part of a CPE: enterprise_linux:9::appstream.
            let version = product.strip_prefix("enterprise_linux:");
            let version = version.and_then(|rest| rest.split(':').next());
            release("rhel", version).map(Ecosystem::Rpm)
        }
        ("openSUSE", Some(product)) => {
            release("opensuse-leap", product.strip_prefix("Leap ")).map(Ecosystem::Rpm)
        }
        _ => Err(format!("unknown version order for ecosystem {name:?}")),
    }
}

/// The name of an ecosystem; none for a release of a system that OSV has no name for.
pub(super) fn name(ecosystem: &Ecosystem) -> Option<String> {
    Some(match ecosystem {
        Ecosystem::Cargo => "crates.io".to_owned(),
        Ecosystem::Npm => "npm".to_owned(),
        Ecosystem::Maven => "Maven".to_owned(),
        Ecosystem::Deb(release) => match release.id.as_str() {
            "debian" => format!("Debian:{}", release.version),
            "ubuntu" if is_long_term(&release.version) => format!("Ubuntu:{}:LTS", release.version),
            "ubuntu" => format!("Ubuntu:{}", release.version),
            _ => return None,
        },
        Ecosystem::Rpm(release) => match release.id.as_str() {
            "almalinux" => format!("AlmaLinux:{}", release.version),
            "rocky" => format!("Rocky Linux:{}", release.version),
            "rhel" => format!("Red Hat:enterprise_linux:{}", release.version),
            "opensuse-leap" => format!("openSUSE:Leap {}", release.version),
            _ => return None,
        },
    })
}

fn is_version(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Ubuntu supports the April releases of even years for long.
fn is_long_term(version: &str) -> bool {
    version.split_once('.').is_some_and(|(year, month)| {
        month == "04" && year.parse::<u32>().is_ok_and(|year| year % 2 == 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_osv_become_names_of_components_and_back() {
        for (osv, package, component) in [
            ("crates.io", "time", "cargo:time"),
            ("npm", "@babel/core", "npm:@babel/core"),
            ("Maven", "org.x:y", "maven:org.x:y"),
            ("Debian:12", "curl", "deb:debian-12:curl"),
            ("Ubuntu:22.04:LTS", "curl", "deb:ubuntu-22.04:curl"),
            ("Ubuntu:23.10", "curl", "deb:ubuntu-23.10:curl"),
            ("AlmaLinux:9", "curl", "rpm:almalinux-9:curl"),
            ("Rocky Linux:8", "curl", "rpm:rocky-8:curl"),
            ("Red Hat:enterprise_linux:9", "curl", "rpm:rhel-9:curl"),
            ("openSUSE:Leap 15.5", "curl", "rpm:opensuse-leap-15.5:curl"),
        ] {
            let ecosystem = read(osv).unwrap();
            assert_eq!(ecosystem.component(package).unwrap().as_str(), component);
            assert_eq!(name(&ecosystem).as_deref(), Some(osv));
        }
    }

    #[test]
    fn the_repository_of_a_red_hat_release_does_not_matter_to_the_name() {
        let with = read("Red Hat:enterprise_linux:9::appstream");
        assert_eq!(with, read("Red Hat:enterprise_linux:9"));
    }

    #[test]
    fn an_ecosystem_without_an_order_or_a_release_is_named_in_the_refusal() {
        for osv in [
            "PyPI",
            "Go",
            "Debian",
            "Debian:bookworm",
            "Ubuntu:Pro:16.04:LTS",
            "Red Hat:openshift:4.1",
            "openSUSE:Tumbleweed",
            "Maven:https://repo.example.com",
            "Crates.io",
            "",
        ] {
            assert!(read(osv).unwrap_err().contains(osv), "{osv}");
        }
    }
}
