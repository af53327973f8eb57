//! An index and the head that makes it current: two requests that are signed apart and become current
//! together.

use jiff::Timestamp;
use spacecp_contract::{Head, Index};

use super::{Request, RequestError, Wanted};
use crate::{feed::Feed, publish::PublishService};

/// Both requests of a broadcast, and what they ask for.
pub(super) struct Pair {
    head: (Request, Head),
    index: (Request, Index),
}

impl Pair {
    /// The pair that a request belongs to; none if it stands alone.
    pub(super) fn of(one: &Request) -> Result<Option<Self>, RequestError> {
        let beside = match &one.wanted {
            Wanted::Index(index) => format!("{}.head", index.sequence),
            Wanted::Head(head) => format!("{}.index", head.sequence),
            _ => return Ok(None),
        };
        let other = Request::read(&one.path.with_file_name(beside))?;
        let apart = RequestError::Apart(one.path.clone(), other.path.clone());
        let pair = match (one.wanted.clone(), other.wanted.clone()) {
            (Wanted::Head(head), Wanted::Index(index)) => Self {
                head: (one.clone(), head),
                index: (other, index),
            },
            (Wanted::Index(index), Wanted::Head(head)) => Self {
                head: (other, head),
                index: (one.clone(), index),
            },
            _ => return Err(apart),
        };
        if pair.head.1.index != pair.index.0.digest() {
            return Err(apart);
        }
        Ok(Some(pair))
    }

    /// What the one that is not `one` is missing.
    pub(super) fn missing_beside(
        &self,
        one: &Request,
        feed: &Feed,
    ) -> Result<Vec<String>, RequestError> {
        let other = self.beside(one);
        let missing = other.counted(feed)?.missing;
        let under = |lack: &String| format!("{lack} under {}", other.path.display());
        Ok(missing.iter().map(under).collect())
    }

    /// Makes both current, by the signatures that have collected.
    pub(super) fn publish(
        &self,
        service: &PublishService<'_>,
        now: Timestamp,
    ) -> Result<(), RequestError> {
        let feed = service.feed();
        let (request, head) = &self.head;
        let head = request.signed(head, request.counted(feed)?.signatures);
        let (request, index) = &self.index;
        let index = request.signed(index, request.counted(feed)?.signatures);
        Ok(service.broadcast_signed(&head, &index, now)?)
    }

    fn beside(&self, one: &Request) -> &Request {
        if one.path == self.head.0.path {
            &self.index.0
        } else {
            &self.head.0
        }
    }
}
