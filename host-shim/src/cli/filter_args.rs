//! The command line of what only looks: lists, the record of exposures, appointments.

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(super) struct List {
    /// Words to find in the id, aliases, title or components.
    pub(super) search: Vec<String>,
    /// List only advisories with this status on this panel.
    #[arg(long = "status", alias = "standing", value_enum, value_name = "STATUS")]
    pub(super) standing: Option<StatusFilter>,
    /// List only advisories of this severity or higher.
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(super) severity: Option<MinSeverity>,
    /// List only advisories that are known to be exploited.
    #[arg(long)]
    pub(super) known_exploited: bool,
    /// List only advisories under embargo.
    #[arg(long)]
    pub(super) embargo: bool,
    /// Sort the list.
    #[arg(long, value_enum, default_value_t = SortBy::Urgency)]
    pub(super) order: SortBy,
    /// Page of the list to show.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) page: u32,
}

#[derive(Debug, Args)]
pub(super) struct Components {
    /// Words to find in the name, version or path.
    pub(super) search: Vec<String>,
    /// List only components with this status.
    #[arg(long = "status", alias = "standing", value_enum, value_name = "STATUS")]
    pub(super) standing: Option<StatusFilter>,
    /// Page of the list to show.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) page: u32,
}

#[derive(Debug, Args)]
pub(super) struct Exposure {
    /// Show only this advisory, by its id or an alias such as CVE-2021-44228.
    #[arg(long, value_name = "ID")]
    pub(super) advisory: Option<String>,
    /// Show only this component.
    #[arg(long, value_name = "NAME")]
    pub(super) component: Option<String>,
    /// Start of the period: a day (UTC) or a time such as 2026-11-01T18:00:00Z.
    #[arg(long, value_name = "DATE")]
    pub(super) from: Option<String>,
    /// End of the period: a day (inclusive, UTC) or a time.
    #[arg(long, value_name = "DATE")]
    pub(super) until: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ScheduleAction {
    /// Cancel a scheduled correction.
    #[command(name = "cancel", alias = "withdraw")]
    Withdraw {
        /// Number of the scheduled correction, as listed by "schedule".
        number: i64,
    },
}

/// How something stands on this panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum StatusFilter {
    /// A component is affected.
    #[value(name = "affected", alias = "exposed")]
    Exposed,
    /// Whether a component is affected is unknown.
    #[value(name = "unknown", alias = "undecided")]
    Undecided,
    /// Every matching component is fixed or not affected.
    Clear,
    /// The advisory matches no installed component, or the component matches no advisory.
    Unrelated,
    /// The advisory is a notice, such as one about an unmaintained component.
    Notice,
}

/// The severity that a list begins at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum MinSeverity {
    /// Every rated advisory.
    Low,
    /// Score 4.0 or higher.
    Medium,
    /// Score 7.0 or higher.
    High,
    /// Score 9.0 or higher.
    Critical,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SortBy {
    /// Most urgent first.
    Urgency,
    /// Highest score first.
    Severity,
    /// Most recently changed first.
    Changed,
    /// Most recently published first.
    Published,
    /// By id.
    Name,
}
