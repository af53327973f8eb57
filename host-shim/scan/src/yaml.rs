//! Reads what stands near the top of a YAML document, as lenient as `SnakeYAML` and js-yaml: of two values for one name
//! the later holds.
//!
//! Of long lists it goes by the parser's events and keeps no tree ([`visit_documents`]). Of a small document it keeps one
//! ([`tree`]), in which what has an alias is there once, so that aliases cost nothing; what is too deep is left out.

use std::{collections::HashMap, rc::Rc};

use saphyr_parser::{Event, Parser};

use crate::Why;

/// How deep what is visited may lie.
const DEEPEST: usize = 5;

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

/// Visits what stands in the first `most` documents, with the names that lead there.
///
/// # Errors
///
/// [`Why::Malformed`] where it is no YAML, or is not names and values at the top.
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

/// Levels of a tree that are kept.
const DEEPEST_KEPT: usize = 32;

/// Merged values are looked for through so many others.
const MOST_MERGED: usize = 64;

/// What stands in a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    Text(String),
    List(Vec<Rc<Tree>>),
    /// Names and values in their order.
    Names(Vec<(Rc<Tree>, Rc<Tree>)>),
    /// What is too deep, or the alias of what has not ended.
    LeftOut,
}

impl Tree {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a name: the last of its own, or else the first of those that are merged in
    /// (<https://yaml.org/type/merge.html>).
    pub(crate) fn get(self: &Rc<Self>, name: &str) -> Option<Rc<Self>> {
        let mut waiting = vec![Rc::clone(self)];
        for _ in 0..MOST_MERGED {
            let tree = waiting.pop()?;
            match &*tree {
                Self::Names(names) => {
                    let called = |wanted: &str| {
                        let mut own = names.iter().rev();
                        let found = own.find(|(name, _)| name.text() == Some(wanted));
                        found.map(|(_, value)| Rc::clone(value))
                    };
                    if let Some(value) = called(name) {
                        return Some(value);
                    }
                    waiting.extend(called("<<"));
                }
                Self::List(merged) => waiting.extend(merged.iter().rev().cloned()),
                Self::Text(_) | Self::LeftOut => {}
            }
        }
        None
    }
}

/// What is not whole yet.
struct Growing {
    anchor: usize,
    is_list: bool,
    /// What a list has, or names and values by turns.
    inner: Vec<Rc<Tree>>,
}

/// The first document as a tree.
///
/// # Errors
///
/// [`Why::Malformed`] where it is no YAML, or is not names and values at the top.
pub(crate) fn tree(text: &str) -> Result<Rc<Tree>, Why> {
    let mut growing: Vec<Growing> = Vec::new();
    let mut anchors: HashMap<usize, Rc<Tree>> = HashMap::new();
    let left_out = Rc::new(Tree::LeftOut);
    let mut too_deep = 0_usize;
    let none = || Why::malformed("YAML", "not a list of names and values");
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| Why::malformed("YAML", error))?;
        let (anchor, whole) = match event {
            Event::MappingStart(anchor, _) | Event::SequenceStart(anchor, _) => {
                if growing.len() >= DEEPEST_KEPT {
                    too_deep += 1;
                } else {
                    growing.push(Growing {
                        anchor,
                        is_list: matches!(event, Event::SequenceStart(..)),
                        inner: Vec::new(),
                    });
                }
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd if too_deep > 0 => {
                too_deep -= 1;
                if too_deep > 0 {
                    continue;
                }
                (0, Rc::clone(&left_out))
            }
            Event::MappingEnd | Event::SequenceEnd => {
                let whole = growing.pop().ok_or_else(none)?;
                (whole.anchor, Rc::new(whole.tree()))
            }
            Event::Scalar(value, _, anchor, _) => (anchor, Rc::new(Tree::Text(value.into_owned()))),
            Event::Alias(anchor) => {
                let meant = anchors.get(&anchor).unwrap_or(&left_out);
                (0, Rc::clone(meant))
            }
            Event::DocumentEnd => break,
            _ => continue,
        };
        if too_deep > 0 {
            continue;
        }
        if anchor > 0 {
            anchors.insert(anchor, Rc::clone(&whole));
        }
        match growing.last_mut() {
            Some(around) => around.inner.push(whole),
            None if matches!(&*whole, Tree::Names(_)) => return Ok(whole),
            None => break,
        }
    }
    Err(none())
}

impl Growing {
    fn tree(self) -> Tree {
        if self.is_list {
            return Tree::List(self.inner);
        }
        let (pairs, _) = self.inner.as_chunks::<2>();
        let pairs = pairs.iter();
        Tree::Names(
            pairs
                .map(|[name, value]| (Rc::clone(name), Rc::clone(value)))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<String>, Why> {
        let mut all = Vec::new();
        visit_documents(text, 1, |path, node| {
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
            [
                "a={}",
                "a/b={}",
                "a/b/c={}",
                "a/b/c/d={}",
                "a/b/c/d/e={}",
                "g=2"
            ]
        );
        assert_eq!(all("? [x, y]\n: 1\na: 2").unwrap(), ["=1", "a=2"]);
        assert!(all("- a").is_err());
        assert!(all(&format!("a: {}", "[".repeat(10_000))).is_err());
    }
}
