//! Byte strings of a fixed length: binary in MessagePack, hexadecimal digits as text.

use std::fmt;

use serde::{Deserializer, Serializer, de};

/// Writes the bytes.
pub(crate) fn serialize<S: Serializer, const N: usize>(
    bytes: &[u8; N],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        return serializer.serialize_str(&hex::encode(bytes));
    }
    serializer.serialize_bytes(bytes)
}

/// Reads exactly so many bytes.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
    deserializer: D,
) -> Result<[u8; N], D::Error> {
    struct Visitor<const N: usize>;
    impl<const N: usize> de::Visitor<'_> for Visitor<N> {
        type Value = [u8; N];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{N} bytes")
        }

        fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<[u8; N], E> {
            let wrong = |_| E::invalid_length(bytes.len(), &self);
            bytes.try_into().map_err(wrong)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<[u8; N], E> {
            let mut bytes = [0; N];
            hex::decode_to_slice(text, &mut bytes).map_err(E::custom)?;
            Ok(bytes)
        }
    }
    if deserializer.is_human_readable() {
        return deserializer.deserialize_str(Visitor);
    }
    deserializer.deserialize_bytes(Visitor)
}
