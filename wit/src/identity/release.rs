//! The one name of a release of a distribution, whoever writes it: `debian-12.5`, `bookworm` and `Debian 12`
//! are `debian-12`.

use crate::Release;

/// Ids that are written in other ways. Letters are small, and blanks are hyphens, before they are looked up.
const ALIASES: [(&str, &str); 27] = [
    ("debian-gnu/linux", "debian"),
    ("alma", "almalinux"),
    ("almalinux-os", "almalinux"),
    ("rockylinux", "rocky"),
    ("rocky-linux", "rocky"),
    ("redhat", "rhel"),
    ("red-hat", "rhel"),
    ("enterprise_linux", "rhel"),
    ("red-hat-enterprise-linux", "rhel"),
    ("oracle", "ol"),
    ("oraclelinux", "ol"),
    ("oracle-linux", "ol"),
    ("amazon", "amzn"),
    ("amazonlinux", "amzn"),
    ("amazon-linux", "amzn"),
    ("debian_linux", "debian"),
    ("ubuntu_linux", "ubuntu"),
    ("opensuse.leap", "opensuse-leap"),
    ("leap", "opensuse-leap"),
    ("opensuse.tumbleweed", "opensuse-tumbleweed"),
    ("tumbleweed", "opensuse-tumbleweed"),
    ("sles_sap", "sles"),
    ("sle", "sles"),
    ("suse-linux-enterprise-server", "sles"),
    ("mint", "linuxmint"),
    ("photonos", "photon"),
    ("photon_os", "photon"),
];

/// Code names, and the releases that they are: Debian's
/// (<https://www.debian.org/releases/>) and Ubuntu's (<https://wiki.ubuntu.com/Releases>).
const CODE_NAMES: [(&str, &str, &str); 42] = [
    ("squeeze", "debian", "6"),
    ("wheezy", "debian", "7"),
    ("jessie", "debian", "8"),
    ("stretch", "debian", "9"),
    ("buster", "debian", "10"),
    ("bullseye", "debian", "11"),
    ("bookworm", "debian", "12"),
    ("trixie", "debian", "13"),
    ("forky", "debian", "14"),
    ("duke", "debian", "15"),
    ("lucid", "ubuntu", "10.04"),
    ("precise", "ubuntu", "12.04"),
    ("trusty", "ubuntu", "14.04"),
    ("utopic", "ubuntu", "14.10"),
    ("vivid", "ubuntu", "15.04"),
    ("wily", "ubuntu", "15.10"),
    ("xenial", "ubuntu", "16.04"),
    ("yakkety", "ubuntu", "16.10"),
    ("zesty", "ubuntu", "17.04"),
    ("artful", "ubuntu", "17.10"),
    ("bionic", "ubuntu", "18.04"),
    ("cosmic", "ubuntu", "18.10"),
    ("disco", "ubuntu", "19.04"),
    ("eoan", "ubuntu", "19.10"),
    ("focal", "ubuntu", "20.04"),
    ("groovy", "ubuntu", "20.10"),
    ("hirsute", "ubuntu", "21.04"),
    ("impish", "ubuntu", "21.10"),
    ("jammy", "ubuntu", "22.04"),
    ("kinetic", "ubuntu", "22.10"),
    ("lunar", "ubuntu", "23.04"),
    ("mantic", "ubuntu", "23.10"),
    ("noble", "ubuntu", "24.04"),
    ("oracular", "ubuntu", "24.10"),
    ("plucky", "ubuntu", "25.04"),
    ("questing", "ubuntu", "25.10"),
    ("resolute", "ubuntu", "26.04"),
    ("beowulf", "devuan", "3"),
    ("chimaera", "devuan", "4"),
    ("daedalus", "devuan", "5"),
    ("excalibur", "devuan", "6"),
    ("ascii", "devuan", "2"),
];

/// Distributions whose advisories importers can read (OSV's databases).
const WITH_ADVISORIES: [&str; 12] = [
    "alpine",
    "wolfi",
    "chainguard",
    "debian",
    "ubuntu",
    "almalinux",
    "rocky",
    "rhel",
    "opensuse-leap",
    "opensuse-tumbleweed",
    "sles",
    "mageia",
];

/// What stands for the version of a distribution that has none: it is always the newest.
const ROLLING: &str = "rolling";

/// Distributions without releases.
const ROLLING_IDS: [&str; 4] = ["opensuse-tumbleweed", "alpine-edge", "wolfi", "chainguard"];

impl Release {
    /// The release of this id and version, by its one name.
    ///
    /// Of Debian and of the family of Red Hat it is the major version alone, of Ubuntu year and month:
    /// advisories are for all point releases. `opensuse-tumbleweed`, Wolfi and what Alpine has between two releases are
    /// `rolling` in every version.
    pub fn canonical(id: &str, version: &str) -> Self {
        let version = version.trim().to_lowercase();
        let id = match id_of(id) {
            // 3.19_alpha20230901.
            id if id == "alpine" && (version == "edge" || version.contains('_')) => {
                "alpine-edge".to_owned()
            }
            id => id,
        };
        let parts = match id.as_str() {
            "debian" | "devuan" | "raspbian" | "almalinux" | "centos" | "ol" | "rhel" | "rocky"
            | "amzn" => 1,
            "ubuntu" | "alpine" => 2,
            id if ROLLING_IDS.contains(&id) => {
                return Self {
                    id: id.to_owned(),
                    version: ROLLING.to_owned(),
                };
            }
            _ => usize::MAX,
        };
        let parts = version.split('.').take(parts).collect::<Vec<_>>();
        Self {
            version: parts.join("."),
            id,
        }
    }

    /// The release that a code name is of.
    pub fn of_code_name(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase();
        let mut known = CODE_NAMES.iter();
        let (_, id, version) = known.find(|(known, ..)| *known == name)?;
        Some(Self::canonical(id, version))
    }

    /// The release that the qualifier `distro` of a package URL names: `debian-12`, `debian-12.5`, `bookworm`,
    /// `ubuntu-jammy`, `12` and `el9` within a namespace; nothing where it names none.
    pub fn of_qualifier(namespace: Option<&str>, text: &str) -> Option<Self> {
        // Trivy writes "amazon-2 (karoo)".
        let text = text.split(" (").next().unwrap_or(text);
        let text = text.trim().to_lowercase().replace(' ', "-");
        let rolling = id_of(text.strip_suffix("-rolling").unwrap_or(&text));
        if ROLLING_IDS.contains(&rolling.as_str()) {
            return Some(Self::canonical(&rolling, ROLLING));
        }
        if let Some(release) = Self::of_code_name(&text) {
            return Some(release);
        }
        if let Some((id, version)) = id_and_version(&text) {
            return match Self::of_code_name(version) {
                Some(release) => (release.id == id_of(id)).then_some(release),
                None => Some(Self::canonical(id, version)),
            };
        }
        let version = text.strip_prefix("el").unwrap_or(&text);
        let version = version.strip_prefix("fc").unwrap_or(version);
        let version = version.strip_prefix('v').unwrap_or(version);
        if !is_version(version) {
            return None;
        }
        Some(Self::canonical(namespace?, version))
    }

    /// Whether there are advisories of this distribution that an importer can read. Where there are none, nobody
    /// can say of its packages that they are well.
    pub fn has_advisories(&self) -> bool {
        WITH_ADVISORIES.contains(&self.id.as_str())
    }
}

/// An id and a version that begins with a digit or is a code name: `opensuse-leap-15.5`, `sles-15-sp5`.
fn id_and_version(text: &str) -> Option<(&str, &str)> {
    let names_one = |version: &str| is_version(version) || Release::of_code_name(version).is_some();
    let (id, version) = text.rsplit_once('-')?;
    (!id.is_empty() && names_one(version)).then_some((id, version))
}

/// Numbers with full stops between.
pub(super) fn is_version(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn id_of(id: &str) -> String {
    let id = id.trim().to_lowercase().replace(' ', "-");
    let known = ALIASES.iter().find(|(alias, _)| *alias == id);
    known.map_or(id, |(_, id)| (*id).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(namespace: Option<&str>, text: &str) -> Option<String> {
        let release = Release::of_qualifier(namespace, text)?;
        Some(format!("{}-{}", release.id, release.version))
    }

    #[test]
    fn a_release_has_one_name_however_a_package_url_writes_it() {
        for (namespace, text, name) in [
            ("debian", "debian-12", "debian-12"),
            ("debian", "debian-12.5", "debian-12"),
            ("debian", "bookworm", "debian-12"),
            ("debian", "Debian-Bookworm", "debian-12"),
            ("debian", "12", "debian-12"),
            ("debian", "jessie", "debian-8"),
            ("ubuntu", "ubuntu-22.04", "ubuntu-22.04"),
            ("ubuntu", "ubuntu-22.04.3", "ubuntu-22.04"),
            ("ubuntu", "jammy", "ubuntu-22.04"),
            ("redhat", "redhat-9.4", "rhel-9"),
            ("redhat", "rhel-8.6", "rhel-8"),
            ("redhat", "el9", "rhel-9"),
            ("almalinux", "alma-9.3", "almalinux-9"),
            ("rocky", "rocky-9.3", "rocky-9"),
            ("oracle", "oracle-8.9", "ol-8"),
            ("centos", "centos-7.9.2009", "centos-7"),
            ("amazon", "amazon-2 (Karoo)", "amzn-2"),
            ("fedora", "fc39", "fedora-39"),
            ("opensuse", "opensuse-leap-15.5", "opensuse-leap-15.5"),
            ("opensuse", "opensuse.leap-15.5", "opensuse-leap-15.5"),
            (
                "opensuse",
                "opensuse-tumbleweed-20240101",
                "opensuse-tumbleweed-rolling",
            ),
            (
                "opensuse",
                "opensuse-tumbleweed",
                "opensuse-tumbleweed-rolling",
            ),
            ("suse", "sles-15.5", "sles-15.5"),
            (
                "opensuse",
                "opensuse-tumbleweed-rolling",
                "opensuse-tumbleweed-rolling",
            ),
            ("alpine", "alpine-3.18.4", "alpine-3.18"),
            ("alpine", "3.18.4", "alpine-3.18"),
            ("alpine", "v3.18", "alpine-3.18"),
            ("alpine", "alpine-edge", "alpine-edge-rolling"),
            ("wolfi", "wolfi-20230201", "wolfi-rolling"),
            ("chainguard", "chainguard", "chainguard-rolling"),
        ] {
            assert_eq!(
                named(Some(namespace), text).as_deref(),
                Some(name),
                "{text}"
            );
        }
    }

    #[test]
    fn what_names_no_release_is_not_guessed() {
        for text in [
            "",
            "sid",
            "stable",
            "debian",
            "ubuntu-bookworm",
            "-12",
            "debian-",
        ] {
            assert_eq!(named(Some("debian"), text), None, "{text}");
        }
        assert_eq!(named(None, "12"), None);
    }

    #[test]
    fn a_canonical_name_stays_as_it_is() {
        for (_, id, version) in CODE_NAMES {
            let once = Release::canonical(id, version);
            assert_eq!(Release::canonical(&once.id, &once.version), once);
        }
    }
}
