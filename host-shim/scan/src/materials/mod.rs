//! Takes in a software bill of materials in whichever format it is, and gives it out in one of two: `CycloneDX` or SPDX
//! 2, as JSON.
//!
//! Read are both in JSON, `CycloneDX` in XML (ECMA-424), SPDX 2 in tag-value form, SPDX 3 in JSON-LD, and any of these
//! inside an attestation: a statement of in-toto, alone or in a signed envelope (DSSE), as `cosign attest` and `docker
//! buildx` give it out, or what GitHub's API answers. Signatures of envelopes are not checked: whoever put the file
//! there says what is installed. It says nothing about packages: that does whoever reads the list.

mod attestation;
mod cyclonedx_xml;
mod odd;
mod spdx_3;
mod spdx_tags;

use serde_json::Value;

use crate::{Why, json, text};

/// How often a list may be wrapped in something.
const MOST_WRAPPERS: u32 = 4;

/// A list, and what is odd about single items of it.
#[derive(Debug)]
pub(crate) struct Materials {
    /// `CycloneDX` or SPDX 2, as JSON; the fields that are asked for are of their types.
    pub(crate) list: Value,
    pub(crate) odd: Vec<Why>,
}

/// Reads a list.
///
/// # Errors
///
/// [`Why::Malformed`] where it is of none of the formats, [`Why::NotRead`] where it is of one that exists and is not
/// read.
pub(crate) fn read(bytes: &[u8]) -> Result<Materials, Why> {
    let (mut list, mut odd) = list(bytes, MOST_WRAPPERS)?;
    odd.extend(odd::set_right(&mut list));
    Ok(Materials { list, odd })
}

fn list(bytes: &[u8], wrappers: u32) -> Result<(Value, Vec<Why>), Why> {
    let text = text::decode(bytes);
    let begins = text.trim_start();
    if begins.starts_with('<') {
        return Ok((cyclonedx_xml::read(begins)?, Vec::new()));
    }
    if spdx_tags::is_it(begins) {
        return Ok(spdx_tags::read(begins));
    }
    if begins.starts_with("spdxVersion:") {
        return Err(Why::NotRead("SPDX in YAML".to_owned()));
    }
    let (list, twice) = json::read_all(bytes)?;
    let twice: Vec<Why> = twice
        .into_iter()
        .map(|name| Why::malformed("unambiguous JSON", format!("{name:?} is there twice")))
        .collect();
    if let Some(inner) = attestation::inside(&list)? {
        if wrappers == 0 {
            return Err(Why::malformed("a bill of materials", "wrapped too often"));
        }
        let (list, odd) = self::list(&inner, wrappers - 1)?;
        return Ok((list, twice.into_iter().chain(odd).collect()));
    }
    if spdx_3::is_it(&list) {
        return Ok((spdx_3::read(&list)?, twice));
    }
    Ok((list, twice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn purls(bytes: &[u8]) -> Vec<String> {
        let list = read(bytes).unwrap().list;
        let components = list["components"].as_array().into_iter().flatten();
        let packages = list["packages"].as_array().into_iter().flatten();
        let locators = packages.map(|package| &package["externalRefs"][0]["referenceLocator"]);
        let all = components
            .map(|component| &component["purl"])
            .chain(locators);
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    const CYCLONEDX: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.7","components":[{"type":"library","name":"lodash","purl":"pkg:npm/lodash@4.17.16"}]}"#;

    #[test]
    fn a_list_is_read_in_every_encoding_and_wrapper() {
        let utf_16: Vec<u8> = format!("\u{feff}{CYCLONEDX}\r\n")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://cyclonedx.org/bom","predicate":{CYCLONEDX}}}"#
        );
        let payload = data_encoding::BASE64.encode(statement.as_bytes());
        let envelope = format!(
            r#"{{"payloadType":"application/vnd.in-toto+json","payload":"{payload}","signatures":[]}}"#
        );
        let bundle = format!(r#"{{"mediaType":"x","dsseEnvelope":{envelope}}}"#);
        let quoted = Value::String(CYCLONEDX.to_owned());
        let old = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v0.1","predicate":{{"Data":{quoted},"Timestamp":"x"}}}}"#
        );
        for bytes in [
            CYCLONEDX.as_bytes(),
            &utf_16,
            statement.as_bytes(),
            envelope.as_bytes(),
            bundle.as_bytes(),
            old.as_bytes(),
        ] {
            assert_eq!(purls(bytes), ["pkg:npm/lodash@4.17.16"]);
        }
    }

    #[test]
    fn every_format_says_which_packages_there_are() {
        let xml = r#"<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.7"><metadata><component type="application"><name>tower</name><version>1</version></component></metadata>
            <components><component type="library"><name>lodash</name><version>4.17.16</version><purl>pkg:npm/lodash@4.17.16</purl></component></components></bom>"#;
        let tags = "SPDXVersion: SPDX-2.3\nDocumentName: x\n\nPackageName: lodash\nPackageVersion: 4.17.16\nExternalRef: PACKAGE-MANAGER purl pkg:npm/lodash@4.17.16\n";
        let third = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[{"type":"software_Package","name":"lodash","software_packageVersion":"4.17.16","software_packageUrl":"pkg:npm/lodash@4.17.16"}]}"#;
        for text in [xml, tags, third] {
            assert_eq!(purls(text.as_bytes()), ["pkg:npm/lodash@4.17.16"], "{text}");
        }
    }

    #[test]
    fn an_odd_item_costs_itself_and_is_named() {
        let list = r#"{"bomFormat":"CycloneDX","components":[7,{"name":"a","purl":"pkg:npm/a@1","version":1},{"name":"b","purl":[]},{"name":{},"purl":"pkg:npm/c@1","components":{}}]}"#;
        assert_eq!(purls(list.as_bytes()), ["pkg:npm/a@1", "pkg:npm/c@1"]);
        assert_eq!(read(list.as_bytes()).unwrap().odd.len(), 4);
    }

    #[test]
    fn wrappers_inside_wrappers_end() {
        let mut list = CYCLONEDX.to_owned();
        for _ in 0..10 {
            list = format!(r#"{{"_type":"https://in-toto.io/Statement/v1","predicate":{list}}}"#);
        }
        assert!(read(list.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_end_the_process(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn no_xml_ends_the_process(text in "(<bom>|<components>|<component type=\"a\">|<name>|x|</name>|</component>|</components>|&lt;){0,20}") {
            let _ = read(format!("<{text}").as_bytes());
        }
    }
}
