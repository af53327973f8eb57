//! `spacecp-advisories`; everything is in the library.

fn main() -> std::process::ExitCode {
    spacecp_advisories::cli::main()
}
