//! Versions of a release that are of another line than its own: what an advisory says of the release says nothing of
//! them, unless it speaks of that line.

use std::fmt;

/// A line of versions beside the one that a release's advisories are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Built for a release from a later one's source (`~bpo12`, <https://backports.debian.org>).
    Backport,
    /// Ubuntu's certified modules (`…fips…`), with corrections of their own.
    Fips,
    /// Of a module of the distribution (`.module+el8`, `.module_el8`), which has versions beside those of the release.
    Module,
    /// Built by others under the name of the distribution's package: its versions say nothing about theirs.
    Elsewhere,
}

/// What repositories beside the distribution's put into their versions: those of the Raspberry Pi, of Proxmox, of Node's
/// and databases' makers, Sury's PHP, and Launchpad's personal archives.
const ELSEWHERE: [&str; 10] = [
    "+rpt",
    "+rpi",
    "pve",
    "+pmx",
    "nodesource",
    "pgdg",
    "+maria~",
    "+0~20",
    "~ppa",
    "+ppa",
];

impl Stream {
    /// The line that a version of a component is of; none for the release's own.
    pub fn of(component: &str, version: &str) -> Option<Self> {
        let is_module = || version.contains(".module+") || version.contains(".module_");
        if component.starts_with("rpm:") && is_module() {
            return Some(Self::Module);
        }
        if !component.starts_with("deb:") {
            return None;
        }
        if version.contains("~bpo") {
            return Some(Self::Backport);
        }
        // As a word: in 1.1.1f-1ubuntu2.fips.7 and 5.15.0-73.80+fips1.
        let mut words = version.split(|letter: char| !letter.is_ascii_alphabetic());
        if words.any(|word| word.eq_ignore_ascii_case("fips")) {
            return Some(Self::Fips);
        }
        let is_marked = ELSEWHERE.iter().any(|mark| version.contains(mark));
        is_marked.then_some(Self::Elsewhere)
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backport => "a backport, built from a later release's source",
            Self::Fips => "a certified (FIPS) build with corrections of its own",
            Self::Module => "a build of a module",
            Self::Elsewhere => "a build of another repository than the distribution's",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_tells_its_line() {
        for (component, version, stream) in [
            (
                "deb:debian-12:openssh",
                "1:10.0p1-7~bpo12+1",
                Some(Stream::Backport),
            ),
            (
                "deb:ubuntu-20.04:openssl",
                "1.1.1f-1ubuntu2.fips.7.1",
                Some(Stream::Fips),
            ),
            (
                "deb:debian-12:linux",
                "1:6.6.51-1+rpt3",
                Some(Stream::Elsewhere),
            ),
            (
                "deb:debian-12:nodejs",
                "18.19.0-1nodesource1",
                Some(Stream::Elsewhere),
            ),
            (
                "deb:debian-12:postgresql-15",
                "15.5-1.pgdg120+1",
                Some(Stream::Elsewhere),
            ),
            (
                "deb:debian-12:php8.2",
                "8.2.15-1+0~20240119.52+debian12~1.gbp7d1a2e",
                Some(Stream::Elsewhere),
            ),
            (
                "rpm:almalinux-8:nodejs",
                "1:16.20.2-2.module_el8.8.0+3676+4ef9e9cb",
                Some(Stream::Module),
            ),
            ("rpm:rhel-8:nodejs", "1:16.20.2-2.el8", None),
            ("deb:debian-12:nodejs", "18.13.0+dfsg1-1", None),
            ("deb:debian-12:openssh", "1:9.2p1-2+deb12u2", None),
            ("deb:ubuntu-20.04:openssl", "1.1.1f-1ubuntu2.16+esm1", None),
            ("npm:a", "1.0.0~bpo12", None),
        ] {
            assert_eq!(Stream::of(component, version), stream, "{version}");
        }
    }
}
