//! The `harness` command, as `cargo harness` starts it inside the repository. Elsewhere it is called `edw`.

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::cli::main("harness")
}
