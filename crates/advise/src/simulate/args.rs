//! The flags of `harness simulate`.

use std::path::PathBuf;
use std::time::Duration;

use autoscaler::Work;
use producer::Shape;
use producer::rate::Rate;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use workflow::duration;

/// Longest horizon: the likely run keeps every tick, about 100 bytes each, at least three per minute.
const LONGEST: Duration = Duration::from_secs(100 * 24 * 3_600);

// At most 78 columns: clap wraps lines that are longer than the terminal.
const MORE: &str = "\
Shapes are those of the producer: constant:20/s, poisson:20/s, burst (all
--messages at once), burst:100/10m, ramp:0/s..20/s:5m, trace:arrivals.csv,
each ended by --messages or --duration, and begun anew with --repeat. A
sawtooth: --shape ramp:20/s..0/s:10m --repeat 20m

Examples:
  What the settings of the Microsoft sample do to a load that ebbs away:
    edw simulate builtin:k8s/overlays/sample
  The same beside our own, with what is possible in other phases:
    edw simulate builtin:k8s/overlays/sample --compare builtin:k8s/base --band
  A burst, on replicas that take 40 s to start:
    edw simulate scaledobject.yaml --shape burst --messages 2000 \\
            --start-delay 40s --pods-per-node 10

  A ScaledJob whose jobs take one message of ten minutes each:
    harness simulate scaledjob.yaml --shape burst --messages 40 --work fixed:10m
  Cron beside a queue, from five to eight on a Monday:
    harness simulate scaledobject.yaml --at 2026-11-30T07:55:00+01:00

  A chart of Helm, and what a cluster has:
    helm template CHART | edw simulate -
    kubectl get scaledobject,triggerauthentication,deployment -o yaml |
            edw simulate -

  Messages that take ten minutes each, on replicas that take five at a time:
    edw simulate builtin:k8s/base --shape burst --messages 75 --work fixed:10m \\
            --in-flight 5 --horizon 1h

Prices: --prices FILE. Its format, and where real prices come from, is at
the head of builtin:prices.yaml, which `export` writes out, and whose
examples are taken without it.

Exit codes:
  0  answered, whatever the answer is    2  wrong flag or file, or settings
  1  a bug                                  that a cluster refuses
  6  a file cannot be written";

/// Settings, a load, and replicas of some speed.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = MORE)]
pub struct SimulateArgs {
    /// The file of a ScaledObject or a ScaledJob, `-` for standard input, or a directory with manifests or a kustomization
    pub settings: PathBuf,
    /// Other settings, whose answer is shown beside the first
    #[arg(long)]
    pub compare: Option<PathBuf>,
    /// Which ScaledObject or ScaledJob, where there are several
    #[arg(long, visible_alias = "scaled-job", value_name = "NAME")]
    pub scaled_object: Option<String>,
    /// The queue that messages come into [default: that of the first trigger that reads one]
    #[arg(long, value_name = "NAME")]
    pub queue: Option<String>,
    /// Messages that are always in another queue of a trigger; none unless given
    #[arg(long, value_name = "QUEUE=COUNT", value_parser = waiting)]
    pub waiting: Vec<(String, u64)>,
    /// The time of day when the load begins, for cron triggers, such as 2026-11-30T07:55:00+01:00
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub at: Option<Duration>,
    /// How messages arrive; see below
    #[arg(long, default_value = "ramp:20/s..0/s:10m")]
    pub shape: Shape,
    /// Messages sent at most
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub messages: Option<u32>,
    /// How long messages are sent at most
    #[arg(long, value_parser = duration::parse_positive)]
    pub duration: Option<Duration>,
    /// Repeat the load after this time, again and again
    #[arg(long, value_name = "PERIOD", value_parser = duration::parse_positive)]
    pub repeat: Option<Duration>,
    /// Seed of Poisson arrivals
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Rate at which a busy replica does messages; each takes equally long
    #[arg(long, default_value = "1/s", value_parser = moving)]
    pub service_rate: Rate,
    /// How long a replica works on each message: fixed:30s, uniform:10s..1m, exponential:30s (its mean) [default: as
    /// `--service-rate` and `--in-flight` say]
    #[arg(long, conflicts_with = "service_rate", value_parser = timed)]
    pub work: Option<Work>,
    /// Messages that one replica works on at a time [default: the manifests' `EDW_CONCURRENCY`, else `queueLength`]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub in_flight: Option<u32>,
    /// Messages after which a job of a ScaledJob ends, if it finds as many [default: `queueLength`]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub messages_per_job: Option<u32>,
    /// From the decision to a replica's first message: scheduling, a node if there is none, image, start
    #[arg(long, default_value = "10s", value_parser = duration::parse)]
    pub start_delay: Duration,
    /// How long a replica may go on with its messages after it is told to end [default: the Deployment's
    /// terminationGracePeriodSeconds, else 30s]
    #[arg(long, value_parser = duration::parse)]
    pub grace: Option<Duration>,
    /// How long the ScaledObject has been there when the load begins; it finds the Deployment's replicas [default: long enough
    /// for all to be at rest]
    #[arg(long, value_parser = duration::parse)]
    pub age: Option<Duration>,
    /// Longest time that a message may wait for a replica before that is a finding
    #[arg(long, default_value = "5m", value_parser = duration::parse_positive)]
    pub max_wait: Duration,
    /// Time that is simulated
    #[arg(long, default_value = "20m", value_parser = horizon)]
    pub horizon: Duration,
    /// Show what other phases of the two loops make possible
    #[arg(long)]
    pub band: bool,
    /// Price file [default: the examples of builtin:prices.yaml]
    #[arg(long)]
    pub prices: Option<PathBuf>,
    /// Which size of node of the price file [default: its first]
    #[arg(long, value_name = "SIZE")]
    pub node: Option<String>,
    /// Replicas that fit one node [default: by the Deployment's requests and the size of node]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub pods_per_node: Option<u32>,
    /// How long a node stays when it is no longer needed (Karpenter's consolidateAfter)
    #[arg(long, default_value = "1m", value_parser = duration::parse)]
    pub node_linger: Duration,
    /// The directory for simulate.html and simulate.json [default: target/simulations in a Cargo workspace, else edw-out/simulations in the project]
    #[arg(long, env = "EDW_OUT", default_value_os_t = project::out("simulations"), hide_default_value = true)]
    pub out: PathBuf,
}

fn moving(text: &str) -> Result<Rate, String> {
    let rate: Rate = text.parse().map_err(|error| format!("{error}"))?;
    if rate.hz() > 0.0 {
        Ok(rate)
    } else {
        Err("a replica that does nothing never ends a backlog; give more than 0".to_owned())
    }
}

/// Parses the consumer's `--work`, as far as the model knows its duration.
fn timed(text: &str) -> Result<Work, String> {
    let work: consumer::Work = text
        .parse()
        .map_err(|error: consumer::ParseWorkError| error.to_string())?;
    let work = match work {
        consumer::Work::Fixed(time) => Work::Fixed(time),
        consumer::Work::Uniform(least, most) => Work::Uniform(least, most),
        consumer::Work::Exponential(mean) => Work::Exponential(mean),
        consumer::Work::None | consumer::Work::Cpu(_) => {
            return Err(
                "the model does not know how long this takes for several messages at a time; give fixed, uniform or \
                 exponential"
                    .to_owned(),
            );
        }
    };
    if work.mean().is_zero() {
        return Err("work that takes no time needs no replicas; give more than 0".to_owned());
    }
    Ok(work)
}

fn waiting(text: &str) -> Result<(String, u64), String> {
    let parts = text.split_once('=');
    let parts = parts.and_then(|(queue, count)| Some((queue, count.parse().ok()?)));
    match parts {
        Some((queue, count)) if !queue.is_empty() => Ok((queue.to_owned(), count)),
        _ => Err("give a queue and a count, such as invoices=20".to_owned()),
    }
}

/// Parses a time as the duration since 1970 in UTC.
fn moment(text: &str) -> Result<Duration, String> {
    let moment = OffsetDateTime::parse(text, &Rfc3339);
    let moment = moment
        .ok()
        .and_then(|at| u64::try_from(at.unix_timestamp()).ok());
    let moment = moment.map(Duration::from_secs);
    moment.ok_or_else(|| "give day, time and offset, such as 2026-11-30T07:55:00+01:00".to_owned())
}

fn horizon(text: &str) -> Result<Duration, String> {
    let horizon = duration::parse_positive(text).map_err(|error| error.to_string())?;
    if horizon <= LONGEST {
        Ok(horizon)
    } else {
        Err("at most 100 days; simulate the hours that matter".to_owned())
    }
}
