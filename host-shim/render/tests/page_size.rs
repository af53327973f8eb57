//! Draws pages in every way, and compares with what they were said to take.

use proptest::{collection::vec, prelude::*};

use spacecp_plugin_host::{
    bindings::{
        exports::spacecp::advisories::pages::{
            AcceptRisk, Action, Apply, Badge, Block, Cell, Chart, Code, Diff, DiffLine, Event,
            Fact, Filter, Heading, Item, LineKind, Listing, MarkWorkaround, Notice, Page, Pager,
            Place, Point, RollBack, Series, Span, Style, Table, TakeBack, Target, Tone,
        },
        spacecp::advisories::types::DocumentRef,
    },
    page::{DEEPEST_ITEM, check, size},
    printable::escaped_json,
};
use spacecp_render::{
    html::{self, Frame, Site},
    json,
    terminal::{self, Terminal},
    whole,
};

/// Texts of characters that are escaped, doubled or wrapped somewhere.
fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        "[<&\"'\\\\\n\t\u{0}\u{1b}\u{202e}\u{e0001}é漢a ]{0,24}",
        "[<]{0,64}",
        "[\"]{0,64}",
        "[\n]{0,64}",
        "([a-z] ){0,40}",
        "[漢\u{e0041}]{0,40}",
    ]
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec(nasty(), 0..4)
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        Just(Target::Place(Place::Components)),
        nasty().prop_map(|id| Target::Place(Place::Advisory(id))),
        nasty().prop_map(Target::External),
        nasty().prop_map(|rest| Target::External(format!("https://example.com/{rest}"))),
        nasty().prop_map(|words| Target::Listing(Listing { words, ..whole() })),
    ]
}

fn span() -> impl Strategy<Value = Span> {
    let parts = (nasty(), any::<[bool; 4]>(), proptest::option::of(target()));
    parts.prop_map(
        |(text, [emphasis, strong, code, strikethrough], link)| Span {
            text,
            style: Style {
                emphasis,
                strong,
                code,
                strikethrough,
            },
            link,
        },
    )
}

fn badge() -> impl Strategy<Value = Badge> {
    nasty().prop_map(|text| Badge {
        text,
        tone: Tone::Information,
    })
}

fn cell() -> impl Strategy<Value = Cell> {
    (vec(badge(), 0..3), vec(span(), 0..3)).prop_map(|(badges, spans)| Cell { badges, spans })
}

fn table() -> impl Strategy<Value = Block> {
    (nasty(), nasty(), 1usize..5).prop_flat_map(|(caption, empty, columns)| {
        let heads = vec(nasty(), columns);
        let rows = vec(vec(cell(), columns), 0..4);
        (heads, rows).prop_map(move |(columns, rows)| {
            Block::Table(Table {
                caption: caption.clone(),
                columns,
                rows,
                empty: empty.clone(),
            })
        })
    })
}

fn action() -> impl Strategy<Value = Action> {
    let texts = (nasty(), nasty(), nasty(), nasty(), texts(), 0u8..7);
    texts.prop_map(|(id, component, plan, to, components, kind)| {
        let document = DocumentRef { id, revision: 7 };
        let apply = Apply {
            correction: document.clone(),
            component: component.clone(),
            plan: plan.clone(),
            to: to.clone(),
            overwrites: true,
        };
        let back = TakeBack {
            decision: u64::MAX,
            advisory: document.id.clone(),
            workaround: Some(plan.clone()),
            component: Some(component.clone()),
        };
        match kind {
            0 => Action::Apply(apply),
            1 => Action::Schedule(apply),
            2 => Action::RollBack(RollBack {
                application: plan,
                component,
                to,
            }),
            3 => Action::MarkWorkaround(MarkWorkaround {
                advisory: document,
                workaround: plan,
                components,
            }),
            4 => Action::AcceptRisk(AcceptRisk {
                advisory: document,
                components,
            }),
            5 => Action::LiftWorkaround(back),
            _ => Action::WithdrawAcceptance(back),
        }
    })
}

fn chart() -> impl Strategy<Value = Block> {
    let points = vec(any::<(i64, u32)>(), 0..200);
    let series = vec((nasty(), points), 0..6);
    (nasty(), any::<(i64, i64)>(), series).prop_map(|(caption, (begin, end), series)| {
        let points = |points: Vec<(i64, u32)>| {
            let points = points.into_iter();
            points.map(|(at, value)| Point { at, value }).collect()
        };
        let series = series.into_iter().map(|(label, all)| Series {
            label,
            tone: Tone::Danger,
            points: points(all),
        });
        Block::Chart(Chart {
            caption,
            begin,
            end,
            series: series.collect(),
        })
    })
}

fn lists() -> impl Strategy<Value = Block> {
    prop_oneof![
        vec(badge(), 0..4).prop_map(Block::Badges),
        vec((nasty(), cell()), 0..6).prop_map(|facts| {
            let facts = facts.into_iter();
            Block::Facts(facts.map(|(label, value)| Fact { label, value }).collect())
        }),
        vec((any::<i64>(), cell()), 0..4).prop_map(|events| {
            let events = events.into_iter();
            Block::Timeline(events.map(|(at, value)| Event { at, value }).collect())
        }),
        (nasty(), texts()).prop_map(|(path, lines)| {
            let lines = lines.into_iter().map(|text| DiffLine {
                kind: LineKind::Position,
                text,
            });
            let lines = lines.collect();
            Block::Diff(Diff { path, lines })
        }),
        (nasty(), 1u32.., 1u32..).prop_map(|(words, page, pages)| {
            let listing = Listing {
                words,
                page,
                ..whole()
            };
            let place = Place::Advisories;
            Block::Pages(Pager {
                place,
                listing,
                pages,
            })
        }),
        nasty().prop_map(|words| {
            let listing = Listing { words, ..whole() };
            let place = Place::Advisories;
            Block::Filter(Filter { place, listing })
        }),
    ]
}

fn block() -> impl Strategy<Value = Block> {
    let spans = || vec(span(), 0..4);
    prop_oneof![
        (2u8..=6, spans()).prop_map(|(level, spans)| Block::Heading(Heading { level, spans })),
        spans().prop_map(Block::Paragraph),
        spans().prop_map(Block::Quote),
        (0..=DEEPEST_ITEM, any::<Option<u32>>(), spans()).prop_map(|(depth, number, spans)| {
            Block::Item(Item {
                depth,
                number,
                spans,
            })
        }),
        (any::<bool>(), nasty()).prop_map(|(named, text)| {
            let language = named.then(|| text.clone());
            Block::Code(Code { language, text })
        }),
        spans().prop_map(|spans| {
            let tone = Tone::Embargo;
            Block::Notice(Notice { tone, spans })
        }),
        table(),
        action().prop_map(Block::Action),
        chart(),
        lists(),
        Just(Block::Rule),
    ]
}

/// Bytes of a page in each way in which it is sent.
fn drawn(page: &Page) -> [(&'static str, usize); 4] {
    let base = format!("/{}", "b".repeat(199));
    let site = Site {
        base: &base,
        ..Site::default()
    };
    let csrf = "c".repeat(64);
    let frame = Frame {
        user: Some("ada"),
        may_act: true,
        csrf: &csrf,
        notices: &[],
        path: "/",
        site,
    };
    let on_terminal = |width| {
        let colour = true;
        terminal::page(page, Terminal { width, colour }).len()
    };
    let json = json::page(page).to_string();
    [
        ("HTML", html::page(page, &frame).into_string().len()),
        ("a narrow terminal", on_terminal(40)),
        ("a wide terminal", on_terminal(200)),
        ("JSON", escaped_json(&json, None).len()),
    ]
}

fn page(title: String, blocks: Vec<Block>) -> Page {
    Page {
        title,
        blocks,
        embargo: true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_page_takes_more_to_send_than_it_was_said_to(
        title in nasty(),
        kind in block(),
        more in vec(block(), 0..3),
    ) {
        // Many of one kind, so that what a single block takes too much is not hidden by the frame's room.
        let mut blocks = vec![kind; 40];
        blocks.extend(more);
        let page = page(title, blocks);
        let said = size(&page);
        for (drawing, bytes) in drawn(&page) {
            prop_assert!(bytes <= said, "{drawing} takes {bytes}, and {said} were said: {page:?}");
        }
    }
}

#[test]
fn a_text_counts_as_it_is_escaped() {
    let code = |text: String| {
        let language = None;
        page(String::new(), vec![Block::Code(Code { language, text })])
    };
    let most = 64 << 10;
    assert_eq!(check(&code("a".repeat(40 << 10)), most), Ok(()));
    assert_eq!(
        check(&code("<".repeat(40 << 10)), most),
        Err(format!("it takes more than {most} bytes to send"))
    );
}

#[test]
fn the_heads_of_a_table_count_in_each_row() {
    let table = |rows: usize| {
        let empty = Cell {
            badges: Vec::new(),
            spans: Vec::new(),
        };
        let table = Table {
            caption: String::new(),
            columns: vec!["x".repeat(1_000)],
            rows: vec![vec![empty]; rows],
            empty: String::new(),
        };
        page(String::new(), vec![Block::Table(table)])
    };
    assert!(check(&table(10), 64 << 10).is_ok());
    assert!(check(&table(100), 64 << 10).is_err());
}

#[test]
fn a_page_of_nothing_but_markup_is_refused() {
    assert!(check(&page(String::new(), vec![Block::Rule; 100]), 64 << 10).is_ok());
    assert!(check(&page(String::new(), vec![Block::Rule; 1_000]), 64 << 10).is_err());
}
