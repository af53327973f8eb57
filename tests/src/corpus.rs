//! Texts that become more than text wherever somebody forgets to escape, and advisories full of them.

use jiff::Timestamp;
use spacecp_contract::{Advisory, Credit, DocumentId, Reference, TimelineEntry, Workaround};

use crate::catalog;

/// Each calls `hit()` where it is taken for markup, or tries to load something.
pub const TEXTS: [&str; 24] = [
    "<script>hit()</script>",
    "<ScRiPt src=//127.0.0.1:9/hit.js></sCrIpT>",
    "</title><script>hit()</script>",
    "</textarea></style></script><script>hit()</script>",
    "<img src=x onerror=hit()>",
    "<img/src='x'/onerror=hit()//",
    "<svg/onload=hit()>",
    "<svg><animate onbegin=hit() attributeName=x dur=1s>",
    "<math><mtext></p><style><!--</style><img src onerror=hit()>",
    "\"><img src=x onerror=hit()>",
    "' autofocus onfocus='hit()",
    "\" style=\"background:url(//127.0.0.1:9/hit)\" x=\"",
    "<iframe srcdoc='<script>parent.hit()</script>'></iframe>",
    "<object data=javascript:hit()></object>",
    "<form action=//127.0.0.1:9/><button>hit</button></form>",
    "<base href=//127.0.0.1:9/>",
    "<meta http-equiv=refresh content='0;url=//127.0.0.1:9/'>",
    "<link rel=stylesheet href=//127.0.0.1:9/hit.css>",
    "<details open ontoggle=hit()>x</details>",
    "[text](javascript:hit()) ![picture](x \"onerror=hit()\")",
    "<javascript:hit()> <data:text/html,<script>hit()</script>>",
    "&lt;script&gt;hit()&lt;/script&gt; &#60;script&#62;hit()&#60;/script&#62;",
    "\u{202e}<script>hit()</script>\u{2066} \u{feff}<script\u{a0}>hit()</script>",
    "```html\n<script>hit()</script>\n```\n<script>hit()</script>",
];

/// An advisory for each of the texts, which is in every field that takes texts.
pub fn advisories(now: Timestamp) -> Vec<Advisory> {
    let numbered = (1u32..).zip(TEXTS);
    numbered
        .map(|(number, text)| advisory(number, text, now))
        .collect()
}

/// The id of the advisory with this text.
pub fn id(number: u32) -> String {
    format!("SPACECP-SA-2025-{number:04}")
}

fn advisory(number: u32, text: &str, now: Timestamp) -> Advisory {
    let one_line = text.replace('\n', " ");
    let all = catalog::advisories(now).into_iter();
    let mut model = all
        .filter(|advisory| advisory.id.as_str() == catalog::CONSOLE)
        .collect::<Vec<_>>();
    let model = model.remove(0);
    Advisory {
        id: DocumentId::new(id(number)).expect("the corpus's ids are ids"),
        title: one_line.clone(),
        issue: text.to_owned(),
        impacts: format!(
            "# {text}\n\n> {text}\n\n* {text}\n\n| {one_line} |\n|---|\n| {one_line} |"
        ),
        solution: text.to_owned(),
        workarounds: vec![Workaround {
            id: one_line.clone(),
            text: text.to_owned(),
        }],
        aliases: vec![one_line.clone()],
        credits: vec![Credit {
            name: one_line.clone(),
            role: one_line.clone(),
        }],
        references: vec![
            Reference {
                url: format!("https://example.com/{one_line}"),
                title: one_line.clone(),
            },
            Reference {
                url: format!("javascript:hit()//{one_line}"),
                title: one_line.clone(),
            },
        ],
        timeline: vec![TimelineEntry {
            at: now,
            event: one_line,
        }],
        corrections: Vec::new(),
        ..model
    }
}
