//! One package's header as librpm keeps it: an index of tags, and the values that it points to
//! (<https://rpm-software-management.github.io/rpm/manual/format_header.html>; in the database without the lead-in).

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::storage::{array, u32_be};
use crate::{Why, text::is_legible};

/// The most tags of a header, as in librpm.
const MOST_TAGS: u32 = 0xffff;

/// Bytes before the index, and of one entry of it.
const LEAD: usize = 8;
const ENTRY: usize = 16;

/// `RPMTAG_…` in `rpmtag.h`.
const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const VENDOR: u32 = 1011;
const MODULARITY: u32 = 5096;

/// The part that was signed, as a value of its own, and its SHA-256.
const SIGNED: u32 = 63;
/// The same in packages of rpm 3.
const IMAGE: u32 = 61;
const SIGNED_SHA256: u32 = 273;

/// What stands before the part that was signed where its digest is made.
const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];

/// The lowest tag but for those of regions, and the highest type.
const LOWEST_TAG: u32 = 100;
const HIGHEST_TYPE: u32 = 9;

/// `rpmTagType`: four bytes, and a text that ends with a zero.
const INT32: u32 = 4;
const STRING: u32 = 6;

/// The longest text that is taken from a header.
const LONGEST_TEXT: usize = 1024;

/// What a header says of its package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) epoch: u32,
    pub(crate) version: String,
    pub(crate) release: String,
    /// Who built it.
    pub(crate) vendor: Option<String>,
    /// `name:stream:version:context` of the module that it is of.
    pub(crate) modularity: Option<String>,
}

impl Header {
    /// The version with its epoch, if it has another than 0, and its release.
    pub(crate) fn evr(&self) -> String {
        let Self {
            epoch,
            version,
            release,
            ..
        } = self;
        match epoch {
            0 => format!("{version}-{release}"),
            epoch => format!("{epoch}:{version}-{release}"),
        }
    }
}

/// Reads a header.
///
/// # Errors
///
/// [`Why::Malformed`] where its lengths contradict each other, where its digest differs, as far as it has one (rpm 4.14
/// and later), and where a name, version or release is not there.
pub(crate) fn header(bytes: &[u8]) -> Result<Header, Why> {
    let tags = Tags::of(bytes)?;
    let has_digest = tags.entry(SIGNED_SHA256).is_some();
    if has_digest && tags.digest() != tags.text(SIGNED_SHA256)? {
        return Err(malformed("its digest differs"));
    }
    let wanted = |tag, what: &str| {
        let text = tags.text(tag)?;
        text.ok_or_else(|| malformed(format!("no {what}")))
    };
    Ok(Header {
        name: wanted(NAME, "name")?,
        epoch: tags.number(EPOCH)?.unwrap_or(0),
        version: wanted(VERSION, "version")?,
        release: wanted(RELEASE, "release")?,
        vendor: tags.text(VENDOR)?,
        modularity: tags.text(MODULARITY)?,
    })
}

/// How many entries the signed part has: it ends with an entry that says how long its index is, as a negative number.
fn signed_entries(index: &[[u8; ENTRY]], values: &[u8]) -> Option<usize> {
    let trailer = u32_be(index.first()?, 8)? as usize;
    let back = array(values, trailer.checked_add(8)?).map(i32::from_be_bytes)?;
    let entries = usize::try_from(back.checked_neg()?).ok()? / ENTRY;
    (1..=index.len()).contains(&entries).then_some(entries)
}

/// Whether an entry of the index is one that librpm takes.
fn is_possible(entry: &[u8; ENTRY]) -> bool {
    let field = |at| u32_be(entry, at).unwrap_or(0);
    field(0) >= LOWEST_TAG && (1..=HIGHEST_TYPE).contains(&field(4))
}

/// A header in its two parts.
struct Tags<'a> {
    index: &'a [[u8; ENTRY]],
    /// Entries of the part that was signed, which all that is said of the package is in; all where there is no such part.
    signed: usize,
    values: &'a [u8],
}

/// Where a value lies, and of which type it is.
struct Entry {
    kind: u32,
    at: usize,
}

impl<'a> Tags<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, Why> {
        let counts = u32_be(bytes, 0).zip(u32_be(bytes, 4));
        let (tags, length) = counts.ok_or_else(|| malformed("cut off"))?;
        if tags == 0 || tags > MOST_TAGS {
            return Err(malformed(format!("{tags} tags")));
        }
        let rest = bytes.get(LEAD..).unwrap_or_default();
        let index = tags as usize * ENTRY;
        if rest.len() as u64 != index as u64 + u64::from(length) {
            return Err(malformed("its length is not what its index says"));
        }
        let (index, values) = rest.split_at(index);
        let (index, _) = index.as_chunks::<ENTRY>();
        let first = index.first().and_then(|entry| u32_be(entry, 0));
        let skipped = usize::from(matches!(first, Some(SIGNED | IMAGE)));
        if !index.iter().skip(skipped).all(is_possible) {
            return Err(malformed("an entry of its index is damaged"));
        }
        let signed = match skipped {
            0 => Some(index.len()),
            _ => signed_entries(index, values),
        };
        let signed = signed.ok_or_else(|| malformed("its signed part does not end"))?;
        Ok(Self {
            index,
            signed,
            values,
        })
    }

    fn entry(&self, tag: u32) -> Option<Entry> {
        let within = match tag {
            SIGNED_SHA256 => self.index,
            _ => self.index.get(..self.signed)?,
        };
        let mut entries = within.iter();
        let entry = entries.find(|entry| u32_be(*entry, 0) == Some(tag))?;
        Some(Entry {
            kind: u32_be(entry, 4)?,
            at: u32_be(entry, 8)? as usize,
        })
    }

    /// The SHA-256 of the part that was signed, in hexadecimal digits.
    fn digest(&self) -> Option<String> {
        let entries = self.signed;
        let trailer = u32_be(self.index.first()?, 8)? as usize;
        let index = self.index.get(..entries)?.as_flattened();
        let values = self.values.get(..trailer.checked_add(ENTRY)?)?;
        let mut digest = Sha256::new_with_prefix(MAGIC);
        for count in [entries, values.len()] {
            digest.update(u32::try_from(count).ok()?.to_be_bytes());
        }
        digest.update(index);
        digest.update(values);
        Some(HEXLOWER.encode(&digest.finalize()))
    }

    fn text(&self, tag: u32) -> Result<Option<String>, Why> {
        let Some(entry) = self.entry(tag) else {
            return Ok(None);
        };
        let value = self.values.get(entry.at..).unwrap_or_default();
        let value = value.get(..LONGEST_TEXT).unwrap_or(value);
        let end = value.iter().position(|byte| *byte == 0);
        let text = end.filter(|_| entry.kind == STRING).map(|end| {
            let text = value.get(..end).unwrap_or_default();
            String::from_utf8_lossy(text).into_owned()
        });
        let is_text = |text: &String| is_legible(text) && !text.chars().any(char::is_control);
        let text = text.filter(is_text);
        let text = text.ok_or_else(|| malformed(format!("tag {tag} is no text")))?;
        Ok((!text.is_empty()).then_some(text))
    }

    fn number(&self, tag: u32) -> Result<Option<u32>, Why> {
        let Some(entry) = self.entry(tag) else {
            return Ok(None);
        };
        let value = array(self.values, entry.at).map(u32::from_be_bytes);
        let value = value.filter(|_| entry.kind == INT32);
        value
            .map(Some)
            .ok_or_else(|| malformed(format!("tag {tag} is no number")))
    }
}

fn malformed(reason: impl std::fmt::Display) -> Why {
    Why::malformed("a header of an RPM package", reason)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A header with these texts, and an epoch.
    pub(crate) fn made(texts: &[(u32, &str)], epoch: Option<u32>) -> Vec<u8> {
        let mut index = Vec::new();
        let mut values = Vec::new();
        let mut put = |tag: u32, kind: u32, value: &[u8]| {
            let at = u32::try_from(values.len()).unwrap();
            for number in [tag, kind, at, 1] {
                index.extend(number.to_be_bytes());
            }
            values.extend_from_slice(value);
        };
        if let Some(epoch) = epoch {
            put(EPOCH, INT32, &epoch.to_be_bytes());
        }
        for (tag, text) in texts {
            put(*tag, STRING, format!("{text}\0").as_bytes());
        }
        let counts = [index.len() / ENTRY, values.len()];
        let counts = counts.map(|count| u32::try_from(count).unwrap().to_be_bytes());
        [counts.concat(), index, values].concat()
    }

    /// A header of a package of this name.
    pub(crate) fn named(name: &str) -> Vec<u8> {
        made(&[(NAME, name), (VERSION, "1"), (RELEASE, "1.el9")], None)
    }

    #[test]
    fn a_header_says_what_its_package_is() {
        let texts = [
            (NAME, "bash"),
            (VERSION, "5.1.8"),
            (RELEASE, "6.el9"),
            (VENDOR, "AlmaLinux"),
            (MODULARITY, "nodejs:18:8090:a75"),
        ];
        let read = header(&made(&texts, Some(2))).unwrap();
        assert_eq!(read.evr(), "2:5.1.8-6.el9");
        assert_eq!(read.name, "bash");
        assert_eq!(read.vendor.as_deref(), Some("AlmaLinux"));
        assert_eq!(read.modularity.as_deref(), Some("nodejs:18:8090:a75"));
        let plain = header(&made(&texts[..3], Some(0))).unwrap();
        assert_eq!((plain.evr().as_str(), plain.vendor), ("5.1.8-6.el9", None));
    }

    #[test]
    fn a_header_whose_parts_contradict_each_other_is_refused() {
        let whole = named("bash");
        let mut longer = whole.clone();
        longer.push(0);
        let mut many = whole.clone();
        many[0..4].copy_from_slice(&u32::MAX.to_be_bytes());
        let mut outside = whole.clone();
        outside[16..20].copy_from_slice(&u32::MAX.to_be_bytes());
        let mut no_text = whole.clone();
        no_text[12..16].copy_from_slice(&INT32.to_be_bytes());
        for bytes in [
            longer,
            many,
            outside,
            no_text,
            made(&[(NAME, "a")], None),
            made(&[(NAME, "a\u{7}"), (VERSION, "1"), (RELEASE, "1")], None),
        ] {
            assert!(matches!(header(&bytes), Err(Why::Malformed { .. })));
        }
        for end in 0..whole.len() {
            assert!(header(&whole[..end]).is_err(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_end_the_process(bytes in prop::collection::vec(any::<u8>(), 0..200), tags in 0u32..8) {
            let _ = header(&bytes);
            let length = u32::try_from(bytes.len()).unwrap();
            if let Some(length) = length.checked_sub(tags * 16) {
                let counts = [tags, length].map(u32::to_be_bytes).concat();
                let _ = header(&[counts, bytes].concat());
            }
        }
    }
}
