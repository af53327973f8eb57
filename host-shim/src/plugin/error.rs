//! Why the plugin did not answer.

use std::time::Duration;

/// Why the plugin cannot be loaded, or did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// Built for a contract that this shim does not host.
    #[error("the plugin {plugin} is built for the contract {found}, and this panel hosts {hosted}")]
    Contract {
        /// The plugin.
        plugin: String,
        /// The contract that it names.
        found: String,
        /// The one that is hosted.
        hosted: &'static str,
    },
    /// Asks for an ability that was not granted.
    #[error("the plugin {plugin} asks for {ability:?}, which this panel does not grant")]
    Ability {
        /// The plugin.
        plugin: String,
        /// The ability.
        ability: String,
    },
    /// A component beyond the size that is allowed.
    #[error("the plugin's component has {length} bytes, and {limit} are allowed")]
    Size {
        /// Its length.
        length: u64,
        /// The limit.
        limit: u64,
    },
    /// Imports something beyond the contract.
    #[error("the plugin imports {import:?}, which is not part of the contract")]
    Import {
        /// The import.
        import: String,
    },
    /// Not a component, or one that does not fit the contract.
    #[error("the plugin's component cannot be used: {reason}")]
    Component {
        /// What is wrong.
        reason: String,
    },
    /// The engine cannot be made.
    #[error("plugins cannot run here: {reason}")]
    Engine {
        /// What is wrong.
        reason: String,
    },
    /// The guest's own time is used up.
    #[error("the plugin was stopped: {call} took more than {} ms of its own time", limit.as_millis())]
    GuestTime {
        /// The call.
        call: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The time of the whole call is used up.
    #[error("the plugin was stopped: {call} took more than {} ms in all", limit.as_millis())]
    WallClock {
        /// The call.
        call: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// More memory, tables or instances than allowed.
    #[error(
        "the plugin was stopped: in {call} it wanted more {what} than the {limit} that are allowed"
    )]
    Resources {
        /// The call.
        call: &'static str,
        /// What it wanted more of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// Its stack is used up.
    #[error("the plugin was stopped: {call} used up the {limit} bytes of its stack")]
    Stack {
        /// The call.
        call: &'static str,
        /// The limit.
        limit: usize,
    },
    /// It trapped, or handed over something that cannot be.
    #[error("the plugin failed in {call}: {reason}")]
    Trap {
        /// The call.
        call: &'static str,
        /// What happened.
        reason: String,
    },
    /// A page beyond what is allowed, or one that contradicts itself.
    #[error("the plugin's page cannot be shown: {reason}")]
    Page {
        /// What is wrong.
        reason: String,
    },
    /// What it wanted to remember could not be kept.
    #[error("what the plugin wanted to remember could not be kept: {reason}")]
    State {
        /// What is wrong.
        reason: String,
    },
    /// It says itself that it cannot answer.
    #[error("the plugin cannot answer {call}: {reason}")]
    Answer {
        /// The call.
        call: &'static str,
        /// Its words.
        reason: String,
    },
    /// There is no such page.
    #[error("there is no {what}")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// Failed too often and waits a little before the next try.
    #[error("the plugin failed a moment ago and is given {} ms of rest: {reason}", rest.as_millis())]
    Resting {
        /// Time left.
        rest: Duration,
        /// The last failure.
        reason: String,
    },
    /// Failed too often and is not tried again.
    #[error("the plugin is disabled after {failures} failures in a row; the last one: {reason}")]
    Disabled {
        /// How many.
        failures: u32,
        /// The last failure.
        reason: String,
    },
}

impl PluginError {
    /// Whether the instance cannot be used any more.
    pub(super) fn poisons(&self) -> bool {
        matches!(
            self,
            Self::GuestTime { .. }
                | Self::WallClock { .. }
                | Self::Resources { .. }
                | Self::Stack { .. }
                | Self::Trap { .. }
                | Self::Page { .. }
        )
    }
}
