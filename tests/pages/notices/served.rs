//! Whoever serves the pages tells, too: nobody has to ask for it.

use anyhow::Result;
use spacecp_advisories::{ApplyRequest, web};
use spacecp_tests::catalog;
use tokio::{net::TcpListener, sync::oneshot};

use super::{
    receiver::Receiver,
    stage::{Stage, id, webhook},
};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_serves_the_pages_tells_at_once_what_is_so_and_what_happens() -> Result<()> {
    let stage = Stage::with_catalogue().await?;
    let receiver = Receiver::that_takes_everything().await?;
    let more = "minimum-severity = \"critical\"\nevents = [\"new-exposure\", \"applied\"]";
    let app = stage
        .open(&webhook("desk", &receiver.address(), more))
        .await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let (running, ended) = oneshot::channel::<()>();
    let served = app.clone();
    let serving = tokio::spawn(async move {
        web::serve(listener, served.backend(), async { drop(ended.await) }).await
    });
    receiver.asked().await?;
    assert_eq!(
        receiver.take()[0].json()["notices"][0]["event"],
        "new-exposure"
    );
    let began = std::time::Instant::now();
    let request = ApplyRequest {
        correction: id(catalog::SERVER_CORRECTION),
        component: "lobby".to_owned(),
        plan: None,
        overwrite: false,
        by: "ada".to_owned(),
    };
    app.panel.corrections.apply(request, &()).await?;
    receiver.asked().await?;
    assert_eq!(receiver.take()[0].json()["notices"][0]["event"], "applied");
    assert!(
        began.elapsed().as_secs() < 45,
        "not only when the minute is over"
    );
    drop(running);
    serving.await??;
    Ok(())
}
