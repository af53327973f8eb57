//! When automatic application may act: inside the windows of the policy and inside those that the
//! configuration allows, at once.

use jiff::Timestamp;

use super::window::{Opening, Windows};

/// Steps that are taken towards an instant at which everything is open.
const STEPS: usize = 1_000;

/// Windows that all have to be open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hours {
    layers: Vec<Windows>,
}

impl Hours {
    /// The hours at which all of these are open.
    pub fn all(layers: impl IntoIterator<Item = Windows>) -> Self {
        let restricted = layers.into_iter().filter(|windows| !windows.is_always());
        Self {
            layers: restricted.collect(),
        }
    }

    /// Whether there is no restriction at all.
    pub fn is_always(&self) -> bool {
        self.layers.is_empty()
    }

    /// Whether something may begin at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.layers.iter().all(|layer| layer.open(now).is_some())
    }

    /// The opening that `now` is in; none where it is closed, and none where it is always open.
    pub fn opening(&self, now: Timestamp) -> Option<Opening> {
        let openings: Option<Vec<Opening>> =
            self.layers.iter().map(|layer| layer.open(now)).collect();
        let openings = openings?;
        Some(Opening {
            begin: openings.iter().map(|opening| opening.begin).max()?,
            end: openings.iter().map(|opening| opening.end).min()?,
        })
    }

    /// The first instant from `now` on at which everything is open; none where that never comes.
    pub fn first_open(&self, now: Timestamp) -> Option<Timestamp> {
        let mut at = now;
        for _ in 0..STEPS {
            let closed = self.layers.iter().filter(|layer| layer.open(at).is_none());
            // Nothing can begin before each of those that are closed has opened.
            let openings: Option<Vec<Timestamp>> = closed.map(|layer| layer.next(at)).collect();
            match openings?.into_iter().max() {
                None => return Some(at),
                Some(later) => at = later,
            }
        }
        None
    }

    /// The present opening, if there is one, and those that follow, `most` of them.
    pub fn openings(&self, now: Timestamp, most: usize) -> Vec<Opening> {
        let mut openings = Vec::new();
        let mut at = now;
        while openings.len() < most
            && let Some(begin) = self.first_open(at)
            && let Some(opening) = self.opening(begin)
            && opening.end > at
        {
            at = opening.end;
            openings.push(opening);
        }
        openings
    }
}
