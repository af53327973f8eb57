//! Setting a panel up from the one file that the vendor hands over.
//!
//! [`Received`] reads the archive and [`Received::verify`] has the vendor's keys vouch for it; [`detect`] looks for what
//! is installed; [`install`] writes the handed-over files and the configuration. The configuration is written last and
//! never over another: a run that was killed leaves nothing that the next one does not replace.
//!
//! May not: change a panel that is set up; run anything.

mod config_text;
mod detection;
mod hand_over;

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use spacecp_contract::hand_over::Part;

pub use config_text::{Parts, User, text};
pub use detection::{Proposal, detect};
pub use hand_over::{HandOverError, Received, Verified};

/// The mode of the directory of the configuration: its group may read, as the service's user may need to.
const DIRECTORY: u32 = 0o750;

/// The mode of the configuration, which has the hashes of passwords.
const CONFIGURATION: u32 = 0o640;

/// The mode of what the vendor handed over, which is no secret.
const HANDED_OVER: u32 = 0o644;

/// Why nothing was installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is a configuration already.
    #[error("{} already exists and is not overwritten; move it away, or name another file with --config", path.display())]
    Exists {
        /// The configuration.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
}

/// Refuses where a configuration is.
pub fn refuse_existing(config: &Path) -> Result<(), InstallError> {
    match fs::symlink_metadata(config) {
        Ok(_) => Err(InstallError::Exists {
            path: config.to_owned(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(failed(config, source)),
    }
}

/// Writes the files of a hand-over beside `config`, and then `text` as the configuration.
pub fn install(config: &Path, hand_over: &Verified, text: &str) -> Result<(), InstallError> {
    refuse_existing(config)?;
    let folder = match config.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(DIRECTORY).create(folder);
    made.map_err(|source| failed(folder, source))?;
    for part in Part::ALL.into_iter().filter(|part| *part != Part::Facts) {
        let path = folder.join(part.name());
        let staged = staged(folder, hand_over.part(part), HANDED_OVER);
        let staged = staged.map_err(|source| failed(&path, source))?;
        let placed = staged.persist(&path);
        placed.map_err(|error| failed(&path, error.error))?;
    }
    let staged = staged(folder, text.as_bytes(), CONFIGURATION);
    let staged = staged.map_err(|source| failed(config, source))?;
    staged
        .persist_noclobber(config)
        .map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => InstallError::Exists {
                path: config.to_owned(),
            },
            _ => failed(config, error.error),
        })?;
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| failed(folder, source))
}

fn staged(folder: &Path, bytes: &[u8], mode: u32) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    let permissions = fs::Permissions::from_mode(mode);
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn failed(path: &Path, source: io::Error) -> InstallError {
    InstallError::File {
        path: path.to_owned(),
        source,
    }
}
