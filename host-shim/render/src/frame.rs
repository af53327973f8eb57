//! What is the same around every page: who looks, where the pages are mounted, and the token of forms.

use maud::{Markup, html};

/// The path of the shim's own page about trust.
pub const TRUST: &str = "/trust";

/// The path of the shim's own page about exposure over time.
pub const EXPOSURE: &str = "/exposure";

/// The path of the shim's own page about automatic application.
pub const POLICY: &str = "/policy";

/// The path of the shim's own page about who is told what happens.
pub const NOTIFICATIONS: &str = "/notifications";

/// The path of the shim's own page on which a vulnerability is reported.
pub const REPORT: &str = "/report";

/// Who looks, and what the panel adds to every page.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// The name of whoever is logged in; none on the way to the login.
    pub user: Option<&'a str>,
    /// Whether they may act.
    pub may_act: bool,
    /// The token that every form of theirs carries.
    pub csrf: &'a str,
    /// What happened just before, to be said once.
    pub notices: &'a [Said],
    /// The path of the page, to mark it in the navigation.
    pub path: &'a str,
    /// What is the same on every page of this panel.
    pub site: Site<'a>,
}

/// Where the pages are, and what the panel that they are mounted in wants them to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site<'a> {
    /// The path below which all of them are, without a slash at its end; empty at the root.
    pub base: &'a str,
    /// The words at the top.
    pub brand: &'a str,
    /// The words and the path of a link to the panel around the pages.
    pub back: Option<(&'a str, &'a str)>,
    /// Where the form that logs out leads, below the base; none where the panel has that elsewhere.
    pub logout: Option<&'a str>,
}

impl Default for Site<'_> {
    fn default() -> Self {
        Self::ALONE
    }
}

impl Site<'_> {
    /// Pages at the root of an address of their own.
    pub const ALONE: Self = Self {
        base: "",
        brand: "SpaceCP",
        back: None,
        logout: Some("/logout"),
    };

    /// The path under which a browser finds one of our own.
    pub fn at(&self, own: &str) -> String {
        match (self.base, own) {
            // A router that is nested has its root at the prefix itself.
            (base, "/") if !base.is_empty() => base.to_owned(),
            (base, own) => format!("{base}{own}"),
        }
    }
}

/// Something to be said once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Whether it went well.
    pub well: bool,
    /// The words.
    pub words: String,
}

/// The field of a form with the token of whoever looks.
pub fn token(frame: &Frame<'_>) -> Markup {
    html! { input type="hidden" name="csrf" value=(frame.csrf); }
}
