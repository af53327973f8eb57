//! A process that dies in the middle: what it was about to say is said by the next.

use std::{os::unix::process::CommandExt, process::Command};

use anyhow::Result;

use super::{
    receiver::{Habit, Receiver},
    stage::{Stage, about_the_daemon, webhook},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_whose_teller_is_killed_is_told_by_the_next_and_known_as_the_same() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let receiver = Receiver::that([Habit::Hangs]).await?;
    let config = stage.configure(&webhook("desk", &receiver.address(), ""))?;
    let mut teller = Command::new(env!("CARGO_BIN_EXE_panel-program"))
        .arg0("spacecp-advisories")
        .arg("--config")
        .arg(&config)
        .args(["notify", "retry"])
        .spawn()?;
    receiver.asked().await?;
    // While it waits for an answer: told, and not delivered.
    teller.kill()?;
    teller.wait()?;
    let app = stage
        .open(&webhook("desk", &receiver.address(), ""))
        .await?;
    assert_eq!(app.notifications.report().await?.channels[0].pending, 1);
    let told = app.notifications.deliver(jiff::Timestamp::now()).await?;
    assert_eq!((told.new, told.delivered), (0, 1));
    let sent = receiver.requests();
    let ids: Vec<&str> = sent
        .iter()
        .map(|sent| sent.header("spacecp-delivery"))
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_tell_nothing_twice() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let receiver = Receiver::that_takes_everything().await?;
    let channel = webhook("desk", &receiver.address(), "");
    let (one, other) = (stage.open(&channel).await?, stage.open(&channel).await?);
    let now = jiff::Timestamp::now();
    // Whoever comes second is refused, or finds that nothing is left.
    let (_, _) = tokio::join!(
        one.notifications.deliver(now),
        other.notifications.deliver(now)
    );
    one.notifications.deliver(now).await?;
    other.notifications.deliver(now).await?;
    assert_eq!(receiver.requests().len(), 1);
    Ok(())
}
