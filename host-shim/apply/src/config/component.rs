//! What is installed: where it is, where its version is read, how it is stopped, started and looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde::Deserialize;
use spacecp_contract::{ComponentName, TreePath, VersionScheme};
use spacecp_scan::Provider;
use utoipa::ToSchema;

/// The longest time, in seconds, that anything about a component may be given.
const LONGEST: u64 = 3_600;

/// One installed component that corrections can be applied to.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ComponentConfig {
    /// Name of the component on this panel, unique, such as `houston`. A component inside another one has both names,
    /// such as `houston/node-ipc`.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Name that advisories use for the component, such as `spacecp:houston`.
    #[schema(value_type = String)]
    pub advisory_name: ComponentName,
    /// Version scheme that orders its versions: `semver`, `npm`, `deb`, `rpm`, `maven`, `alpine`, `composer`,
    /// `pypi`, `nuget`, `gem` or `generic`.
    #[schema(value_type = String)]
    pub scheme: VersionScheme,
    /// Directory of the component; a correction replaces it as a whole.
    #[schema(value_type = String, format = "path")]
    pub folder: PathBuf,
    /// Where the installed version is read.
    pub version: VersionConfig,
    /// Providers that look for packages inside the component. What they find is judged too, and is corrected only
    /// together with the component.
    #[serde(default)]
    pub scan: BTreeSet<Provider>,
    /// Paths inside the component that are not scanned.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub scan_except: Vec<TreePath>,
    /// Paths that the component writes at run time, a directory with `/` at its end. They are carried over unchanged
    /// to the new tree.
    #[serde(default)]
    pub keep: Vec<String>,
    /// How the component is stopped and started. Without it, a correction that needs a restart is applied and the
    /// restart is left to a person; a component inside another one uses that one's.
    #[serde(default)]
    pub control: Option<ControlConfig>,
    /// Health checks, one `[[component.health]]` table for each. Corrections name the check that must succeed.
    #[serde(default)]
    pub health: Vec<HealthConfig>,
}

impl ComponentConfig {
    /// What does not fit, and what to do.
    pub fn fault(&self) -> Option<String> {
        let named = !self.name.is_empty()
            && self.name.len() <= 200
            && !self.name.chars().any(char::is_control);
        if !named {
            return Some(
                "invalid name: it must have 1 to 200 characters and no control characters"
                    .to_owned(),
            );
        }
        // Whether its folder is there is no matter of the configuration: a disk that is not mounted, or a
        // crash between two renames, must not keep the program from putting things right.
        // In an advisory a later scheme is kept for a later plugin; here it is a mistake, and
        // every verdict about the component would be "unknown" without saying why.
        if self.scheme == VersionScheme::Unknown {
            let known = VersionScheme::ALL.map(|scheme| scheme.to_string());
            let known = known.join(", ");
            return Some(format!("unknown version scheme; must be one of {known}"));
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
                Some("duplicate health check name".to_owned())
            };
            if let Some(problem) = problem {
                return Some(format!("health {:?}: {problem}", health.name));
            }
        }
        self.version.fault()
    }
}

/// Where a version is read: a file, and optionally a pattern or a pointer into its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VersionConfig {
    /// File that contains the version, relative to the component's directory.
    #[schema(value_type = String)]
    pub file: TreePath,
    /// Regular expression; its first group is the version.
    #[serde(default)]
    pub pattern: Option<String>,
    /// JSON pointer (RFC 6901) to the version. Excludes `pattern`.
    #[serde(default)]
    pub pointer: Option<String>,
}

impl VersionConfig {
    fn fault(&self) -> Option<String> {
        match (&self.pattern, &self.pointer) {
            (Some(_), Some(_)) => {
                Some("version has both a pattern and a pointer; set only one".to_owned())
            }
            (Some(pattern), None) => regex::Regex::new(pattern)
                .err()
                .map(|error| format!("version.pattern: {error}")),
            _ => None,
        }
    }
}

/// How a component is stopped and started: a systemd unit, or commands.
///
/// A command is a program and its arguments; no shell is involved. It runs in the component's directory with `PATH`
/// and `environment` as its only variables, and exits with 0 on success. Processes that it leaves running must not
/// keep its standard output open.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ControlConfig {
    /// Name of a systemd unit, such as `houston.service`. Excludes the three commands.
    #[serde(default)]
    pub unit: Option<String>,
    /// Command that stops the component and exits once it has stopped. It succeeds if nothing was running.
    #[serde(default)]
    pub stop: Vec<String>,
    /// Command that starts the component and exits while it keeps running.
    #[serde(default)]
    pub start: Vec<String>,
    /// Command that exits with 0 if the component runs and with 1 or 3 if it does not. Without it the component counts
    /// as running; one that was not running is not started afterwards.
    #[serde(default)]
    pub running: Vec<String>,
    /// Environment variables of the commands.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Seconds that stopping may take.
    #[serde(default = "stop_within")]
    #[schema(default = stop_within, minimum = 1, maximum = 3600)]
    pub stop_within: u64,
    /// Seconds that starting may take.
    #[serde(default = "start_within")]
    #[schema(default = start_within, minimum = 1, maximum = 3600)]
    pub start_within: u64,
    /// Seconds that the command `running` may take.
    #[serde(default = "running_within")]
    #[schema(default = running_within, minimum = 1, maximum = 3600)]
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
                return Some("both a unit and commands are set; set only one".to_owned());
            }
            Some(unit) if !is_unit(unit) => {
                return Some(format!(
                    "invalid unit name {unit:?}; expected a name such as houston.service"
                ));
            }
            None if self.stop.is_empty() || self.start.is_empty() => {
                return Some("set a unit, or commands to stop and to start".to_owned());
            }
            _ => {}
        }
        if let Some(problem) = commands.into_iter().find_map(|command| unfit(command)) {
            return Some(problem);
        }
        let named = |name: &String| !name.is_empty() && !name.contains(['=', '\0']);
        if !self.environment.keys().all(named) {
            return Some("a variable name in environment is empty or contains \"=\"".to_owned());
        }
        let times = [self.stop_within, self.start_within, self.running_within];
        times.into_iter().find_map(out_of_range)
    }
}

/// A health check: a name and exactly one of `command`, `tcp`, `http` and `log`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HealthConfig {
    /// Name that corrections use for the check, unique in the component.
    #[schema(min_length = 1)]
    pub name: String,
    /// Command that exits with 0 if the component is healthy.
    #[serde(default)]
    pub command: Option<Vec<String>>,
    /// Host and port that must accept a connection, such as `127.0.0.1:25565`.
    #[serde(default)]
    pub tcp: Option<String>,
    /// URL that must answer.
    #[serde(default)]
    pub http: Option<HttpHealth>,
    /// Line that must appear in a file.
    #[serde(default)]
    pub log: Option<LogHealth>,
    /// Seconds within which the check must succeed once.
    #[serde(default = "health_within")]
    #[schema(default = health_within, minimum = 1, maximum = 3600)]
    pub within: u64,
    /// Seconds between two attempts at most.
    #[serde(default = "health_every")]
    #[schema(default = health_every, minimum = 1, maximum = 3600)]
    pub every: u64,
}

/// A URL and the status that it must answer with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HttpHealth {
    /// URL with `http:` or `https:`.
    pub url: String,
    /// HTTP status that the answer must have.
    #[serde(default = "ok_status")]
    #[schema(default = ok_status)]
    pub status: u16,
}

/// A line that must be written to a file after the start.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LogHealth {
    /// File to read, relative to the component's directory. Symbolic links are followed only inside that directory, or
    /// inside the file's own directory if the path is absolute.
    #[schema(value_type = String, format = "path")]
    pub file: PathBuf,
    /// Regular expression that a line must match.
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
            _ => Err("set exactly one of command, tcp, http or log".to_owned()),
        }
    }

    fn fault(&self) -> Option<String> {
        if self.name.is_empty() {
            return Some("the name is empty".to_owned());
        }
        let problem = match self.check() {
            Err(problem) => Some(problem),
            Ok(HealthCheck::Command(command)) if command.is_empty() => {
                Some("the command is empty".to_owned())
            }
            Ok(HealthCheck::Command(command)) => unfit(&command),
            Ok(HealthCheck::Tcp(address)) => {
                let port = address
                    .rsplit_once(':')
                    .map(|(_, port)| port.parse::<u16>());
                (!matches!(port, Some(Ok(_))))
                    .then(|| format!("invalid address {address:?}; expected HOST:PORT"))
            }
            Ok(HealthCheck::Http { url, .. }) => {
                let fits =
                    url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
                (!fits).then(|| format!("invalid address {url:?}; expected http: or https:"))
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
        .then(|| format!("invalid timeout of {seconds} seconds; it must be 1 to {LONGEST}"))
}

/// A command with a word that no program could be given.
fn unfit(command: &[String]) -> Option<String> {
    let program = command.first()?;
    if program.is_empty() || command.iter().any(|word| word.contains('\0')) {
        return Some("a command has no program, or an argument containing NUL".to_owned());
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
