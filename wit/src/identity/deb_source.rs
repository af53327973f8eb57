//! The source package that advisories of Debian and Ubuntu speak of, for a binary package that is installed.

/// What a list says of a binary package.
#[derive(Debug, Clone, Copy, Default)]
pub struct DebBinary<'a> {
    /// Its own name.
    pub name: &'a str,
    /// Its own version.
    pub version: Option<&'a str>,
    /// Its source package; the same name where none is given, as dpkg writes it (deb-control(5)).
    pub source: Option<&'a str>,
    /// The version of that; the same where none is given.
    pub source_version: Option<&'a str>,
    /// `Built-Using`, as dpkg has it: `linux (= 6.1.119-1), …`.
    pub built_using: Option<&'a str>,
}

/// A source package, and its version where one is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebSource {
    /// The name.
    pub name: String,
    /// The version.
    pub version: Option<String>,
}

impl<'a> DebBinary<'a> {
    /// Takes a source as it is written with its version: `bash (5.2-1)` by dpkg, `curl@7.88.1-10` in a
    /// package URL's `upstream`.
    #[must_use]
    pub fn from_source(mut self, text: &'a str) -> Self {
        let text = text.trim();
        let (name, version) = match text.split_once(['(', '@']) {
            Some((name, version)) => (name.trim(), Some(version.trim_end_matches(')').trim())),
            None => (text, None),
        };
        self.source = Some(name).filter(|name| !name.is_empty());
        self.source_version = version.filter(|version| !version.is_empty());
        self
    }

    /// The source package.
    ///
    /// A rebuild (`+b7`) has its source's version without it. Debian's signed kernels are built from `linux`
    /// again, with the same version in another spelling: `6.1.119+1` of `linux-signed-amd64` is 6.1.119-1.
    /// What is built from the kernel's source and is no kernel – headers, documentation, tools – is named
    /// after itself.
    pub fn source(&self) -> DebSource {
        let source = self.source.unwrap_or(self.name);
        let version = self
            .source_version
            .or_else(|| self.version.map(without_rebuild));
        let found = |name: &str, version: Option<&str>| DebSource {
            name: name.to_owned(),
            version: version.map(str::to_owned),
        };
        if let Some(unsigned) = unsigned(source) {
            let built_from = self.built_using.and_then(|all| built_from(all, unsigned));
            return match (built_from, self.version) {
                (Some(version), _) => found(unsigned, Some(version)),
                (None, Some(own))
                    if unsigned == "linux" && self.name.starts_with("linux-image-") =>
                {
                    found(unsigned, Some(without_rebuild(own)))
                }
                _ if unsigned == "linux" => DebSource {
                    name: unsigned.to_owned(),
                    version: version.map(signed_version),
                },
                _ => found(source, version),
            };
        }
        if let Some(flavour) = source.strip_prefix("linux-signed-") {
            return found(&format!("linux-{flavour}"), version);
        }
        if is_kernel_source(source) && is_no_kernel(self.name) {
            return found(self.name, version);
        }
        found(source, version)
    }
}

/// The source that a package with signatures was built from again.
fn unsigned(source: &str) -> Option<&'static str> {
    match source {
        // Ubuntu's has no suffix; Debian has one package for each architecture.
        "linux-signed"
        | "linux-signed-amd64"
        | "linux-signed-arm64"
        | "linux-signed-armhf"
        | "linux-signed-i386"
        | "linux-signed-riscv64" => Some("linux"),
        "grub-efi-amd64-signed"
        | "grub-efi-arm64-signed"
        | "grub-efi-ia32-signed"
        | "grub2-signed" => Some("grub2"),
        _ => None,
    }
}

/// The version of a source in a list such as `linux (= 6.1.119-1), gcc-12 (= 12.2.0-14)`.
fn built_from<'a>(list: &'a str, source: &str) -> Option<&'a str> {
    list.split(',').find_map(|one| {
        let (name, version) = one.trim().split_once('(')?;
        let version = version.trim_start_matches('=').trim_end_matches(')');
        (name.trim() == source).then(|| version.trim_start_matches([' ', '=']).trim())
    })
}

/// A signed package has `+` where its source has the hyphen before the revision.
fn signed_version(version: &str) -> String {
    match version.rsplit_once('+') {
        Some((upstream, revision)) if !version.contains('-') => format!("{upstream}-{revision}"),
        _ => version.to_owned(),
    }
}

/// The version without the suffix of a rebuild on a builder, `+b1`.
fn without_rebuild(version: &str) -> &str {
    match version.rsplit_once("+b") {
        Some((source, number))
            if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            source
        }
        _ => version,
    }
}

fn is_kernel_source(source: &str) -> bool {
    source == "linux" || (source.starts_with("linux-") && !source.starts_with("linux-base"))
}

/// Binary packages of a kernel's source that no kernel is in.
fn is_no_kernel(name: &str) -> bool {
    const BEGINNINGS: [&str; 17] = [
        "linux-libc-dev",
        "linux-headers-",
        "linux-kbuild-",
        "linux-doc",
        "linux-source",
        "linux-compiler-",
        "linux-config-",
        "linux-support-",
        "linux-buildinfo-",
        "linux-tools-",
        "linux-cloud-tools-",
        "linux-perf",
        "linux-cpupower",
        "libcpupower",
        "bpftool",
        "hyperv-daemons",
        "usbip",
    ];
    const WITHIN: [&str; 3] = ["-headers-", "-tools-", "-cloud-tools-"];
    BEGINNINGS
        .iter()
        .any(|beginning| name.starts_with(beginning))
        || WITHIN
            .iter()
            .any(|within| name.starts_with("linux-") && name.contains(within))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, version: &str, source: &str, built_using: &str) -> (String, String) {
        let binary = DebBinary {
            name,
            version: Some(version),
            built_using: Some(built_using),
            ..DebBinary::default()
        };
        let found = binary.from_source(source).source();
        (found.name, found.version.unwrap())
    }

    #[test]
    fn a_package_is_judged_by_its_source_in_the_sources_version() {
        for (name, version, given, expected) in [
            ("sudo", "1.9.13p3-1", "", ("sudo", "1.9.13p3-1")),
            ("libcurl4", "7.88.1-10", "curl", ("curl", "7.88.1-10")),
            (
                "bash",
                "5.2.15-2+b7",
                "bash (5.2.15-2)",
                ("bash", "5.2.15-2"),
            ),
            (
                "libcurl4",
                "7.88.1-10+b1",
                "curl@7.88.1-10",
                ("curl", "7.88.1-10"),
            ),
            ("libcurl4", "7.88.1-10+b1", "curl", ("curl", "7.88.1-10")),
            (
                "curl",
                "7.88.1-10+deb12u1",
                "",
                ("curl", "7.88.1-10+deb12u1"),
            ),
            ("a", "1+bzr3-1", "", ("a", "1+bzr3-1")),
            ("a", "1-1build2", "", ("a", "1-1build2")),
        ] {
            let found = source(name, version, given, "");
            assert_eq!(
                (found.0.as_str(), found.1.as_str()),
                expected,
                "{name} {version}"
            );
        }
    }

    #[test]
    fn a_signed_kernel_is_the_kernel() {
        for (name, version, given, built_using, expected) in [
            (
                "linux-image-6.1.0-28-amd64",
                "6.1.119-1",
                "linux-signed-amd64 (6.1.119+1)",
                "linux (= 6.1.119-1)",
                ("linux", "6.1.119-1"),
            ),
            (
                "linux-image-6.1.0-28-arm64",
                "6.1.119-1",
                "linux-signed-arm64 (6.1.119+1)",
                "",
                ("linux", "6.1.119-1"),
            ),
            (
                "acpi-modules-6.1.0-28-amd64-di",
                "6.1.119-1",
                "linux-signed-amd64 (6.1.119+1)",
                "",
                ("linux", "6.1.119-1"),
            ),
            (
                "linux-image-5.15.0-91-generic",
                "5.15.0-91.101",
                "linux-signed",
                "",
                ("linux", "5.15.0-91.101"),
            ),
            (
                "linux-image-6.5.0-14-generic",
                "6.5.0-14.14~22.04.1",
                "linux-signed-hwe-6.5",
                "",
                ("linux-hwe-6.5", "6.5.0-14.14~22.04.1"),
            ),
            (
                "grub-efi-amd64-signed",
                "1+2.06-13+deb12u1",
                "",
                "grub2 (= 2.06-13+deb12u1)",
                ("grub2", "2.06-13+deb12u1"),
            ),
        ] {
            let found = source(name, version, given, built_using);
            assert_eq!((found.0.as_str(), found.1.as_str()), expected, "{name}");
        }
    }

    #[test]
    fn what_is_built_from_the_kernels_source_and_is_no_kernel_is_named_after_itself() {
        for name in [
            "linux-libc-dev",
            "linux-headers-6.1.0-28-amd64",
            "linux-hwe-6.5-headers-6.5.0-14",
            "linux-kbuild-6.1",
            "bpftool",
        ] {
            assert_eq!(source(name, "6.1.119-1", "linux", "").0, name);
        }
        for name in [
            "linux-image-6.1.0-28-rt-amd64",
            "linux-modules-5.15.0-91-generic",
        ] {
            assert_eq!(source(name, "6.1.119-1", "linux", "").0, "linux");
        }
        assert_eq!(source("linux-base", "4.9", "", "").0, "linux-base");
    }
}
