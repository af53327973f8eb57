//! Reads what stands near the top of a YAML document, as lenient as `SnakeYAML` and js-yaml: of two values for one name
//! the later holds.
//!
//! It goes by the parser's events and keeps no tree, so that neither depth nor aliases cost anything.

use saphyr_parser::{Event, Parser};

use crate::Why;

/// How deep what is visited may lie.
const DEEPEST: usize = 4;

/// What stands at a path of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node<'a> {
    /// A text; one inside a list has the list's path.
    Text(&'a str),
    /// Names and values, or a list.
    Inner,
    /// Another name of what stands elsewhere. It is not followed.
    Alias,
}

/// What is around an event.
enum Around {
    /// Names and values; the name whose value comes next.
    Names(Option<String>),
    List,
    /// What is too deep.
    PassedOver,
    /// What stands where a name should.
    InsteadOfName,
}

/// Visits what stands in the first document, with the names that lead there.
///
/// # Errors
///
/// [`Why::Malformed`] where it is no YAML, or is not names and values at the top.
pub(crate) fn visit(text: &str, visit: impl FnMut(&[&str], Node<'_>)) -> Result<(), Why> {
    visit_documents(text, 1, visit)
}

/// The same of the first `most` documents.
pub(crate) fn visit_documents(
    text: &str,
    most: usize,
    mut visit: impl FnMut(&[&str], Node<'_>),
) -> Result<(), Why> {
    let wrong = |reason: &str| Why::malformed("YAML", reason);
    let mut around: Vec<Around> = Vec::new();
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| Why::malformed("YAML", error))?;
        let node = match &event {
            Event::MappingEnd | Event::SequenceEnd => {
                if !matches!(around.pop(), Some(Around::InsteadOfName)) {
                    end_value(&mut around);
                }
                continue;
            }
            Event::MappingStart(..) | Event::SequenceStart(..) => Node::Inner,
            Event::Scalar(value, ..) => Node::Text(value),
            Event::Alias(_) => Node::Alias,
            Event::DocumentEnd => {
                documents += 1;
                if documents >= most {
                    break;
                }
                around.clear();
                continue;
            }
            _ => continue,
        };
        let is_map = matches!(event, Event::MappingStart(..));
        let is_open = node == Node::Inner;
        let Some(last) = around.last_mut() else {
            if !is_map {
                return Err(wrong("not a list of names and values"));
            }
            around.push(Around::Names(None));
            continue;
        };
        if let Around::Names(name @ None) = last {
            if let Node::Text(text) = node {
                *name = Some(text.to_owned());
                continue;
            }
            // A name that is more than a word: no program here asks for it.
            *name = Some(String::new());
            if is_open {
                around.push(Around::InsteadOfName);
            }
            continue;
        }
        let passes_over = matches!(last, Around::PassedOver | Around::InsteadOfName);
        let passes_over = passes_over || around.len() > DEEPEST;
        if !passes_over {
            let path: Vec<&str> = around.iter().filter_map(name).collect();
            visit(&path, node);
        }
        if is_open {
            around.push(match (passes_over, is_map) {
                (true, _) => Around::PassedOver,
                (_, true) => Around::Names(None),
                (_, false) => Around::List,
            });
        } else {
            end_value(&mut around);
        }
    }
    Ok(())
}

fn name(around: &Around) -> Option<&str> {
    match around {
        Around::Names(name) => name.as_deref(),
        _ => None,
    }
}

/// The next in names and values is a name again.
fn end_value(around: &mut [Around]) {
    if let Some(Around::Names(name)) = around.last_mut() {
        *name = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<String>, Why> {
        let mut all = Vec::new();
        visit(text, |path, node| {
            let node = match node {
                Node::Text(text) => text,
                Node::Inner => "{}",
                Node::Alias => "*",
            };
            all.push(format!("{}={node}", path.join("/")));
        })?;
        Ok(all)
    }

    #[test]
    fn what_stands_near_the_top_is_visited_with_its_path() {
        assert_eq!(
            all("a: 1\nb:\n  c: [x, y]\n  d: {e: 2}\nf: &f z\ng: *f\n").unwrap(),
            [
                "a=1", "b={}", "b/c={}", "b/c=x", "b/c=y", "b/d={}", "b/d/e=2", "f=z", "g=*"
            ]
        );
    }

    #[test]
    fn depth_and_names_that_are_more_than_words_are_passed_over() {
        assert_eq!(
            all("a: {b: {c: {d: {e: {f: 1}}}}}\ng: 2").unwrap(),
            ["a={}", "a/b={}", "a/b/c={}", "a/b/c/d={}", "g=2"]
        );
        assert_eq!(all("? [x, y]\n: 1\na: 2").unwrap(), ["=1", "a=2"]);
        assert!(all("- a").is_err());
        assert!(all(&format!("a: {}", "[".repeat(10_000))).is_err());
    }
}
