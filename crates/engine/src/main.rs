//! The engine as a program: parse, log, serve, exit code.

mod program;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let args = program::args::Args::parse();
    program::telemetry();
    let runtime = tokio::runtime::Runtime::new();
    let served = runtime
        .map_err(program::Failure::from)
        .and_then(|runtime| runtime.block_on(program::serve(args)));
    program::exit_code(served)
}
