//! The arguments of a suite, for `harness run` and for `cargo test`.

use std::path::PathBuf;
use std::time::Duration;

use workflow::{duration, number};

use crate::platform::WorkloadArgs;
use crate::shell::quoted;

/// Where the feature files are, seen from the repository's root.
const FEATURES: &str = "features";

/// Where the manifests are that this program was built with: from any directory the same.
const MANIFESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../k8s/base");

/// Which scenarios to run, and how.
#[derive(Debug, Clone, clap::Args)]
pub struct SuiteArgs {
    /// Only scenarios whose name contains this text
    pub filter: Option<String>,
    /// Only the scenarios that tell most in the shortest time, which have the tag @smoke
    #[arg(long, env = "EDW_SMOKE")]
    pub smoke: bool,
    /// Print the names of the selected scenarios, and run none
    #[arg(long)]
    pub list: bool,
    /// A feature file, or a directory of them
    #[arg(long, env = "EDW_FEATURES", default_value = FEATURES)]
    pub features: PathBuf,
    /// The directory of the manifests by which scenarios scale consumers [default: k8s/base of the repository]
    #[arg(long, env = "EDW_MANIFESTS", default_value = MANIFESTS, hide_default_value = true)]
    pub manifests: PathBuf,
    /// Where run directories go
    #[arg(long, env = "EDW_OUT", default_value = "target/runs")]
    pub out: PathBuf,
    /// Scenarios that run at the same time
    #[arg(long, env = "EDW_CONCURRENT_SCENARIOS", default_value_t = 12, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub concurrency: u8,
    /// What runs
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// Seed of the suite and of each of its runs, to repeat one [default: random]
    #[arg(long, env = "EDW_SCENARIO_SEED", value_parser = number::parse_seed, allow_hyphen_values = true)]
    pub seed: Option<u64>,
    /// Whose evidence stays: 'all', or what did not pass; the suite's own report stays in any case [default: all; cargo test:
    /// failed]
    #[arg(long, env = "EDW_KEEP", value_enum)]
    pub keep: Option<Keep>,
    /// How long a step may take, beyond the times that its sentence states
    #[arg(long, env = "EDW_STEP_DEADLINE", default_value = "120s", value_parser = duration::parse_positive)]
    pub step_deadline: Duration,
    /// How long a scenario may take, beyond the times that its sentences state
    #[arg(long, env = "EDW_SCENARIO_DEADLINE", default_value = "300s", value_parser = duration::parse_positive)]
    pub scenario_deadline: Duration,
}

/// Whose evidence stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Keep {
    /// Every scenario's.
    All,
    /// That of scenarios that did not pass.
    Failed,
}

impl SuiteArgs {
    /// The line that repeats the scenarios that `filter` selects.
    pub(super) fn repeat(&self, filter: Option<&str>, seed: u64) -> String {
        let mut words = vec!["cargo harness run".to_owned()];
        words.extend(filter.map(quoted));
        if self.smoke && filter == self.filter.as_deref() {
            words.push("--smoke".to_owned());
        }
        let features = self.features.display().to_string();
        if features != FEATURES {
            words.push(format!("--features {}", quoted(&features)));
        }
        let manifests = self.manifests.display().to_string();
        if manifests != MANIFESTS {
            words.push(format!("--manifests {}", quoted(&manifests)));
        }
        words.extend(self.workload.repeat());
        words.push(format!("--seed {seed}"));
        words.join(" ")
    }
}
