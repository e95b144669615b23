//! The `edw` command: the harness with producer, consumer and engine, as one program to install.

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::cli::main("edw")
}
