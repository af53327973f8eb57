//! Runs one command: no shell, a cleared environment, a process group of its own, bounded output, and
//! an end.

use std::{collections::BTreeMap, os::fd::AsRawFd, path::Path, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    time::timeout,
};

use super::{CommandError, InheritedLock};
use crate::apply::open_directory;

/// Where programs are looked for, unless the configuration says otherwise.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The end of its output that is kept, in bytes.
const KEPT: usize = 2 << 10;

/// How long a command that has ended is listened to: what it left running may keep its output open.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// What to run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'a> {
    /// The program and its arguments.
    pub(super) command: &'a [String],
    /// What the environment has beside `PATH`.
    pub(super) environment: &'a BTreeMap<String, String>,
    /// Where it runs.
    pub(super) folder: &'a Path,
    /// The time that it has.
    pub(super) within: Duration,
}

/// Runs a command to its end, and returns the end of what it said. One that ends with anything but 0,
/// or not in time, is an error.
#[expect(
    clippy::disallowed_methods,
    reason = "the path leads through a handle, whatever the directory's name is by now"
)]
pub(super) async fn run(
    order: Order<'_>,
    lock: Option<&InheritedLock>,
) -> Result<String, CommandError> {
    let program = order.command.first().cloned().unwrap_or_default();
    let cannot = |source| CommandError::Run {
        program: program.clone(),
        source,
    };
    // Held until the command has begun: nobody can exchange the directory for another meanwhile.
    let directory = open_directory(order.folder).map_err(cannot)?;
    let held = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string());
    let stdin = lock.map_or_else(|| Ok(Stdio::null()), InheritedLock::stdin);
    let mut command = Command::new(&program);
    command
        .args(order.command.iter().skip(1))
        .env_clear()
        .env("PATH", PATH)
        .envs(order.environment)
        .current_dir(held)
        .stdin(stdin.map_err(cannot)?)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command.spawn().map_err(cannot)?;
    drop(directory);
    let group = Group::of(&child);
    let mut output = Tail::default();
    let status = timeout(order.within, output.until_ended(&mut child)).await;
    match status {
        Ok(Ok(status)) => {
            group.let_go();
            output.last_words(&mut child).await;
            if status.success() {
                return Ok(output.text());
            }
            Err(CommandError::Ended {
                program,
                status,
                output: output.text(),
            })
        }
        Ok(Err(source)) => Err(cannot(source)),
        Err(_) => {
            drop(group);
            // It was killed; waiting takes it off the system's list.
            let _ = child.wait().await;
            Err(CommandError::TimeOut {
                program,
                within: order.within,
                output: output.text(),
            })
        }
    }
}

/// A process and everything that it started; killed unless it is let go.
#[derive(Debug)]
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    fn let_go(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended just now.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// The end of what was written.
#[derive(Debug, Default)]
struct Tail(Vec<u8>);

impl Tail {
    fn add(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        let surplus = self.0.len().saturating_sub(KEPT);
        self.0.drain(..surplus);
    }

    /// Reads what the command writes until it has ended itself; what it has started may go on.
    async fn until_ended(
        &mut self,
        child: &mut Child,
    ) -> std::io::Result<std::process::ExitStatus> {
        let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
        let (mut said, mut complained) = ([0; 1 << 10], [0; 1 << 10]);
        let status = loop {
            tokio::select! {
                read = piece(&mut out, &mut said) => match read {
                    Some(read) => self.add(&said[..read]),
                    None => out = None,
                },
                read = piece(&mut err, &mut complained) => match read {
                    Some(read) => self.add(&complained[..read]),
                    None => err = None,
                },
                status = child.wait() => break status,
            }
        };
        (child.stdout, child.stderr) = (out, err);
        status
    }

    /// What was written before the end and has not been read yet.
    async fn last_words(&mut self, child: &mut Child) {
        self.rest(child.stdout.take()).await;
        self.rest(child.stderr.take()).await;
    }

    async fn rest(&mut self, output: Option<impl AsyncRead + Unpin>) {
        if output.is_none() {
            return;
        }
        let (mut output, mut bytes) = (output, [0; 1 << 10]);
        let listen = async {
            while let Some(read) = piece(&mut output, &mut bytes).await {
                self.add(&bytes[..read]);
            }
        };
        // What it has left running may keep the output open for ever.
        let _ = timeout(LAST_WORDS, listen).await;
    }

    /// As text for one line of an error.
    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let line = lines.collect::<Vec<_>>().join(" / ");
        // What a program writes must not steer the terminal that shows it.
        line.replace(char::is_control, " ")
    }
}

/// The next piece of an output; none, when asked, once it has ended. A closed output never answers.
async fn piece(output: &mut Option<impl AsyncRead + Unpin>, into: &mut [u8]) -> Option<usize> {
    match output {
        Some(output) => match output.read(into).await {
            Ok(read) if read > 0 => Some(read),
            _ => None,
        },
        None => std::future::pending().await,
    }
}
