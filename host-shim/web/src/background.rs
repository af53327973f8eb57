//! Background jobs of the pages and the API: how far each is and how it ended, in memory only.
//!
//! May not: answer requests, or know who sent them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use spacecp_apply::apply::Progress;
use spacecp_contract::DocumentId;
use spacecp_render::progress::Stage;
use tokio::sync::{Semaphore, watch};

/// Works that are remembered; the oldest make room.
const MOST: usize = 200;

/// Streams of events that are open at once; further ones are refused, and the page is loaded again instead.
const MOST_STREAMS: usize = 64;

/// The works that were begun here, and the streams of events about them.
#[derive(Debug)]
pub(super) struct Works {
    numbered: Mutex<Numbered>,
    pub(super) streams: Arc<Semaphore>,
}

impl Default for Works {
    fn default() -> Self {
        Self {
            numbered: Mutex::default(),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
        }
    }
}

#[derive(Debug, Default)]
struct Numbered {
    last: u64,
    works: BTreeMap<u64, Arc<UnderWay>>,
}

/// Work that goes on, or has come to its end.
#[derive(Debug)]
pub(super) struct UnderWay {
    pub(super) words: String,
    /// The correction that is applied or taken back.
    pub(super) about: Option<DocumentId>,
    pub(super) stage: watch::Sender<Stage>,
}

impl Progress for UnderWay {
    fn steps(&self, steps: &[&'static str]) {
        let steps = steps.iter().map(|step| (*step).to_owned()).collect();
        self.stage.send_modify(|stage| stage.steps = steps);
    }

    fn step(&self, step: &str) {
        self.stage.send_modify(|stage| {
            stage.step = Some(step.to_owned());
            stage.files = None;
        });
    }

    fn files(&self, done: u64, of: u64) {
        self.stage
            .send_modify(|stage| stage.files = Some((done, of)));
    }
}

impl Works {
    pub(super) fn begin(&self, words: String, about: Option<DocumentId>) -> (u64, Arc<UnderWay>) {
        let under_way = Arc::new(UnderWay {
            words,
            about,
            stage: watch::Sender::default(),
        });
        let mut numbered = self.lock();
        numbered.last += 1;
        let number = numbered.last;
        numbered.works.insert(number, under_way.clone());
        while numbered.works.len() > MOST {
            numbered.works.pop_first();
        }
        (number, under_way)
    }

    pub(super) fn of(&self, number: u64) -> Option<Arc<UnderWay>> {
        self.lock().works.get(&number).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Numbered> {
        // A panic elsewhere leaves it as it was: every change is complete.
        self.numbered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
