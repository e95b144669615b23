//! The `edw` command: the harness with producer, consumer and engine, under a name for a `PATH`.

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::cli::main("edw")
}
