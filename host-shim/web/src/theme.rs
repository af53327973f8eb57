//! How the pages look inside another panel: a few colours, a name, and a way back.
//!
//! Typed, so that nothing of it can be markup, a script or an address elsewhere. Colours that
//! could not be read on each other are refused.

use std::fmt::Write as _;

use super::local_path::{LocalPath, PanelError};

/// The contrast that text must have against what it stands on (WCAG 2.2, AA).
const LEAST_CONTRAST: f64 = 4.5;

/// Characters of a name or of the words of a link.
const LONGEST_WORDS: usize = 60;

/// A colour that the pages use by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Shade {
    /// Behind everything.
    Ground,
    /// Behind what stands out: the top, tables, code.
    Card,
    /// Text.
    Ink,
    /// Text that matters less.
    Faint,
    /// Lines between things.
    Line,
    /// Links, buttons, and where one is.
    Accent,
    /// Text on the accent.
    OnAccent,
}

impl Shade {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Ground,
        Self::Card,
        Self::Ink,
        Self::Faint,
        Self::Line,
        Self::Accent,
        Self::OnAccent,
    ];

    /// The name of its custom property in the stylesheet.
    pub fn property(self) -> &'static str {
        match self {
            Self::Ground => "--ground",
            Self::Card => "--card",
            Self::Ink => "--ink",
            Self::Faint => "--faint",
            Self::Line => "--line",
            Self::Accent => "--accent",
            Self::OnAccent => "--on-accent",
        }
    }
}

/// Which stand on which.
const READ: [(Shade, Shade); 7] = [
    (Shade::Ink, Shade::Ground),
    (Shade::Ink, Shade::Card),
    (Shade::Faint, Shade::Ground),
    (Shade::Faint, Shade::Card),
    (Shade::Accent, Shade::Ground),
    (Shade::Accent, Shade::Card),
    (Shade::OnAccent, Shade::Accent),
];

/// A colour: red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Colour {
    /// Reads `#rgb` or `#rrggbb`.
    pub fn new(text: &str) -> Result<Self, PanelError> {
        let refused = || PanelError::Colour(text.chars().take(30).collect());
        let digits = text.strip_prefix('#').ok_or_else(refused)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(refused());
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| refused())?;
        let [_, red, green, blue] = match digits.len() {
            6 => number.to_be_bytes(),
            3 => {
                let digit = |place: u32| ((number >> (4 * place)) & 0xf) * 0x11;
                ((digit(2) << 16) | (digit(1) << 8) | digit(0)).to_be_bytes()
            }
            _ => return Err(refused()),
        };
        Ok(Self([red, green, blue]))
    }

    /// How light it is, as WCAG measures it.
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// One colour for each shade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette([Colour; Shade::ALL.len()]);

impl Palette {
    /// The stylesheet's own for a light screen.
    pub const LIGHT: Self = Self([
        Colour([0xf6, 0xf7, 0xf9]),
        Colour([0xff, 0xff, 0xff]),
        Colour([0x1a, 0x22, 0x30]),
        Colour([0x56, 0x61, 0x7a]),
        Colour([0xd5, 0xda, 0xe3]),
        Colour([0x1d, 0x4f, 0xbf]),
        Colour([0xff, 0xff, 0xff]),
    ]);

    /// The stylesheet's own for a dark screen.
    pub const DARK: Self = Self([
        Colour([0x11, 0x15, 0x1c]),
        Colour([0x1a, 0x20, 0x2b]),
        Colour([0xe6, 0xea, 0xf2]),
        Colour([0xa3, 0xae, 0xc2]),
        Colour([0x33, 0x3c, 0x4d]),
        Colour([0x8f, 0xb4, 0xff]),
        Colour([0x0c, 0x14, 0x24]),
    ]);

    /// The same with another colour for one shade.
    #[must_use]
    pub fn with(mut self, shade: Shade, colour: Colour) -> Self {
        self.0[shade as usize] = colour;
        self
    }

    /// The colour of a shade.
    pub fn of(&self, shade: Shade) -> Colour {
        self.0[shade as usize]
    }

    fn check(&self) -> Result<(), PanelError> {
        for (text, ground) in READ {
            let contrast = self.of(text).contrast(self.of(ground));
            if contrast < LEAST_CONTRAST {
                return Err(PanelError::Contrast {
                    text: text.property(),
                    ground: ground.property(),
                    contrast,
                });
            }
        }
        Ok(())
    }

    fn properties(&self) -> String {
        let mut css = String::new();
        for shade in Shade::ALL {
            let _ = write!(css, " {}: {};", shade.property(), self.of(shade));
        }
        css
    }
}

/// How the pages look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    light: Palette,
    dark: Palette,
    brand: String,
    back: Option<(String, LocalPath)>,
}

impl Default for Theme {
    fn default() -> Self {
        Self {
            light: Palette::LIGHT,
            dark: Palette::DARK,
            brand: "SpaceCP".to_owned(),
            back: None,
        }
    }
}

impl Theme {
    /// The same with other colours for light and for dark screens.
    pub fn coloured(mut self, light: Palette, dark: Palette) -> Result<Self, PanelError> {
        light.check()?;
        dark.check()?;
        (self.light, self.dark) = (light, dark);
        Ok(self)
    }

    /// The same with another name at the top.
    pub fn named(mut self, brand: &str) -> Result<Self, PanelError> {
        self.brand = words(brand)?;
        Ok(self)
    }

    /// The same with a link back to the panel around the pages.
    pub fn with_way_back(mut self, text: &str, to: LocalPath) -> Result<Self, PanelError> {
        self.back = Some((words(text)?, to));
        Ok(self)
    }

    pub(super) fn brand(&self) -> &str {
        &self.brand
    }

    pub(super) fn back(&self) -> Option<(&str, &str)> {
        let back = self.back.as_ref();
        back.map(|(words, to)| (words.as_str(), to.as_str()))
    }

    /// What is added to the stylesheet; nothing where the colours are its own.
    pub(super) fn stylesheet(&self) -> String {
        if (self.light, self.dark) == (Palette::LIGHT, Palette::DARK) {
            return String::new();
        }
        format!(
            "\n:root {{{} }}\n@media (prefers-color-scheme: dark) {{ :root {{{} }} }}\n",
            self.light.properties(),
            self.dark.properties()
        )
    }
}

fn words(text: &str) -> Result<String, PanelError> {
    let fits = (1..=LONGEST_WORDS).contains(&text.chars().count());
    if !fits || text.chars().any(char::is_control) {
        return Err(PanelError::Words {
            most: LONGEST_WORDS,
        });
    }
    Ok(text.to_owned())
}
