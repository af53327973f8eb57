//! The user at the terminal.

/// The name of the user at the terminal, for the journal and the audit log.
pub(super) fn whoami() -> String {
    let name = ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|variable| std::env::var(variable).ok());
    format!(
        "{} (terminal)",
        name.unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()))
    )
}
