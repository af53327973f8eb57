//! The advisories of the demo.
//!
//! Two state public facts: `Log4Shell` as it concerns Minecraft servers, and a flaw of the npm package
//! `ws`. The two of SpaceCP's own are invented; no such flaw is known.

use jiff::{SignedDuration, Timestamp};
use spacecp_contract::{
    Advisory, Affected, Audience, ComponentName, Credit, DocumentId, Reference, TimelineEntry, Tlp,
    VersionRange, VersionScheme, Workaround,
};

/// Whom the demo's feed is for.
pub const AUDIENCE: &str = "customers";

/// `Log4Shell` in Minecraft servers.
pub const LOG4SHELL: &str = "SPACECP-SA-2026-0001";
/// The `ws` flaw that the daemon carries.
pub const WS_HEADERS: &str = "SPACECP-SA-2026-0002";
/// The daemon's own flaw.
pub const CONSOLE: &str = "SPACECP-SA-2026-0003";
/// The backup module's, under embargo.
pub const BACKUP: &str = "SPACECP-SA-2026-0004";

/// Corrects the Minecraft server.
pub const SERVER_CORRECTION: &str = "SPACECP-SC-2026-0001";
/// Corrects the daemon, and with it the `ws` that it carries.
pub const HOUSTON_CORRECTION: &str = "SPACECP-SC-2026-0002";
/// Corrects the backup module.
pub const BACKUP_CORRECTION: &str = "SPACECP-SC-2026-0003";

/// Every advisory of the demo, as of `now`.
pub fn advisories(now: Timestamp) -> Vec<Advisory> {
    vec![log4shell(now), ws_headers(now), console(now), backup(now)]
}

fn id(text: &str) -> DocumentId {
    DocumentId::new(text).expect("the catalogue's ids are ids")
}

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

/// An advisory that says nothing but what it is called, published a day before `now`.
pub fn blank(name: &str, title: &str, now: Timestamp) -> Advisory {
    Advisory {
        id: id(name),
        revision: 1,
        audience: Audience::new(AUDIENCE).expect("a lower-case word"),
        published: now - days(1),
        modified: now - days(1),
        withdrawn: None,
        aliases: Vec::new(),
        title: title.to_owned(),
        issue: String::new(),
        impacts: String::new(),
        solution: String::new(),
        workarounds: Vec::new(),
        severity: Vec::new(),
        cwe: Vec::new(),
        known_exploited: false,
        tlp: Tlp::Clear,
        embargo_until: None,
        affected: Vec::new(),
        not_affected: Vec::new(),
        corrections: Vec::new(),
        credits: Vec::new(),
        references: Vec::new(),
        supersedes: Vec::new(),
        timeline: Vec::new(),
        notice: None,
        source: None,
    }
}

fn affected(component: &str, ranges: &[(&str, &str)]) -> Affected {
    let range = |(introduced, fixed): &(&str, &str)| VersionRange {
        introduced: (*introduced).to_owned(),
        fixed: Some((*fixed).to_owned()),
        last_affected: None,
        limit: None,
    };
    Affected {
        component: ComponentName::new(component).expect("the catalogue's components have names"),
        scheme: VersionScheme::Semver,
        ranges: ranges.iter().map(range).collect(),
        versions: Vec::new(),
        unlisted: None,
    }
}

fn reference(title: &str, url: &str) -> Reference {
    Reference {
        title: title.to_owned(),
        url: url.to_owned(),
    }
}

fn event(at: Timestamp, event: &str) -> TimelineEntry {
    TimelineEntry {
        at,
        event: event.to_owned(),
    }
}

fn date(text: &str) -> Timestamp {
    text.parse().expect("the catalogue's dates are dates")
}

fn log4shell(now: Timestamp) -> Advisory {
    Advisory {
        aliases: vec!["CVE-2021-44228".into(), "GHSA-jfh8-c2jp-5v3q".into()],
        issue:
            "Minecraft servers log what players write, and they log it with **Apache Log4j 2**. \
                Versions of `log4j-core` before 2.15.0 look up names that appear in a logged text: \
                a line of chat such as `${jndi:ldap://…}` makes the server load and run a class \
                from a stranger's machine."
                .into(),
        impacts: "- Anybody who can write in the chat, or who joins under a chosen name, runs \
                  code as the user of the game server.\n- From there, everything that this user \
                  may read or write on the machine is open, other customers' servers included if \
                  they share a user.\n- Attacks have been seen everywhere since 10 December 2021."
            .into(),
        solution: "Update the server to **1.18.1** or later; it carries a repaired Log4j. Restart \
                   the server afterwards."
            .into(),
        workarounds: vec![Workaround {
            id: "no-lookups".into(),
            text: "On 1.17 and 1.17.1, start the server with \
                   `-Dlog4j2.formatMsgNoLookups=true` before `-jar`."
                .into(),
        }],
        severity: vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H".into()],
        cwe: vec![20, 400, 502, 917],
        known_exploited: true,
        affected: vec![
            affected("minecraft:server", &[("1.7.0", "1.18.1")]),
            affected(
                "maven:org.apache.logging.log4j:log4j-core",
                &[
                    ("2.0.0-beta9", "2.3.1"),
                    ("2.4.0", "2.12.2"),
                    ("2.13.0", "2.15.0"),
                ],
            ),
        ],
        corrections: vec![id(SERVER_CORRECTION)],
        references: vec![
            reference(
                "Apache Log4j: security",
                "https://logging.apache.org/security.html",
            ),
            reference(
                "NVD: CVE-2021-44228",
                "https://nvd.nist.gov/vuln/detail/CVE-2021-44228",
            ),
        ],
        timeline: vec![
            event(date("2021-12-09T00:00:00Z"), "The flaw becomes public."),
            event(
                date("2021-12-10T00:00:00Z"),
                "Minecraft 1.18.1 and Log4j 2.15.0 are released.",
            ),
            event(now - days(1), "This advisory is broadcast."),
        ],
        ..blank(
            LOG4SHELL,
            "Log4Shell: a line of chat runs code on a Minecraft server",
            now,
        )
    }
}

fn ws_headers(now: Timestamp) -> Advisory {
    Advisory {
        aliases: vec!["CVE-2024-37890".into(), "GHSA-3h5v-q93c-6h6q".into()],
        issue:
            "The daemon `houston` speaks WebSocket through the npm package `ws`. A request with \
                more headers than the server's `maxHeadersCount` lets `ws` read a header that is \
                not there, and the process ends."
                .into(),
        impacts: "Anybody who can reach the daemon's port can stop it, again and again. Game \
                  servers keep running; nobody can manage them meanwhile."
            .into(),
        solution: "Apply the correction of `houston`: it carries `ws` 8.17.1.".into(),
        workarounds: vec![Workaround {
            id: "fewer-headers".into(),
            text: "Start the daemon with `--max-http-header-size` set low enough that no request \
                   can hold more headers than `maxHeadersCount`."
                .into(),
        }],
        severity: vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H".into()],
        cwe: vec![476],
        affected: vec![affected(
            "npm:ws",
            &[
                ("2.1.0", "5.2.4"),
                ("6.0.0", "6.2.3"),
                ("7.0.0", "7.5.10"),
                ("8.0.0", "8.17.1"),
            ],
        )],
        corrections: vec![id(HOUSTON_CORRECTION)],
        references: vec![reference(
            "GitHub: GHSA-3h5v-q93c-6h6q",
            "https://github.com/advisories/GHSA-3h5v-q93c-6h6q",
        )],
        timeline: vec![
            event(date("2024-06-16T00:00:00Z"), "ws 8.17.1 is released."),
            event(now - days(1), "This advisory is broadcast."),
        ],
        ..blank(
            WS_HEADERS,
            "A request with many headers stops the daemon",
            now,
        )
    }
}

fn console(now: Timestamp) -> Advisory {
    Advisory {
        issue: "The console page of `houston` shows the lines that a game server prints. It does \
                not escape them:\n\n```js\nexports.row = (line) => `<tr><td>${line}</td></tr>`;\n```\n\n\
                A player who has the server print a line chooses what the browser of whoever reads \
                the console runs."
            .into(),
        impacts: "The script acts with the rights of the reader, up to those of an administrator of \
                  the panel."
            .into(),
        solution: "Apply the correction of `houston`. Sessions that were open meanwhile should be \
                   ended."
            .into(),
        severity: vec!["CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:H/I:L/A:N".into()],
        cwe: vec![79],
        affected: vec![affected("spacecp:houston", &[("4.5.0", "4.7.4")])],
        corrections: vec![id(HOUSTON_CORRECTION)],
        credits: vec![Credit {
            name: "A customer who asked to be thanked so".into(),
            role: "finder".into(),
        }],
        timeline: vec![
            event(now - days(21), "Reported in private."),
            event(now - days(20), "Acknowledged and reproduced."),
            event(now - days(1), "This advisory is broadcast."),
        ],
        ..blank(CONSOLE, "A server's console runs script in the reader's browser", now)
    }
}

fn backup(now: Timestamp) -> Advisory {
    Advisory {
        issue: "The backup module takes the name of an archive from the request and follows `..` \
                in it."
            .into(),
        impacts: "A customer reads files of other customers that the panel's user may read.".into(),
        solution: "Apply the correction of the module.".into(),
        workarounds: vec![Workaround {
            id: "module-off".into(),
            text: "Turn the module off under *Modules* until the correction is in place.".into(),
        }],
        severity: vec!["CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N".into()],
        cwe: vec![22],
        tlp: Tlp::AmberStrict,
        embargo_until: Some(now + days(14)),
        affected: vec![
            affected("spacecp:module-backup", &[("2.0.0", "2.3.1")]),
            affected("spacecp:module-invoices", &[("1.0.0", "1.4.0")]),
        ],
        corrections: vec![id(BACKUP_CORRECTION)],
        timeline: vec![
            event(now - days(9), "Reported in private."),
            event(now - days(1), "Broadcast to customers who run a panel."),
        ],
        ..blank(BACKUP, "Backups of other customers can be read", now)
    }
}

/// What a correction of the demo does, beside its files.
#[derive(Debug, Clone, Copy)]
pub struct Fix {
    /// Its id.
    pub id: &'static str,
    /// The component.
    pub component: &'static str,
    /// The folder of the component's tree.
    pub folder: fn(&crate::ground::Ground) -> std::path::PathBuf,
    /// What runs before and after.
    pub versions: [&'static str; 2],
    /// The advisories that it answers.
    pub advisories: &'static [&'static str],
    /// What the component writes at run time, and a correction leaves alone.
    pub ignored: &'static [&'static str],
}

/// Every correction of the demo.
pub fn corrections() -> [Fix; 3] {
    use crate::ground::{self, Ground};
    [
        Fix {
            id: SERVER_CORRECTION,
            component: "minecraft:server",
            folder: Ground::lobby,
            versions: ground::LOBBY,
            advisories: &[LOG4SHELL],
            ignored: &["world/", "logs/", "server.properties"],
        },
        Fix {
            id: HOUSTON_CORRECTION,
            component: "spacecp:houston",
            folder: Ground::houston,
            versions: ground::HOUSTON,
            advisories: &[WS_HEADERS, CONSOLE],
            ignored: &["config.json", "logs/"],
        },
        Fix {
            id: BACKUP_CORRECTION,
            component: "spacecp:module-backup",
            folder: Ground::backup,
            versions: ground::BACKUP,
            advisories: &[BACKUP],
            ignored: &["settings.json"],
        },
    ]
}
