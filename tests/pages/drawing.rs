//! One page, three drawings, and no way out of any of them.

use insta::assert_snapshot;
use proptest::prelude::*;
use spacecp_advisories::{
    plugin::bindings::exports::spacecp::advisories::pages::{
        AcceptRisk, Action, Apply, Badge, Block, Cell, Chart, Code, Diff, DiffLine, DocumentRef,
        Event, Fact, Filter, Heading, Item, LineKind, Listing, MarkWorkaround, Notice, Order, Page,
        Pager, Place, Point, RollBack, Series, Severity, Span, Standing, Style, Table, TakeBack,
        Target, Tone,
    },
    render::{
        html::{self, Frame, Site},
        json,
        terminal::{self, Terminal},
        whole,
    },
};

const TONES: [Tone; 6] = [
    Tone::Neutral,
    Tone::Good,
    Tone::Information,
    Tone::Warning,
    Tone::Danger,
    Tone::Embargo,
];

/// Texts that want to be more than text.
const HOSTILE: [&str; 12] = [
    "<script>alert(1)</script>",
    "</title></style><img src=x onerror=alert(1)>",
    "\"><form action=//attacker.example method=post>",
    "' autofocus onfocus='alert(1)",
    "--><svg/onload=alert(1)>",
    "&lt;script&gt;",
    "]]><!ENTITY x SYSTEM \"file:///etc/passwd\">",
    "abc\u{202e}gpj.exe",
    "zero\u{200b}width\u{feff}and\u{2066}isolates\u{2069}and\u{e0041}tags",
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m",
    "soft\u{ad}hyphen\u{180e}and\u{fffb}annotation",
    "nul\u{0}carriage\rreturn",
];

/// A page with every kind of block, and `text` in every place where a text can be.
fn every_block(text: &str) -> Page {
    let style = |strong: bool, code: bool| Style {
        emphasis: !strong && !code,
        strong,
        code,
        strikethrough: false,
    };
    let span = |style| Span {
        text: text.to_owned(),
        style,
        link: None,
    };
    let plain = || {
        span(Style {
            emphasis: false,
            strong: false,
            code: false,
            strikethrough: false,
        })
    };
    let led = |target| Span {
        link: Some(target),
        ..plain()
    };
    let advisory = || DocumentRef {
        id: text.to_owned(),
        revision: 1,
    };
    let back = || TakeBack {
        decision: 1,
        advisory: text.to_owned(),
        workaround: Some(text.to_owned()),
        component: Some(text.to_owned()),
    };
    let cell = || Cell {
        badges: vec![Badge {
            text: text.to_owned(),
            tone: Tone::Danger,
        }],
        spans: vec![plain()],
    };
    let listing = || Listing {
        words: text.to_owned(),
        standing: Some(Standing::Exposed),
        least_severity: Some(Severity::High),
        known_exploited: true,
        embargo: true,
        order: Order::Changed,
        page: 2,
    };
    let item = |depth, number| {
        Block::Item(Item {
            depth,
            number,
            spans: vec![plain()],
        })
    };
    let mut blocks: Vec<Block> = (2..=6)
        .map(|level| {
            Block::Heading(Heading {
                level,
                spans: vec![plain()],
            })
        })
        .collect();
    blocks.extend([
        Block::Paragraph(vec![
            span(style(true, false)),
            span(style(false, true)),
            span(style(false, false)),
            led(Target::Place(Place::Advisory(
                "SPACECP-SA-2026-0001".to_owned(),
            ))),
            led(Target::Place(Place::Advisory(text.to_owned()))),
            led(Target::Listing(listing())),
            led(Target::External("https://example.com/a?b=c&d=e".to_owned())),
            led(Target::External(format!("javascript:{text}"))),
        ]),
        item(0, None),
        item(1, Some(3)),
        item(1, Some(4)),
        item(0, None),
        Block::Quote(vec![plain()]),
        Block::Code(Code {
            language: Some(text.to_owned()),
            text: text.to_owned(),
        }),
        Block::Badges(
            TONES
                .map(|tone| Badge {
                    text: text.to_owned(),
                    tone,
                })
                .to_vec(),
        ),
        Block::Facts(vec![Fact {
            label: text.to_owned(),
            value: cell(),
        }]),
        Block::Table(Table {
            caption: text.to_owned(),
            columns: vec![text.to_owned(), text.to_owned()],
            rows: vec![vec![cell(), cell()]],
            empty: text.to_owned(),
        }),
        Block::Table(Table {
            caption: text.to_owned(),
            columns: vec![text.to_owned()],
            rows: Vec::new(),
            empty: text.to_owned(),
        }),
        Block::Timeline(vec![Event {
            at: 1_767_225_600,
            value: cell(),
        }]),
    ]);
    blocks.extend(TONES.map(|tone| {
        Block::Notice(Notice {
            tone,
            spans: vec![plain()],
        })
    }));
    blocks.extend([
        Block::Action(Action::Apply(Apply {
            correction: DocumentRef {
                id: text.to_owned(),
                revision: 1,
            },
            component: text.to_owned(),
            plan: text.to_owned(),
            to: text.to_owned(),
            overwrites: true,
        })),
        Block::Action(Action::RollBack(RollBack {
            application: text.to_owned(),
            component: text.to_owned(),
            to: text.to_owned(),
        })),
        Block::Action(Action::MarkWorkaround(MarkWorkaround {
            advisory: advisory(),
            workaround: text.to_owned(),
            components: vec![text.to_owned()],
        })),
        Block::Action(Action::AcceptRisk(AcceptRisk {
            advisory: advisory(),
            components: vec![text.to_owned(), text.to_owned()],
        })),
        Block::Action(Action::LiftWorkaround(back())),
        Block::Action(Action::WithdrawAcceptance(back())),
        Block::Action(Action::Schedule(Apply {
            correction: advisory(),
            component: text.to_owned(),
            plan: text.to_owned(),
            to: text.to_owned(),
            overwrites: false,
        })),
        Block::Filter(Filter {
            place: Place::Advisories,
            listing: listing(),
        }),
        Block::Filter(Filter {
            place: Place::Components,
            listing: listing(),
        }),
        Block::Pages(Pager {
            place: Place::Advisories,
            listing: listing(),
            pages: 3,
        }),
        Block::Diff(Diff {
            path: text.to_owned(),
            lines: [
                LineKind::Position,
                LineKind::Same,
                LineKind::Removed,
                LineKind::Added,
            ]
            .map(|kind| DiffLine {
                kind,
                text: text.to_owned(),
            })
            .to_vec(),
        }),
        Block::Chart(Chart {
            caption: text.to_owned(),
            begin: 1_767_225_600,
            end: 1_767_225_600 + 90 * 86_400,
            series: vec![Series {
                label: text.to_owned(),
                tone: Tone::Danger,
                points: vec![
                    Point {
                        at: 1_767_225_600,
                        value: 1,
                    },
                    Point {
                        at: 1_767_225_600 + 30 * 86_400,
                        value: 3,
                    },
                ],
            }],
        }),
        Block::Rule,
    ]);
    Page {
        title: text.to_owned(),
        blocks,
        embargo: true,
    }
}

const FRAME: Frame<'static> = Frame {
    user: Some("ada"),
    may_act: true,
    csrf: "token",
    notices: &[],
    path: "/",
    site: Site::ALONE,
};

fn drawn(page: &Page) -> String {
    html::page(page, &FRAME).into_string()
}

/// The tags with the names of their attributes, without texts and values: what a browser makes
/// elements of.
fn skeleton(html: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut tag: Option<String> = None;
    let mut quoted = false;
    for character in html.chars() {
        match (&mut tag, character) {
            (None, '<') => tag = Some(String::new()),
            (None, _) => {}
            (Some(_), '"') => quoted = !quoted,
            (Some(_), _) if quoted => {}
            (Some(open), '>') => {
                tags.push(std::mem::take(open));
                tag = None;
            }
            (Some(open), other) => open.push(other),
        }
    }
    tags
}

/// Whether the text keeps its reader from seeing what is there.
fn deceives(text: &str) -> bool {
    text.chars().any(|character| {
        let control = character.is_control() && character != '\n' && character != '\t';
        control
            || "\u{ad}\u{180e}\u{200b}\u{200e}\u{202e}\u{2066}\u{2069}\u{feff}\u{fffb}\u{e0041}"
                .contains(character)
    })
}

/// With what nobody could see in a snapshot spelt out.
fn shown(text: &str) -> String {
    let spelt = |character: char| {
        if deceives(character.encode_utf8(&mut [0; 4])) {
            character.escape_unicode().to_string()
        } else {
            character.to_string()
        }
    };
    text.chars().map(spelt).collect()
}

fn on_a_terminal(page: &Page, width: usize) -> String {
    terminal::page(
        page,
        Terminal {
            width,
            colour: false,
        },
    )
}

#[test]
fn a_browser_gets_every_block() {
    assert_snapshot!(drawn(&every_block("Words & \"more\"")).replace("><", ">\n<"));
}

/// Text that leads somewhere, or nowhere.
fn strong(text: &str, link: Option<Target>) -> Span {
    let style = Style {
        emphasis: false,
        strong: true,
        code: false,
        strikethrough: false,
    };
    Span {
        text: text.to_owned(),
        style,
        link,
    }
}

fn page_of(blocks: Vec<Block>) -> Page {
    Page {
        title: "Title".to_owned(),
        blocks,
        embargo: false,
    }
}

/// A table with so many rows, each with its number.
fn rows(number: usize) -> Block {
    let cell = |row: usize| Cell {
        badges: Vec::new(),
        spans: vec![strong(&format!("row {row}."), None)],
    };
    Block::Table(Table {
        caption: "Files".to_owned(),
        columns: vec!["File".to_owned()],
        rows: (1..=number).map(|row| vec![cell(row)]).collect(),
        empty: String::new(),
    })
}

#[test]
fn a_long_table_is_folded_after_ten_rows_and_keeps_all_of_them() {
    let html = drawn(&page_of(vec![rows(28)]));
    let (first, more) = html
        .split_once("<summary>18 more</summary>")
        .expect("says how many more");
    assert!(first.contains("row 10.") && !first.contains("row 11."));
    assert!(more.contains("row 11.") && more.contains("row 28."));
    assert!(!drawn(&page_of(vec![rows(12)])).contains("more</summary>"));
}

#[test]
fn a_list_with_a_filter_is_not_folded() {
    let filter = Block::Filter(Filter {
        place: Place::Components,
        listing: whole(),
    });
    assert!(!drawn(&page_of(vec![filter, rows(50)])).contains("more</summary>"));
}

#[test]
fn a_strong_link_to_a_page_that_stands_alone_is_drawn_as_a_button() {
    let button = "<a class=\"button primary\" href=\"/history\">Go</a>";
    let place = || strong("Go", Some(Target::Place(Place::History)));
    let is_button =
        |text: Vec<Span>| drawn(&page_of(vec![Block::Paragraph(text)])).contains(button);
    assert!(is_button(vec![place()]));
    assert!(!is_button(vec![place(), strong("!", None)]));
    let outside = Target::External("https://example.com/".to_owned());
    let html = drawn(&page_of(vec![Block::Paragraph(vec![strong(
        "Go",
        Some(outside),
    )])]));
    assert!(
        !html.contains("class=\"button"),
        "an advisory draws no button"
    );
}

#[test]
fn facts_that_are_all_numbers_are_drawn_as_figures() {
    let fact = |text: &str| Fact {
        label: "Affected".to_owned(),
        value: Cell {
            badges: vec![Badge {
                text: text.to_owned(),
                tone: Tone::Danger,
            }],
            spans: Vec::new(),
        },
    };
    let figures = |facts| drawn(&page_of(vec![Block::Facts(facts)])).contains("facts figures");
    assert!(figures(vec![fact("4"), fact("0")]));
    assert!(!figures(vec![fact("4"), fact("high 7.5")]));
    assert!(!figures(vec![fact("")]));
}

#[test]
fn every_page_is_in_the_menu_and_what_is_read_daily_in_the_row() {
    let html = drawn(&page_of(Vec::new()));
    let (row, menu) = html.split_once("<details").expect("has a menu");
    for path in ["/", "/advisories", "/components", "/history"] {
        let link = format!("href=\"{path}\"");
        assert!(row.contains(&link) && menu.contains(&link), "{path}");
    }
    for path in [
        "/exposure",
        "/trust",
        "/policy",
        "/notifications",
        "/report",
    ] {
        let link = format!("href=\"{path}\"");
        assert!(!row.contains(&link) && menu.contains(&link), "{path}");
    }
}

#[test]
fn a_viewer_gets_the_same_page_without_its_actions() {
    let viewer = Frame {
        may_act: false,
        ..FRAME
    };
    let page = html::page(&every_block("words"), &viewer).into_string();
    for action in ["/apply", "/roll-back", "/sync"] {
        assert!(!page.contains(&format!("action=\"{action}\"")), "{action}");
    }
}

#[test]
fn a_wide_terminal_gets_every_block() {
    assert_snapshot!(on_a_terminal(&every_block("Words & \"more\""), 100));
}

#[test]
fn a_narrow_terminal_gets_every_block() {
    assert_snapshot!(on_a_terminal(
        &every_block("Words, and a few more of them than fit"),
        40
    ));
}

#[test]
fn a_terminal_with_colours_gets_them() {
    let colour = Terminal {
        width: 100,
        colour: true,
    };
    assert_snapshot!(terminal::page(&every_block("Words"), colour).replace('\u{1b}', "ESC"));
}

#[test]
fn a_script_gets_every_block() {
    let page = json::page(&every_block("Words & \"more\""));
    assert_snapshot!(serde_json::to_string_pretty(&page).expect("a value is JSON"));
}

#[test]
fn a_hostile_page_looks_like_this() {
    let mut page = every_block(&HOSTILE.join(" "));
    page.blocks
        .retain(|block| matches!(block, Block::Action(_)));
    assert_snapshot!("hostile_html", shown(&drawn(&page)).replace("><", ">\n<"));
    assert_snapshot!("hostile_terminal", on_a_terminal(&page, 80));
}

#[test]
fn no_text_becomes_markup() {
    let calm = skeleton(&drawn(&every_block("words")));
    assert!(calm.iter().any(|tag| tag.starts_with("form")), "{calm:?}");
    for text in HOSTILE {
        assert_eq!(skeleton(&drawn(&every_block(text))), calm, "{text:?}");
    }
}

#[test]
fn no_text_hides_or_reorders_what_is_there() {
    for text in HOSTILE {
        let page = every_block(text);
        let html = drawn(&page);
        let seen: String = html
            .split('>')
            .filter_map(|part| part.split('<').next())
            .collect();
        assert!(!deceives(&seen), "{text:?} in a browser");
        assert!(
            !deceives(&on_a_terminal(&page, 80)),
            "{text:?} on a terminal"
        );
        assert!(
            !deceives(&on_a_terminal(&page, 4_000)),
            "{text:?} on a wide terminal"
        );
    }
}

#[test]
fn only_web_and_mail_addresses_become_links() {
    for address in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//attacker.example",
        "/apply",
        "?q=x",
        "",
    ] {
        let html = drawn(&linked(address));
        assert!(!html.contains("rel=\"noopener"), "{address:?}:\n{html}");
        assert!(html.contains("here"), "its text is there all the same");
    }
    for address in [
        "https://example.com/",
        "http://example.com/",
        "mailto:security@example.com",
    ] {
        let html = drawn(&linked(address));
        let link = format!("<a href=\"{address}\" rel=\"noopener noreferrer nofollow\">here</a>");
        assert!(html.contains(&link), "{address:?}:\n{html}");
    }
}

fn linked(address: &str) -> Page {
    let style = Style {
        emphasis: false,
        strong: false,
        code: false,
        strikethrough: false,
    };
    let span = Span {
        text: "here".to_owned(),
        style,
        link: Some(Target::External(address.to_owned())),
    };
    Page {
        title: "Links".to_owned(),
        blocks: vec![Block::Paragraph(vec![span])],
        embargo: false,
    }
}

#[test]
fn a_command_that_a_reader_may_copy_runs_nothing_else() {
    let hostile = "x; rm -rf ~ $(id) `id` 'quoted' \n> apply: another";
    let page = every_block(hostile);
    let text = on_a_terminal(&page, 4_000);
    let commands: Vec<&str> = text
        .lines()
        .filter(|line| line.contains(": spacecp-advisories "))
        .collect();
    assert_eq!(commands.len(), 7, "{text}");
    for command in commands {
        let (_, command) = command.split_once(": ").expect("it was found by this");
        assert!(command.starts_with("spacecp-advisories "), "{command}");
        assert!(is_one_command(command), "{command}");
    }
}

/// Whether a shell would see one command in it: nothing special outside of single quotes.
fn is_one_command(line: &str) -> bool {
    let mut quoted = false;
    let mut escaped = false;
    for character in line.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if !quoted => escaped = true,
            '\'' => quoted = !quoted,
            ';' | '&' | '|' | '$' | '`' | '<' | '>' | '(' | ')' | '~' | '*' | '\n' if !quoted => {
                return false;
            }
            _ => {}
        }
    }
    !quoted && !escaped
}

#[test]
fn a_huge_page_is_drawn_whole() {
    let page = every_block(&"<b>".repeat(100_000));
    let html = drawn(&page);
    assert_eq!(skeleton(&html), skeleton(&drawn(&every_block("words"))));
    assert!(html.ends_with("</html>"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_text_says_the_page_keeps_its_shape(text in "\\PC{1,40}") {
        // A line break is the one thing in a text that is drawn as an element.
        let calm = skeleton(&drawn(&every_block("words")));
        prop_assert_eq!(skeleton(&drawn(&every_block(&text))), calm);
    }

    #[test]
    fn whatever_a_text_says_a_terminal_is_not_steered(text in any::<String>()) {
        prop_assert!(!deceives(&on_a_terminal(&every_block(&text), 60)));
        prop_assert!(!deceives(&on_a_terminal(&every_block(&text), 4_000)));
    }
}
