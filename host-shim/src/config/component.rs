//! What is installed: where it is, where its version is read, how it is stopped, started and looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde::Deserialize;
use spacecp_contract::{ComponentName, TreePath, VersionScheme};
use spacecp_scan::Provider;

/// The longest time, in seconds, that anything about a component may be given.
const LONGEST: u64 = 3_600;

/// One installed component.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ComponentConfig {
    /// Its name, unique here, as `houston`; one inside another has the path of both, as `houston/node-ipc`.
    pub name: String,
    /// The name that advisories use for it.
    pub advisory_name: ComponentName,
    /// How its versions are ordered.
    pub scheme: VersionScheme,
    /// Its folder.
    pub folder: PathBuf,
    /// Where its version is read.
    pub version: VersionConfig,
    /// Who looks for what is inside it: `["npm", "minecraft"]`. What is found is shown and judged, and
    /// corrected with this component or not at all.
    #[serde(default)]
    pub scan: BTreeSet<Provider>,
    /// Files and folders within it that are not looked at.
    #[serde(default)]
    pub scan_except: Vec<TreePath>,
    /// Files and folders (with a `/` behind) that it writes at run time, carried over as they are.
    #[serde(default)]
    pub keep: Vec<String>,
    /// How it is stopped and started; without it, corrections that want that leave it to a person. One
    /// inside another is stopped and started with that one, unless it says otherwise.
    #[serde(default)]
    pub control: Option<ControlConfig>,
    /// How to see from outside that it is well; corrections name these checks.
    #[serde(default)]
    pub health: Vec<HealthConfig>,
}

impl ComponentConfig {
    /// What does not fit, and what to do.
    pub(super) fn fault(&self) -> Option<String> {
        let named = !self.name.is_empty()
            && self.name.len() <= 200
            && !self.name.chars().any(char::is_control);
        if !named {
            return Some("a name has 1 to 200 characters and no control characters".to_owned());
        }
        // Whether its folder is there is no matter of the configuration: a disk that is not mounted, or a
        // crash between two renames, must not keep the program from putting things right.
        // In an advisory a later scheme is kept for a later plugin; here it is a mistake, and
        // every verdict about the component would be "unknown" without saying why.
        if self.scheme == VersionScheme::Unknown {
            let known = "semver, npm, deb, rpm, maven, generic";
            return Some(format!("its scheme is not known; it is one of {known}"));
        }
        for kept in &self.keep {
            if let Err(error) = TreePath::new(kept.trim_end_matches('/')) {
                return Some(format!("keep: {error}"));
            }
        }
        if let Some(problem) = self.control.as_ref().and_then(ControlConfig::fault) {
            return Some(format!("control: {problem}"));
        }
        let mut names = BTreeSet::new();
        for health in &self.health {
            let problem = if names.insert(&health.name) {
                health.fault()
            } else {
                Some("two checks have this name".to_owned())
            };
            if let Some(problem) = problem {
                return Some(format!("health {:?}: {problem}", health.name));
            }
        }
        self.version.fault()
    }
}

/// Where a version is read: a file, and either a pattern or a pointer into its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VersionConfig {
    /// The file, within the component's folder.
    pub file: TreePath,
    /// A regular expression whose first group is the version.
    #[serde(default)]
    pub pattern: Option<String>,
    /// A JSON pointer (RFC 6901) to the version.
    #[serde(default)]
    pub pointer: Option<String>,
}

impl VersionConfig {
    fn fault(&self) -> Option<String> {
        match (&self.pattern, &self.pointer) {
            (Some(_), Some(_)) => Some(
                "version has both a pattern and a pointer; one of them says where it is".to_owned(),
            ),
            (Some(pattern), None) => regex::Regex::new(pattern)
                .err()
                .map(|error| format!("version.pattern: {error}")),
            _ => None,
        }
    }
}

/// How a component is stopped and started: a unit of systemd, or commands.
///
/// A command is a program and its arguments; no shell reads it. It runs in the component's folder with
/// nothing in its environment but `PATH` and what is configured here, and ends with 0 when it has
/// done what it should. What it leaves running must not write to the command's own output.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ControlConfig {
    /// A unit, as `houston.service`.
    #[serde(default)]
    pub unit: Option<String>,
    /// Stops it, and ends when it has stopped; well, too, if there was nothing to stop.
    #[serde(default)]
    pub stop: Vec<String>,
    /// Starts it, and ends while it goes on running.
    #[serde(default)]
    pub start: Vec<String>,
    /// Ends with 0 if it runs, and with 1 or 3 if it does not. A component that did not run is not
    /// started either. Without this command it counts as running.
    #[serde(default)]
    pub running: Vec<String>,
    /// What the commands find in their environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Seconds that stopping may take.
    #[serde(default = "stop_within")]
    pub stop_within: u64,
    /// Seconds that starting may take.
    #[serde(default = "start_within")]
    pub start_within: u64,
    /// Seconds that saying whether it runs may take.
    #[serde(default = "running_within")]
    pub running_within: u64,
}

fn stop_within() -> u64 {
    90
}

fn start_within() -> u64 {
    120
}

fn running_within() -> u64 {
    10
}

impl ControlConfig {
    fn fault(&self) -> Option<String> {
        let commands = [&self.stop, &self.start, &self.running];
        match &self.unit {
            Some(_) if commands.iter().any(|command| !command.is_empty()) => {
                return Some("it has a unit and commands; one of them is enough".to_owned());
            }
            Some(unit) if !is_unit(unit) => {
                return Some(format!(
                    "{unit:?} is not the name of a unit, as houston.service"
                ));
            }
            None if self.stop.is_empty() || self.start.is_empty() => {
                return Some("it wants a unit, or commands to stop and to start".to_owned());
            }
            _ => {}
        }
        if let Some(problem) = commands.into_iter().find_map(|command| unfit(command)) {
            return Some(problem);
        }
        let named = |name: &String| !name.is_empty() && !name.contains(['=', '\0']);
        if !self.environment.keys().all(named) {
            return Some("a name in environment is empty or has a \"=\" in it".to_owned());
        }
        let times = [self.stop_within, self.start_within, self.running_within];
        times.into_iter().find_map(out_of_range)
    }
}

/// A health check: a name, and one way to look.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HealthConfig {
    /// The name that corrections use.
    pub name: String,
    /// A command that ends with 0 when all is well.
    #[serde(default)]
    pub command: Option<Vec<String>>,
    /// An address that accepts connections, as `127.0.0.1:25565`.
    #[serde(default)]
    pub tcp: Option<String>,
    /// An address that answers.
    #[serde(default)]
    pub http: Option<HttpHealth>,
    /// A line that is written.
    #[serde(default)]
    pub log: Option<LogHealth>,
    /// Seconds within which it must succeed once.
    #[serde(default = "health_within")]
    pub within: u64,
    /// Seconds between two looks, at most.
    #[serde(default = "health_every")]
    pub every: u64,
}

/// An address that answers with a status.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HttpHealth {
    /// The address, `http:` or `https:`.
    pub url: String,
    /// The status.
    #[serde(default = "ok_status")]
    pub status: u16,
}

/// A line that appears in a file after the start.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LogHealth {
    /// The file; a relative path begins at the component's folder.
    pub file: PathBuf,
    /// A regular expression.
    pub pattern: String,
}

fn health_within() -> u64 {
    60
}

fn health_every() -> u64 {
    2
}

fn ok_status() -> u16 {
    200
}

/// The one way in which a health check looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthCheck {
    /// A command that ends with 0.
    Command(Vec<String>),
    /// An address that accepts connections.
    Tcp(String),
    /// An address that answers with this status.
    Http {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// A line in this file that matches.
    Log {
        /// The file.
        file: PathBuf,
        /// The regular expression.
        pattern: String,
    },
}

impl HealthConfig {
    /// The one way in which it looks, or what is wrong with it.
    pub fn check(&self) -> Result<HealthCheck, String> {
        let mut checks = Vec::new();
        checks.extend(self.command.clone().map(HealthCheck::Command));
        checks.extend(self.tcp.clone().map(HealthCheck::Tcp));
        checks.extend(self.http.clone().map(|http| HealthCheck::Http {
            url: http.url,
            status: http.status,
        }));
        checks.extend(self.log.clone().map(|log| HealthCheck::Log {
            file: log.file,
            pattern: log.pattern,
        }));
        match checks.pop() {
            Some(check) if checks.is_empty() => Ok(check),
            _ => Err("it looks in one way: command, tcp, http or log".to_owned()),
        }
    }

    fn fault(&self) -> Option<String> {
        if self.name.is_empty() {
            return Some("its name is empty".to_owned());
        }
        let problem = match self.check() {
            Err(problem) => Some(problem),
            Ok(HealthCheck::Command(command)) if command.is_empty() => {
                Some("its command is empty".to_owned())
            }
            Ok(HealthCheck::Command(command)) => unfit(&command),
            Ok(HealthCheck::Tcp(address)) => {
                let port = address
                    .rsplit_once(':')
                    .map(|(_, port)| port.parse::<u16>());
                (!matches!(port, Some(Ok(_))))
                    .then(|| format!("{address:?} is not an address with a port"))
            }
            Ok(HealthCheck::Http { url, .. }) => {
                let fits =
                    url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
                (!fits).then(|| format!("{url:?} is not an http: or https: address"))
            }
            Ok(HealthCheck::Log { pattern, .. }) => regex::Regex::new(&pattern)
                .err()
                .map(|error| format!("log.pattern: {error}")),
        };
        problem.or_else(|| [self.within, self.every].into_iter().find_map(out_of_range))
    }
}

fn out_of_range(seconds: u64) -> Option<String> {
    (!(1..=LONGEST).contains(&seconds))
        .then(|| format!("{seconds} seconds is not a time to wait; from 1 to {LONGEST} it may be"))
}

/// A command with a word that no program could be given.
fn unfit(command: &[String]) -> Option<String> {
    let program = command.first()?;
    if program.is_empty() || command.iter().any(|word| word.contains('\0')) {
        return Some("a command has no program, or a word with a NUL in it".to_owned());
    }
    None
}

/// The letters that systemd allows, and no word that its program would take for an option.
fn is_unit(name: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || ":-_.\\@".contains(letter);
    name.len() <= 255
        && name.contains('.')
        && !name.starts_with(['-', '.'])
        && name.chars().all(allowed)
}
