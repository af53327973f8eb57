//! The mail server of the tests: another program, that shares nothing with ours.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;

/// A mail server on this machine; it ends when dropped.
pub(crate) struct MailServer {
    program: Child,
    port: u16,
    mails: Receiver<Value>,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl MailServer {
    /// A server of this security, in whose folder its certificate lies if it has one, and who may log in.
    pub(crate) fn start(
        security: &str,
        folder: &Path,
        login: Option<(&str, &str)>,
    ) -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("pages/notices/mail_server.py");
        // Debian's own, which has the library.
        let mut program = Command::new("/usr/bin/python3");
        program.arg(script).arg(security).stdout(Stdio::piped());
        if security != "none" {
            identity(folder)?;
            program.args([folder.join("mail.pem"), folder.join("mail.key")]);
        }
        if let Some((user, password)) = login {
            program.args([user, password]);
        }
        let mut program = program.spawn()?;
        let output = program.stdout.take().context("it writes")?;
        let (sender, mails) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let told: Value = serde_json::from_str(&line).unwrap();
                if sender.send(told).is_err() {
                    return;
                }
            }
        });
        let port = mails.recv_timeout(Duration::from_mins(1))?;
        let port = port.as_u64().context("its first word is its port")?;
        Ok(Self {
            program,
            port: u16::try_from(port)?,
            mails,
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The next mail that came.
    pub(crate) fn mail(&self) -> Result<Value> {
        Ok(self.mails.recv_timeout(Duration::from_mins(1))?)
    }

    /// Whether no other mail came.
    pub(crate) fn is_idle(&self) -> bool {
        self.mails.try_recv().is_err()
    }
}

/// A certificate for this machine by an authority of its own, which is in `mail-authority.pem`.
fn identity(folder: &Path) -> Result<PathBuf> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let file = folder.join("mail-authority.pem");
    fs::write(&file, authority.self_signed(&authority_key)?.pem())?;
    let key = KeyPair::generate()?;
    let issuer = Issuer::new(authority, authority_key);
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])?;
    let certificate = certificate.signed_by(&key, &issuer)?;
    fs::write(folder.join("mail.pem"), certificate.pem())?;
    fs::write(folder.join("mail.key"), key.serialize_pem())?;
    Ok(file)
}
