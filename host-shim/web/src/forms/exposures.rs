//! The fields by which somebody asks the record of exposures.

use maud::{Markup, html};
use spacecp_render::{
    html::{EXPOSURE, Frame},
    text::visible,
};

/// The longest name that is asked for, in characters.
pub(crate) const LONGEST_NAME: usize = 200;

/// What is in the fields.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Fields<'a> {
    /// The flaw, as an advisory's id or a name that it goes by.
    pub(crate) advisory: &'a str,
    /// The component.
    pub(crate) component: &'a str,
    /// A day.
    pub(crate) from: &'a str,
    /// A day.
    pub(crate) until: &'a str,
}

/// The form, with what was asked in it.
pub(crate) fn form(fields: Fields<'_>, frame: &Frame<'_>) -> Markup {
    html! {
        form.filter method="get" action=(frame.site.at(EXPOSURE)) role="search" {
            label.words { span { "Advisory" } input type="text" name="advisory" value=(visible(fields.advisory)) placeholder="any advisory or CVE" maxlength=(LONGEST_NAME); }
            label { span { "Component" } input type="text" name="component" value=(visible(fields.component)) placeholder="any" maxlength=(LONGEST_NAME); }
            label { span { "From" } input type="date" name="from" value=(visible(fields.from)); }
            label { span { "Until" } input type="date" name="until" value=(visible(fields.until)); }
            button type="submit" { "Show exposure" }
        }
    }
}
