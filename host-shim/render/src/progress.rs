//! Work under way, as a page shows it: the steps that were taken, and how far the present one is.

use maud::{Markup, html};
use serde::Serialize;

use super::text::visible;

/// The words for each step of applying and of rolling back.
const STEPS: [(&str, &str); 10] = [
    ("fetched", "Downloading payloads"),
    ("staged", "Staging the new tree"),
    ("verified", "Verifying the new tree"),
    ("stopped", "Stopping"),
    ("swapped", "Exchanging the trees"),
    ("started", "Starting"),
    ("healthy", "Checking health"),
    ("committed", "Committing"),
    ("rolling-back", "Restoring the previous tree"),
    ("rolled-back", "Completing the rollback"),
];

/// How far work is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// The steps that there are, in their order, as the journal calls them; none before the plan was checked.
    pub steps: Vec<String>,
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
    let place = stage
        .steps
        .iter()
        .position(|step| Some(step.as_str()) == present);
    html! {
        p { (visible(words)) " You can leave this page. The history shows the outcome." }
        div #progress data-events=(events) data-next=(next) {
            ol.steps {
                @for (number, step) in stage.steps.iter().enumerate() {
                    li data-step=(step) aria-current=[(Some(number) == place).then_some("step")] class=[place.is_some_and(|place| number < place).then_some("done")] { (visible(words_of(step))) }
                }
            }
            p role="status" {
                @match present {
                    Some(step) => (visible(words_of(step))),
                    None => "Checking the plan",
                }
                @if let Some((done, of)) = stage.files { ": " (done) " of " (of) " files" }
                "."
            }
        }
        noscript { p { "This page reloads every two seconds." } }
    }
}

fn words_of(step: &str) -> &str {
    let known = STEPS.iter().find(|(known, _)| *known == step);
    known.map_or(step, |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_steps_that_there_are_are_listed() {
        let stage = Stage {
            steps: ["staged", "swapped", "committed"]
                .map(str::to_owned)
                .to_vec(),
            step: Some("swapped".to_owned()),
            ..Stage::default()
        };
        let shown = list(&stage, "Applying.", "/events", "/history").into_string();
        assert_eq!(shown.matches("data-step=").count(), 3, "{shown}");
        assert!(
            !shown.contains("Stopping") && !shown.contains("Checking health"),
            "{shown}"
        );
        assert!(
            shown.contains("<li data-step=\"swapped\" aria-current=\"step\">"),
            "{shown}"
        );
    }
}
