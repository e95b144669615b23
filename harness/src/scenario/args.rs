//! The arguments of a suite, for `harness run` and for `cargo test`.

use std::path::PathBuf;

use crate::environment::WorkloadArgs;

/// Which scenarios to run, and how.
#[derive(Debug, Clone, clap::Args)]
pub struct SuiteArgs {
    /// Only scenarios whose name contains this text
    pub filter: Option<String>,
    /// Print the names of the selected scenarios, and run none
    #[arg(long)]
    pub list: bool,
    /// A feature file, or a directory of them
    #[arg(long, env = "EDW_FEATURES", default_value = "features")]
    pub features: PathBuf,
    /// Where run directories go
    #[arg(long, env = "EDW_OUT", default_value = "target/runs")]
    pub out: PathBuf,
    /// Scenarios that run at the same time
    #[arg(long, env = "EDW_CONCURRENT_SCENARIOS", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub concurrency: u8,
    /// What runs
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// Seed of every run, to repeat one [default: random for each]
    #[arg(long, env = "EDW_SCENARIO_SEED")]
    pub seed: Option<u64>,
}
