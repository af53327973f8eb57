//! SPDX 2 in tag-value form (ISO/IEC 5962, and <https://spdx.github.io/spdx-spec/v2.3/>), as the same list in JSON.

use std::str::Lines;

use serde_json::{Map, Value, json};

use crate::Why;

const BEGIN: &str = "<text>";
const END: &str = "</text>";

/// Lines of a text at most.
const LONGEST_TEXT: usize = 100_000;

/// Whether a text is of this form: among its first lines is the version of SPDX.
pub(super) fn is_it(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .by_ref()
        .take(20)
        .any(|line| line.trim_start().starts_with("SPDXVersion:"))
}

/// Reads the packages; a line that is no tag costs itself, and a text that does not end its own line.
pub(super) fn read(text: &str) -> (Value, Vec<Why>) {
    let mut version = String::new();
    let mut packages: Vec<Map<String, Value>> = Vec::new();
    let (mut others, mut odd) = (Vec::new(), Vec::new());
    // What belongs to a file or a snippet is no package's.
    let mut in_package = false;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some((tag, value)) = line.split_once(':') else {
            continue;
        };
        let (tag, value) = (tag.trim(), value.trim());
        if value.starts_with(BEGIN) && !value.contains(END) {
            match end_of_text(lines.clone()) {
                Some(rest) => lines = rest,
                None => odd.push(tag.chars().take(40).collect::<String>()),
            }
        }
        let value = value.trim_start_matches(BEGIN).trim_end_matches(END).trim();
        match tag {
            "SPDXVersion" => value.clone_into(&mut version),
            "ExternalDocumentRef" => {
                let mut words = value.split_whitespace();
                let (id, place) = (words.next(), words.next());
                others.push(json!({ "externalDocumentId": id, "spdxDocument": place }));
            }
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
    let mut list = json!({ "spdxVersion": version, "packages": packages });
    if let (Value::Object(list), false) = (&mut list, others.is_empty()) {
        list.insert("externalDocumentRefs".to_owned(), Value::Array(others));
    }
    let odd = odd.first().map(|tag| {
        let reason = format!("{} texts do not end, the first of {tag}", odd.len());
        Why::malformed("SPDX in tag-value form", reason)
    });
    (list, odd.into_iter().collect())
}

/// What follows a text of several lines; nothing where it does not end before another begins.
fn end_of_text(mut lines: Lines<'_>) -> Option<Lines<'_>> {
    for line in lines.by_ref().take(LONGEST_TEXT) {
        let (begin, end) = (line.find(BEGIN), line.find(END));
        match (begin, end) {
            (_, Some(end)) if begin.is_none_or(|begin| begin > end) => return Some(lines),
            (Some(_), _) => return None,
            _ => {}
        }
    }
    None
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
            read(text).0,
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

    #[test]
    fn a_text_that_does_not_end_costs_its_own_line_and_is_named() {
        for (rest, odd) in [
            ("", 1),
            ("PackageComment: <text>of\nb</text>\n", 1),
            ("PackageComment: of b</text>\n", 0),
        ] {
            let text = format!(
                "SPDXVersion: SPDX-2.3\nPackageName: a\nPackageComment: <text>x\nPackageName: b\n{rest}PackageName: c\n"
            );
            let (list, whys) = read(&text);
            let names: Vec<_> = list["packages"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| &one["name"])
                .collect();
            let expected: &[&str] = if odd > 0 {
                &["a", "b", "c"]
            } else {
                &["a", "c"]
            };
            assert_eq!(names, expected, "{rest:?}");
            assert_eq!(whys.len(), odd, "{rest:?}");
        }
    }
}
