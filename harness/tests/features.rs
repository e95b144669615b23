//! The feature files as a `cargo test` target.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    harness::cli::test_main(env!("CARGO_BIN_EXE_harness"), &root)
}
