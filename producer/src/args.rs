//! The command line.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use workflow::azure::{AccountArgs, QueueArgs};
use workflow::backoff::Backoff;
use workflow::contract::text::decode;
use workflow::contract::workload::{Description, Lens};
use workflow::contract::{PayloadSize, Payloads, RunId};
use workflow::telemetry::TelemetryArgs;
use workflow::{duration, number};

use crate::plan::{Persistence, Plan, new_run_id};
use crate::rate::Rate;
use crate::report::ProgressMode;
use crate::shape::Shape;
use crate::slice::Slice;

// At most 78 columns: clap wraps what is longer than the terminal.
const EXAMPLES: &str = "\
Shapes:
  sample                the sample's pace, and the default: one message a
                        second, each only after the last (a closed loop)
  constant:200/s        evenly spaced; also per minute or hour: 30/m, 2.5/h
  poisson:200/s         random arrivals with this mean rate, from the seed
  burst                 all --messages at once
  burst:100/30s         100 at once, and again every 30 s
  ramp:10/s..200/s:60s  from 10/s to 200/s within 60 s; ends there, or goes
                        on at 200/s until --messages or --duration ends it
  trace:arrivals.csv    recorded arrivals: offsets in seconds, ascending, one
                        a line (first column; header offset_s optional), or
                        times in ISO 8601, which count from the first

Examples:
  Stand in for the sample's producer; AZURE_STORAGE_ACCOUNT_NAME and
  AZURE_QUEUE_NAME are set:
    producer
  12,000 messages, evenly spaced:
    producer --rate 200 --duration 60s
  The same load each time, with payloads of 100 to 2,000 bytes:
    producer --shape poisson:50/s --messages 1000 --seed 7 \\
             --payload uniform:100..2000
  A burst, one message in ten sent twice:
    producer --shape burst --messages 500 --duplicate-rate 0.1
  Measure the generator itself:
    producer --sink null --rate 10000 --duration 30s

Exit codes:
  0  all sent                        5    access denied
  1  a bug                           6    a file cannot be written
  2  usage                           8    some messages failed or are unknown;
  3  storage took nothing                 the summary says which
  4  no such queue                   143  forced by a second signal";

/// Open-loop load generator for an Azure Storage queue: sends messages when they are due, whether or not storage keeps up
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
// `--sink null` needs no queue; for the other sink `start` asks for it.
#[command(mut_arg("queue", |queue| queue.required(false)))]
pub struct Args {
    /// How messages arrive; see Shapes below [default: sample]
    #[arg(long, env = "EDW_SHAPE", conflicts_with = "rate")]
    pub shape: Option<Shape>,
    /// Messages a second, evenly spaced: the same as --shape constant:<RATE>/s; 0 is the sample's pace
    #[arg(long, env = "EDW_RATE", value_parser = parse_rate)]
    pub rate: Option<Shape>,
    /// Highest number of messages to send [default: no limit]
    #[arg(long, env = "EDW_MESSAGES", value_parser = clap::value_parser!(u64).range(1..), allow_hyphen_values = true)]
    pub messages: Option<u64>,
    /// Longest time to send, such as 500ms, 30s, 5m, 2h [default: no limit]
    #[arg(long, env = "EDW_DURATION", value_parser = duration::parse_positive)]
    pub duration: Option<Duration>,
    /// Id of the run: 1 to 40 characters of a-z, 0-9 and '-' [default: generated]
    #[arg(long, env = "EDW_RUN")]
    pub run: Option<RunId>,
    /// Slice of the load to send, if several producers share the load: of four, the first sends 0/4, the last 3/4
    #[arg(long, env = "EDW_SLICE", default_value_t)]
    pub slice: Slice,
    /// Seed of payloads, Poisson arrivals and duplicates [default: random]
    #[arg(long, env = "EDW_SEED", value_parser = number::parse_seed, allow_hyphen_values = true)]
    pub seed: Option<u64>,
    /// Size of each payload in bytes: '<bytes>', 'uniform:<min>..<max>', 'exponential:<mean>', or 'sample' (only the text of the
    /// Microsoft sample)
    #[arg(long, env = "EDW_PAYLOAD", default_value = "sample")]
    pub payload: PayloadSize,
    /// File that describes the messages to send (docs/DESCRIPTION.md) [default: the project's own messages]
    #[arg(long, env = "EDW_WORKLOAD", value_parser = described)]
    pub workload: Option<Arc<Description>>,
    /// Fraction of the messages to send twice on purpose, from 0 to 1
    #[arg(long, env = "EDW_DUPLICATE_RATE", default_value = "0", value_parser = number::parse_fraction)]
    pub duplicate_rate: f64,
    /// Highest number of messages in flight; while all slots are busy, messages are sent late, but the schedule stays as it is
    #[arg(long, env = "EDW_CONCURRENCY", default_value_t = 64, value_parser = parse_concurrency)]
    pub concurrency: usize,
    /// Highest number of tries to send one message
    #[arg(long, env = "EDW_TRIES", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub tries: u32,
    /// Longest time for sending one message, all tries together; when it is over, no try begins and no answer is awaited
    #[arg(long, env = "EDW_SEND_TIMEOUT", default_value = "60s", value_parser = duration::parse_positive)]
    pub send_timeout: Duration,
    /// Longest time that sends in flight may take after SIGINT or SIGTERM
    #[arg(long, env = "EDW_GRACE", default_value = "10s", value_parser = duration::parse)]
    pub grace: Duration,
    /// Where messages go
    #[arg(long, env = "EDW_SINK", value_enum, default_value_t)]
    pub sink: SinkChoice,
    /// Create the queue if it does not exist
    #[arg(long, env = "EDW_CREATE")]
    pub create: bool,
    /// How progress and summary are printed
    #[arg(long, env = "EDW_PROGRESS", value_enum, default_value_t)]
    pub progress: ProgressMode,
    /// File for the summary as JSON; it is written whole or not at all
    #[arg(long, env = "EDW_SUMMARY")]
    pub summary: Option<PathBuf>,
    /// Which account.
    #[command(flatten)]
    pub account: AccountArgs,
    /// Which queue; none for the null sink.
    #[command(flatten)]
    pub queue: Option<QueueArgs>,
    /// Logs.
    #[command(flatten)]
    pub telemetry: TelemetryArgs,
}

/// Where messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum SinkChoice {
    /// The queue
    #[default]
    Queue,
    /// Nowhere, to measure the producer itself; needs no account
    Null,
}

fn parse_rate(text: &str) -> Result<Shape, String> {
    let rate = number::parse(text).and_then(Rate::per_second);
    match rate {
        Some(rate) if rate.hz() > 0.0 => Ok(Shape::Constant(rate)),
        Some(_) => Ok(Shape::Sample),
        None => Err("expected messages a second, a number from 0 to 1000000".to_owned()),
    }
}

fn parse_concurrency(text: &str) -> Result<usize, String> {
    // An account takes 20,000 messages/s: even at 50 ms each that is 1,000 in flight.
    let count = text.parse().ok().filter(|n| (1..=1_024).contains(n));
    count.ok_or_else(|| "expected a number from 1 to 1024".to_owned())
}

/// Reads the description in the file at `path`; an error names every problem, each with its line.
pub fn described(path: &str) -> Result<Arc<Description>, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("read {path}: {error}"))?;
    let text = decode(&bytes)
        .ok_or_else(|| format!("read {path}: it is neither UTF-8 nor UTF-16; save it as UTF-8"))?;
    let read = Description::read(&text).map_err(|problems| {
        let problems = problems.iter().map(|problem| format!("{path}: {problem}"));
        problems.collect::<Vec<_>>().join("\n")
    });
    read.map(Arc::new)
}

impl Args {
    /// The load that is asked for; draws run id and seed if they are not given.
    pub fn plan(&self) -> Plan {
        let shape = self.shape.as_ref().or(self.rate.as_ref());
        let run = self.run.clone().unwrap_or_else(new_run_id);
        let form = self.workload.clone();
        Plan {
            form: form.map(|form| Lens::new(form, run.clone())),
            run,
            payloads: Payloads {
                // 32 bits: short enough to type, and exact in every JSON reader.
                seed: self.seed.unwrap_or_else(|| rand::random::<u32>().into()),
                size: self.payload,
            },
            shape: shape.cloned().unwrap_or(Shape::Sample),
            slice: self.slice,
            messages: self.messages,
            duration: self.duration,
            duplicate_rate: self.duplicate_rate,
            concurrency: self.concurrency,
            persistence: Persistence {
                tries: self.tries,
                timeout: self.send_timeout,
                backoff: Backoff::STORAGE,
            },
            grace: self.grace,
        }
    }
}
