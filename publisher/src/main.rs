//! `spacecp-publisher`; everything is in the library.

fn main() -> std::process::ExitCode {
    spacecp_publisher::cli::main()
}
