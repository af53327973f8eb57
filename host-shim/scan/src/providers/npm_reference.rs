//! Where npm's programs take a package from, by the word behind its name: a registry, or a place where a version may
//! hold anything.
//!
//! What is wanted: <https://docs.npmjs.com/cli/v11/configuring-npm/package-json#dependencies>. It decides nothing about
//! versions of a registry.

/// What addresses of repositories and files begin with.
const PLACES: [&str; 14] = [
    "git",
    "github:",
    "gitlab:",
    "bitbucket:",
    "gist:",
    "file:",
    "portal:",
    "exec:",
    "ssh:",
    "./",
    "../",
    "/",
    "~/",
    "ftp:",
];

/// Hosts that give out packages of a registry below "/download/".
const DOWNLOADS: [&str; 2] = ["npm.pkg.github.com", "registry."];

/// Whether a package is from a repository or a file, by what is wanted or where it was taken from. A patch changes what
/// a version has, and is by most of its users no other version; "workspace:" and "link:" are the component's own.
pub(super) fn is_elsewhere(reference: &str) -> bool {
    let reference = reference.trim();
    let at = reference.split_once("://");
    if let Some(("http" | "https", address)) = at {
        return !is_of_a_registry(address);
    }
    PLACES.iter().any(|place| reference.starts_with(place))
        || reference.contains(".git#")
        || is_of_github(reference)
}

/// `OWNER/REPOSITORY`, which is GitHub's.
fn is_of_github(reference: &str) -> bool {
    let plain = reference.split('#').next().unwrap_or(reference);
    let letters =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    plain.split_once('/').is_some_and(|(owner, repository)| {
        !owner.is_empty()
            && !repository.is_empty()
            && owner.chars().all(letters)
            && repository.chars().all(letters)
    })
}

/// Whether an address is of a package as registries give them out: `HOST/…/NAME/-/NAME-VERSION.tgz`.
fn is_of_a_registry(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    let host = path.split('/').next().unwrap_or(path);
    let host = host.rsplit('@').next().unwrap_or(host);
    // GitLab has archives of repositories below "/-/archive/".
    let lower = path.to_ascii_lowercase();
    let is_archive =
        [".tgz", ".tar.gz"].iter().any(|end| lower.ends_with(end)) && !path.contains("/-/archive/");
    let as_usual = path.split_once("/-/").is_some_and(|(name, file)| {
        let name = name.rsplit('/').next().unwrap_or(name);
        let file = file.rsplit('/').next().unwrap_or(file);
        file.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('-'))
    });
    let is_download =
        DOWNLOADS.iter().any(|begin| host.starts_with(begin)) && path.contains("/download/");
    is_archive && as_usual || is_download || host.starts_with("npm.jsr.io")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_a_file_and_a_strange_address_are_elsewhere() {
        for reference in [
            "github:x/lodash",
            "x/lodash",
            "x/lodash#semver:^4",
            "git+ssh://git@example.com/x.git#1",
            "git@github.com:x/lodash.git",
            "gitlab:x/y",
            "file:../lodash",
            "./lodash-4.tgz",
            "https://codeload.github.com/x/lodash/tar.gz/1",
            "https://github.com/x/lodash/releases/download/v4/lodash-4.17.99.tgz",
            "https://gitlab.com/x/lodash/-/archive/v4/lodash-v4.tar.gz",
            "https://example.org/lodash-4.17.99.tgz",
            "http://example.org/x.git",
        ] {
            assert!(is_elsewhere(reference), "{reference}");
        }
    }

    #[test]
    fn a_version_a_tag_and_a_package_of_a_registry_are_not() {
        for reference in [
            "^4.17.0",
            ">=1 <2 || 3.x",
            "latest",
            "",
            "*",
            "npm:@x/other@^1",
            "workspace:*",
            "link:../here",
            "https://registry.npmjs.org/lodash/-/lodash-4.17.21.tgz",
            "https://registry.yarnpkg.com/@babel/core/-/core-7.1.0.tgz#abc",
            "https://npm.example.org/artifactory/api/npm/npm/lodash/-/lodash-4.17.21.tgz",
            "https://user@example.org:8080/lodash/-/lodash-4.17.21.tgz?x=1",
            "https://npm.pkg.github.com/download/@x/y/1.0.0/abc",
            "https://registry.npmmirror.com/lodash/download/lodash-4.17.21.tgz",
        ] {
            assert!(!is_elsewhere(reference), "{reference}");
        }
    }
}
