//! The settings of a vendor who discloses: who it is, and where its web root is served.

use jiff::{SignedDuration, Timestamp};

/// The `publisher.toml` of a vendor that does not exist; its `security.txt` holds for half a year from `now`.
pub fn text(now: Timestamp) -> String {
    let expires = (now + SignedDuration::from_hours(24 * 180)).strftime("%Y-%m-%dT00:00:00Z");
    format!(
        "name = \"SpaceCP\"\nnamespace = \"https://spacecp.example\"\n\
         address = \"https://security.spacecp.example\"\n[security-txt]\n\
         contact = [\"mailto:security@spacecp.example\", \"https://spacecp.example/report\"]\n\
         policy = \"https://spacecp.example/policy\"\nexpires = \"{expires}\"\n\
         preferred-languages = [\"en\", \"de\"]\n"
    )
}
