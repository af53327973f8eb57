//! Work under way, as a page shows it: the steps that were taken, and how far the present one is.

use maud::{Markup, html};
use serde::Serialize;

use super::text::visible;

/// The steps of an application, in their order, with the words for each.
const STEPS: [(&str, &str); 8] = [
    ("fetched", "Downloading payloads"),
    ("staged", "Staging the new tree"),
    ("verified", "Verifying the new tree"),
    ("stopped", "Stopping"),
    ("swapped", "Exchanging the trees"),
    ("started", "Starting"),
    ("healthy", "Checking health"),
    ("committed", "Committing"),
];

/// How far work is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// The step that was begun last, as the journal calls it.
    pub step: Option<String>,
    /// Files of this step that are done, and all of them.
    pub files: Option<(u64, u64)>,
    /// Whether it came to its end.
    pub ended: bool,
    /// Whether that was a good one, and the words about it.
    #[serde(skip)]
    pub outcome: Option<(bool, String)>,
}

/// The list of steps, and what a script needs to follow it: where the events come from, and where to
/// go at the end.
pub fn list(stage: &Stage, words: &str, events: &str, next: &str) -> Markup {
    let present = stage.step.as_deref();
    let place = STEPS.iter().position(|(step, _)| Some(*step) == present);
    html! {
        p { (visible(words)) " You can leave this page. The history shows the outcome." }
        div #progress data-events=(events) data-next=(next) {
            ol.steps {
                @for (number, (step, words)) in STEPS.iter().enumerate() {
                    li data-step=(step) aria-current=[(Some(number) == place).then_some("step")] class=[place.is_some_and(|place| number < place).then_some("done")] { (words) }
                }
            }
            p role="status" {
                @match (place, present) {
                    (Some(place), _) => (STEPS[place].1),
                    (None, Some(other)) => (visible(other)),
                    (None, None) => "Checking the plan",
                }
                @if let Some((done, of)) = stage.files { ": " (done) " of " (of) " files" }
                "."
            }
        }
        noscript { p { "This page reloads every two seconds." } }
    }
}
