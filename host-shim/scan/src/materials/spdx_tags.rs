//! SPDX 2 in tag-value form (ISO/IEC 5962, and <https://spdx.github.io/spdx-spec/v2.3/>), as the same list in JSON.

use serde_json::{Map, Value, json};

/// Whether a text is of this form: among its first lines is the version of SPDX.
pub(super) fn is_it(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .by_ref()
        .take(20)
        .any(|line| line.trim_start().starts_with("SPDXVersion:"))
}

/// Reads the packages; a line that is no tag costs itself.
pub(super) fn read(text: &str) -> Value {
    let mut version = String::new();
    let mut packages: Vec<Map<String, Value>> = Vec::new();
    // What belongs to a file or a snippet is no package's.
    let (mut in_package, mut in_text) = (false, false);
    for line in text.lines() {
        if in_text {
            in_text = !line.contains("</text>");
            continue;
        }
        let Some((tag, value)) = line.split_once(':') else {
            continue;
        };
        let (tag, value) = (tag.trim(), value.trim());
        in_text = value.starts_with("<text>") && !value.contains("</text>");
        let value = value
            .trim_start_matches("<text>")
            .trim_end_matches("</text>")
            .trim();
        match tag {
            "SPDXVersion" => value.clone_into(&mut version),
            "PackageName" => {
                in_package = true;
                let mut package = Map::new();
                package.insert("name".to_owned(), json!(value));
                packages.push(package);
            }
            "FileName" | "SnippetSPDXID" | "LicenseID" => in_package = false,
            _ => {
                if let Some(package) = packages.last_mut().filter(|_| in_package) {
                    add(package, tag, value);
                }
            }
        }
    }
    json!({ "spdxVersion": version, "packages": packages })
}

fn add(package: &mut Map<String, Value>, tag: &str, value: &str) {
    let name = match tag {
        "PackageVersion" => "versionInfo",
        "PackageSourceInfo" => "sourceInfo",
        "PrimaryPackagePurpose" => "primaryPackagePurpose",
        "ExternalRef" => {
            let mut words = value.split_whitespace();
            let (_, Some(kind), Some(locator)) = (words.next(), words.next(), words.next()) else {
                return;
            };
            let refs = package.entry("externalRefs").or_insert_with(|| json!([]));
            if let Value::Array(refs) = refs {
                refs.push(json!({ "referenceType": kind, "referenceLocator": locator }));
            }
            return;
        }
        _ => return,
    };
    package.insert(name.to_owned(), json!(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_have_what_is_said_of_them_and_not_what_is_said_of_files() {
        let text = "# a comment\r\nSPDXVersion: SPDX-2.2\r\nCreatorComment: <text>x\nPackageName: no\n</text>\nPackageName: a\nPackageVersion: 1\nExternalRef: PACKAGE_MANAGER purl pkg:npm/a@1\nExternalRef: SECURITY cpe23Type cpe:2.3:a:a:a:1:*:*:*:*:*:*:*\nFileName: ./x\nPackageVersion: 9\nPackageName: b\n";
        assert!(is_it(text));
        assert_eq!(
            read(text),
            json!({
                "spdxVersion": "SPDX-2.2",
                "packages": [
                    { "name": "a", "versionInfo": "1", "externalRefs": [
                        { "referenceType": "purl", "referenceLocator": "pkg:npm/a@1" },
                        { "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:a:a:1:*:*:*:*:*:*:*" },
                    ]},
                    { "name": "b" },
                ],
            })
        );
        assert!(!is_it("{}"));
    }
}
