//! Clients that send half of what they have to, on real sockets.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::panel::{Kind, Panel};

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
    let dripping = tokio::spawn(async move {
        for byte in "GET /health HTTP/1.1\r\n".bytes().cycle() {
            if writing.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let begun = Instant::now();
    let _ = timeout(PATIENCE, reading.read_to_end(&mut Vec::new())).await?;
    assert!(begun.elapsed() >= Duration::from_millis(900), "not at once");
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
