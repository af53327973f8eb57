//! Package URLs (ECMA-427, <https://github.com/package-url/purl-spec>): read, normalised by type, written in
//! canonical form. What a URL means here is said in [`super::package`].
//!
//! The reader takes what the specification lets a reader take: a leading `/`, an `@` of an npm scope that is
//! not encoded, and qualifier keys in capitals.

use std::{collections::BTreeMap, fmt, fmt::Write as _, str::FromStr};

/// The longest URL in bytes.
pub const LONGEST_PURL: usize = 4096;

/// A package URL in its parts, decoded and normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purl {
    kind: String,
    namespace: Option<String>,
    name: String,
    version: Option<String>,
    qualifiers: BTreeMap<String, String>,
    subpath: Option<String>,
}

/// Why a text is not a package URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PurlError {
    /// More bytes than any has.
    #[error("longer than {LONGEST_PURL} bytes")]
    TooLong,
    /// It does not begin with `pkg:`.
    #[error("it does not begin with \"pkg:\"")]
    Scheme,
    /// No type, or one with other characters than letters, digits, `.`, `+` and `-`, or with a digit first.
    #[error("{0:?} is not a package type")]
    Type(String),
    /// No name.
    #[error("no name")]
    Name,
    /// A `%` that is not followed by two hexadecimal digits, or bytes that are not UTF-8.
    #[error("{0:?} is not percent-encoded UTF-8")]
    Encoding(String),
    /// A qualifier without a key, with one of other characters, or given twice.
    #[error("{0:?} is not a qualifier")]
    Qualifier(String),
}

impl Purl {
    /// A URL of these parts, none of them encoded.
    ///
    /// # Errors
    ///
    /// [`PurlError`] where the type, the name or a qualifier's key cannot be one.
    pub fn new(
        kind: &str,
        namespace: Option<&str>,
        name: &str,
        version: Option<&str>,
        qualifiers: impl IntoIterator<Item = (String, String)>,
        subpath: Option<&str>,
    ) -> Result<Self, PurlError> {
        if !is_key(kind, "+") {
            return Err(PurlError::Type(short(kind)));
        }
        let kind = kind.to_ascii_lowercase();
        let mut parts = BTreeMap::new();
        for (key, value) in qualifiers {
            if !is_key(&key, "_") {
                return Err(PurlError::Qualifier(short(&key)));
            }
            let key = key.to_ascii_lowercase();
            if !value.is_empty() && parts.insert(key.clone(), value).is_some() {
                return Err(PurlError::Qualifier(short(&key)));
            }
        }
        let segments = |text: &str| {
            let segments = text.split('/').filter(|segment| !segment.is_empty());
            segments.collect::<Vec<_>>().join("/")
        };
        let filled = |text: String| (!text.is_empty()).then_some(text);
        let inside = subpath.map(|path| {
            let segments = path.split('/');
            let segments = segments.filter(|segment| !matches!(*segment, "" | "." | ".."));
            segments.collect::<Vec<_>>().join("/")
        });
        let mut purl = Self {
            namespace: namespace.map(segments).and_then(filled),
            name: name.to_owned(),
            version: version.map(str::to_owned).and_then(filled),
            qualifiers: parts,
            subpath: inside.and_then(filled),
            kind,
        };
        purl.normalise();
        if purl.name.is_empty() {
            return Err(PurlError::Name);
        }
        Ok(purl)
    }

    /// What the definitions of the types say of case and spelling. npm's are left as they are: the registry
    /// has old packages that differ by case alone.
    fn normalise(&mut self) {
        let lower = |text: &mut String| *text = text.to_lowercase();
        match self.kind.as_str() {
            "alpm" | "apk" | "bitbucket" | "composer" | "deb" | "github" | "golang" | "hex" => {
                self.namespace.as_mut().map(lower);
                lower(&mut self.name);
            }
            "oci" | "pub" | "bitnami" => lower(&mut self.name),
            "rpm" => {
                self.namespace.as_mut().map(lower);
            }
            "pypi" => self.name = self.name.to_lowercase().replace('_', "-"),
            _ => {}
        }
    }

    /// The type, in small letters: `npm`, `deb`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The namespace: npm's scope, Maven's group, a distribution.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// A qualifier by its key in small letters.
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.get(key).map(String::as_str)
    }

    /// All qualifiers by key.
    pub fn qualifiers(&self) -> &BTreeMap<String, String> {
        &self.qualifiers
    }

    /// The path within the package.
    pub fn subpath(&self) -> Option<&str> {
        self.subpath.as_deref()
    }
}

impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Self, PurlError> {
        if text.len() > LONGEST_PURL {
            return Err(PurlError::TooLong);
        }
        let (scheme, rest) = text.trim().split_once(':').ok_or(PurlError::Scheme)?;
        if !scheme.eq_ignore_ascii_case("pkg") {
            return Err(PurlError::Scheme);
        }
        let (rest, subpath) = cut(rest, '#');
        let (rest, qualifiers) = cut(rest, '?');
        let rest = rest.trim_start_matches('/');
        let (kind, rest) = rest
            .split_once('/')
            .ok_or_else(|| PurlError::Type(short(rest)))?;
        let rest = rest.trim_matches('/');
        let (path, version) = match version_at(rest) {
            Some(at) => (&rest[..at], Some(decoded(&rest[at + 1..])?)),
            None => (rest, None),
        };
        let path = path.trim_end_matches('/');
        let (namespace, name) = match path.rsplit_once('/') {
            Some((namespace, name)) => (Some(segments(namespace)?), name),
            None => (None, path),
        };
        // Nothing stands before the @ of the version.
        if name.is_empty() || name.starts_with('@') {
            return Err(PurlError::Name);
        }
        let subpath = subpath.map(segments).transpose()?;
        Self::new(
            kind,
            namespace.as_deref(),
            &decoded(name)?,
            version.as_deref(),
            pairs(qualifiers.unwrap_or(""))?,
            subpath.as_deref(),
        )
    }
}

/// Where the `@` before the version is: the last one that does not begin a segment, as an npm scope does.
fn version_at(rest: &str) -> Option<usize> {
    let mut found = rest.match_indices('@').rev().map(|(at, _)| at);
    found.find(|at| *at > 0 && rest.as_bytes()[at - 1] != b'/')
}

/// The text before the last of a character, and what follows it.
fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.rsplit_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn segments(text: &str) -> Result<String, PurlError> {
    let decoded: Result<Vec<_>, _> = text.split('/').map(decoded).collect();
    Ok(decoded?.join("/"))
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, PurlError> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| PurlError::Qualifier(short(pair)))?;
            Ok((key.to_owned(), decoded(value)?))
        })
        .collect()
}

/// Letters, digits, `.`, `-` and one more; no digit first.
fn is_key(text: &str, more: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphabetic() || more == "_" && letter == '_')
        && text.chars().all(|letter| {
            letter.is_ascii_alphanumeric() || ".-".contains(letter) || more.contains(letter)
        })
}

fn decoded(text: &str) -> Result<String, PurlError> {
    let wrong = || PurlError::Encoding(short(text));
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            plain.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(wrong());
        };
        plain.push(u8::try_from(high * 16 + low).map_err(|_| wrong())?);
    }
    String::from_utf8(plain).map_err(|_| wrong())
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Writes a part with everything encoded but letters, digits and `.-_~:`.
fn encode(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            f.write_char(char::from(byte))?;
        } else {
            write!(f, "%{byte:02X}")?;
        }
    }
    Ok(())
}

fn encode_path(f: &mut fmt::Formatter<'_>, path: &str) -> fmt::Result {
    for (number, segment) in path.split('/').enumerate() {
        if number > 0 {
            f.write_char('/')?;
        }
        encode(f, segment)?;
    }
    Ok(())
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        if let Some(namespace) = &self.namespace {
            encode_path(f, namespace)?;
            f.write_char('/')?;
        }
        encode(f, &self.name)?;
        if let Some(version) = &self.version {
            f.write_char('@')?;
            encode(f, version)?;
        }
        for (number, (key, value)) in self.qualifiers.iter().enumerate() {
            write!(f, "{}{key}=", if number == 0 { '?' } else { '&' })?;
            encode(f, value)?;
        }
        if let Some(subpath) = &self.subpath {
            f.write_char('#')?;
            encode_path(f, subpath)?;
        }
        Ok(())
    }
}
