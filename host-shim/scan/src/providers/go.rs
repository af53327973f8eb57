//! Modules of Go that are linked into a program, as the linker leaves word of them in it
//! (<https://pkg.go.dev/debug/buildinfo>).
//!
//! The information is found by what it begins with, at a multiple of 16 bytes, whatever the format of the program is.
//! Programs made before Go 1.18 point to it from elsewhere: they are named as unread.

use std::{collections::BTreeMap, fs::File, path::Path};

use spacecp_contract::Ecosystem;

use super::{go_mod, walk};
use crate::{Limit, Why, budget::Budget, findings::Findings, look::Look, names, text};

const GO_MOD: &str = "go.mod";

const MAGIC: &[u8] = b"\xff Go buildinf:";
const HEADER: usize = 32;
const ALIGNMENT: usize = 16;

/// Bytes that are looked through at a time.
const WINDOW: usize = 1 << 20;

/// The longest text in it.
const LONGEST: usize = 8 << 20;

/// What programs begin with: ELF, Windows, and macOS in both orders and with several processors.
const PROGRAMS: [&[u8]; 6] = [
    b"\x7fELF",
    b"MZ",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
];

pub(super) fn look(look: &mut Look<'_>, file: Option<&Path>) {
    let before = look.count();
    if let Some(file) = file {
        if walk::name_of(file) == GO_MOD {
            required(look, file);
        } else {
            program(look, file);
        }
    } else {
        let mut sources = Vec::new();
        walk::files(look, |look, path| {
            if walk::name_of(path) == GO_MOD {
                sources.push(path.to_owned());
            } else {
                program(look, path);
            }
        });
        if look.count() == before {
            for source in &sources {
                required(look, source);
            }
        }
    }
    if look.count() == before {
        let why = "what is installed: there is no program made with Go and no go.mod".to_owned();
        let why = Why::Missing(why);
        look.unread(file.unwrap_or(Path::new("")), why);
    }
}

/// What a program would be built with.
fn required(look: &mut Look<'_>, path: &Path) {
    look.text(path, Limit::DocumentBytes, "go.mod", |bytes| {
        Ok(go_mod::read(bytes))
    });
}

fn program(look: &mut Look<'_>, path: &Path) {
    let label = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    look.file(path, "go", |file, budget| {
        Ok(match build_information(file, budget)? {
            Some(said) => modules(&said, &label),
            None => Findings::default(),
        })
    });
}

/// What the linker left, if anything.
#[derive(Debug, PartialEq, Eq)]
struct BuildInformation {
    /// Of Go itself, as `go1.21.5`.
    version: String,
    modules: String,
}

fn build_information(
    mut file: &File,
    budget: &mut Budget,
) -> Result<Option<BuildInformation>, Why> {
    let mut window = Vec::with_capacity(2 * WINDOW);
    let mut is_first = true;
    loop {
        let before = window.len();
        window.resize(before + WINDOW, 0);
        let read = fill(
            &mut file,
            window.get_mut(before..).unwrap_or_default(),
            budget,
        )?;
        window.truncate(before + read);
        if std::mem::take(&mut is_first)
            && !PROGRAMS.iter().any(|begins| window.starts_with(begins))
        {
            return Ok(None);
        }
        if let Some(at) = place(&window) {
            window.drain(..at);
            return texts(window, &mut file, budget).map(Some);
        }
        if read < WINDOW {
            return Ok(None);
        }
        // What may begin at the end of a window is looked at again with the next.
        let kept = window.len().saturating_sub(HEADER) / ALIGNMENT * ALIGNMENT;
        window.drain(..kept);
    }
}

fn fill(file: &mut &File, mut rest: &mut [u8], budget: &mut Budget) -> Result<usize, Why> {
    let mut filled = 0;
    while !rest.is_empty() {
        match budget.read_some(&mut *file, rest)? {
            0 => break,
            read => {
                filled += read;
                rest = rest.get_mut(read..).unwrap_or_default();
            }
        }
    }
    Ok(filled)
}

/// Where the information begins. A program that reads it, as Go's own, has its beginning among its texts, too.
fn place(window: &[u8]) -> Option<usize> {
    let places = (0..window.len()).step_by(ALIGNMENT);
    places.into_iter().find(|at| {
        let header = window.get(*at..*at + HEADER);
        header.is_some_and(|header| {
            header.starts_with(MAGIC)
                && matches!(header.get(MAGIC.len()), Some(0 | 4 | 8))
                && matches!(header.get(MAGIC.len() + 1), Some(0..=3))
        })
    })
}

/// The texts behind the header, each with its length before it.
fn texts(
    mut window: Vec<u8>,
    file: &mut &File,
    budget: &mut Budget,
) -> Result<BuildInformation, Why> {
    let broken = || Why::malformed("a program made with Go", "its build information breaks off");
    if window
        .get(MAGIC.len() + 1)
        .is_none_or(|flags| flags & 2 == 0)
    {
        let what = "build information of a program made with Go before 1.18";
        return Err(Why::NotRead(what.to_owned()));
    }
    let mut at = HEADER;
    let mut read = |window: &mut Vec<u8>| -> Result<String, Why> {
        let length = length(window, &mut at).filter(|length| *length <= LONGEST);
        let end = at + length.ok_or_else(broken)?;
        if window.len() < end {
            let before = window.len();
            window.resize(end, 0);
            let read = fill(file, window.get_mut(before..).unwrap_or_default(), budget)?;
            window.truncate(before + read);
        }
        let bytes = window.get(at..end).ok_or_else(broken)?;
        at = end;
        // The second text has a mark of 16 bytes before and behind it, which need not be text.
        let bytes = bytes
            .get(16..bytes.len().saturating_sub(16))
            .filter(|inner| inner.ends_with(b"\n"))
            .unwrap_or(bytes);
        Ok(text::decode(bytes).into_owned())
    };
    Ok(BuildInformation {
        version: read(&mut window)?,
        modules: read(&mut window)?,
    })
}

/// A length of seven bits a byte, the lowest first.
fn length(window: &[u8], at: &mut usize) -> Option<usize> {
    let mut length = 0_usize;
    for shift in (0..=28).step_by(7) {
        let byte = *window.get(*at)?;
        *at += 1;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(length);
        }
    }
    None
}

fn modules(said: &BuildInformation, program: &str) -> Findings {
    let mut modules: BTreeMap<String, Result<String, String>> = BTreeMap::new();
    let mut last = String::new();
    for line in said.modules.lines() {
        let mut fields = line.split('\t');
        let (kind, path, version) = (fields.next(), fields.next(), fields.next());
        let (Some(kind @ ("mod" | "dep" | "=>")), Some(path)) = (kind, path) else {
            continue;
        };
        if kind == "=>" {
            // What takes the place of the module before is what is linked.
            modules.remove(&last);
        }
        path.clone_into(&mut last);
        modules.insert(path.to_owned(), version_of(version.unwrap_or_default()));
    }
    let go = said.version.split([' ', '-']).next().unwrap_or_default();
    let go = go.strip_prefix("go").filter(|go| {
        go.chars()
            .all(|letter| letter == '.' || letter.is_ascii_digit())
    });
    let go = go.map(str::to_owned);
    let go = go.ok_or_else(|| format!("the version of Go is {}", said.version));
    modules.insert("stdlib".to_owned(), go);
    let mut findings = Findings::default();
    for (path, version) in modules {
        let label = vec![program.to_owned(), path.clone()];
        let version = version.as_deref().map_err(Clone::clone);
        findings.add(label, names::package(&Ecosystem::Go, &path), version, "");
    }
    findings
}

/// As advisories write it, without the `v`.
fn version_of(text: &str) -> Result<String, String> {
    match text.strip_prefix('v') {
        Some(version) => Ok(version.to_owned()),
        None => Err(format!("built from a folder, with the version {text:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_a_modules_place_is_what_is_linked() {
        let said = BuildInformation {
            version: "go1.21.5".to_owned(),
            modules: "path\texample.com/a\nmod\texample.com/a\t(devel)\t\ndep\tgolang.org/x/net\tv0.17.0\th1:x\ndep\texample.com/b\tv1.0.0\n=>\texample.com/fork\tv1.0.1\th1:y\nbuild\t-compiler=gc\n".to_owned(),
        };
        let found = modules(&said, "tool");
        let listed = found.entries.iter().map(|entry| {
            let version = entry.version.as_deref().unwrap_or("?");
            format!("{} {version}", entry.advisory_name)
        });
        assert!(listed.eq([
            "golang:example.com/a ?",
            "golang:example.com/fork 1.0.1",
            "golang:golang.org/x/net 0.17.0",
            "golang:stdlib 1.21.5",
        ]));
    }

    #[test]
    fn a_length_has_seven_bits_a_byte_and_an_end() {
        let mut at = 0;
        assert_eq!(length(&[0xac, 0x02], &mut at), Some(300));
        assert_eq!(at, 2);
        assert_eq!(length(&[0xff; 9], &mut 0), None);
        assert_eq!(length(&[0x80], &mut 0), None);
    }
}
