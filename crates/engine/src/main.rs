//! The engine as a program.

use std::process::ExitCode;

use clap::Parser;

/// Serves Azure Queue Storage and Azure Table Storage on this machine, in memory or in a directory.
///
/// The first two lines of its standard output tell both addresses and a connection string. It serves until SIGTERM or Ctrl-C,
/// and exits with 0 then; 1 is a bug, 2 is a wrong flag, variable or file, 6 a port in use or a directory that cannot be written.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    args: engine::program::Args,
}

fn main() -> ExitCode {
    engine::program::main(&Cli::parse().args)
}
