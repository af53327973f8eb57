//! What a `pom.xml` says that its project is called (<https://maven.apache.org/pom.html>), with the properties and the
//! parent that are in the same file. Neither entities nor anything outside of the file are followed.

use std::collections::BTreeMap;

use quick_xml::{Reader, events::Event};

/// How often a property may stand for another.
const MOST_PROPERTIES: usize = 8;

/// How deep what is looked for lies: `project/parent/groupId`.
const DEEPEST: usize = 3;

/// What the project is called.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Project {
    pub(super) group: Option<String>,
    pub(super) artifact: Option<String>,
    pub(super) version: Option<String>,
}

/// Reads as far as it is XML.
pub(super) fn read(text: &str) -> Project {
    let said = near_the_top(text);
    let own = |name: &str| said.get(&format!("project/{name}"));
    let or_parents = |name: &str| own(name).or_else(|| said.get(&format!("project/parent/{name}")));
    let filled = |text: Option<&String>| text.map(|text| fill_in(text, &said));
    Project {
        group: filled(or_parents("groupId")),
        artifact: filled(own("artifactId")),
        version: filled(or_parents("version")),
    }
}

/// The texts of the upper elements, by their paths.
fn near_the_top(text: &str) -> BTreeMap<String, String> {
    let mut said = BTreeMap::new();
    let mut reader = Reader::from_str(text);
    let (mut path, mut depth) = (Vec::<String>::new(), 0_usize);
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                depth += 1;
                if depth <= DEEPEST {
                    let name = element.local_name();
                    path.push(String::from_utf8_lossy(name.as_ref()).into_owned());
                }
            }
            Ok(Event::End(_)) => {
                if depth <= DEEPEST {
                    path.pop();
                }
                depth = depth.saturating_sub(1);
            }
            Ok(Event::Text(text)) if depth <= DEEPEST => {
                let text = String::from_utf8_lossy(&text).trim().to_owned();
                if !text.is_empty() {
                    said.entry(path.join("/")).or_insert(text);
                }
            }
            Ok(Event::Eof) | Err(_) => return said,
            Ok(_) => {}
        }
    }
}

/// With the properties that are known: `${project.version}`, `${revision}`.
fn fill_in(text: &str, said: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for _ in 0..MOST_PROPERTIES {
        let Some((before, rest)) = text.split_once("${") else {
            break;
        };
        let Some((name, after)) = rest.split_once('}') else {
            break;
        };
        let own = name
            .strip_prefix("project.")
            .or_else(|| name.strip_prefix("pom."));
        let value = match own {
            Some(own) => said
                .get(&format!("project/{own}").replace("parent.", "parent/"))
                .or_else(|| said.get(&format!("project/parent/{own}"))),
            None => said.get(&format!("project/properties/{name}")),
        };
        let Some(value) = value else {
            break;
        };
        text = format!("{before}{value}{after}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn project(group: &str, artifact: &str, version: &str) -> Project {
        Project {
            group: Some(group.to_owned()),
            artifact: Some(artifact.to_owned()),
            version: Some(version.to_owned()),
        }
    }

    #[test]
    fn a_project_is_called_what_it_or_its_parent_says() {
        for (text, says) in [
            (
                "<?xml version=\"1.0\"?><project xmlns=\"x\"><!-- a --><groupId> g </groupId><artifactId>a</artifactId><version>1</version>\
                 <dependencies><dependency><groupId>other</groupId><artifactId>o</artifactId><version>9</version></dependency></dependencies></project>",
                project("g", "a", "1"),
            ),
            (
                "<project><parent><groupId>p</groupId><artifactId>q</artifactId><version>2</version></parent><artifactId>a</artifactId></project>",
                project("p", "a", "2"),
            ),
            (
                "<project><groupId>g</groupId><artifactId>a</artifactId><version>${revision}${tail}</version><properties><revision>3</revision><tail>-x</tail></properties></project>",
                project("g", "a", "3-x"),
            ),
            (
                "<project><parent><version>4</version></parent><groupId>g</groupId><artifactId>a</artifactId><version>${project.parent.version}</version></project>",
                project("g", "a", "4"),
            ),
            (
                "<project><groupId>g</groupId><artifactId>a</artifactId><version>${unknown}</version></project>",
                project("g", "a", "${unknown}"),
            ),
        ] {
            assert_eq!(read(text), says, "{text}");
        }
    }

    #[test]
    fn properties_in_a_circle_and_depth_end() {
        let circle = "<project><version>${a}</version><properties><a>${b}${b}</a><b>${a}${a}</b></properties></project>";
        assert!(read(circle).version.unwrap().len() < 1_000);
        assert_eq!(read(&"<a>".repeat(100_000)), Project::default());
        assert_eq!(read("no XML"), Project::default());
    }

    proptest! {
        #[test]
        fn no_text_ends_the_process(text in "[<>/a!?\\[\\]\" -]{0,60}") {
            let _ = read(&text);
        }
    }
}
