//! A component for tests: something that really runs, serves its users, and can be stopped.
//!
//! `component start|stop|running|serve RUN` is run in the component's folder. RUN is a folder outside
//! of it, with the number of the `port`; the component's `pid`, its `log`, and what `happened` to it
//! are written there. It answers every request with the VERSION that it had when it started.
//!
//! A file `behaviour` in its folder has it misbehave: `ill` (it answers 500), `dead` (it does not
//! start), `stubborn` (stopping it never ends), `slow` (stopping it takes a second), and `killer` (who
//! stops it is killed first, and stopping goes on).

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    thread::sleep,
    time::Duration,
};

use rustix::process::{Pid, Signal, getppid, kill_process};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (act, run) = (arguments.next(), arguments.next().map(PathBuf::from));
    let (Some(act), Some(run)) = (act, run) else {
        return ExitCode::from(2);
    };
    let done = match act.as_str() {
        "start" => start(&run),
        "stop" => stop(&run),
        "running" => match running(&run) {
            Some(_) => Ok(()),
            None => return ExitCode::from(3),
        },
        "serve" => serve(&run),
        _ => return ExitCode::from(2),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "component: {error}");
            ExitCode::from(4)
        }
    }
}

fn behaves(how: &str) -> bool {
    fs::read_to_string("behaviour").is_ok_and(|text| text.trim() == how)
}

fn version() -> String {
    fs::read_to_string("VERSION")
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn happened(run: &Path, what: &str) -> io::Result<()> {
    let path = run.join("happened");
    let mut file = File::options().create(true).append(true).open(path)?;
    writeln!(file, "{what}")
}

/// The process that runs, if one does.
fn running(run: &Path) -> Option<Pid> {
    let text = fs::read_to_string(run.join("pid")).ok()?;
    let pid = Pid::from_raw(text.trim().parse().ok()?)?;
    // One that has ended and that nobody has taken off the list yet does not run.
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    (!stat.contains(") Z ")).then_some(pid)
}

fn start(run: &Path) -> io::Result<()> {
    if running(run).is_some() {
        happened(run, "started twice")?;
        return Err(io::Error::other("it runs already"));
    }
    if behaves("dead") {
        return Err(io::Error::other("this version does not start"));
    }
    happened(run, &format!("start {}", version()))?;
    let child = Command::new(std::env::current_exe()?)
        .arg("serve")
        .arg(run)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    fs::write(run.join("pid"), child.id().to_string())
}

fn stop(run: &Path) -> io::Result<()> {
    if behaves("killer") {
        let who = getppid().ok_or_else(|| io::Error::other("nobody asked"))?;
        kill_process(who, Signal::KILL)?;
        sleep(Duration::from_secs(1));
    }
    while behaves("stubborn") {
        let _ = writeln!(io::stderr(), "I would rather not");
        sleep(Duration::from_millis(100));
    }
    if behaves("slow") {
        sleep(Duration::from_secs(1));
    }
    let Some(pid) = running(run) else {
        return Ok(());
    };
    happened(run, &format!("stop {}", version()))?;
    kill_process(pid, Signal::TERM)?;
    while running(run).is_some() {
        sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn serve(run: &Path) -> io::Result<()> {
    let (version, ill) = (version(), behaves("ill"));
    let port = fs::read_to_string(run.join("port"))?;
    let listener = TcpListener::bind(format!("127.0.0.1:{}", port.trim()))?;
    let mut log = File::options()
        .create(true)
        .append(true)
        .open(run.join("log"))?;
    let well = if ill { "is ill" } else { "is up" };
    writeln!(log, "component {version} {well}")?;
    for stream in listener.incoming() {
        let mut stream = stream?;
        let mut request = [0; 1 << 10];
        if stream.read(&mut request).unwrap_or(0) == 0 {
            continue;
        }
        let status = if ill { "500 Ill" } else { "200 OK" };
        // Whoever asked may have gone.
        let _ = write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{version}",
            version.len()
        );
    }
    Ok(())
}
