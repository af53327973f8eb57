//! An advisory of every kind that can be written.

use anyhow::Result;
use jiff::SignedDuration;
use spacecp_contract::{
    Advisory, Affected, Credit, DocumentId, Justification, NotAffected, VersionRange,
    VersionScheme, Workaround,
};
use spacecp_formats::{Format, Terms, to_advisory};
use spacecp_publisher::withdraw;
use spacecp_tests::catalog;

use super::stage::now;
use crate::external as samples;

/// A kind, and whether CSAF 2.0 can say how bad it is.
pub(super) struct Kind {
    pub(super) advisory: Advisory,
    pub(super) rated: bool,
}

/// The daemon's flaw under another id, with no corrections.
pub(super) fn own(number: u32) -> Advisory {
    let console = catalog::advisories(now()).remove(2);
    Advisory {
        id: id(number),
        corrections: Vec::new(),
        ..console
    }
}

pub(super) fn id(number: u32) -> DocumentId {
    DocumentId::new(format!("SPACECP-SA-2026-1{number:03}")).expect("an id")
}

fn range(introduced: &str, fixed: Option<&str>, last: Option<&str>) -> VersionRange {
    VersionRange {
        introduced: introduced.to_owned(),
        fixed: fixed.map(str::to_owned),
        last_affected: last.map(str::to_owned),
        limit: None,
    }
}

fn of(component: &str, scheme: VersionScheme, ranges: Vec<VersionRange>) -> Result<Affected> {
    Ok(Affected {
        component: component.parse()?,
        scheme,
        ranges,
        versions: Vec::new(),
        unlisted: None,
    })
}

const V4: &str = "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N";

/// Vectors of every severity.
const RATED: [&str; 6] = [
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
    "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:U/C:L/I:L/A:N",
    "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N",
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N",
    "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
];

/// All of them.
pub(super) fn all() -> Result<Vec<Kind>> {
    let mut kinds = severities();
    kinds.extend(shapes()?);
    kinds.extend(fates()?);
    kinds.extend(taken_over()?);
    Ok(kinds)
}

fn kind(advisory: Advisory) -> Kind {
    let rated = advisory
        .severity
        .iter()
        .any(|vector| vector.starts_with("CVSS:3"));
    Kind { advisory, rated }
}

fn severities() -> Vec<Kind> {
    let rated = (0u32..).zip(RATED);
    let rated = rated.map(|(number, vector)| Advisory {
        severity: vec![vector.to_owned()],
        ..own(number)
    });
    let others = [
        vec![],
        vec![V4.to_owned()],
        vec![RATED[0].to_owned(), V4.to_owned()],
        vec![
            RATED[1].to_owned(),
            RATED[0].to_owned(),
            RATED[5].to_owned(),
        ],
        vec![format!("{}/E:P/RL:O/RC:C", RATED[0])],
    ];
    let others = (20u32..).zip(others).map(|(number, severity)| Advisory {
        severity,
        ..own(number)
    });
    rated.chain(others).map(kind).collect()
}

fn shapes() -> Result<Vec<Kind>> {
    use VersionScheme::{Deb, Generic, Maven, Npm, Rpm, Semver};
    let workaround = Workaround {
        id: "off".to_owned(),
        text: "Turn it *off*.".to_owned(),
    };
    let components = vec![
        of(
            "npm:ws",
            Npm,
            vec![
                range("2.1.0", Some("5.2.4"), None),
                range("8.0.0", Some("8.17.1"), None),
            ],
        )?,
        of(
            "npm:@babel/core",
            Npm,
            vec![range("0", None, Some("7.0.0"))],
        )?,
        of(
            "maven:org.example:thing",
            Maven,
            vec![range("1.0", Some("1.0.1"), None)],
        )?,
        of(
            "deb:debian-12:curl",
            Deb,
            vec![range("0", Some("7.88.1-10+deb12u5"), None)],
        )?,
        of(
            "rpm:rhel-9:curl",
            Rpm,
            vec![range("0", Some("0:7.76.1-26.el9"), None)],
        )?,
        of(
            "cargo:time",
            Semver,
            vec![range("0.1.0", Some("0.2.23"), None)],
        )?,
        of(
            "minecraft:server",
            Generic,
            vec![range("1.7", Some("1.18.1"), None)],
        )?,
    ];
    let mut listed = of("spacecp:houston", Semver, Vec::new())?;
    listed.versions = vec!["4.5.0".to_owned(), "4.5.1-beta.1".to_owned()];
    let not_affected = NotAffected {
        component: "spacecp:control-tower".parse()?,
        justification: Justification::VulnerableCodeNotInExecutePath,
        only: None,
    };
    let credits = ["finder", "reporter", "analyst"].map(|role| Credit {
        name: format!("A {role}"),
        role: role.to_owned(),
    });
    let mut corrected = catalog::advisories(now()).remove(0);
    corrected.id = id(30);
    Ok(vec![
        kind(corrected),
        kind(Advisory {
            solution: String::new(),
            workarounds: vec![workaround],
            affected: vec![of(
                "spacecp:houston",
                Semver,
                vec![range("4.5.0", None, Some("4.7.4"))],
            )?],
            ..own(31)
        }),
        kind(Advisory {
            affected: components,
            ..own(32)
        }),
        kind(Advisory {
            affected: vec![listed],
            ..own(33)
        }),
        kind(Advisory {
            not_affected: vec![not_affected.clone()],
            ..own(34)
        }),
        Kind {
            // What is affected by nothing needs no score.
            rated: true,
            advisory: Advisory {
                affected: Vec::new(),
                not_affected: vec![not_affected],
                ..own(35)
            },
        },
        kind(Advisory {
            credits: credits.to_vec(),
            known_exploited: true,
            ..own(36)
        }),
    ])
}

/// One that is withdrawn, one that is superseded, and the one that supersedes it.
fn fates() -> Result<Vec<Kind>> {
    let later = now() + SignedDuration::from_hours(1);
    let withdrawn = withdraw::withdrawn(own(40), "It was no flaw.", later)?;
    let older = own(41);
    let newer = withdraw::superseding(own(42), &older, "The ranges were wrong.", later)?;
    let withdrawn = Kind {
        // What is withdrawn says nothing of products, and so has nothing to rate.
        rated: true,
        ..kind(withdrawn)
    };
    Ok(vec![withdrawn, kind(older), kind(newer)])
}

/// What others wrote in OSV, some of it with a package that no panel has.
fn taken_over() -> Result<Vec<Kind>> {
    let plain = samples::osv("GHSA-jfh8-c2jp-5v3q");
    let mut rated = samples::osv("RUSTSEC-2026-0002");
    rated["severity"] = serde_json::json!([{ "type": "CVSS_V3", "score": RATED[1] }]);
    let mut kinds = Vec::new();
    for record in [plain, rated] {
        let taken = to_advisory(Format::Osv, &record, &Terms::public())?;
        kinds.push(kind(taken.advisory));
    }
    Ok(kinds)
}
