//! Reads JSON as lenient as what runs on it: Gson (Minecraft's loaders), Bun, and people who write it by hand.
//!
//! A text that is JSON is read as that. Otherwise it is written anew first: comments and commas before a closing
//! bracket are left out, line breaks inside strings are escaped, words and single quotes become strings, and `;` and
//! `=` what they stand for (<https://www.javadoc.io/doc/com.google.code.gson/gson/latest/com.google.gson/com/google/gson/stream/JsonReader.html>,
//! `setLenient`). What is no JSON then, or deeper than 128 levels, is refused.

use std::{borrow::Cow, collections::BTreeSet, fmt, iter::Peekable, str::Chars};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::{Why, text};

/// Names that are noted, of those that are there twice.
const MOST_TWICE: usize = 20;

/// What a document says; of two values for one name the later holds, as for Gson and Node.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Why> {
    let text = text::decode(bytes);
    let strict: Result<T, _> = serde_json::from_str(&text);
    let Err(problem) = strict else {
        return strict.map_err(|error| Why::malformed("JSON", error));
    };
    // A struct refuses a name that is there twice; a value does not.
    let value: Value = serde_json::from_str(&text)
        .or_else(|_| serde_json::from_str(&written_anew(&text)))
        .map_err(|_| Why::malformed("JSON", &problem))?;
    T::deserialize(value).map_err(|error| Why::malformed("JSON", error))
}

/// A value in which of a name that is there twice nothing is lost: lists become one, and of anything else the later
/// holds, for what programs differ in what they take. The names that were there twice.
pub(crate) fn read_all(bytes: &[u8]) -> Result<(Value, BTreeSet<String>), Why> {
    let text = text::decode(bytes);
    let strict = all_of(&text);
    let (value, twice) = strict.or_else(|problem| {
        all_of(&written_anew(&text)).map_err(|_| Why::malformed("JSON", problem))
    })?;
    Ok((value, twice))
}

fn all_of(text: &str) -> Result<(Value, BTreeSet<String>), serde_json::Error> {
    let mut twice = BTreeSet::new();
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = All(&mut twice).deserialize(&mut reader)?;
    reader.end()?;
    Ok((value, twice))
}

/// Reads a value, and notes names that are there twice.
struct All<'a>(&'a mut BTreeSet<String>);

impl<'de> DeserializeSeed<'de> for All<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for All<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(All(self.0))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut object = serde_json::Map::new();
        while let Some(name) = from.next_key::<String>()? {
            let value = from.next_value_seed(All(self.0))?;
            match (object.get_mut(&name), value) {
                (None, value) => drop(object.insert(name, value)),
                (Some(before), value) if *before == value => {}
                (Some(before), value) => {
                    if self.0.len() < MOST_TWICE {
                        self.0.insert(name);
                    }
                    match (before, value) {
                        (Value::Array(before), Value::Array(mut more)) => before.append(&mut more),
                        (before, value) => *before = value,
                    }
                }
            }
        }
        Ok(Value::Object(object))
    }
}

/// One of many: an odd one costs itself, and not those beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item<T> {
    Good(T),
    /// What is wrong with it.
    Odd(String),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Item<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        Ok(match T::deserialize(value) {
            Ok(good) => Self::Good(good),
            Err(error) => Self::Odd(error.to_string()),
        })
    }
}

/// A text where there should be one; nothing where there is something else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(match Value::deserialize(from)? {
            Value::String(text) => Some(text),
            _ => None,
        }))
    }
}

/// The text as strict JSON, as far as it can be.
fn written_anew(text: &str) -> String {
    let mut anew = Anew {
        letters: text.chars().peekable(),
        out: String::with_capacity(text.len() + 64),
        comma: false,
    };
    // What keeps a browser from running it.
    if let Some(rest) = text.strip_prefix(")]}'\n") {
        anew.letters = rest.chars().peekable();
    }
    anew.all();
    anew.out
}

struct Anew<'a> {
    letters: Peekable<Chars<'a>>,
    out: String,
    /// A comma that counts only where something follows.
    comma: bool,
}

impl Anew<'_> {
    fn all(&mut self) {
        while let Some(letter) = self.letters.next() {
            match letter {
                '"' | '\'' => self.string(letter),
                '/' if matches!(self.letters.peek(), Some('/' | '*')) => self.comment(),
                '#' => self.pass_line(),
                ',' | ';' => self.comma = true,
                '=' => {
                    self.letters.next_if_eq(&'>');
                    self.out.push(':');
                }
                '}' | ']' => {
                    self.comma = false;
                    self.out.push(letter);
                }
                '{' | '[' => {
                    self.begin();
                    self.out.push(letter);
                }
                ':' => self.out.push(letter),
                letter if letter.is_whitespace() => self.out.push(' '),
                letter => self.word(letter),
            }
        }
    }

    fn begin(&mut self) {
        if std::mem::take(&mut self.comma) {
            self.out.push(',');
        }
    }

    fn pass_line(&mut self) {
        while self.letters.next_if(|letter| *letter != '\n').is_some() {}
    }

    fn comment(&mut self) {
        if self.letters.next() == Some('/') {
            return self.pass_line();
        }
        let mut star = false;
        for letter in self.letters.by_ref() {
            if star && letter == '/' {
                return;
            }
            star = letter == '*';
        }
    }

    fn string(&mut self, quote: char) {
        self.begin();
        self.out.push('"');
        while let Some(letter) = self.letters.next() {
            match letter {
                letter if letter == quote => break,
                '\\' => self.escape(),
                letter => self.letter(letter),
            }
        }
        self.out.push('"');
    }

    fn escape(&mut self) {
        match self.letters.next() {
            Some(known @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u')) => {
                self.out.push('\\');
                self.out.push(known);
            }
            // A line that goes on.
            Some('\n') | None => {}
            Some(other) => self.letter(other),
        }
    }

    fn letter(&mut self, letter: char) {
        match letter {
            '"' => self.out.push_str("\\\""),
            letter if u32::from(letter) < 0x20 => {
                self.out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => self.out.push(letter),
        }
    }

    fn word(&mut self, first: char) {
        self.begin();
        let mut word = String::from(first);
        let ends = |letter: &char| letter.is_whitespace() || ",;:={}[]\"'#".contains(*letter);
        while let Some(letter) = self.letters.next_if(|letter| !ends(letter)) {
            word.push(letter);
        }
        let is_known = matches!(word.as_str(), "true" | "false" | "null")
            || serde_json::from_str::<serde_json::Number>(&word).is_ok();
        if is_known {
            self.out.push_str(&word);
        } else {
            self.out.push('"');
            for letter in word.chars() {
                self.letter(if letter == '\\' { '/' } else { letter });
            }
            self.out.push('"');
        }
    }
}

/// A text inside a value, where there is one.
pub(crate) fn text_of<'a>(value: &'a Value, name: &str) -> Option<Cow<'a, str>> {
    match value.get(name)? {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_gson_takes_is_read() {
        for (text, value) in [
            ("{\"a\":\"1\n2\"}", json!({"a":"1\n2"})),
            ("{\"a\":1,/* x */}", json!({"a":1})),
            ("// x\n[1,2,]# y", json!([1, 2])),
            ("{a:'it\\'s \"so\"'}", json!({"a":"it's \"so\""})),
            ("{a=b;c=>1.5}", json!({"a":"b","c":1.5})),
            (")]}'\n{}", json!({})),
            ("\u{feff}{\"a\":\"x\ty\"}", json!({"a":"x\ty"})),
            ("{\"a\":1,\"a\":2}", json!({"a":2})),
        ] {
            assert_eq!(read::<Value>(text.as_bytes()).unwrap(), value, "{text:?}");
        }
    }

    #[test]
    fn a_name_that_is_there_twice_has_its_later_value_in_a_struct_too() {
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        let read: Named = read(br#"{"name":"a","name":"b"}"#).unwrap();
        assert_eq!(read.name, "b");
    }

    #[test]
    fn of_a_list_that_is_there_twice_nothing_is_lost() {
        let (value, twice) =
            read_all(br#"{"a":[1],"b":{"c":1,"c":2},"a":[2],"d":1,"d":1}"#).unwrap();
        assert_eq!(value, json!({"a": [1, 2], "b": {"c": 2}, "d": 1}));
        assert_eq!(twice, ["a".to_owned(), "c".to_owned()].into());
    }

    #[test]
    fn an_odd_item_costs_itself() {
        let read: Vec<Item<u8>> = read(b"[1,\"x\",3]").unwrap();
        assert!(matches!(
            read.as_slice(),
            [Item::Good(1), Item::Odd(_), Item::Good(3)]
        ));
    }

    proptest! {
        #[test]
        fn no_text_ends_the_process(text in "[\\[\\]{}:,;='\"\\\\/*#\\n a1]{0,60}") {
            let _ = read::<Value>(text.as_bytes());
        }

        #[test]
        fn strict_json_stays_what_it_is_when_it_is_written_anew(
            names in prop::collection::vec("\\PC{0,8}", 0..5),
            number in any::<i32>(),
        ) {
            let value = json!({"names": names, "deep": [{"number": number}, null, true]});
            let anew = written_anew(&value.to_string());
            prop_assert_eq!(&serde_json::from_str::<Value>(&anew).unwrap(), &value);
            prop_assert_eq!(read_all(value.to_string().as_bytes()).unwrap().0, value);
        }
    }
}
