//! How long a siege lasts: a test that attacks one thing over and over.
//!
//! `SPACECP_SIEGE=long` asks for the long one; otherwise each siege keeps to the few seconds that every run of
//! the tests can spare. A siege counts its rounds, so that its result does not depend on the machine's pace.

/// The number of rounds: `short` by default, `long` when `SPACECP_SIEGE=long`.
pub fn rounds(short: usize, long: usize) -> usize {
    if is_long() { long } else { short }
}

/// Whether the long siege was asked for.
pub fn is_long() -> bool {
    std::env::var_os("SPACECP_SIEGE").is_some_and(|asked| asked == "long")
}
