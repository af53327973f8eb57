//! Paths on the host that serves the pages, and why the pages cannot be mounted or drawn as configured.

/// Characters of a path.
const LONGEST_PATH: usize = 200;

/// Why pages cannot be mounted as they are asked for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PanelError {
    /// No path on this host.
    #[error("invalid path {0:?}: it must begin with exactly one slash and contain no spaces")]
    Path(String),
    /// No place to mount at.
    #[error(
        "invalid base path {0:?}: it must be empty, or like \"/advisories-app\": letters, digits and \"-._~\", without a trailing slash"
    )]
    Base(String),
    /// No colour.
    #[error("invalid colour {0:?}; use the form #1d4fbf")]
    Colour(String),
    /// Colours that cannot be read on each other.
    #[error(
        "insufficient contrast of {text} on {ground}: {contrast:.1}:1, at least 4.5:1 is required"
    )]
    Contrast {
        /// The property of the text.
        text: &'static str,
        /// The property of what it stands on.
        ground: &'static str,
        /// What was measured.
        contrast: f64,
    },
    /// Words that nobody could show.
    #[error("invalid name: it must have 1 to {most} characters and no control characters")]
    Words {
        /// The longest.
        most: usize,
    },
    /// The system gave no randomness.
    #[error("cannot create tokens: the system's random number generator failed")]
    Randomness,
}

/// A path on the host that a browser is at; never an address elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPath(String);

impl LocalPath {
    /// Reads one.
    pub fn new(text: &str) -> Result<Self, PanelError> {
        // "//elsewhere" is another host, and browsers read "\" as "/".
        let local = text.starts_with('/') && !text.starts_with("//") && !text.contains('\\');
        let plain = text.len() <= LONGEST_PATH && text.bytes().all(|byte| byte.is_ascii_graphic());
        if local && plain {
            return Ok(Self(text.to_owned()));
        }
        Err(PanelError::Path(text.chars().take(80).collect()))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where the pages are mounted: a path without a slash at its end, or nothing for the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BasePath(String);

impl BasePath {
    /// The root of a host.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads one, as `/advisories-app`.
    pub fn new(text: &str) -> Result<Self, PanelError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let segment =
            |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(plain);
        let fits = text.len() <= LONGEST_PATH
            && text
                .strip_prefix('/')
                .is_some_and(|segments| segments.split('/').all(segment));
        if text.is_empty() || fits {
            return Ok(Self(text.to_owned()));
        }
        Err(PanelError::Base(text.chars().take(80).collect()))
    }

    /// The path; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
