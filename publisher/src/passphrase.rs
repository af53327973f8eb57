//! Where a passphrase comes from: a file descriptor, a variable, or the terminal.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal},
};

use zeroize::Zeroizing;

/// The variable that automation may put a passphrase into.
pub const VARIABLE: &str = "SPACECP_PASSPHRASE";

/// Where to take a passphrase from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The first line that this descriptor gives.
    Descriptor(u32),
    /// The variable if it is set, or else the terminal.
    VariableOrTerminal,
}

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// The descriptor cannot be read.
    #[error("cannot read a passphrase from file descriptor {descriptor}: {source}")]
    Descriptor {
        /// The descriptor.
        descriptor: u32,
        /// What is wrong.
        source: io::Error,
    },
    /// Nobody is there to type it.
    #[error(
        "cannot prompt for the passphrase: no terminal. Set {VARIABLE} or pass --passphrase-fd"
    )]
    NoTerminal,
    /// The terminal cannot be read.
    #[error("cannot read a passphrase from the terminal: {0}")]
    Terminal(#[from] io::Error),
    /// Two passphrases that should be the same are not.
    #[error("the passphrases do not match")]
    Mismatch,
    /// It is empty.
    #[error("the passphrase is empty; pass --unencrypted to store the key without one")]
    Empty,
}

impl Source {
    /// The passphrase of a key that is there.
    pub fn ask(self, what: &str) -> Result<Zeroizing<String>, PassphraseError> {
        if let Some(given) = self.given()? {
            return Ok(given);
        }
        prompt(&format!("Passphrase of {what}: "))
    }

    /// The passphrase of a key that is being made; on a terminal it is asked for twice.
    pub fn choose(self, what: &str) -> Result<Zeroizing<String>, PassphraseError> {
        if let Some(given) = self.given()? {
            return if given.is_empty() {
                Err(PassphraseError::Empty)
            } else {
                Ok(given)
            };
        }
        let first = prompt(&format!("New passphrase of {what}: "))?;
        if first.is_empty() {
            return Err(PassphraseError::Empty);
        }
        let second = prompt("Repeat the passphrase: ")?;
        if first == second {
            Ok(first)
        } else {
            Err(PassphraseError::Mismatch)
        }
    }

    fn given(self) -> Result<Option<Zeroizing<String>>, PassphraseError> {
        match self {
            Self::Descriptor(descriptor) => read_descriptor(descriptor)
                .map(Some)
                .map_err(|source| PassphraseError::Descriptor { descriptor, source }),
            Self::VariableOrTerminal => Ok(std::env::var(VARIABLE).ok().map(Zeroizing::new)),
        }
    }
}

fn read_descriptor(descriptor: u32) -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    BufReader::new(File::open(format!("/proc/self/fd/{descriptor}"))?).read_line(&mut line)?;
    Ok(Zeroizing::new(
        line.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}

fn prompt(question: &str) -> Result<Zeroizing<String>, PassphraseError> {
    if !io::stdin().is_terminal() {
        return Err(PassphraseError::NoTerminal);
    }
    Ok(Zeroizing::new(rpassword::prompt_password(question)?))
}
