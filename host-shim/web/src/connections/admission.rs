//! Which connections are held when there are more clients than the panel can serve.
//!
//! A new client is served rather than one that keeps the panel waiting, or that waits itself: where a bound is reached,
//! the connection goes that has waited longest, first of all one of the address that holds the most. A
//! connection whose request is being answered is never closed for another one.

use std::{collections::HashMap, hash::Hash, net::IpAddr, time::Instant};

/// How many connections are held at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// In total.
    pub(super) total: usize,
    /// From one address.
    pub(super) per_address: usize,
}

/// A connection that is held.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connection<Id> {
    pub(super) id: Id,
    /// The network that it comes from; none for a trusted proxy, which speaks for many people.
    pub(super) network: Option<IpAddr>,
    /// Since when it has waited, for its client or its turn; none while its request is being answered.
    pub(super) waiting_since: Option<Instant>,
}

/// What becomes of a new connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission<Id> {
    /// It is served.
    Free,
    /// It is served, and this one is closed.
    InsteadOf(Id),
    /// It is closed: every connection that could make room is being answered.
    Refused,
}

/// Decides about a new connection from `network` (none for a trusted proxy), given all that are held.
pub(super) fn admit<Id: Copy + Eq + Hash>(
    held: &[Connection<Id>],
    network: Option<IpAddr>,
    bounds: Bounds,
) -> Admission<Id> {
    let of = |wanted| held.iter().filter(move |one| one.network == wanted);
    let own = of(network).count();
    if network.is_some() && own >= bounds.per_address {
        return instead_of(longest_waiting(of(network)));
    }
    if held.len() < bounds.total {
        return Admission::Free;
    }
    // One that holds no more than the newcomer would is not made to give way to it.
    let greediest = greediest(held).filter(|(_, count)| *count > own + 1);
    let its_own = greediest.and_then(|(greediest, _)| longest_waiting(of(Some(greediest))));
    instead_of(its_own.or_else(|| longest_waiting(held.iter())))
}

fn instead_of<Id>(id: Option<Id>) -> Admission<Id> {
    id.map_or(Admission::Refused, Admission::InsteadOf)
}

/// The address that holds the most connections, and how many. Proxies are not among them.
fn greediest<Id>(held: &[Connection<Id>]) -> Option<(IpAddr, usize)> {
    let mut counts = HashMap::<IpAddr, usize>::new();
    for network in held.iter().filter_map(|one| one.network) {
        *counts.entry(network).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count)
}

fn longest_waiting<'a, Id: Copy + 'a>(
    among: impl Iterator<Item = &'a Connection<Id>>,
) -> Option<Id> {
    among
        .filter_map(|one| Some((one.waiting_since?, one.id)))
        .min_by_key(|(since, _)| *since)
        .map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const BOUNDS: Bounds = Bounds {
        total: 6,
        per_address: 3,
    };

    #[expect(clippy::unnecessary_wraps, reason = "a connection of a proxy has none")]
    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([203, 0, 113, last]))
    }

    /// Connections by address and by the seconds that each has waited for its client.
    fn held(all: &[(Option<IpAddr>, Option<u64>)]) -> Vec<Connection<usize>> {
        let an_hour_ago = Instant::now();
        let all = all.iter().enumerate();
        all.map(|(id, (network, seconds))| Connection {
            id,
            network: *network,
            waiting_since: seconds.map(|seconds| an_hour_ago + Duration::from_secs(3600 - seconds)),
        })
        .collect()
    }

    #[test]
    fn below_the_bounds_everybody_is_served() {
        let held = held(&[(address(1), Some(5)), (address(1), Some(5))]);
        assert_eq!(admit(&held, address(1), BOUNDS), Admission::Free);
    }

    #[test]
    fn an_address_at_its_bound_gives_up_the_connection_that_waited_longest() {
        let held = held(&[
            (address(2), Some(99)),
            (address(1), Some(1)),
            (address(1), Some(7)),
            (address(1), None),
        ]);
        assert_eq!(admit(&held, address(1), BOUNDS), Admission::InsteadOf(2));
    }

    #[test]
    fn an_address_whose_requests_are_all_being_answered_opens_no_more() {
        let held = held(&[(address(1), None); 3]);
        assert_eq!(admit(&held, address(1), BOUNDS), Admission::Refused);
        assert_eq!(admit(&held, address(2), BOUNDS), Admission::Free);
    }

    #[test]
    fn at_the_total_the_address_with_the_most_connections_makes_room() {
        let held = held(&[
            (address(1), Some(1)),
            (address(1), Some(2)),
            (address(1), Some(1)),
            (address(2), Some(60)),
            (address(3), Some(60)),
            (address(3), Some(60)),
        ]);
        assert_eq!(admit(&held, address(4), BOUNDS), Admission::InsteadOf(1));
    }

    #[test]
    fn where_no_address_holds_more_than_its_share_the_longest_wait_ends() {
        let one_each = (1..=6).map(|last| (address(last), Some(u64::from(last))));
        let held = held(&one_each.collect::<Vec<_>>());
        assert_eq!(admit(&held, address(7), BOUNDS), Admission::InsteadOf(5));
    }

    #[test]
    fn a_trusted_proxy_is_held_to_the_total_alone() {
        let held = held(&[(None, Some(1)); 5]);
        assert_eq!(admit(&held, None, BOUNDS), Admission::Free);
    }

    #[test]
    fn a_trusted_proxy_makes_room_only_where_no_address_is_greedy() {
        let held = held(&[
            (None, Some(90)),
            (None, Some(90)),
            (None, Some(90)),
            (None, Some(90)),
            (address(1), Some(1)),
            (address(1), Some(2)),
        ]);
        assert_eq!(admit(&held, address(2), BOUNDS), Admission::InsteadOf(5));
        let proxy_alone = &held[..4];
        let bounds = Bounds { total: 4, ..BOUNDS };
        assert_eq!(
            admit(proxy_alone, address(2), bounds),
            Admission::InsteadOf(0)
        );
    }

    #[test]
    fn a_panel_that_answers_on_every_connection_takes_no_more() {
        let all = (1..=6).map(|last| (address(last), None));
        let held = held(&all.collect::<Vec<_>>());
        assert_eq!(admit(&held, address(7), BOUNDS), Admission::Refused);
    }
}
