//! JSON by strangers: read within limits, and written in the one way that a digest is taken of.
//!
//! The format is RFC 8259 as I-JSON (RFC 7493) narrows it: no name with two values in an object, and numbers
//! that a double holds. What a reader would have to choose between is refused. A byte order mark is
//! left out, and UTF-16 read where it announces that.

use std::{borrow::Cow, cell::RefCell, fmt};

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{Limits, naming::shown};

/// Why bytes are not a JSON document that is looked at further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// More bytes than a document may have.
    #[error("longer than {most} bytes")]
    TooLong {
        /// The limit.
        most: usize,
    },
    /// Arrays and objects are nested too deeply.
    #[error("nested more than {most} deep")]
    Depth {
        /// The limit.
        most: usize,
    },
    /// Too many values.
    #[error("more than {most} values")]
    Values {
        /// The limit.
        most: usize,
    },
    /// An object has one name twice with different values, and which of the two counts is anybody's guess.
    #[error("duplicate key {name:?} in an object")]
    Twice {
        /// The name.
        name: String,
    },
    /// It is no JSON.
    #[error("not JSON: {reason}")]
    Syntax {
        /// What is wrong, with line and column.
        reason: String,
    },
}

/// Reads one JSON document.
///
/// # Errors
///
/// [`JsonError`], before memory is spent on what is beyond a limit.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Value, JsonError> {
    if bytes.len() > limits.document {
        return Err(JsonError::TooLong {
            most: limits.document,
        });
    }
    let walk = RefCell::new(Walk {
        values: 0,
        fault: None,
    });
    let text = utf8(bytes)?;
    let mut reader = serde_json::Deserializer::from_slice(&text);
    let place = Place {
        walk: &walk,
        limits,
        depth: 0,
    };
    let value = place
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| {
        walk.take().fault.unwrap_or_else(|| JsonError::Syntax {
            reason: error.to_string(),
        })
    })
}

/// The text without a byte order mark, from UTF-16 where the mark says so.
fn utf8(bytes: &[u8]) -> Result<Cow<'_, [u8]>, JsonError> {
    type Unit = fn([u8; 2]) -> u16;
    let (read, units): (Unit, &[u8]) = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => return Ok(Cow::Borrowed(rest)),
        [0xff, 0xfe, rest @ ..] => (u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => (u16::from_be_bytes, rest),
        _ => return Ok(Cow::Borrowed(bytes)),
    };
    let (units, odd) = units.as_chunks::<2>();
    let text: Result<String, _> = char::decode_utf16(units.iter().copied().map(read)).collect();
    match text {
        Ok(text) if odd.is_empty() => Ok(Cow::Owned(text.into_bytes())),
        _ => Err(JsonError::Syntax {
            reason: "its byte order mark says UTF-16, which it is not".to_owned(),
        }),
    }
}

/// The bytes that stand for these facts whatever the order of names and the blanks between them.
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(value, &mut bytes);
    bytes
}

fn write(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Array(values) => {
            bytes.push(b'[');
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    bytes.push(b',');
                }
                write(value, bytes);
            }
            bytes.push(b']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            bytes.push(b'{');
            for (place, (name, value)) in fields.into_iter().enumerate() {
                if place > 0 {
                    bytes.push(b',');
                }
                bytes.extend(Value::from(name.as_str()).to_string().into_bytes());
                bytes.push(b':');
                write(value, bytes);
            }
            bytes.push(b'}');
        }
        single => bytes.extend(single.to_string().into_bytes()),
    }
}

#[derive(Default)]
struct Walk {
    values: usize,
    fault: Option<JsonError>,
}

#[derive(Clone, Copy)]
struct Place<'a> {
    walk: &'a RefCell<Walk>,
    limits: &'a Limits,
    depth: usize,
}

impl Place<'_> {
    fn fail<E: de::Error>(&self, fault: JsonError) -> E {
        let error = E::custom(&fault);
        self.walk.borrow_mut().fault = Some(fault);
        error
    }

    fn count<E: de::Error>(&self) -> Result<(), E> {
        self.walk.borrow_mut().values += 1;
        if self.walk.borrow().values > self.limits.values {
            return Err(self.fail(JsonError::Values {
                most: self.limits.values,
            }));
        }
        Ok(())
    }

    /// What is inside an array or an object that begins here.
    fn inside<E: de::Error>(&self) -> Result<Self, E> {
        if self.depth >= self.limits.depth {
            return Err(self.fail(JsonError::Depth {
                most: self.limits.depth,
            }));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..*self
        })
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value);
        number
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number outside the range of a double"))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(inside)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut fields = Map::new();
        while let Some(name) = items.next_key::<String>()? {
            self.count()?;
            let value = items.next_value_seed(inside)?;
            // What is said twice alike leaves nothing to choose.
            if fields.get(&name).is_some_and(|before| *before != value) {
                let name = shown(&name);
                return Err(self.fail(JsonError::Twice { name }));
            }
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8]) -> Result<Value, JsonError> {
        super::read(text, &Limits::default())
    }

    #[test]
    fn ten_thousand_arrays_inside_one_another_are_refused() {
        let text = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(read(text.as_bytes()), Err(JsonError::Depth { most: 64 }));
    }

    #[test]
    fn a_name_that_is_there_twice_is_refused_at_any_depth() {
        let refused = read(br#"{"affected":[{"id":1,"id":2}]}"#);
        assert_eq!(refused, Err(JsonError::Twice { name: "id".into() }));
        assert!(read(br#"{"a":{"id":1},"b":{"id":2}}"#).is_ok());
    }

    #[test]
    fn a_name_that_is_there_twice_with_one_value_is_there_once() {
        assert_eq!(read(br#"{"id":[1],"id":[1]}"#), read(br#"{"id":[1]}"#));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_document() {
        let plain = read(br#"{"a":"\u00e4"}"#);
        assert_eq!(read("\u{feff}{\"a\":\"ä\"}".as_bytes()), plain);
        let units: Vec<u16> = "\u{feff}{\"a\":\"ä\"}".encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        assert_eq!((read(&little), read(&big)), (plain.clone(), plain));
    }

    #[test]
    fn a_million_values_are_refused() {
        let text = format!("[{}0]", "0,".repeat(1_000_000));
        assert_eq!(
            read(text.as_bytes()),
            Err(JsonError::Values { most: 200_000 })
        );
    }

    #[test]
    fn bytes_that_are_no_text_and_words_after_the_end_are_refused() {
        for text in [
            &b"\"\xff\xfe\""[..],
            b"\xff\xfe{",
            b"{} {}",
            b"{",
            b"",
            b"NaN",
            b"1e999",
        ] {
            let refused = read(text);
            assert!(
                matches!(refused, Err(JsonError::Syntax { .. })),
                "{text:?}: {refused:?}"
            );
        }
    }

    #[test]
    fn a_document_longer_than_the_limit_is_refused_unread() {
        let limits = Limits {
            document: 4,
            ..Limits::default()
        };
        let refused = super::read(b"\xff\xff\xff\xff\xff", &limits);
        assert_eq!(refused, Err(JsonError::TooLong { most: 4 }));
    }

    #[test]
    fn a_prototype_is_a_name_like_any_other() {
        let value = read(br#"{"__proto__":{"polluted":true}}"#).unwrap();
        assert_eq!(value["__proto__"]["polluted"], true);
    }

    #[test]
    fn facts_have_one_canonical_form_whatever_their_order_and_blanks() {
        let one = read(br#"{ "b": [1, null], "a": "\u0061" }"#).unwrap();
        let other = read(br#"{"a":"a","b":[1,null]}"#).unwrap();
        assert_eq!(canonical(&one), canonical(&other));
        assert_eq!(canonical(&one), br#"{"a":"a","b":[1,null]}"#);
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_reading_ends_and_what_was_read_is_read_again(bytes in any::<Vec<u8>>()) {
            if let Ok(value) = read(&bytes) {
                prop_assert_eq!(read(&canonical(&value)), Ok(value));
            }
        }
    }
}
