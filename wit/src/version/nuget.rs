//! `NuGet`'s versions: Semantic Versioning with one to four numbers, without regard to case
//! (<https://learn.microsoft.com/nuget/concepts/package-versioning>).

use super::{
    VersionFault,
    key::Key,
    semver::{self, identifiers, whole_number},
};

/// Of .NET's `Version`, which `NuGet` reads the numbers with.
const MOST_NUMBERS: usize = 4;

pub(super) fn read(text: &str) -> Result<Key, VersionFault> {
    let text = semver::without_build(text)?.to_lowercase();
    let (numbers, pre) = match text.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (text.as_str(), None),
    };
    let numbers: Vec<&str> = numbers.split('.').collect();
    if numbers.len() > MOST_NUMBERS {
        return Err(VersionFault::TooLarge("the count of numbers"));
    }
    for number in &numbers {
        whole_number(number)?;
    }
    if let Some(pre) = pre {
        identifiers(pre, "a pre-release")?;
    }
    Ok(semver::key(&numbers, pre))
}
