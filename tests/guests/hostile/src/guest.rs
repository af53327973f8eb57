//! The ways to misbehave, carried out.

use std::hint::black_box;

use crate::{
    Behaviour,
    bindings::{
        exports::spacecp::advisories::{
            automation, exposure,
            pages::{self, Block, Code, Page, Place, Table},
        },
        spacecp::advisories::{documents, inventory, log, state, types::DocumentRef},
    },
};

struct Hostile;

crate::bindings::export!(Hostile with_types_in crate::bindings);

impl exposure::Guest for Hostile {
    fn refresh() -> Result<exposure::Summary, exposure::Error> {
        Err(exposure::Error::Unavailable(
            "a hostile plugin knows nothing".to_owned(),
        ))
    }

    fn report() -> Result<exposure::ExposureReport, exposure::Error> {
        Err(exposure::Error::Unavailable(
            "a hostile plugin knows nothing".to_owned(),
        ))
    }
}

impl automation::Guest for Hostile {
    /// Asks for whatever its state says under `plan`: an id, a revision and a component a line.
    fn plan(_now: i64) -> Result<Vec<automation::Action>, automation::Error> {
        let plan = state::get("plan").ok().flatten().unwrap_or_default();
        let lines = String::from_utf8_lossy(&plan).into_owned();
        Ok(lines.lines().filter_map(wanted).collect())
    }
}

fn wanted(line: &str) -> Option<automation::Action> {
    let mut words = line.splitn(3, ' ');
    let (id, revision) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
    Some(automation::Action {
        correction: DocumentRef { id, revision },
        component: words.next()?.to_owned(),
        decision: automation::Decision::Apply,
        reason: "because I say so".to_owned(),
        advisories: vec!["SPACECP-SA-0000-0000".to_owned()],
        due: None,
    })
}

impl pages::Guest for Hostile {
    fn render(request: pages::Request) -> Result<Page, pages::Error> {
        let Place::Advisory(name) = request.place else {
            return Ok(page("no behaviour was asked for"));
        };
        match Behaviour::named(&name) {
            Some(behaviour) => Ok(behave(behaviour)),
            None => Err(pages::Error::NotFound(name)),
        }
    }
}

fn behave(behaviour: Behaviour) -> Page {
    match behaviour {
        Behaviour::Honest => page("honest"),
        Behaviour::Loops => loop {
            black_box(0);
        },
        Behaviour::Works => {
            let mut sum = 0u64;
            for number in 0..1_000_000u64 {
                sum = black_box(sum.wrapping_add(number));
            }
            page(&sum.to_string())
        }
        Behaviour::Allocates => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(black_box(vec![1; 1 << 20]));
            }
        }
        Behaviour::AllocatesALittle => page(&black_box(vec![1u8; 1 << 20]).len().to_string()),
        Behaviour::Panics => panic!("on purpose"),
        Behaviour::Recurses => page(&deeper(u64::MAX).to_string()),
        Behaviour::RecursesALittle => page(&deeper(100).to_string()),
        Behaviour::HugePage => page(&"x".repeat(100_000_000)),
        Behaviour::ManyBlocks => Page {
            blocks: vec![Block::Rule; 1_000_000],
            ..page("many blocks")
        },
        Behaviour::EscapedPage => page(&"<".repeat(60_000)),
        Behaviour::EscapedPageALittle => page(&"<".repeat(10_000)),
        Behaviour::RaggedTable => {
            let columns = vec!["one".to_owned(), "two".to_owned()];
            let table = Table {
                caption: String::new(),
                columns,
                rows: vec![Vec::new()],
                empty: String::new(),
            };
            Page {
                blocks: vec![Block::Table(table)],
                ..page("a ragged table")
            }
        }
        Behaviour::LogsWithoutEnd => {
            for number in 0..100_000 {
                log::write(log::Level::Info, &format!("line {number}"));
            }
            page("logged")
        }
        Behaviour::LogsALongLine => {
            log::write(
                log::Level::Info,
                &format!("\u{1b}[2J{}", "long ".repeat(20_000)),
            );
            page("logged")
        }
        Behaviour::LogsMegabytes => {
            for _ in 0..10 {
                log::write(log::Level::Warn, &"\u{202e}evil\u{2028}".repeat(10_000));
            }
            page("logged")
        }
        Behaviour::Hoards => page(&hoard()),
        Behaviour::HoardsNames => page(&set_all("name", &[])),
        Behaviour::SetsAndRemoves => page(&set_and_remove()),
        Behaviour::Replaces => page(&replace()),
        Behaviour::Remembers => {
            let kept = state::set("kept", b"value");
            page(&format!("{kept:?}"))
        }
        Behaviour::RemembersAndPanics => {
            let _ = state::set("kept", b"other");
            panic!("after remembering");
        }
        Behaviour::Recalls => page(&format!(
            "{:?}",
            state::get("kept")
                .map(|value| value.map(|value| String::from_utf8_lossy(&value).into_owned()))
        )),
        Behaviour::AsksWithoutEnd => loop {
            let _ = black_box(inventory::fingerprint());
        },
        Behaviour::AsksOnce => page(&format!("{:?}", inventory::fingerprint().is_ok())),
        Behaviour::HandsOverTooMuch => {
            let kept = state::set("huge", &vec![7; 64 << 20]);
            page(&format!("{kept:?}"))
        }
        Behaviour::Fetches => page(&fetch()),
    }
}

/// Asks for a kind, an id and a revision a line, and says of each how many bytes came, or why none.
fn fetch() -> String {
    let wanted = state::get("fetch").ok().flatten().unwrap_or_default();
    let wanted = String::from_utf8_lossy(&wanted).into_owned();
    let one = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let kind = match words.next()? {
            "advisory" => documents::Kind::Advisory,
            _ => documents::Kind::Correction,
        };
        let revision = words.next()?.parse().ok()?;
        let id = words.next()?.to_owned();
        let given = documents::fetch(kind, &DocumentRef { id, revision });
        Some(match given {
            Ok(bytes) => format!("{} bytes", bytes.len()),
            Err(documents::FetchError::NotHeld) => "not held".to_owned(),
            Err(documents::FetchError::Unavailable(reason)) => reason,
        })
    };
    let answers: Vec<String> = wanted.lines().filter_map(one).collect();
    answers.join("\n")
}

/// Writes values until one is refused, and says how many were taken and why it ended.
fn hoard() -> String {
    set_all("key", &[7; 1024])
}

fn set_all(prefix: &str, value: &[u8]) -> String {
    for number in 0..100_000 {
        if let Err(error) = state::set(&format!("{prefix}-{number:06}"), value) {
            return format!("{number} taken, then {error:?}");
        }
    }
    "all taken".to_owned()
}

fn set_and_remove() -> String {
    for number in 0..5_000 {
        let key = format!("{number:0>200}");
        let ended = state::set(&key, b"value").and_then(|()| state::remove(&key));
        if let Err(error) = ended {
            return format!("{number} set and removed, then {error:?}");
        }
    }
    "all set and removed".to_owned()
}

fn replace() -> String {
    for number in 0..100_000 {
        let key = format!("key-{number:06}");
        if !state::get(&key).is_ok_and(|value| value.is_some()) {
            break;
        }
        if let Err(error) = state::remove(&key) {
            return format!("{number} removed, then {error:?}");
        }
    }
    set_all("other", &[7; 1024])
}

/// Little of the guest's own stack in memory, so that the host's stack is used up first.
fn deeper(left: u64) -> u64 {
    if black_box(left) == 0 {
        0
    } else {
        deeper(left - 1) + 1
    }
}

fn page(text: &str) -> Page {
    Page {
        title: "A hostile page".to_owned(),
        blocks: vec![Block::Code(Code {
            language: None,
            text: text.to_owned(),
        })],
        embargo: false,
    }
}
