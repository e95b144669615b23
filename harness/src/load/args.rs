//! The flags of `harness load`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Parser as _;
use platform::{ConsumerOptions, StorageChoice, WorkloadArgs};
use producer::Shape;
use project::shell::word;
use workflow::contract::PayloadSize;
use workflow::{duration, number};

use crate::audit::MAX_MESSAGES;
use crate::measure::{Hop, LatencyLimit, Percentile};
use crate::run::{Load, Patience};

/// A load, its consumers, and what it must keep.
#[derive(Debug, Clone, clap::Args)]
pub struct LoadArgs {
    /// Number of messages to send
    #[arg(long, default_value_t = 12_000, value_parser = messages, allow_hyphen_values = true)]
    pub messages: u64,
    /// Number of consumers that compete for the messages, 1 to 256
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub consumers: u32,
    /// Start without consumers, and scale them by a ScaledObject for each queue: by KEDA in a cluster, by a model of KEDA
    /// elsewhere
    #[arg(long, conflicts_with_all = ["consumers", "find_rate"])]
    pub scaled: bool,
    /// Directory with the manifests for --scaled, such as the ScaledObject; in a cluster, those of the overlay are used instead
    /// [default: builtin:k8s/base]
    #[arg(long, env = "EDW_MANIFESTS", default_value_os_t = project::manifests(), hide_default_value = true)]
    pub manifests: PathBuf,
    /// How messages arrive: constant:200/s, poisson:200/s, burst (all at once), burst:100/30s (100 every 30 s),
    /// ramp:10/s..200/s:60s, trace:file.csv; `producer --help` explains them [default: constant:1000/s, but constant:200/s on
    /// Azurite]
    #[arg(long)]
    pub shape: Option<Shape>,
    /// Size of each payload in bytes: a number such as 512, uniform:100..2000, exponential:800 (mean), or sample (only the text
    /// of the Microsoft sample, in ASCII)
    #[arg(long, default_value_t = Load::PAYLOAD)]
    pub payload: PayloadSize,
    /// Fraction of the messages to send twice on purpose, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = number::parse_fraction)]
    pub duplicate_rate: f64,
    /// Number of generators (producer processes) that share the load, 1 to 64; a multiple of --queues [default: one for each
    /// queue]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub generators: Option<u32>,
    /// Number of queues, 1 to 32; messages and consumers are spread evenly over them
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=32))]
    pub queues: u32,
    /// Simulated work for each message: none, fixed:50ms, uniform:10ms..100ms, exponential:50ms (mean), cpu:20ms (keeps a core
    /// busy) [default: the worker's own setting]
    #[arg(long)]
    pub work: Option<String>,
    /// Visibility timeout (lease) that a consumer asks for, in whole seconds such as 30s [default: the worker's own setting]
    #[arg(long, value_parser = duration::parse_visibility)]
    pub visibility: Option<Duration>,
    /// Number of messages that one consumer works on at once [default: the worker's own setting]
    #[arg(long)]
    pub concurrency: Option<u32>,
    /// Latency limit that the run must keep, such as 'end to end p99 2s'; repeat for more [default: none]
    #[arg(long = "limit")]
    pub limits: Vec<LatencyLimitArg>,
    /// Find the highest rate that keeps the limits: raise the rate in steps until a limit breaks, then narrow down. Without
    /// --limit, the limit is 'end to end p99 100ms'. It chooses number and shape of the messages itself
    #[arg(long, conflicts_with_all = ["messages", "shape"])]
    pub find_rate: bool,
    /// How long --find-rate holds each rate; at least ten times the longest limit, and 1,000 messages [default: 10s]
    #[arg(long, value_parser = duration::parse_positive)]
    pub step: Option<Duration>,
    /// Longest time from the last send until the queue must be empty
    #[arg(long, default_value = "120s", value_parser = duration::parse_positive)]
    pub settle: Duration,
    /// Seed of payloads, arrivals and faults: the same seed repeats a run [default: random]
    #[arg(long, value_parser = number::parse_seed, allow_hyphen_values = true)]
    pub seed: Option<u64>,
    /// Directory in which the run gets its own directory [default: target/runs in a Cargo workspace, else edw-out/runs in the
    /// project]
    #[arg(long, env = "EDW_OUT", default_value_os_t = project::out("runs"), hide_default_value = true)]
    pub out: PathBuf,
    // Last, because the help heading of flattened flags also holds for the flags after them.
    /// What runs
    #[command(flatten)]
    pub workload: WorkloadArgs,
}

fn messages(text: &str) -> Result<u64, String> {
    let count = text.parse().ok().filter(|n| (1..=MAX_MESSAGES).contains(n));
    count.ok_or_else(|| {
        format!("expected a number from 1 to {MAX_MESSAGES}, the most that one audit takes; split a larger load")
    })
}

/// A limit as a flag gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatencyLimitArg(pub LatencyLimit);

impl fmt::Display for LatencyLimitArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LatencyLimit {
            hop,
            percentile,
            max_us,
        } = self.0;
        let max = duration::text(Duration::from_micros(max_us));
        write!(f, "{hop} {percentile} {max}")
    }
}

impl FromStr for LatencyLimitArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            || format!("{text:?} is not '<hop> <percentile> <time>', such as 'end to end p99 2s'");
        let (rest, time) = text.trim().rsplit_once(' ').ok_or_else(refused)?;
        let (hop, percentile) = rest.trim().rsplit_once(' ').ok_or_else(refused)?;
        let hop: Hop = hop
            .parse()
            .map_err(|error| format!("{}: {error}", refused()))?;
        let percentile: Percentile = percentile
            .parse()
            .map_err(|error| format!("{}: {error}", refused()))?;
        let time =
            duration::parse_positive(time).map_err(|error| format!("{}: {error}", refused()))?;
        Ok(Self(LatencyLimit::new(hop, percentile, time)))
    }
}

/// The flags as a command line of their own.
#[derive(clap::Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Words {
    #[command(flatten)]
    load: LoadArgs,
}

impl LoadArgs {
    /// The load that `words` describe, as `harness load` takes them.
    pub fn from_words(words: &[String]) -> anyhow::Result<Self> {
        let words = Words::try_parse_from(words).map_err(|error| {
            let text = error.to_string();
            anyhow!(
                "{}",
                text.trim_start_matches("error: ").trim_end().to_owned()
            )
        });
        Ok(words.context("understand the load")?.load)
    }

    /// How messages arrive. 200 a second is what Azurite on two cores takes from 16 consumers without a backlog, which would slow
    /// it further; the engine takes several times as many as the default.
    pub fn shape(&self) -> Shape {
        self.shape.clone().unwrap_or_else(|| {
            let steady = match self.storage() {
                StorageChoice::Engine => "constant:1000/s",
                StorageChoice::Azurite => "constant:200/s",
            };
            steady.parse().expect("a constant shape must parse")
        })
    }

    /// Which storage: the engine, unless flags or variables ask for an Azurite.
    pub fn storage(&self) -> StorageChoice {
        let asked = ["EDW_AZURITE_QUEUE_URL", "EDW_AZURITE_SOURCE"];
        let is_asked = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        self.workload.storage.unwrap_or_else(|| {
            if asked.into_iter().any(is_asked) {
                StorageChoice::Azurite
            } else {
                StorageChoice::Engine
            }
        })
    }

    /// The load.
    pub fn load(&self) -> Load {
        Load {
            messages: self.messages,
            shape: self.shape(),
            payload: self.payload,
            duplicate_rate: self.duplicate_rate,
            generators: self.generators(),
        }
    }

    /// How many generators send it.
    pub fn generators(&self) -> u32 {
        self.generators.unwrap_or(self.queues)
    }

    /// Messages that this plans.
    pub fn planned(&self) -> u64 {
        self.load().planned()
    }

    /// The consumers' options.
    pub fn consumer(&self) -> ConsumerOptions {
        ConsumerOptions {
            work: self.work.clone(),
            visibility: self.visibility,
            concurrency: self.concurrency,
            ..ConsumerOptions::default()
        }
    }

    /// The limits.
    pub fn limits(&self) -> Vec<LatencyLimit> {
        self.limits.iter().map(|limit| limit.0).collect()
    }

    /// How long a search holds each rate.
    pub fn step(&self) -> Duration {
        self.step.unwrap_or(Duration::from_secs(10))
    }

    /// Which flag would have no effect, if one would.
    pub fn unheeded(&self) -> Option<String> {
        let is_unheeded = self.step.is_some() && !self.find_rate;
        is_unheeded
            .then(|| "heed --step: it is for a search; say --find-rate, or leave it out".to_owned())
    }

    /// Why messages, consumers and generators cannot be spread, if so.
    pub fn misspread(&self) -> Option<String> {
        let (queues, generators) = (self.queues, self.generators());
        if !generators.is_multiple_of(queues) {
            let more = generators.next_multiple_of(queues);
            return Some(format!(
                "spread {generators} generators over {queues} queues: each sends to one; give --generators {more}"
            ));
        }
        let planned = self.planned();
        if planned < u64::from(generators) {
            return Some(format!(
                "spread {planned} messages over {generators} generators: each sends at least one; give fewer --generators"
            ));
        }
        (!self.scaled && self.consumers < queues).then(|| {
            let s = if self.consumers == 1 { "" } else { "s" };
            format!(
                "spread {} consumer{s} over {queues} queues: each serves one; give --consumers {queues} or more",
                self.consumers
            )
        })
    }

    /// How long to wait.
    pub fn patience(&self) -> Patience {
        Patience {
            settle: self.settle,
            ..Patience::default()
        }
    }

    /// How many consumers there are, in words.
    pub fn consumers_said(&self) -> String {
        if self.scaled {
            return "as many as the ScaledObject says".to_owned();
        }
        self.consumers.to_string()
    }

    /// The flags that say how many.
    fn repeat_consumers(&self) -> Vec<String> {
        if !self.scaled {
            return vec![format!("--consumers {}", self.consumers)];
        }
        let mut words = vec!["--scaled".to_owned()];
        if self.manifests != project::manifests() {
            let directory = self.manifests.display().to_string();
            words.push(format!("--manifests {}", word(&directory)));
        }
        words
    }

    /// The command that repeats the run.
    pub fn repeat(&self, seed: u64) -> String {
        let mut words = vec![format!("{} load", project::program())];
        if self.find_rate {
            let step = duration::text(self.step());
            words.push(format!("--find-rate --step {step}"));
        } else {
            words.push(format!("--messages {}", self.messages));
        }
        words.extend(self.repeat_consumers());
        if !self.find_rate {
            words.push(format!("--shape {}", word(&self.shape().to_string())));
        }
        words.push(format!("--payload {}", self.payload));
        if self.duplicate_rate > 0.0 {
            words.push(format!("--duplicate-rate {}", self.duplicate_rate));
        }
        let options = [
            ("--generators", self.generators.map(|n| n.to_string())),
            (
                "--queues",
                (self.queues > 1).then(|| self.queues.to_string()),
            ),
            ("--work", self.work.clone()),
            (
                "--visibility",
                self.visibility.map(|time| format!("{}s", time.as_secs())),
            ),
            ("--concurrency", self.concurrency.map(|n| n.to_string())),
        ];
        words.extend(
            options
                .into_iter()
                .filter_map(|(flag, value)| Some(format!("{flag} {}", word(&value?)))),
        );
        let limits = self.limits.iter().map(ToString::to_string);
        words.extend(limits.map(|limit| format!("--limit {}", word(&limit))));
        words.push(format!("--settle {}", duration::text(self.settle)));
        words.extend(self.workload.repeat());
        words.push(format!("--seed {seed}"));
        words.join(" ")
    }
}

#[cfg(test)]
mod tests;
