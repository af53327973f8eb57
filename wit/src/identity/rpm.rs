//! What an RPM package is called: those of a module by its stream, and whose builds are the distribution's.
//!
//! A stream of a module (`nodejs:18`) has versions and corrections of its own under the same package names, so that its
//! packages are named `nodejs:18:npm`: what an advisory says of one stream says nothing of another.

use crate::Release;

/// A stream of a module, as `nodejs:18`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Module<'a> {
    name: &'a str,
    stream: &'a str,
}

impl<'a> Module<'a> {
    /// The module that a label names: `nodejs:18:8090020240301110609:a75119d5`, as the header of a package and the
    /// qualifier `rpmmod` of package URLs have it; nothing where it names none.
    pub fn of_label(label: &'a str) -> Option<Self> {
        let mut parts = label.trim().split(':');
        let (name, stream) = (parts.next()?, parts.next()?);
        (is_word(name) && is_word(stream)).then_some(Self { name, stream })
    }

    /// The module that the title of an advisory names, as distributions write them: `Important: nodejs:18 security
    /// update`; nothing where it names none or several.
    pub fn of_title(title: &'a str) -> Option<Self> {
        let words = title.split([' ', ',']);
        let mut modules = words.filter_map(|word| {
            let (name, stream) = word.split_once(':')?;
            let is_name = name.starts_with(|first: char| first.is_ascii_lowercase());
            let is_module = is_name && is_word(name) && is_word(stream);
            is_module.then_some(Self { name, stream })
        });
        let first = modules.next()?;
        modules.all(|next| next == first).then_some(first)
    }

    /// Whether this version was built for a module, by its release: `1.module_el8`, `1.module+el8`.
    pub fn has_built(version: &str) -> bool {
        version.contains(".module_") || version.contains(".module+")
    }

    /// What one of its packages is called here.
    pub fn package(&self, package: &str) -> String {
        format!("{}:{}:{package}", self.name, self.stream)
    }

    /// The label of the module that a package is of, and the name that it has there; no label for one of none.
    pub(super) fn split(package: &str) -> (Option<&str>, &str) {
        match package.rsplit_once(':') {
            Some((module, name)) => (Some(module), name),
            None => (None, package),
        }
    }
}

fn is_word(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    !text.is_empty() && !matches!(text, "." | "..") && text.bytes().all(fits)
}

/// What stands in `Vendor` of the packages that distributions build themselves, in small letters.
const VENDORS: [(&str, &str); 8] = [
    ("almalinux", "almalinux"),
    ("rocky", "rocky"),
    ("rhel", "red hat"),
    ("sles", "suse"),
    ("opensuse-leap", "suse"),
    ("opensuse-tumbleweed", "suse"),
    ("mageia", "mageia"),
    ("fedora", "fedora"),
];

impl Release {
    /// Whether a package whose header names this vendor is a build of the distribution's. Others may have the names of
    /// its packages, and their versions say nothing about it.
    pub fn is_built_by(&self, vendor: Option<&str>) -> bool {
        let mut known = VENDORS.iter().filter(|(id, _)| *id == self.id);
        let vendor = vendor.unwrap_or("").to_lowercase();
        known.all(|(_, own)| vendor.contains(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_and_a_title_name_one_stream() {
        let label = Module::of_label("nodejs:18:8090020240301110609:a75119d5").unwrap();
        assert_eq!(label.package("npm"), "nodejs:18:npm");
        for (title, module) in [
            ("Important: nodejs:18 security update", Some("nodejs:18:")),
            (
                "Moderate: container-tools:rhel8 security, bug fix, and enhancement update",
                Some("container-tools:rhel8:"),
            ),
            (
                "Red Hat Security Advisory: mysql:8.0 security update",
                Some("mysql:8.0:"),
            ),
            ("virt:rhel and virt-devel:rhel security update", None),
            ("Important: kernel security update", None),
            ("Fixed at 10:30", None),
            ("", None),
        ] {
            let named = Module::of_title(title).map(|module| module.package(""));
            assert_eq!(named.as_deref(), module, "{title}");
        }
        for label in ["", "nodejs", "nodejs:", ":18", "a b:1", "..:1"] {
            assert_eq!(Module::of_label(label), None, "{label}");
        }
    }

    #[test]
    fn builds_of_others_are_not_the_distributions() {
        for (id, vendor, own) in [
            ("almalinux", Some("AlmaLinux"), true),
            ("almalinux", Some("Fedora Project"), false),
            ("almalinux", None, false),
            ("rhel", Some("Red Hat, Inc."), true),
            ("rocky", Some("Rocky Enterprise Software Foundation"), true),
            (
                "opensuse-leap",
                Some("SUSE LLC <https://www.suse.com/>"),
                true,
            ),
            ("opensuse-leap", Some("openSUSE"), true),
            // Of which nothing is known, and no advisory either.
            ("ol", Some("Oracle America"), true),
        ] {
            let release = Release::canonical(id, "9");
            assert_eq!(release.is_built_by(vendor), own, "{id} {vendor:?}");
        }
    }
}
