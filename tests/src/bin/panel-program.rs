//! The panel's program, once more under this package, so that its tests and benches have its path.

fn main() -> std::process::ExitCode {
    spacecp_advisories::cli::main()
}
