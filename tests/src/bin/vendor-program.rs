//! The vendor's program, once more under this package, so that its tests have its path.

fn main() -> std::process::ExitCode {
    spacecp_publisher::cli::main()
}
