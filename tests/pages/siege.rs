//! The panel under siege: floods of connections and of requests, while corrections are applied.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Command,
    time::Duration,
};

use anyhow::{Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use spacecp_tests::{catalog, siege};
use tokio::{
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    own_process::Serving,
    panel::{ADMINISTRATOR, PASSWORD, Panel},
    visitor::Visitor,
};

const PATIENCE: Duration = Duration::from_mins(2);

/// Lets this process have as many descriptors as it may.
fn raise_limit() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    Ok(setrlimit(Resource::Nofile, raised)?)
}

/// Clients that ask without end and never read. Those that are cut off come back.
struct Flood(Vec<JoinHandle<()>>);

impl Flood {
    /// So many from each of these addresses of this machine; returns when all of them have connected once.
    async fn begin(panel: SocketAddr, addresses: &[u8], each: usize) -> Result<Self> {
        let mut first = Vec::new();
        for from in addresses {
            for _ in 0..each {
                first.push((*from, connect(panel, *from).await?));
            }
        }
        let clients = first.into_iter();
        Ok(Self(
            clients
                .map(|(from, stream)| tokio::spawn(never_read(panel, from, stream)))
                .collect(),
        ))
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

async fn connect(panel: SocketAddr, from: u8) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(2 << 10)?;
    socket.bind((Ipv4Addr::new(127, 0, 0, from), 0).into())?;
    socket.connect(panel).await
}

async fn never_read(panel: SocketAddr, from: u8, mut stream: TcpStream) {
    let requests = "GET /style.css HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".repeat(100);
    loop {
        while tokio::io::AsyncWriteExt::write_all(&mut stream, requests.as_bytes())
            .await
            .is_ok()
        {}
        sleep(Duration::from_millis(200)).await;
        if let Ok(again) = connect(panel, from).await {
            stream = again;
        }
    }
}

async fn is_up(visitor: &mut Visitor) -> Result<()> {
    let answer = timeout(PATIENCE, visitor.get("/health")).await??;
    ensure!(answer.status == 200, "{}", answer.status);
    Ok(())
}

/// Applies a correction on the pages, and rolls it back.
async fn apply_and_roll_back(administrator: &mut Visitor) -> Result<()> {
    let page = format!("/advisories/{}", catalog::CONSOLE);
    let applied = administrator.press(&page, "/apply").await?;
    applied.leads_to("/history")?;
    let said = administrator.get("/history").await?.body;
    ensure!(said.contains("houston corrected"), "{said}");
    let back = administrator.press("/history", "/roll-back").await?;
    back.leads_to("/history")?;
    let said = administrator.get("/history").await?.body;
    ensure!(said.contains("houston rolled back"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_read_keep_nobody_from_applying() -> Result<()> {
    raise_limit()?;
    let panel = Panel::raise().await?;
    let _flood = Flood::begin(panel.address(), &[1], 1_100).await?;
    for _ in 0..20 {
        is_up(&mut panel.visitor().from(Ipv4Addr::new(127, 0, 0, 2).into())).await?;
    }
    // At the address of the flood, too, if not at once: a connection may have to make room for another one there.
    let in_the_end = async {
        while is_up(&mut panel.visitor()).await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, in_the_end).await?;
    let mut administrator = panel.visitor().from(Ipv4Addr::new(127, 0, 0, 2).into());
    let login = administrator.log_in(ADMINISTRATOR, PASSWORD).await?;
    login.leads_to("/")?;
    timeout(PATIENCE, apply_and_roll_back(&mut administrator)).await?
}

/// The panel's program with this configuration, which may have so many descriptors and no more.
fn program(descriptors: Option<usize>) -> Command {
    let program = env!("CARGO_BIN_EXE_panel-program");
    let Some(descriptors) = descriptors else {
        return Command::new(program);
    };
    let mut shell = Command::new("sh");
    let limited = format!("ulimit -n {descriptors} && exec \"$0\" \"$@\"");
    shell.args(["-c", &limited, program]);
    shell
}

/// A panel that another process serves.
async fn elsewhere(descriptors: Option<usize>) -> Result<(Panel, Serving)> {
    let mut panel = Panel::raise().await?;
    panel.stop_serving().await?;
    let config: PathBuf = panel.folder().join("panel.toml");
    let serving = Serving::start(program(descriptors), &config)?;
    Ok((panel, serving))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_with_few_descriptors_keeps_enough_of_them_for_applying() -> Result<()> {
    raise_limit()?;
    let (_panel, serving) = elsewhere(Some(200)).await?;
    let _flood = Flood::begin(serving.address(), &[1, 2, 3, 4, 5], 60).await?;
    for _ in 0..20 {
        is_up(&mut serving.visitor().from(Ipv4Addr::new(127, 0, 0, 9).into())).await?;
    }
    let mut administrator = serving.visitor().from(Ipv4Addr::new(127, 0, 0, 9).into());
    let login = administrator.log_in(ADMINISTRATOR, PASSWORD).await?;
    login.leads_to("/")?;
    timeout(PATIENCE, apply_and_roll_back(&mut administrator)).await?
}

/// What strangers and users ask for, in turn.
const ASKED: [&str; 8] = [
    "/health",
    "/login",
    "/",
    "/advisories",
    "/style.css",
    "/components",
    "/nowhere",
    "/history",
];

#[tokio::test(flavor = "multi_thread")]
async fn memory_and_descriptors_stay_flat_over_many_requests_and_applications() -> Result<()> {
    // A hundred kilobytes of a history that grows are what may come beside what is made and dropped again.
    const GROWTH: u64 = 48 << 20;
    let requests = siege::rounds(1_200, 20_000);
    let applications = siege::rounds(2, 20);
    let (_panel, serving) = elsewhere(None).await?;
    let mut administrator = serving.visitor();
    let login = administrator.log_in(ADMINISTRATOR, PASSWORD).await?;
    login.leads_to("/")?;
    let mut stranger = serving.visitor();

    let mut soak = async |requests: usize, applications: usize| {
        for number in 0..applications {
            apply_and_roll_back(&mut administrator).await?;
            for request in 0..requests / applications {
                let path = ASKED[(number + request) % ASKED.len()];
                let visitor = if request % 2 == 0 {
                    &mut administrator
                } else {
                    &mut stranger
                };
                let answer = visitor.get(path).await?;
                ensure!(answer.status < 500, "{path}: {}", answer.status);
            }
        }
        anyhow::Ok(())
    };
    // What is made once, as the compiled plugin and caches, is made by now.
    soak(requests / 4, 1).await?;
    let before = (serving.descriptors()?, serving.memory()?);
    soak(requests, applications).await?;
    sleep(Duration::from_millis(500)).await;
    let after = (serving.descriptors()?, serving.memory()?);
    assert!(after.0 <= before.0 + 8, "descriptors: {before:?} {after:?}");
    assert!(after.1 <= before.1 + GROWTH, "memory: {before:?} {after:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_raises_its_limit_of_descriptors_no_further_than_it_needs() -> Result<()> {
    let mut panel = Panel::without_plugin().await?;
    panel.stop_serving().await?;
    let mut shell = Command::new("sh");
    let limited = "ulimit -S -n 300 && exec \"$0\" \"$@\"";
    shell.args(["-c", limited, env!("CARGO_BIN_EXE_panel-program")]);
    let serving = Serving::start(shell, &panel.folder().join("panel.toml"))?;
    let limits = serving.limit_of_descriptors()?;
    assert_eq!(limits, 1024 + 512);
    Ok(())
}
