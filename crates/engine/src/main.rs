//! The engine as a program.

use std::process::ExitCode;

use clap::Parser;

/// Serves Azure Queue Storage and Azure Table Storage on this machine, in memory or in a directory.
///
/// The first line of standard output has both addresses, the second a connection string. The engine serves until SIGTERM or
/// Ctrl-C, and then exits with 0. Other exit codes: 1 a bug; 2 a wrong flag, variable or file; 6 a port in use, or a directory that
/// cannot be written.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    args: engine::program::Args,
}

fn main() -> ExitCode {
    engine::program::main(&Cli::parse().args)
}
