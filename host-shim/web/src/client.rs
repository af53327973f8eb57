//! From which address a request comes.
//!
//! It is the one that is connected; where that is a proxy which the configuration names, the one that the
//! proxy says in `X-Forwarded-For`. Nobody else is believed: anybody can send that header.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap},
};

/// The address from which a request comes; in the extensions of every request that has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Client(pub(super) IpAddr);

impl Client {
    /// The address, as far as it is known.
    pub(super) fn of(
        extensions: &Extensions,
        headers: &HeaderMap,
        proxies: &[IpAddr],
    ) -> Option<Self> {
        let connected = extensions.get::<ConnectInfo<SocketAddr>>()?;
        Some(Self(behind(connected.0.ip(), headers, proxies)))
    }

    /// What belongs to one stranger: of IPv6 the first half, as nobody is given less.
    pub(super) fn network(self) -> IpAddr {
        match self.0.to_canonical() {
            IpAddr::V6(address) => {
                let first = u128::from(address) & (u128::MAX << 64);
                IpAddr::V6(Ipv6Addr::from(first))
            }
            v4 @ IpAddr::V4(_) => v4,
        }
    }
}

/// The nearest address that is not a proxy of ours: each proxy adds the one that is connected to it at
/// the end, and what stands before that is hearsay.
fn behind(connected: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let is_ours = |address: &IpAddr| proxies.contains(&address.to_canonical());
    let mut nearest = connected.to_canonical();
    let said: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for text in said.iter().rev() {
        if !is_ours(&nearest) {
            break;
        }
        match text.trim().parse::<IpAddr>() {
            Ok(address) => nearest = address.to_canonical(),
            Err(_) => break,
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn seen(connected: &str, said: &[&'static str], proxies: &[&str]) -> IpAddr {
        let mut headers = HeaderMap::new();
        for value in said {
            headers.append("x-forwarded-for", HeaderValue::from_static(value));
        }
        let proxies: Vec<_> = proxies.iter().map(|text| address(text)).collect();
        behind(address(connected), &headers, &proxies)
    }

    #[test]
    fn a_stranger_is_not_believed_about_where_they_are() {
        assert_eq!(
            seen("203.0.113.5", &["10.0.0.1"], &["127.0.0.1"]),
            address("203.0.113.5")
        );
        assert_eq!(
            seen("203.0.113.5", &["10.0.0.1"], &[]),
            address("203.0.113.5")
        );
    }

    #[test]
    fn a_proxy_of_ours_says_who_is_behind_it_and_what_they_claimed_is_left_aside() {
        let proxies = ["127.0.0.1"];
        assert_eq!(
            seen("127.0.0.1", &["203.0.113.5"], &proxies),
            address("203.0.113.5")
        );
        assert_eq!(
            seen("127.0.0.1", &["10.9.9.9, 203.0.113.5"], &proxies),
            address("203.0.113.5")
        );
        assert_eq!(
            seen("127.0.0.1", &["10.9.9.9", "203.0.113.5"], &proxies),
            address("203.0.113.5")
        );
        assert_eq!(
            seen("::ffff:127.0.0.1", &["203.0.113.5"], &proxies),
            address("203.0.113.5")
        );
    }

    #[test]
    fn several_proxies_of_ours_are_passed_one_by_one() {
        let proxies = ["127.0.0.1", "10.0.0.2"];
        assert_eq!(
            seen(
                "127.0.0.1",
                &["198.51.100.7, 203.0.113.5, 10.0.0.2"],
                &proxies
            ),
            address("203.0.113.5")
        );
    }

    #[test]
    fn a_proxy_that_says_nothing_readable_stands_for_itself() {
        let proxies = ["127.0.0.1"];
        assert_eq!(seen("127.0.0.1", &[], &proxies), address("127.0.0.1"));
        assert_eq!(
            seen("127.0.0.1", &["unknown"], &proxies),
            address("127.0.0.1")
        );
    }

    #[test]
    fn addresses_of_one_network_of_ipv6_count_as_one() {
        let one = Client(address("2001:db8::1")).network();
        assert_eq!(one, Client(address("2001:db8::ffff:1")).network());
        assert_ne!(one, Client(address("2001:db8:0:1::1")).network());
    }
}
