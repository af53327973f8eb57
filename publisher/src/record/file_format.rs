//! The record as text: JSON Lines, so that a version control shows what a broadcast has changed.
//!
//! The first line names the format; a document, a root, a recovery, a document that was disowned, a panel that was
//! left out and a transition that a case has to record have a line each. The file is always
//! written whole.

use std::path::Path;

use serde::{Deserialize, Serialize};
use spacecp_contract::{Audience, Digest, IndexEntry};

use super::{Disowned, Edition, Record, RecordError, RecordedRoot, Recovery, SealedTo, Signed};
use crate::cases::transition::CaseTransition;

/// The newest version of the format that this program reads.
const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
enum Line {
    Record {
        schema: u32,
        audience: Audience,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        highest: Option<Signed>,
    },
    Root(RecordedRoot),
    Edition {
        state: State,
        epoch: u64,
        sequence: u64,
        head: Digest,
        index: Digest,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sealed: Option<Digest>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sealed_to: Vec<SealedTo>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unknown: bool,
    },
    Document {
        state: State,
        side: Side,
        #[serde(flatten)]
        entry: IndexEntry,
    },
    Case {
        state: State,
        #[serde(flatten)]
        transition: CaseTransition,
    },
    Recovery(Recovery),
    Disowned(Disowned),
    Dropped(SealedTo),
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Current,
    Pending,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Side {
    Public,
    Private,
}

pub(super) fn to_text(record: &Record) -> serde_json::Result<String> {
    let mut lines = vec![Line::Record {
        schema: SCHEMA,
        audience: record.audience.clone(),
        highest: record.highest,
    }];
    lines.extend(record.roots.iter().cloned().map(Line::Root));
    lines.extend(record.recoveries.iter().cloned().map(Line::Recovery));
    lines.extend(record.disowned.iter().cloned().map(Line::Disowned));
    lines.extend(record.dropped.iter().cloned().map(Line::Dropped));
    let editions = [
        (State::Current, &record.current),
        (State::Pending, &record.pending),
    ];
    for (state, edition) in editions {
        lines.extend(edition.iter().flat_map(|edition| lines_of(state, edition)));
    }
    let cases = [
        (State::Current, &record.unrecorded_cases),
        (State::Pending, &record.pending_cases),
    ];
    for (state, transitions) in cases {
        let transitions = transitions.iter().cloned();
        lines.extend(transitions.map(|transition| Line::Case { state, transition }));
    }
    let mut text = String::new();
    for line in &lines {
        text.push_str(&serde_json::to_string(line)?);
        text.push('\n');
    }
    Ok(text)
}

fn lines_of(state: State, edition: &Edition) -> impl Iterator<Item = Line> {
    let first = Line::Edition {
        state,
        epoch: edition.epoch,
        sequence: edition.sequence,
        head: edition.head,
        index: edition.index,
        sealed: edition.sealed,
        sealed_to: edition.sealed_to.clone(),
        unknown: edition.is_unknown,
    };
    let public = edition.public.iter().map(|entry| (Side::Public, entry));
    let private = edition.private.iter().map(|entry| (Side::Private, entry));
    let documents = public
        .chain(private)
        .map(move |(side, entry)| Line::Document {
            state,
            side,
            entry: entry.clone(),
        });
    std::iter::once(first).chain(documents)
}

pub(super) fn parse(path: &Path, text: &str) -> Result<Record, RecordError> {
    let mut record: Option<Record> = None;
    for (number, line) in text.lines().enumerate() {
        let refused = |reason: String| RecordError::Format {
            path: path.to_owned(),
            line: number + 1,
            reason,
        };
        let line: Line = serde_json::from_str(line).map_err(|error| refused(error.to_string()))?;
        match (&mut record, line) {
            (None, Line::Record { schema, .. }) if schema > SCHEMA => {
                let reason = format!("schema {schema} is not supported, only up to {SCHEMA}");
                return Err(refused(reason));
            }
            (
                None,
                Line::Record {
                    audience, highest, ..
                },
            ) => {
                record = Some(Record {
                    highest,
                    ..Record::new(audience)
                });
            }
            (Some(record), line) => {
                take(record, line).map_err(|reason| refused(reason.to_owned()))?;
            }
            (None, _) => return Err(refused("missing header line".to_owned())),
        }
    }
    record.ok_or_else(|| RecordError::Format {
        path: path.to_owned(),
        line: 1,
        reason: "empty".to_owned(),
    })
}

fn take(record: &mut Record, line: Line) -> Result<(), &'static str> {
    match line {
        Line::Record { .. } => return Err("second header line"),
        Line::Root(root) => {
            let follows = record.roots.len() as u64 + 1 == root.version;
            if !follows || Digest::of(&root.bytes()) != root.digest {
                return Err("the root does not follow the previous one, or has another digest");
            }
            record.roots.push(root);
        }
        Line::Recovery(recovery) => record.recoveries.push(recovery),
        Line::Disowned(disowned) => record.disowned.push(disowned),
        Line::Dropped(dropped) => record.dropped.push(dropped),
        Line::Edition {
            state,
            epoch,
            sequence,
            head,
            index,
            sealed,
            sealed_to,
            unknown,
        } => {
            *edition_of(record, state) = Some(Edition {
                epoch,
                sequence,
                head,
                index,
                sealed,
                sealed_to,
                is_unknown: unknown,
                public: Vec::new(),
                private: Vec::new(),
            });
        }
        Line::Case { state, transition } => match state {
            State::Current => record.unrecorded_cases.push(transition),
            State::Pending => record.pending_cases.push(transition),
        },
        Line::Document { state, side, entry } => {
            let Some(edition) = edition_of(record, state) else {
                return Err("a document precedes the index that lists it");
            };
            match side {
                Side::Public => edition.public.push(entry),
                Side::Private => edition.private.push(entry),
            }
        }
    }
    Ok(())
}

fn edition_of(record: &mut Record, state: State) -> &mut Option<Edition> {
    match state {
        State::Current => &mut record.current,
        State::Pending => &mut record.pending,
    }
}
