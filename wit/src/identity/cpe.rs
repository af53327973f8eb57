//! The release of a distribution that a CPE names, as CSAF's platforms and `os-release` have it
//! (NISTIR 7695, both bindings).

use super::release::is_version;
use crate::Release;

/// Vendor and product of distributions. Red Hat's streams with corrections of their own are not among them: a version
/// there says nothing about the release itself ([`is_stream`]).
const PRODUCTS: [(&str, &str, &str); 12] = [
    ("redhat", "enterprise_linux", "rhel"),
    ("almalinux", "almalinux", "almalinux"),
    ("rocky", "rocky", "rocky"),
    ("rocky", "rocky_linux", "rocky"),
    ("oracle", "linux", "ol"),
    ("debian", "debian_linux", "debian"),
    ("canonical", "ubuntu_linux", "ubuntu"),
    ("opensuse", "leap", "opensuse-leap"),
    ("suse", "sles", "sles"),
    ("suse", "linux_enterprise_server", "sles"),
    ("fedoraproject", "fedora", "fedora"),
    ("centos", "centos", "centos"),
];

/// The release that a CPE names: `cpe:/o:redhat:enterprise_linux:9::baseos`,
/// `cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:*:*`; nothing where it names none that is known.
pub fn release_of_cpe(text: &str) -> Option<Release> {
    let text = text.trim().to_lowercase();
    let rest = text
        .strip_prefix("cpe:2.3:")
        .or_else(|| text.strip_prefix("cpe:/"))?;
    let mut parts = rest.split(':').skip(1);
    let (vendor, product) = (parts.next()?, parts.next()?);
    let version = parts.next().filter(|version| is_version(version))?;
    let update = parts.next().unwrap_or("");
    let known = PRODUCTS.iter();
    let known = known
        .filter(|(of, name, _)| (*of, *name) == (vendor, product))
        .map(|(.., id)| *id);
    // SUSE's modules are what its server is made of, and have its version.
    let module = vendor == "suse" && product.starts_with("sle-module-");
    let stream = (vendor == "redhat" && is_stream(product)).then_some(product);
    let id = known.chain(module.then_some("sles")).chain(stream).next()?;
    let version = with_service_pack(id, version, update);
    Some(Release::canonical(id, &version))
}

/// Vendor and product of software that is one package and no other, as the national vulnerability database names it.
/// What is several artifacts or is packed by others too (`apache:log4j`, `vmware:spring_framework`) is not here: somebody
/// has to say which is meant.
const PACKAGES: [(&str, &str, &str); 12] = [
    (
        "apache",
        "commons_compress",
        "maven:org.apache.commons:commons-compress",
    ),
    (
        "apache",
        "commons_text",
        "maven:org.apache.commons:commons-text",
    ),
    ("axios", "axios", "npm:axios"),
    ("expressjs", "express", "npm:express"),
    (
        "fasterxml",
        "jackson-databind",
        "maven:com.fasterxml.jackson.core:jackson-databind",
    ),
    ("google", "gson", "maven:com.google.code.gson:gson"),
    ("h2database", "h2", "maven:com.h2database:h2"),
    ("lodash", "lodash", "npm:lodash"),
    ("openjsf", "express", "npm:express"),
    ("snakeyaml_project", "snakeyaml", "maven:org.yaml:snakeyaml"),
    ("tokio", "tokio", "cargo:tokio"),
    ("ws_project", "ws", "npm:ws"),
];

/// The component that a CPE's vendor and product are, where they are that one alone.
pub fn package_of_cpe(vendor: &str, product: &str) -> Option<&'static str> {
    let (vendor, product) = (vendor.to_lowercase(), product.to_lowercase());
    let mut known = PACKAGES.iter();
    let found = known.find(|(of, name, _)| (*of, *name) == (vendor.as_str(), product.as_str()));
    found.map(|(.., component)| *component)
}

/// Whether a product of Red Hat's is a stream of its system with corrections of its own: `rhel_eus` (extended updates),
/// `rhel_aus`, `rhel_e4s`, `rhel_els`, `rhel_tus`.
pub(super) fn is_stream(product: &str) -> bool {
    product.strip_prefix("rhel_").is_some_and(|rest| {
        matches!(
            rest,
            "aus" | "e4s" | "els" | "eus" | "tus" | "eus_long_life"
        )
    })
}

/// SUSE has the service pack apart: `15:sp5` is 15.5.
pub(super) fn with_service_pack(id: &str, version: &str, pack: &str) -> String {
    let number = pack.strip_prefix("sp").filter(|number| is_version(number));
    match number {
        Some(number) if id == "sles" => format!("{version}.{number}"),
        _ => version.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpe_of_a_release_names_it() {
        for (cpe, name) in [
            ("cpe:/o:redhat:enterprise_linux:9::baseos", "rhel-9"),
            ("cpe:/a:redhat:enterprise_linux:9::appstream", "rhel-9"),
            (
                "cpe:2.3:o:debian:debian_linux:12.5:*:*:*:*:*:*:*",
                "debian-12",
            ),
            ("cpe:/o:canonical:ubuntu_linux:22.04", "ubuntu-22.04"),
            ("cpe:/o:suse:sles:15:sp5", "sles-15.5"),
            ("cpe:/o:suse:sle-module-basesystem:15:sp5", "sles-15.5"),
            ("cpe:/o:opensuse:leap:15.5", "opensuse-leap-15.5"),
            ("cpe:/o:almalinux:almalinux:9::baseos", "almalinux-9"),
            ("cpe:/a:redhat:rhel_eus:9.2::appstream", "rhel_eus-9.2"),
            ("cpe:/o:redhat:rhel_aus:8.2", "rhel_aus-8.2"),
        ] {
            let release = release_of_cpe(cpe).unwrap();
            assert_eq!(format!("{}-{}", release.id, release.version), name);
        }
    }

    #[test]
    fn what_names_no_release_is_none() {
        for cpe in [
            "cpe:/a:redhat:rhel_extras_rt:7",
            "cpe:/o:redhat:enterprise_linux",
            "cpe:/a:redhat:openshift:4.12",
            "redhat:enterprise_linux:9",
        ] {
            assert_eq!(release_of_cpe(cpe), None, "{cpe}");
        }
    }
}
