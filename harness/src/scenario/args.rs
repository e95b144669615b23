//! The arguments of a suite, for `harness run` and for `cargo test`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use platform::WorkloadArgs;
use project::shell::word;
use workflow::{duration, number};

use project;

/// Scenarios at the same time.
const CONCURRENCY: u8 = 12;

/// Time for a step beyond the times in its sentence.
const STEP: Duration = Duration::from_secs(120);

/// Time for a scenario beyond the times in its sentences.
const SCENARIO: Duration = Duration::from_secs(300);

/// Which scenarios to run, and how.
#[derive(Debug, Clone, clap::Args)]
pub struct SuiteArgs {
    /// Run only the scenarios whose name contains this text
    pub filter: Option<String>,
    /// Run only the scenarios with the tag @smoke, a short selection from most features
    #[arg(long, env = "EDW_SMOKE")]
    pub smoke: bool,
    /// Print a line for each selected scenario, `NAME: test` as cargo does, and run nothing
    #[arg(long)]
    pub list: bool,
    /// Feature file, or directory of feature files; repeat for more. `builtin:features` are those inside this program [default:
    /// the directory `features` of the project if it exists, else builtin:features]
    #[arg(long, env = "EDW_FEATURES", default_values_os_t = [project::features()], hide_default_value = true)]
    pub features: Vec<PathBuf>,
    /// Directory with the manifests, such as the ScaledObject, that scale the consumers of scenarios; in a cluster, those of the
    /// overlay are used instead [default: builtin:k8s/base]
    #[arg(long, env = "EDW_MANIFESTS", default_value_os_t = project::manifests(), hide_default_value = true)]
    pub manifests: PathBuf,
    /// Directory in which the suite gets its own directory [default: target/runs in a Cargo workspace, else edw-out/runs in the
    /// project]
    #[arg(long, env = "EDW_OUT", default_value_os_t = project::out("runs"), hide_default_value = true)]
    pub out: PathBuf,
    /// Most scenarios that run at the same time, 1 to 64. At first it is one; each second one more may run, on a laptop only if
    /// storage answers within 250 ms
    #[arg(long, env = "EDW_CONCURRENT_SCENARIOS", default_value_t = CONCURRENCY, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub concurrency: u8,
    /// Seed of the suite and of each of its runs: the same seed repeats them [default: random]
    #[arg(long, env = "EDW_SCENARIO_SEED", value_parser = number::parse_seed, allow_hyphen_values = true)]
    pub seed: Option<u64>,
    /// Which run directories to keep; the suite's own report is always kept [default: all; in cargo test: failed]
    #[arg(long, env = "EDW_KEEP", value_enum)]
    pub keep: Option<Keep>,
    /// Longest time for one step, in addition to the times that its sentence states
    #[arg(long, env = "EDW_STEP_DEADLINE", default_value = "120s", value_parser = duration::parse_positive)]
    pub step_deadline: Duration,
    /// Longest time for one scenario, in addition to the times that its sentences state
    #[arg(long, env = "EDW_SCENARIO_DEADLINE", default_value = "300s", value_parser = duration::parse_positive)]
    pub scenario_deadline: Duration,
    // Last, because the help heading of flattened flags also holds for the flags after them.
    /// What runs
    #[command(flatten)]
    pub workload: WorkloadArgs,
}

/// Which run directories are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Keep {
    /// The directories of all scenarios.
    All,
    /// Only the directories of scenarios that did not pass.
    Failed,
}

impl SuiteArgs {
    /// The command that repeats the scenarios that `filter` selects.
    pub(super) fn repeat(&self, filter: Option<&str>, seed: u64) -> String {
        let mut words = vec![format!("{} run", project::program())];
        words.extend(filter.map(|filter| word(filter).into_owned()));
        if self.smoke && filter == self.filter.as_deref() {
            words.push("--smoke".to_owned());
        }
        let flag =
            |name: &str, path: &Path| format!("--{name} {}", word(&path.display().to_string()));
        if self.features != [project::features()] {
            words.extend(self.features.iter().map(|path| flag("features", path)));
        }
        if self.manifests != project::manifests() {
            words.push(flag("manifests", &self.manifests));
        }
        let times = [
            ("step-deadline", self.step_deadline, STEP),
            ("scenario-deadline", self.scenario_deadline, SCENARIO),
        ];
        for (name, time, default) in times {
            if time != default {
                words.push(format!("--{name} {}", duration::text(time)));
            }
        }
        // How many run beside each other decides which times they have.
        if self.concurrency != CONCURRENCY && filter == self.filter.as_deref() {
            words.push(format!("--concurrency {}", self.concurrency));
        }
        words.extend(self.workload.repeat());
        words.push(format!("--seed {seed}"));
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        suite: SuiteArgs,
    }

    #[test]
    fn a_repeated_suite_has_the_times_and_the_number_that_it_had() {
        let repeat = |words: &[&str], filter| {
            let cli = Cli::try_parse_from(["run"].iter().chain(words)).unwrap();
            cli.suite.repeat(filter, 7)
        };
        let words = ["--step-deadline=600s", "--concurrency=3"];
        let whole = repeat(&words, None);
        assert!(
            whole.contains(" --step-deadline 600s --concurrency 3 "),
            "{whole}"
        );
        // A single scenario is repeated alone.
        let one = repeat(&words, Some("one"));
        assert!(
            one.contains("--step-deadline") && !one.contains("--concurrency"),
            "{one}"
        );
        assert!(!repeat(&[], None).contains("deadline"));
    }
}
