//! Reads `NAME=VALUE` lines, as `os-release` (os-release(5)) and the `release` file of a Java runtime
//! have them, and `name: value` or `name=value` lines of manifests and properties.

use std::collections::BTreeMap;

/// The assignments of a text; of two to one name the later holds, as for a shell.
pub(crate) fn assignments(text: &str) -> BTreeMap<&str, String> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.trim(), unquoted(value.trim())))
        .collect()
}

/// Without the quotes of a shell, and with what they protected.
fn unquoted(value: &str) -> String {
    let quoted = |quote| {
        let inner = value.strip_prefix(quote)?;
        inner.strip_suffix(quote)
    };
    if let Some(inner) = quoted('\'') {
        return inner.to_owned();
    }
    let inner = quoted('"').unwrap_or(value);
    let mut letters = inner.chars();
    let mut plain = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => plain.extend(letters.next()),
            other => plain.push(other),
        }
    }
    plain
}

/// The main section of a JAR manifest. A line that begins with a space goes on with the one before
/// (JAR File Specification, "Notes on Manifest and Signature Files").
pub(crate) fn manifest(text: &str) -> BTreeMap<String, String> {
    let mut main = BTreeMap::new();
    let mut last: Option<(String, String)> = None;
    for line in text.lines() {
        if let (Some(more), Some((_, value))) = (line.strip_prefix(' '), &mut last) {
            value.push_str(more);
            continue;
        }
        main.extend(last.take());
        if line.is_empty() {
            break;
        }
        // Names of attributes are the same in any case.
        last = line
            .split_once(':')
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim_start().to_owned()));
    }
    main.extend(last);
    main
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_what_they_protect_are_taken_away() {
        let read =
            assignments("# a comment\nID=debian\nNAME=\"A \\\"B\\\" C\"\nX='$y'\nID=\"ubuntu\"\n");
        assert_eq!(read["ID"], "ubuntu");
        assert_eq!(read["NAME"], "A \"B\" C");
        assert_eq!(read["X"], "$y");
    }

    #[test]
    fn a_line_of_a_manifest_goes_on_behind_a_space_and_sections_are_left_out() {
        let read = manifest(
            "Manifest-Version: 1.0\r\nImplementation-Version: 1.2\r\n .3\r\n\r\nName: a\r\nImplementation-Version: 9\r\n",
        );
        assert_eq!(read["implementation-version"], "1.2.3");
        assert!(!read.contains_key("name"));
    }
}
