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
Shapes are those of `producer --help`: constant:20/s, poisson:20/s, burst (all
--messages at once), burst:100/10m (100 every 10 min), ramp:0/s..20/s:5m,
trace:arrivals.csv. --messages or --duration ends them, --repeat starts them
again. A sawtooth: --shape ramp:20/s..0/s:10m --repeat 20m

Examples:
  The settings of the Microsoft sample, under the default load:
    edw simulate builtin:k8s/overlays/sample
  The same beside our own settings, with all replica counts that are possible:
    edw simulate builtin:k8s/overlays/sample --compare builtin:k8s/base --band
  A burst, on replicas that take 40 s to start:
    edw simulate scaledobject.yaml --shape burst --messages 2000 \\
            --start-delay 40s --pods-per-node 10
  A ScaledJob whose jobs take one message of ten minutes each:
    edw simulate scaledjob.yaml --shape burst --messages 40 --work fixed:10m
  A cron trigger beside a queue, from 07:55 on a Monday:
    edw simulate scaledobject.yaml --at 2026-11-30T07:55:00+01:00
  A Helm chart, and the objects of a cluster:
    helm template CHART | edw simulate -
    kubectl get scaledobject,triggerauthentication,deployment -o yaml |
            edw simulate -
  Messages that take ten minutes each, on replicas that take five at a time:
    edw simulate builtin:k8s/base --shape burst --messages 75 --work fixed:10m \\
            --in-flight 5 --horizon 1h

Prices: without --prices, the cost is that of the example prices in
builtin:prices.yaml. The head of that file has the format, and says where real
prices come from; `edw export DIR prices.yaml` writes the file out.

Exit codes:
  0  simulated, whatever was found       2  wrong flag or file, or settings
  1  a bug                                  that a cluster refuses
  6  a file cannot be written";

/// Settings, a load, and replicas of some speed.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = MORE)]
pub struct SimulateArgs {
    /// ScaledObject or ScaledJob to simulate: a file, `-` for standard input, or a directory with manifests or a kustomization
    pub settings: PathBuf,
    /// Other settings, in the same form, to show beside the first
    #[arg(long)]
    pub compare: Option<PathBuf>,
    /// Name of the ScaledObject or ScaledJob, if the manifests have several
    #[arg(long, visible_alias = "scaled-job", value_name = "NAME")]
    pub scaled_object: Option<String>,
    /// Queue that receives the load [default: that of the first trigger that reads a queue]
    #[arg(long, value_name = "NAME")]
    pub queue: Option<String>,
    /// Constant number of messages in another queue that a trigger reads; repeat for more [default: 0]
    #[arg(long, value_name = "QUEUE=COUNT", value_parser = waiting)]
    pub waiting: Vec<(String, u64)>,
    /// Time at which the load begins, for cron triggers, such as 2026-11-30T07:55:00+01:00
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub at: Option<Duration>,
    /// How messages arrive; see below
    #[arg(long, default_value = "ramp:20/s..0/s:10m")]
    pub shape: Shape,
    /// Highest number of messages that are sent [default: no limit]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub messages: Option<u32>,
    /// Longest time for which messages are sent, such as 10m [default: no limit]
    #[arg(long, value_parser = duration::parse_positive)]
    pub duration: Option<Duration>,
    /// Period after which the load starts again, such as 20m [default: the load comes once]
    #[arg(long, value_name = "PERIOD", value_parser = duration::parse_positive)]
    pub repeat: Option<Duration>,
    /// Seed of Poisson arrivals
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Rate at which a busy replica finishes messages, such as 2/s or 30/m; all messages take equally long
    #[arg(long, default_value = "1/s", value_parser = moving)]
    pub service_rate: Rate,
    /// Time that a replica works on each message: fixed:30s, uniform:10s..1m, exponential:30s (mean) [default: follows from
    /// --service-rate and --in-flight]
    #[arg(long, conflicts_with = "service_rate", value_parser = timed)]
    pub work: Option<Work>,
    /// Number of messages that one replica works on at once [default: the manifests' `EDW_CONCURRENCY`, else `queueLength`]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub in_flight: Option<u32>,
    /// Number of messages after which a job of a ScaledJob ends; it ends sooner if the queue is empty [default: `queueLength`]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub messages_per_job: Option<u32>,
    /// Time from the decision to scale until a new replica takes its first message: scheduling, a new node if needed, image,
    /// start
    #[arg(long, default_value = "10s", value_parser = duration::parse)]
    pub start_delay: Duration,
    /// Time that a replica may go on working after it is told to end [default: the Deployment's terminationGracePeriodSeconds,
    /// else 30s]
    #[arg(long, value_parser = duration::parse)]
    pub grace: Option<Duration>,
    /// Time for which the ScaledObject exists before the load begins, which then finds the Deployment's replicas [default: long
    /// enough for all loops to be at rest]
    #[arg(long, value_parser = duration::parse)]
    pub age: Option<Duration>,
    /// Longest time that a message may wait for a replica; a longer wait is reported as a finding
    #[arg(long, default_value = "5m", value_parser = duration::parse_positive)]
    pub max_wait: Duration,
    /// Length of the simulated time
    #[arg(long, default_value = "20m", value_parser = horizon)]
    pub horizon: Duration,
    /// Also show which replica counts are possible if the loops of KEDA and the HPA run at other moments (phases)
    #[arg(long)]
    pub band: bool,
    /// File of prices of nodes, for the cost [default: the examples of builtin:prices.yaml]
    #[arg(long)]
    pub prices: Option<PathBuf>,
    /// Size of the nodes, by its name in the price file [default: the first in the file]
    #[arg(long, value_name = "SIZE")]
    pub node: Option<String>,
    /// Number of replicas that fit on one node [default: follows from the Deployment's requests and the size of the nodes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub pods_per_node: Option<u32>,
    /// Time that a node stays when no replica needs it any more (Karpenter's consolidateAfter)
    #[arg(long, default_value = "1m", value_parser = duration::parse)]
    pub node_linger: Duration,
    /// Directory for simulate.html and simulate.json [default: target/simulations in a Cargo workspace, else edw-out/simulations
    /// in the project]
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
