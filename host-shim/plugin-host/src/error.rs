//! Why the plugin did not answer.

use std::time::Duration;

/// Why the plugin cannot be loaded, or did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// Built for a contract that this shim does not host.
    #[error("plugin {plugin} requires contract {found}; this panel supports {hosted}")]
    Contract {
        /// The plugin.
        plugin: String,
        /// The contract that it names.
        found: String,
        /// The one that is hosted.
        hosted: &'static str,
    },
    /// Asks for an ability that was not granted.
    #[error(
        "plugin {plugin} requests the capability {ability:?}, which the configuration does not grant"
    )]
    Ability {
        /// The plugin.
        plugin: String,
        /// The ability.
        ability: String,
    },
    /// A component beyond the size that is allowed.
    #[error("the plugin component has {length} bytes; at most {limit} are allowed")]
    Size {
        /// Its length.
        length: u64,
        /// The limit.
        limit: u64,
    },
    /// Imports something beyond the contract.
    #[error("the plugin imports {import:?}, which the contract does not define")]
    Import {
        /// The import.
        import: String,
    },
    /// Not a component, or one that does not fit the contract.
    #[error("invalid plugin component: {reason}")]
    Component {
        /// What is wrong.
        reason: String,
    },
    /// The engine cannot be made.
    #[error("cannot start the plugin engine: {reason}")]
    Engine {
        /// What is wrong.
        reason: String,
    },
    /// The guest's own time is used up.
    #[error("plugin terminated: {call} used more than {} ms of CPU time", limit.as_millis())]
    GuestTime {
        /// The call.
        call: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The time of the whole call is used up.
    #[error("plugin terminated: {call} took more than {} ms", limit.as_millis())]
    WallClock {
        /// The call.
        call: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// More memory, tables or instances than allowed.
    #[error("plugin terminated: {call} exceeded the limit of {limit} for {what}")]
    Resources {
        /// The call.
        call: &'static str,
        /// What it wanted more of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// Its stack is used up.
    #[error("plugin terminated: {call} exhausted its stack of {limit} bytes")]
    Stack {
        /// The call.
        call: &'static str,
        /// The limit.
        limit: usize,
    },
    /// It trapped, or handed over something that cannot be.
    #[error("plugin failed in {call}: {reason}")]
    Trap {
        /// The call.
        call: &'static str,
        /// What happened.
        reason: String,
    },
    /// A page beyond what is allowed, or one that contradicts itself.
    #[error("invalid page from the plugin: {reason}")]
    Page {
        /// What is wrong.
        reason: String,
    },
    /// An answer with something in it that is not allowed.
    #[error("invalid result of the plugin call {call}: {reason}")]
    Unusable {
        /// The call.
        call: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// What it wanted to remember could not be kept.
    #[error("cannot store the plugin's state: {reason}")]
    State {
        /// What is wrong.
        reason: String,
    },
    /// It says itself that it cannot answer.
    #[error("plugin call {call} failed: {reason}")]
    Answer {
        /// The call.
        call: &'static str,
        /// Its words.
        reason: String,
    },
    /// There is no such page.
    #[error("no such {what}")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// Failed too often and waits a little before the next try.
    #[error("the plugin failed and is paused for {} ms: {reason}", rest.as_millis())]
    Resting {
        /// Time left.
        rest: Duration,
        /// The last failure.
        reason: String,
    },
    /// Failed too often and is not tried again.
    #[error("the plugin is disabled after {failures} consecutive failures, the last: {reason}")]
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
                | Self::Unusable { .. }
        )
    }
}
