//! Which release the packages of a system belong to, by its `os-release` (os-release(5)).
//!
//! A derivative is judged as its base only for the packages that it takes over unchanged. Only derivatives of
//! which that is known are listed; the packages of all others are named after themselves.

use std::{collections::BTreeMap, fmt};

use super::release::is_version;
use crate::Release;

/// A system by its `os-release`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// The release as the system calls itself.
    pub own: Release,
    /// What it takes packages over from.
    base: Option<Base>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Base {
    release: Release,
    marks: &'static [&'static str],
    own_sources: &'static [&'static str],
}

/// A derivative whose other packages are its base's, with the same versions.
struct Derivative {
    id: &'static str,
    /// What stands in the version of a package that it changed.
    marks: &'static [&'static str],
    /// Source packages that it builds itself under the same name.
    own_sources: &'static [&'static str],
}

const DERIVATIVES: [Derivative; 8] = [
    // https://linuxmint-user-guide.readthedocs.io: Ubuntu's (LMDE: Debian's) archive and Mint's own.
    Derivative {
        id: "linuxmint",
        marks: &["mint"],
        own_sources: &["firefox", "thunderbird", "chromium"],
    },
    Derivative {
        id: "elementary",
        marks: &["elementary", "+pkg", "~daily"],
        own_sources: &[],
    },
    Derivative {
        id: "zorin",
        marks: &["zorin"],
        own_sources: &[],
    },
    // https://github.com/pop-os: kernel, graphics and firmware are its own builds.
    Derivative {
        id: "pop",
        marks: &["pop", "system76", "76060"],
        own_sources: &["linux", "linux-meta", "linux-firmware", "mesa", "systemd"],
    },
    Derivative {
        id: "neon",
        marks: &["neon"],
        own_sources: &[],
    },
    Derivative {
        id: "tuxedo",
        marks: &["tux", "neon"],
        own_sources: &["linux"],
    },
    // Rebuilt for another processor; what is changed has +rpi or +rpt.
    Derivative {
        id: "raspbian",
        marks: &["rpi", "rpt", "+rvt"],
        own_sources: &["linux"],
    },
    Derivative {
        id: "devuan",
        marks: &["devuan"],
        own_sources: &[],
    },
];

impl System {
    /// The system that the assignments of an `os-release` are of; nothing where they name no release.
    ///
    /// Where there is no `VERSION_ID`, as in Debian before a release, the code name says it. Of a system that
    /// names its platform (`platform:el9`) the release is the platform's, as its advisories are.
    pub fn of(said: &BTreeMap<&str, String>) -> Option<Self> {
        let get = |name: &str| said.get(name).map(String::as_str);
        let id = get("ID")?;
        let platform = get("PLATFORM_ID").and_then(|id| id.strip_prefix("platform:el"));
        let version = platform
            .filter(|version| is_version(version))
            .or_else(|| get("VERSION_ID"));
        let own = match version {
            Some(version) => Release::canonical(id, version),
            None => Release::of_code_name(get("VERSION_CODENAME")?)
                .filter(|release| release.id == id)?,
        };
        let base = Base::of(&own, get("UBUNTU_CODENAME"), get("DEBIAN_CODENAME"));
        Some(Self { own, base })
    }

    /// The system of a release alone, as a list names it.
    pub fn of_release(own: Release) -> Self {
        let base = Base::of(&own, None, None);
        Self { own, base }
    }

    /// The release whose advisories speak of one of its packages, by source package and version.
    pub fn release_of(&self, source: &str, version: &str) -> &Release {
        match &self.base {
            Some(base) if !base.is_changed(source, version) => &base.release,
            _ => &self.own,
        }
    }
}

impl fmt::Display for System {
    /// The system and what it is built on, so that two that judge differently are written differently.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.base {
            Some(base) => write!(f, "{} on {}", self.own, base.release),
            None => self.own.fmt(f),
        }
    }
}

impl Base {
    fn of(own: &Release, ubuntu: Option<&str>, debian: Option<&str>) -> Option<Self> {
        let derivative = DERIVATIVES.iter().find(|known| known.id == own.id)?;
        let by_name = |name: Option<&str>, id: &str| {
            let release = Release::of_code_name(name?)?;
            (release.id == id).then_some(release)
        };
        let release = by_name(ubuntu, "ubuntu")
            .or_else(|| by_name(debian, "debian"))
            .or_else(|| by_number(own))?;
        Some(Self {
            release,
            marks: derivative.marks,
            own_sources: derivative.own_sources,
        })
    }

    fn is_changed(&self, source: &str, version: &str) -> bool {
        self.own_sources.contains(&source) || self.marks.iter().any(|mark| version.contains(mark))
    }
}

/// The base of those that do not name it, or whose list has no more than the version.
fn by_number(own: &Release) -> Option<Release> {
    let major = own.version.split('.').next()?;
    let (id, version) = match (own.id.as_str(), major) {
        ("raspbian", version) => ("debian", version),
        ("devuan", "3") => ("debian", "10"),
        ("devuan", "4") => ("debian", "11"),
        ("devuan", "5") => ("debian", "12"),
        ("devuan", "6") => ("debian", "13"),
        ("linuxmint", "20") => ("ubuntu", "20.04"),
        ("linuxmint", "21") => ("ubuntu", "22.04"),
        ("linuxmint", "22") => ("ubuntu", "24.04"),
        ("linuxmint", "5") => ("debian", "11"),
        ("linuxmint", "6") => ("debian", "12"),
        ("linuxmint", "7") => ("debian", "13"),
        ("pop", _) => ("ubuntu", own.version.as_str()),
        _ => return None,
    };
    Some(Release::canonical(id, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(text: &str) -> Option<System> {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        System::of(
            &pairs
                .map(|(name, value)| (name, value.to_owned()))
                .collect(),
        )
    }

    fn release(text: &str, source: &str, version: &str) -> String {
        let system = system(text).unwrap();
        let release = system.release_of(source, version);
        format!("{}-{}", release.id, release.version)
    }

    #[test]
    fn a_system_is_of_the_release_that_advisories_are_for() {
        for (text, name) in [
            ("ID=debian\nVERSION_ID=12", "debian-12"),
            ("ID=debian\nVERSION_CODENAME=trixie", "debian-13"),
            ("ID=ubuntu\nVERSION_ID=22.04", "ubuntu-22.04"),
            (
                "ID=almalinux\nVERSION_ID=9.3\nPLATFORM_ID=platform:el9",
                "almalinux-9",
            ),
            ("ID=rhel\nVERSION_ID=9.4", "rhel-9"),
            ("ID=sles\nVERSION_ID=15.5", "sles-15.5"),
            (
                "ID=opensuse-tumbleweed\nVERSION_ID=20240101",
                "opensuse-tumbleweed-rolling",
            ),
        ] {
            assert_eq!(release(text, "curl", "1"), name, "{text}");
        }
        for text in [
            "ID=debian",
            "VERSION_ID=12",
            "ID=arch",
            "ID=kali\nVERSION_CODENAME=trixie",
        ] {
            assert_eq!(system(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_derivative_took_over_is_of_its_base_and_what_it_changed_is_not() {
        let mint = "ID=linuxmint\nVERSION_ID=21.2\nUBUNTU_CODENAME=jammy";
        let lmde = "ID=linuxmint\nVERSION_ID=6\nDEBIAN_CODENAME=bookworm";
        let pop = "ID=pop\nVERSION_ID=22.04\nUBUNTU_CODENAME=jammy";
        let raspbian = "ID=raspbian\nVERSION_ID=12";
        for (text, source, version, name) in [
            (mint, "openssl", "3.0.2-0ubuntu1.10", "ubuntu-22.04"),
            (mint, "xapp", "2.8.0+mint22", "linuxmint-21.2"),
            (mint, "firefox", "120.0", "linuxmint-21.2"),
            (lmde, "openssl", "3.0.11-1", "debian-12"),
            (pop, "openssl", "3.0.2-0ubuntu1.10", "ubuntu-22.04"),
            (pop, "linux", "6.6.6-76060606.202312111032", "pop-22.04"),
            (raspbian, "openssl", "3.0.11-1~deb12u2", "debian-12"),
            (raspbian, "curl", "7.88.1-10+rpi1", "raspbian-12"),
            ("ID=devuan\nVERSION_ID=5", "curl", "7.88.1-10", "debian-12"),
        ] {
            assert_eq!(release(text, source, version), name, "{source} {version}");
        }
    }

    #[test]
    fn a_derivative_of_which_nothing_is_known_is_only_itself() {
        for (text, name) in [
            ("ID=kali\nID_LIKE=debian\nVERSION_ID=2024.1", "kali-2024.1"),
            ("ID=ol\nID_LIKE=fedora\nVERSION_ID=8.9", "ol-8"),
            ("ID=centos\nID_LIKE=rhel fedora\nVERSION_ID=9", "centos-9"),
            (
                "ID=new\nID_LIKE=ubuntu\nVERSION_ID=1\nUBUNTU_CODENAME=jammy",
                "new-1",
            ),
        ] {
            assert_eq!(release(text, "curl", "1"), name, "{text}");
            assert!(!system(text).unwrap().own.has_advisories(), "{text}");
        }
    }
}
