//! Requests that are answered at once, by the address that they come from.

use std::{net::IpAddr, time::Duration};

use anyhow::Result;
use spacecp_tests::catalog;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    panel::{ADMINISTRATOR, Kind, Panel},
    visitor::Visitor,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A panel at work that does not end before its gate is opened, somebody who is logged in, and the path of the
/// events of that work.
async fn at_work(serve: &'static str) -> Result<(Panel, Visitor, String)> {
    let panel = Panel::of(Kind {
        plugin: true,
        gated: true,
        serve,
        ..Kind::default()
    })
    .await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let page = format!("/advisories/{}", catalog::CONSOLE);
    let form = administrator.get(&page).await?.form("/apply")?;
    let answer = administrator.post("/apply", &form).await?;
    let work = answer.header("location").unwrap_or_default();
    let events = format!("{work}/events");
    Ok((panel, administrator, events))
}

/// Begins to follow events, and gives the connection with the head of the answer.
async fn follow(
    panel: &Panel,
    visitor: &Visitor,
    events: &str,
    forwarded: &str,
) -> Result<(TcpStream, String)> {
    let mut stream = TcpStream::connect(panel.address()).await?;
    let cookie = visitor.cookie().unwrap_or_default();
    let request = format!(
        "GET {events} HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: {cookie}\r\nx-forwarded-for: {forwarded}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = [0; 1024];
    let read = timeout(PATIENCE, stream.read(&mut head)).await??;
    Ok((stream, String::from_utf8_lossy(&head[..read]).into_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_followed_for_longer_than_any_bound_on_the_client() -> Result<()> {
    let serve = "header-seconds = 1\nwrite-seconds = 1\n";
    let (panel, administrator, events) = at_work(serve).await?;
    let (mut stream, head) = follow(&panel, &administrator, &events, "").await?;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    sleep(Duration::from_secs(3)).await;
    panel.open_gate()?;
    let mut rest = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut rest)).await??;
    assert!(rest.contains("event: end"), "{rest}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_behind_a_trusted_proxy_has_a_bound_of_its_own() -> Result<()> {
    let serve = "proxies = [\"127.0.0.1\"]\nmax-concurrent-requests-per-address = 2\n";
    let (panel, administrator, events) = at_work(serve).await?;
    let one = "203.0.113.5";
    let (_first, head) = follow(&panel, &administrator, &events, one).await?;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let (second, head) = follow(&panel, &administrator, &events, one).await?;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let (_third, head) = follow(&panel, &administrator, &events, one).await?;
    assert!(head.starts_with("HTTP/1.1 429"), "{head}");
    let of = |address| [("x-forwarded-for", address)];
    let mut stranger = panel.visitor();
    let refused = stranger.get_with("/login", &of(one)).await?;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), Some("1"));
    let other = stranger.get_with("/login", &of("203.0.113.6")).await?;
    assert_eq!(other.status, 200, "another address behind the proxy");
    let health = stranger.get_with("/health", &of(one)).await?;
    assert_eq!(health.status, 200);

    drop(second);
    let again = async {
        while stranger.get_with("/login", &of(one)).await?.status != 200 {
            sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, again).await??;
    panel.open_gate()
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_events_are_bounded_in_number() -> Result<()> {
    let serve = "max-connections-per-address = 1000\n";
    let (panel, mut administrator, events) = at_work(serve).await?;
    let mut streams = Vec::new();
    for _ in 0..64 {
        let (stream, head) = follow(&panel, &administrator, &events, "").await?;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        streams.push(stream);
    }
    let (_, head) = follow(&panel, &administrator, &events, "").await?;
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert_eq!(administrator.get("/history").await?.status, 200);
    panel.open_gate()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_somebody_who_is_logged_in_may_send_much() -> Result<()> {
    let panel = Panel::raise().await?;
    let form = crate::visitor::fields(&[("impact", &"x".repeat(100_000))]);
    let stranger = panel.visitor().post("/report", &form).await?;
    assert_eq!(stranger.status, 413);
    let known = panel
        .visit_as(ADMINISTRATOR)
        .await?
        .post("/report", &form)
        .await?;
    assert_ne!(known.status, 413, "{}", known.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_of_ipv6_counts_as_one_address() -> Result<()> {
    let panel = Panel::of(Kind {
        requests_per_minute: Some(2),
        serve: "proxies = [\"127.0.0.1\"]\n",
        ..Kind::default()
    })
    .await?;
    let mut statuses = Vec::new();
    for host in 1..=3u16 {
        let address = IpAddr::from([0x2001, 0xdb8, 0, 7, 0, 0, 0, host]).to_string();
        let from = [("x-forwarded-for", address.as_str())];
        statuses.push(panel.visitor().get_with("/login", &from).await?.status);
    }
    assert_eq!(statuses, [200, 200, 429]);
    Ok(())
}
