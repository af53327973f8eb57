//! An index and the head that makes it current: two requests that are signed apart and become current
//! together.

use jiff::Timestamp;
use spacecp_contract::{Head, Index};

use super::{Counted, Request, RequestError, Wanted};
use crate::feed::Feed;

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

    /// Makes both current if enough have signed them. Says what the one that is not `one`, of which
    /// these signatures count, is missing.
    pub(super) fn publish(
        &self,
        one: &Request,
        feed: &Feed,
        counted: &Counted,
        now: Timestamp,
    ) -> Result<Vec<String>, RequestError> {
        let is_head = one.path == self.head.0.path;
        let other = if is_head { &self.index.0 } else { &self.head.0 };
        let others = other.counted(feed)?;
        if !counted.missing.is_empty() || !others.missing.is_empty() {
            let under = |lack: &String| format!("{lack} under {}", other.path.display());
            return Ok(others.missing.iter().map(under).collect());
        }
        let (own, others) = (counted.signatures.clone(), others.signatures);
        let (of_head, of_index) = if is_head {
            (own, others)
        } else {
            (others, own)
        };
        let (request, head) = &self.head;
        let head = request.signed(head, of_head);
        let (request, index) = &self.index;
        feed.broadcast_signed(&head, &request.signed(index, of_index), now)?;
        Ok(Vec::new())
    }
}
