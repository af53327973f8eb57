//! Where a package is affected, as `ecosystem_specific` has it: operating systems, architectures and functions in
//! `RustSec`'s records (`affects`), packages and symbols in Go's (`imports`).
//!
//! Panels run on Linux. What is a flaw of other systems alone is not one here; all else is said to people, and
//! decides nothing.

use serde::Deserialize;
use serde_json::Value;
use spacecp_contract::Ecosystem;

use crate::naming::shown;

/// How many functions are named one by one.
const MOST_FUNCTIONS: usize = 30;

/// Systems that are not Linux. What is in no list may be one that Linux belongs to, as `unix`.
const OTHER_SYSTEMS: [&str; 28] = [
    "aix",
    "android",
    "cuda",
    "cygwin",
    "darwin",
    "dragonfly",
    "emscripten",
    "espidf",
    "freebsd",
    "fuchsia",
    "haiku",
    "hermit",
    "illumos",
    "ios",
    "js",
    "macos",
    "netbsd",
    "openbsd",
    "plan9",
    "redox",
    "solaris",
    "tvos",
    "uefi",
    "visionos",
    "vxworks",
    "wasi",
    "watchos",
    "windows",
];

/// Where a package is affected; nothing where the record does not say it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Affects {
    systems: Vec<String>,
    architectures: Vec<String>,
    functions: Vec<String>,
}

#[derive(Deserialize)]
struct RustSec {
    #[serde(default)]
    os: Vec<String>,
    #[serde(default)]
    arch: Vec<String>,
    #[serde(default)]
    functions: Value,
}

#[derive(Deserialize)]
struct GoImport {
    #[serde(default)]
    path: String,
    #[serde(default)]
    goos: Vec<String>,
    #[serde(default)]
    goarch: Vec<String>,
    #[serde(default)]
    symbols: Vec<String>,
}

impl Affects {
    /// Reads the field of an ecosystem whose databases define it; what is of another shape says nothing.
    pub(super) fn of(ecosystem: &Ecosystem, specific: Option<&Value>) -> Self {
        let field = |name: &str| specific.and_then(|specific| specific.get(name)).cloned();
        if *ecosystem != Ecosystem::Cargo && *ecosystem != Ecosystem::Go {
            return Self::default();
        }
        if *ecosystem == Ecosystem::Cargo
            && let Some(affects) = field("affects")
        {
            return serde_json::from_value(affects).map_or_else(|_| Self::default(), Self::of_rust);
        }
        let imports = field("imports").filter(|_| *ecosystem == Ecosystem::Go);
        let imports = imports.map(serde_json::from_value::<Vec<GoImport>>);
        imports.map_or_else(Self::default, |imports| {
            Self::of_go(&imports.unwrap_or_default())
        })
    }

    fn of_rust(said: RustSec) -> Self {
        let functions = match said.functions {
            Value::Array(all) => all
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            // As in the database itself: each with the versions that have it.
            Value::Object(all) => all.into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        };
        Self {
            systems: said.os,
            architectures: said.arch,
            functions,
        }
    }

    fn of_go(imports: &[GoImport]) -> Self {
        // One that is affected everywhere makes the module so.
        let everywhere = |of: fn(&GoImport) -> &Vec<String>| {
            let is_limited = imports.iter().all(|import| !of(import).is_empty());
            let all = imports.iter().flat_map(of).cloned();
            if is_limited {
                all.collect()
            } else {
                Vec::new()
            }
        };
        let symbols = imports.iter().flat_map(|import| {
            let symbols = import.symbols.iter();
            symbols.map(|symbol| format!("{}.{symbol}", import.path))
        });
        Self {
            systems: everywhere(|import| &import.goos),
            architectures: everywhere(|import| &import.goarch),
            functions: symbols.collect(),
        }
    }

    /// The systems that are affected, where Linux is surely none of them.
    pub(super) fn other_systems(&self) -> Option<String> {
        let is_other = |system: &String| OTHER_SYSTEMS.contains(&system.as_str());
        let is_said = !self.systems.is_empty() && self.systems.iter().all(is_other);
        is_said.then(|| self.systems.join(", "))
    }

    /// What people read of it, in Markdown; nothing where nothing is said.
    pub(super) fn text(&self, component: &str) -> Option<String> {
        let list = |all: &[String]| {
            let all = all.iter().take(MOST_FUNCTIONS);
            let all = all.map(|one| format!("`{}`", shown(one).replace('`', "'")));
            all.collect::<Vec<_>>().join(", ")
        };
        let mut parts = Vec::new();
        let mut part = |title: &str, all: &[String]| {
            if all.is_empty() {
                return;
            }
            let more = all.len().saturating_sub(MOST_FUNCTIONS);
            let more = match more {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            parts.push(format!("{title}: {}{more}", list(all)));
        };
        part("operating systems", &self.systems);
        part("architectures", &self.architectures);
        part("functions", &self.functions);
        (!parts.is_empty()).then(|| format!("- `{component}` is affected in {}.", parts.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_of_other_systems_alone_is_none_of_linux() {
        for (specific, systems) in [
            (
                json!({ "affects": { "os": ["windows"], "arch": [], "functions": [] } }),
                Some("windows"),
            ),
            (
                json!({ "affects": { "os": ["windows", "macos"] } }),
                Some("windows, macos"),
            ),
            (json!({ "affects": { "os": ["windows", "linux"] } }), None),
            (json!({ "affects": { "os": ["unix"] } }), None),
            (json!({ "affects": { "os": [] } }), None),
            (json!({ "affects": { "os": "windows" } }), None),
            (
                json!({ "imports": [{ "path": "os", "goos": ["windows"] }] }),
                Some("windows"),
            ),
            (
                json!({ "imports": [{ "path": "os", "goos": ["windows"] }, { "path": "io" }] }),
                None,
            ),
            (json!({}), None),
        ] {
            let ecosystem = match specific.get("imports") {
                Some(_) => Ecosystem::Go,
                None => Ecosystem::Cargo,
            };
            let affects = Affects::of(&ecosystem, Some(&specific));
            assert_eq!(affects.other_systems().as_deref(), systems, "{specific}");
        }
    }

    #[test]
    fn a_field_of_a_database_that_does_not_define_it_says_nothing() {
        let specific = json!({ "affects": { "os": ["windows"] } });
        for ecosystem in [Ecosystem::Npm, Ecosystem::Go, Ecosystem::Maven] {
            let affects = Affects::of(&ecosystem, Some(&specific));
            assert_eq!(affects, Affects::default(), "{ecosystem:?}");
        }
    }

    #[test]
    fn systems_architectures_and_functions_are_shown() {
        let specific = json!({ "affects": { "os": [], "arch": ["x86"], "functions": ["a::b"] } });
        let text = Affects::of(&Ecosystem::Cargo, Some(&specific))
            .text("cargo:a")
            .unwrap();
        assert_eq!(
            text,
            "- `cargo:a` is affected in architectures: `x86`; functions: `a::b`."
        );
        let many: Vec<String> = (0..40).map(|number| format!("f{number}")).collect();
        let specific = json!({ "affects": { "functions": many } });
        let text = Affects::of(&Ecosystem::Cargo, Some(&specific))
            .text("cargo:a")
            .unwrap();
        assert!(text.ends_with(" and 10 more."), "{text}");
        assert_eq!(Affects::of(&Ecosystem::Cargo, None).text("cargo:a"), None);
    }
}
