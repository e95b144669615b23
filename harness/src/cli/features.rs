//! The `cargo test` target that runs the feature files.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use platform::Workload;
use workflow::telemetry::TelemetryArgs;

use super::{in_runtime, list, profile, suite, told};
use crate::say::say;
use crate::scenario::{Keep, SuiteArgs};

/// What `cargo test` runs: the suite, with `harness` as the executable that holds producer and consumer.
#[derive(Debug, Parser)]
#[command(name = "features")]
struct TestCli {
    #[command(flatten)]
    suite: SuiteArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
    /// Flags of the standard test runner, which `cargo test` hands to every target: they change nothing here
    #[command(flatten)]
    _ignored: Ignored,
}

#[derive(Debug, clap::Args)]
struct Ignored {
    #[arg(long, hide = true)]
    nocapture: bool,
    #[arg(long, hide = true)]
    show_output: bool,
    #[arg(long, short, hide = true)]
    quiet: bool,
    #[arg(long, hide = true)]
    test_threads: Option<u16>,
}

/// The `cargo test` target: runs the features at `root` with the built-in workload of the executable `harness`.
///
/// A filter that selects no scenario is meant for another target: the result is a pass. Without a filter, it is an error if there
/// are no scenarios.
pub fn test_main(harness: &str, root: &Path) -> ExitCode {
    let TestCli {
        suite: mut args,
        telemetry,
        ..
    } = TestCli::parse();
    // Cargo starts a test in its package; the paths that the suite prints are relative to the repository's root.
    if let Err(error) = std::env::set_current_dir(root).context("enter the repository's root") {
        return told(Err(error));
    }
    // A developer runs thousands of suites; their evidence would fill the disk.
    args.keep.get_or_insert(Keep::Failed);
    let listed = profile(&args.workload);
    match listed.and_then(|profile| crate::scenario::list(&args, &profile)) {
        Ok(selected) if selected.names.is_empty() && args.filter.is_some() => {
            say("0 passed, 0 failed, 0 not run: the filter is meant for another target");
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    if args.list {
        return told(list(&args));
    }
    in_runtime(&telemetry, async {
        let known = profile(&args.workload)?;
        let selection = crate::scenario::select(&args, &known)?;
        let workload = Workload::chosen(Path::new(harness), &args.workload)?;
        suite(&args, (selection, known), workload).await
    })
}
