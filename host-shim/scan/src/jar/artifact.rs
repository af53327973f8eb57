//! Maven's artifacts: what `pom.properties` says, what a path of Maven's layout says, and what an archive
//! is called without its version.

use crate::assignments::assignments;

/// An artifact of Maven's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Artifact {
    pub(super) group: String,
    pub(super) id: String,
    pub(super) version: Option<String>,
    /// The entry that says so; nothing where the path of the archive does.
    pub(super) entry: Option<String>,
}

impl Artifact {
    /// What a `pom.properties` says (<https://maven.apache.org/shared/maven-archiver/>).
    pub(super) fn of_pom(entry: &str, bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let said = assignments(&text);
        Some(Self {
            group: said.get("groupId")?.clone(),
            id: said.get("artifactId")?.clone(),
            version: said.get("version").cloned(),
            entry: Some(entry.to_owned()),
        })
    }

    /// The artifact at a path of Maven's layout: `GROUP/AS/FOLDERS/ARTIFACT/VERSION/ARTIFACT-VERSION.jar`,
    /// below a folder called `libraries`.
    pub(super) fn by_path(path: &str) -> Option<Self> {
        let (_, path) = path
            .split_once("libraries/")
            .filter(|(before, _)| before.is_empty() || before.ends_with('/'))?;
        let mut parts: Vec<&str> = path.split('/').collect();
        let (file, version, id) = (parts.pop()?, parts.pop()?, parts.pop()?);
        let rest = file.strip_prefix(id)?.strip_prefix('-')?;
        let rest = rest.strip_prefix(version)?;
        // A classifier may stand behind the version, as in "-natives-linux.jar".
        if !(is_archive(rest) && (rest.starts_with('-') || rest.starts_with('.')))
            || parts.is_empty()
        {
            return None;
        }
        Some(Self {
            group: parts.join("."),
            id: id.to_owned(),
            version: Some(version.to_owned()),
            entry: None,
        })
    }

    /// Whether it is what the archive of this name is, rather than something put into it.
    pub(super) fn is_own(&self, stem: &str) -> bool {
        let Some(rest) = stem.strip_prefix(self.id.as_str()) else {
            return false;
        };
        let version = self.version.as_deref().unwrap_or_default();
        let versioned = rest
            .strip_prefix('-')
            .is_some_and(|rest| rest.starts_with(version));
        self.entry.is_none() || rest.is_empty() || versioned
    }
}

/// `META-INF/maven/GROUP/ARTIFACT/pom.properties`.
pub(super) fn is_pom(name: &str) -> bool {
    let inner = name.strip_prefix("META-INF/maven/");
    let inner = inner.and_then(|inner| inner.strip_suffix("/pom.properties"));
    inner.is_some_and(|inner| inner.split('/').count() == 2)
}

/// Whether a name is that of a Java archive.
pub(super) fn is_archive(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let known = ["jar", "jarinjar", "war"];
    extension.is_some_and(|extension| known.iter().any(|one| extension.eq_ignore_ascii_case(one)))
}

/// The name of a file without folders and extension.
pub(super) fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// A stem up to its version: the name should stay when the version does not.
pub(super) fn without_version(stem: &str) -> &str {
    let at = stem.char_indices().zip(stem.chars().skip(1));
    let mut ends = at.filter(|((_, letter), next)| {
        matches!(letter, '-' | '_') && (next.is_ascii_digit() || *next == 'v')
    });
    match ends.next() {
        Some(((0, _), _)) | None => stem,
        Some(((end, _), _)) => &stem[..end],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_mavens_layout_says_what_lies_there() {
        let path =
            "META-INF/libraries/org/apache/logging/log4j/log4j-core/2.14.1/log4j-core-2.14.1.jar";
        let found = Artifact::by_path(path).unwrap();
        assert_eq!(found.group, "org.apache.logging.log4j");
        assert_eq!(found.id, "log4j-core");
        assert_eq!(found.version.as_deref(), Some("2.14.1"));
        for path in [
            "libraries/log4j-core/2.14.1/log4j-core-2.14.1.jar",
            "libraries/org/log4j-core/2.14.1/log4j-core-2.15.0.jar",
            "mylibraries/org/a/1/a-1.jar",
            "libraries/org/a/1/a-12.jar",
            "plugins/a.jar",
        ] {
            assert_eq!(Artifact::by_path(path), None, "{path}");
        }
    }

    #[test]
    fn a_name_stays_when_the_version_does_not() {
        assert_eq!(without_version("EssentialsX-2.20.1"), "EssentialsX");
        assert_eq!(without_version("tool_v2"), "tool");
        assert_eq!(without_version("log4j-core-2.14.1"), "log4j-core");
        assert_eq!(without_version("-1"), "-1");
        assert_eq!(without_version("plain"), "plain");
    }

    #[test]
    fn a_name_of_an_entry_is_wanted_as_it_is_and_in_no_other_place() {
        assert!(is_pom("META-INF/maven/g/a/pom.properties"));
        assert!(!is_pom("META-INF/maven/g/pom.properties"));
        assert!(!is_pom("META-INF/maven/../../a/b/pom.properties"));
        assert!(is_archive("BOOT-INF/lib/x.JAR"));
        assert!(!is_archive("jar"));
    }
}
