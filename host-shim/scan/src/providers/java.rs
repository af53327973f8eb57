//! Java runtimes, by the `release` file at the top of each: `JAVA_VERSION`, `JVM_VARIANT` and the like
//! (JEP 223 and what the builds of `OpenJDK` write).

use std::path::{Path, PathBuf};

use crate::{
    Limit, Why, assignments::assignments, findings::Findings, ground::Kind, look::Look, names, text,
};

/// Looks at the folder itself and at the folders in it, as `/usr/lib/jvm` has them.
pub(super) fn look(look: &mut Look<'_>) {
    let mut found = runtime(look, Path::new(""));
    let (folders, links): (Vec<_>, Vec<_>) = look
        .list(Path::new(""))
        .into_iter()
        .filter(|(_, kind)| matches!(kind, Kind::Folder | Kind::Link))
        .partition(|(_, kind)| *kind == Kind::Folder);
    for (folder, _) in folders.into_iter().chain(links) {
        // A link is mostly another name of a runtime that lies beside it, and that was listed before. One
        // that leads out is named as unread.
        let listed = look.list(&folder);
        let is_runtime = !listed.is_empty() && runtime(look, &folder);
        if !is_runtime && look.is_there(&folder.join("bin/java")) && !listed.is_empty() {
            look.unread(&folder, Why::Missing("its version".to_owned()));
        }
        found |= is_runtime;
    }
    if !found {
        look.unread(
            Path::new(""),
            Why::Missing("which Java runtime is installed: no file \"release\"".to_owned()),
        );
    }
}

fn runtime(look: &mut Look<'_>, folder: &Path) -> bool {
    let label = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let file: PathBuf = folder.join("release");
    let reader = format!("java {label:?}");
    look.text(&file, Limit::DescriptorBytes, &reader, |bytes| {
        read(bytes, label)
    })
}

fn read(bytes: &[u8], label: Option<String>) -> Result<Findings, Why> {
    let text = text::decode(bytes);
    let said = assignments(&text);
    if said.is_empty() {
        return Err(Why::malformed("a release file", "no NAME=VALUE in it"));
    }
    let get = |name: &str| said.get(name).map(String::as_str);
    let make = if get("GRAALVM_VERSION").is_some() {
        "graalvm"
    } else if get("JVM_VARIANT").is_some_and(|variant| variant.eq_ignore_ascii_case("openj9")) {
        "openj9"
    } else if get("BUILD_TYPE") == Some("commercial") {
        "oracle-jdk"
    } else {
        "openjdk"
    };
    // Adoptium's builds have both; the second has a build number, which does not count.
    let version = get("JAVA_VERSION").or_else(|| get("SEMANTIC_VERSION"));
    let version = version.ok_or_else(|| "no JAVA_VERSION in the file \"release\"".to_owned());
    let mut findings = Findings::default();
    let label = label.unwrap_or_else(|| make.to_owned());
    findings.add(vec![label], names::thing("java", make), version, "");
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_file_says_make_and_version() {
        for (text, name, version) in [
            (
                "IMPLEMENTOR=\"Eclipse Adoptium\"\nJAVA_VERSION=\"17.0.9\"\nJVM_VARIANT=\"Hotspot\"",
                "java:openjdk",
                Some("17.0.9"),
            ),
            (
                "JVM_VARIANT=\"Openj9\"\nJAVA_VERSION=\"11.0.2\"",
                "java:openj9",
                Some("11.0.2"),
            ),
            (
                "BUILD_TYPE=\"commercial\"\nJAVA_VERSION=\"21\"",
                "java:oracle-jdk",
                Some("21"),
            ),
            (
                "SEMANTIC_VERSION=\"8.0.392+8\"",
                "java:openjdk",
                Some("8.0.392+8"),
            ),
            ("IMPLEMENTOR=\"Debian\"", "java:openjdk", None),
        ] {
            let found = read(text.as_bytes(), None).unwrap().entries;
            assert_eq!(found[0].advisory_name.as_str(), name);
            assert_eq!(found[0].version.as_deref().ok(), version);
        }
    }
}
