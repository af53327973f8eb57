//! Clients that send half of what they have to, read nothing, or open too many connections, on real sockets.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    time::{sleep, timeout},
};

use crate::panel::{ADMINISTRATOR, Kind, Panel};

/// A request that may be followed by others on the same connection.
const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";

/// The largest page that strangers may see.
const STYLE: &str = "GET /style.css HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";

/// Long enough for a busy machine, and far below any other bound of the panel's.
const PATIENCE: Duration = Duration::from_secs(8);

async fn hurried() -> Result<Panel> {
    Panel::of(Kind {
        header_seconds: Some(1),
        ..Kind::default()
    })
    .await
}

/// Says this to a panel, and gives what it answers until it lets go.
async fn says(panel: &Panel, words: &str) -> Result<String> {
    let mut stream = TcpStream::connect(panel.address()).await?;
    stream.write_all(words.as_bytes()).await?;
    let mut answer = Vec::new();
    // A connection that is cut off may be reset.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await?;
    Ok(String::from_utf8(answer)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_half_a_header_is_cut_off() -> Result<()> {
    let panel = hurried().await?;
    for half in [
        "",
        "GET /health",
        "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n",
    ] {
        let answer = says(&panel, half).await?;
        assert!(!answer.contains("200 OK"), "{half:?}: {answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_a_byte_now_and_then_is_cut_off_too() -> Result<()> {
    let panel = hurried().await?;
    let (mut reading, mut writing) = TcpStream::connect(panel.address()).await?.into_split();
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let dripping = tokio::spawn(async move {
        for byte in "GET /health HTTP/1.1\r\n".bytes().cycle() {
            if writing.write_all(&[byte]).await.is_err() {
                break;
            }
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let _ = timeout(PATIENCE, reading.read_to_end(&mut Vec::new())).await?;
    assert!(sent.load(Ordering::SeqCst) > 1, "not at once");
    dripping.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_request_on_a_connection_has_the_same_time() -> Result<()> {
    let panel = hurried().await?;
    let request = "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    let answer = says(&panel, &format!("{request}GET /hea")).await?;
    assert_eq!(answer.matches("200 OK").count(), 1, "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_longer_than_a_header_may_is_given_all_the_same() -> Result<()> {
    let panel = hurried().await?;
    let mut visitor = panel.visitor();
    // Hashing passwords in vain, one after the other: together longer than the bound.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1500) {
        visitor.log_in("nobody", "nothing").await?;
    }
    assert_eq!(visitor.get("/health").await?.status, 200);
    Ok(())
}

async fn with(serve: &'static str) -> Result<Panel> {
    Panel::of(Kind {
        serve,
        ..Kind::default()
    })
    .await
}

/// A connection from an address of this machine, with room for few bytes that were not read.
async fn connect(panel: &Panel, from: u8) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4 << 10)?;
    socket.bind((Ipv4Addr::new(127, 0, 0, from), 0).into())?;
    Ok(socket.connect(panel.address()).await?)
}

/// Whether a connection answers a request; one that was closed does not.
async fn answers(stream: &mut TcpStream) -> Result<bool> {
    if stream.write_all(HEALTH.as_bytes()).await.is_err() {
        return Ok(false);
    }
    let mut answer = [0; 1024];
    let read = timeout(PATIENCE, stream.read(&mut answer)).await?;
    Ok(read.is_ok_and(|read| answer[..read].starts_with(b"HTTP/1.1 200")))
}

/// Connections from an address, each of which has had an answer.
async fn several(panel: &Panel, from: u8, count: usize) -> Result<Vec<TcpStream>> {
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut stream = connect(panel, from).await?;
        assert!(answers(&mut stream).await?);
        streams.push(stream);
    }
    Ok(streams)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_nothing_is_cut_off() -> Result<()> {
    let panel = with("write-seconds = 1\n").await?;
    let mut stream = connect(&panel, 1).await?;
    let asks_without_end = async {
        loop {
            if let Err(error) = stream.write_all(STYLE.as_bytes()).await {
                return error.kind();
            }
        }
    };
    let ended = timeout(PATIENCE, asks_without_end).await?;
    assert_eq!(ended, std::io::ErrorKind::ConnectionReset);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_a_byte_now_and_then_is_cut_off_too() -> Result<()> {
    let panel = with("write-seconds = 1\n").await?;
    let (mut reading, mut writing) = connect(&panel, 1).await?.into_split();
    let dripping = tokio::spawn(async move {
        let mut byte = [0];
        while reading.read_exact(&mut byte).await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    let asks_without_end = async { while writing.write_all(STYLE.as_bytes()).await.is_ok() {} };
    timeout(PATIENCE, asks_without_end).await?;
    dripping.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_slowly_gets_every_answer() -> Result<()> {
    const REQUESTS: usize = 100;
    let panel = with("write-seconds = 1\nheader-seconds = 1\n").await?;
    let (mut reading, mut writing) = connect(&panel, 1).await?.into_split();
    let asking = tokio::spawn(async move {
        for _ in 0..REQUESTS {
            writing.write_all(STYLE.as_bytes()).await?;
        }
        anyhow::Ok(writing)
    });
    let (mut all, mut piece) = (Vec::new(), vec![0; 32 << 10]);
    let mut pauses = 0;
    // The panel lets go of the connection when nothing more is asked.
    while let Ok(read @ 1..) = reading.read(&mut piece).await {
        all.extend_from_slice(&piece[..read]);
        sleep(Duration::from_millis(20)).await;
        pauses += 1;
    }
    assert!(pauses > 50, "less than the second that each answer has");
    drop(asking.await??);
    let text = String::from_utf8(all)?;
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), REQUESTS);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_too_many_connections_loses_the_ones_that_stood_still_longest() -> Result<()>
{
    let panel = with("max-connections-per-address = 3\n").await?;
    let mut elsewhere = several(&panel, 2, 1).await?;
    let mut here = several(&panel, 1, 5).await?;
    let mut open = Vec::new();
    for stream in &mut here {
        open.push(answers(stream).await?);
    }
    assert_eq!(open, [false, false, true, true, true]);
    assert!(answers(&mut elsewhere[0]).await?, "another address");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_with_the_most_connections_makes_room_for_others() -> Result<()> {
    let panel = with("max-connections = 6\n").await?;
    let mut few = several(&panel, 2, 2).await?;
    let mut many = several(&panel, 1, 4).await?;
    let mut newcomer = several(&panel, 3, 1).await?;
    assert!(!answers(&mut many[0]).await?);
    for stream in few.iter_mut().chain(&mut many[1..]).chain(&mut newcomer) {
        assert!(answers(stream).await?);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_whose_request_is_being_answered_is_not_closed_for_another_one() -> Result<()>
{
    let panel = with("max-connections-per-address = 2\n").await?;
    let mut login = connect(&panel, 1).await?;
    // It hashes a password, which takes a while.
    let form = "name=nobody&password=nothing";
    let request = format!(
        "POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    );
    login.write_all(request.as_bytes()).await?;
    let others = tokio::spawn(async move {
        for _ in 0..20 {
            several(&panel, 1, 1).await?;
        }
        anyhow::Ok(panel)
    });
    let mut answer = String::new();
    timeout(PATIENCE, login.read_to_string(&mut answer)).await??;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    others.await??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_may_hold_as_many_connections_as_there_are() -> Result<()> {
    let panel = with("proxies = [\"127.0.0.1\"]\nmax-connections-per-address = 2\n").await?;
    let mut proxys = several(&panel, 1, 6).await?;
    for stream in &mut proxys {
        assert!(answers(stream).await?);
    }
    let mut strangers = several(&panel, 2, 3).await?;
    assert!(!answers(&mut strangers[0]).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_panel_that_floods_itself_with_requests_still_says_that_it_is_up() -> Result<()> {
    let panel = Panel::of(Kind {
        requests_per_minute: Some(3),
        ..Kind::default()
    })
    .await?;
    let mut visitor = panel.visitor();
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(visitor.get("/login").await?.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert_eq!(visitor.get("/health").await?.status, 200);
    let elsewhere = IpAddr::from([127, 0, 0, 2]);
    let answer = panel.visitor().from(elsewhere).get("/login").await?;
    assert_eq!(answer.status, 200, "another address");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_refused_are_counted_before_they_are_logged() -> Result<()> {
    let panel = Panel::of(Kind {
        requests_per_minute: Some(2),
        ..Kind::default()
    })
    .await?;
    let mut visitor = panel.visitor();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let host = [("host", "elsewhere.example")];
        statuses.push(visitor.get_with("/login", &host).await?.status);
    }
    assert_eq!(statuses, [421, 421, 429]);
    Ok(())
}

/// Says this on a connection whose answer nobody waits for.
async fn asks(panel: &Panel, from: u8, request: &str) -> Result<TcpStream> {
    let mut stream = connect(panel, from).await?;
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_for_their_turn_keep_nobody_out() -> Result<()> {
    // A webhook that takes a connection and says nothing: whoever tries it out is answered late.
    let webhook = TcpListener::bind(("127.0.0.1", 0)).await?;
    let panel = Panel::of(Kind {
        serve: "max-connections = 4\nmax-concurrent-requests = 1\n",
        webhook: Some(webhook.local_addr()?.port()),
        ..Kind::default()
    })
    .await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let page = administrator.get("/notifications").await?;
    let form = page.form("/notifications/test")?;
    let trying =
        tokio::spawn(async move { administrator.post("/notifications/test", &form).await });
    let (_tried, _) = timeout(PATIENCE, webhook.accept()).await??;

    let login = "GET /login HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    let mut waiting = Vec::new();
    for from in 2..=4 {
        waiting.push(asks(&panel, from, login).await?);
    }
    sleep(Duration::from_millis(300)).await;
    assert!(
        answers(&mut connect(&panel, 9).await?).await?,
        "one of them made room"
    );
    assert!(!trying.is_finished(), "what is answered is not cut off");
    trying.abort();
    Ok(())
}
