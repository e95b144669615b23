//! The answer, from which every view is made: `simulate.json` has this form.

mod prospect;

use std::time::Duration;

use autoscaler::{Arrivals, Figures};
use serde::Serialize;

use super::findings::Finding;
use super::outlook::Outlook;
use super::prices::NodeSize;
use super::subject::Subject;
use super::{SimulateArgs, load};

/// The effect of one or two settings.
#[derive(Debug, Clone, Serialize)]
pub struct Forecast {
    /// Always a model of KEDA and of the HPA, never the real ones.
    pub answered_by: &'static str,
    /// A description of the load.
    pub load: String,
    /// Whether the load ends within the horizon.
    pub load_ends: bool,
    /// The age of the ScaledObject when the load begins; `null`: old enough for all to be at rest.
    pub age_s: Option<f64>,
    /// Why a run keeps its phases, if it does: figures are then shown by their median.
    pub one_phase: Option<String>,
    /// Time from a scaling decision to a replica's first message.
    pub start_delay_s: f64,
    /// The simulated time.
    pub horizon_s: f64,
    /// The number of simulated pairs of phases of the two loops, including the likely one.
    pub phases: usize,
    /// Whether views show the range over other phases.
    #[serde(skip)]
    pub(super) show_band: bool,
    /// The results for each of the settings.
    pub settings: Vec<Prospect>,
}

/// The effect of one of the settings.
#[derive(Debug, Clone, Serialize)]
pub struct Prospect {
    /// Their file.
    pub source: String,
    /// `ScaledObject` or `ScaledJob`.
    pub kind: &'static str,
    /// The name of the ScaledObject or ScaledJob.
    pub scaled_object: String,
    /// `maxReplicaCount`.
    pub max_replicas: u32,
    /// Messages that one replica works on at the same time.
    pub in_flight: u32,
    /// The working time of a message, in the form of `--work`.
    pub work: String,
    /// Messages per second of one replica that has enough of them.
    pub service_per_second: f64,
    /// How long a replica continues after it is told to end.
    pub grace_s: f64,
    /// The figures; for a ScaledJob with its Jobs as replicas.
    pub figures: Outcomes,
    /// Additional figures of a ScaledJob; `null`: it is a ScaledObject.
    pub jobs: Option<JobOutcomes>,
    /// Nodes and their cost, or why they are unknown.
    pub cost: Cost,
    /// Problems, each with the field that causes it.
    pub findings: Vec<Finding>,
    /// If the horizon is in the middle of a drain: that fact, and when the drain ends; otherwise `null`.
    pub cut: Option<String>,
    /// Warnings about settings and manifests, independent of the load.
    pub warnings: Vec<String>,
    /// The likely course: seconds and replicas; each count is valid until the next.
    pub replicas: Vec<(f64, u32)>,
    /// The likely course: seconds and messages in the queue, visible and leased.
    pub messages: Vec<(f64, f64)>,
    /// The lowest and highest number of replicas in each part of the horizon, all parts equally long.
    pub replicas_possible: Vec<(f64, f64)>,
    /// The lowest and highest number of messages.
    pub messages_possible: Vec<(f64, f64)>,
}

/// A figure of the likely course, with its range over all phases. `null` means never.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Range {
    /// The value with both loops in the middle of their periods.
    pub likely: Option<f64>,
    /// The median over all phases.
    pub median: Option<f64>,
    /// The minimum over all phases.
    pub least: Option<f64>,
    /// The maximum over all phases.
    pub most: Option<f64>,
}

impl Range {
    fn of(outlook: &Outlook, figure: impl Fn(&Figures) -> Option<f64>) -> Self {
        Self::over(&outlook.likely, &outlook.runs, figure)
    }

    fn over<T>(likely: &T, runs: &[T], figure: impl Fn(&T) -> Option<f64>) -> Self {
        let never = |figure: Option<f64>| figure.unwrap_or(f64::INFINITY);
        let all = || runs.iter().map(&figure).map(never);
        let some = |figure: f64| figure.is_finite().then_some(figure);
        let mut ordered: Vec<f64> = all().collect();
        ordered.sort_by(f64::total_cmp);
        Self {
            likely: figure(likely),
            median: ordered.get(ordered.len() / 2).copied().and_then(some),
            least: some(all().fold(f64::INFINITY, f64::min)),
            most: some(all().fold(0.0, f64::max)),
        }
    }
}

/// The figures of one of the settings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcomes {
    /// Time from the first message until `maxReplicaCount` replicas work.
    pub time_to_full_scale_s: Range,
    /// Time from the last message until none is left.
    pub time_to_drain_s: Range,
    /// Most replicas at any time.
    pub most_replicas: Range,
    /// Most messages in the queue, visible and leased.
    pub most_messages: Range,
    /// Messages in the queue at the horizon, visible and leased.
    pub messages_left: Range,
    /// Longest time that a message waited until a replica took it.
    pub longest_wait_s: Range,
    /// The part of the remaining messages without replicas and too few to be active.
    pub stranded_messages: Range,
    /// Longest time for which messages were stranded like this.
    pub stranded_longest_s: Range,
    /// Number of scale-outs within five minutes of a scale-in.
    pub thrash_count: Range,
    /// Replicas that ended while they worked on messages.
    pub replicas_ended_at_work: Range,
    /// Messages in work on those replicas.
    pub messages_interrupted: Range,
    /// Messages of these that were not finished within the grace period: their work is lost and begins anew.
    pub messages_cut_off: Range,
    /// Total hours of all replicas.
    pub replica_hours: Range,
}

/// Figures of a ScaledJob only.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobOutcomes {
    /// Messages after which a Job ends, if it finds as many.
    pub messages_per_job: u32,
    /// Number of Jobs created.
    pub jobs_made: Range,
    /// Number of Jobs that found no message.
    pub jobs_in_vain: Range,
    /// Finished Jobs that remain at the end.
    pub jobs_kept: Range,
}

/// Nodes of the likely course, and their cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cost {
    /// The cost up to the horizon.
    Known(Box<Priced>),
    /// It is unknown how many replicas fit on a node.
    Unknown {
        /// The missing information.
        unknown: String,
    },
}

/// Nodes and their cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Priced {
    /// The size of the nodes.
    pub node: String,
    /// Replicas per node.
    pub replicas_per_node: u32,
    /// Whether a topology spread constraint or an anti-affinity, not the node's size, limits the replicas per node.
    pub spread: bool,
    /// Most nodes at any time.
    pub most_nodes: Range,
    /// Total hours of all nodes.
    pub node_hours: Range,
    /// The currency of the prices.
    pub currency: String,
    /// The cost with nodes on demand.
    pub on_demand: Range,
    /// The cost with Spot nodes, if none is evicted.
    pub spot: Range,
    /// The source of the prices.
    pub prices: String,
}

impl Forecast {
    pub(super) fn new(
        args: &SimulateArgs,
        arrivals: &Arrivals,
        node: &NodeSize,
        subjects: &[Subject],
    ) -> Self {
        // Of two settings for the same replicas, one that says nothing of them has those of the other.
        let told = subjects.iter().find_map(|subject| subject.concurrency);
        let guess = subjects.first().map_or(1, |subject| subject.queue_length);
        let answered: Vec<_> = subjects
            .iter()
            .map(|subject| {
                let in_flight = args.in_flight.or(subject.concurrency).or(told);
                Prospect::new(args, arrivals, node, subject, (in_flight, guess))
            })
            .collect();
        Self {
            answered_by: "model of KEDA and the HPA",
            load: load::text(args),
            load_ends: arrivals.last().is_some_and(|last| last <= args.horizon),
            age_s: args.age.map(|age| age.as_secs_f64()),
            one_phase: load::one_phase(args, subjects),
            start_delay_s: args.start_delay.as_secs_f64(),
            horizon_s: args.horizon.as_secs_f64(),
            phases: answered.iter().map(|(_, runs)| *runs).max().unwrap_or(0),
            show_band: args.band,
            settings: answered.into_iter().map(|(prospect, _)| prospect).collect(),
        }
    }
}

impl Outcomes {
    fn of(outlook: &Outlook) -> Self {
        let time = |figure: fn(&Figures) -> Option<Duration>| {
            Range::of(outlook, |run| figure(run).map(|time| time.as_secs_f64()))
        };
        let count =
            |figure: fn(&Figures) -> u64| Range::of(outlook, |run| Some(figure(run) as f64));
        Self {
            time_to_full_scale_s: time(|run| run.full_scale),
            time_to_drain_s: time(|run| run.drain),
            most_replicas: count(|run| run.most_replicas.into()),
            most_messages: count(|run| run.most_messages),
            messages_left: count(|run| run.left),
            longest_wait_s: time(|run| Some(run.longest_wait)),
            stranded_messages: count(|run| run.stranded),
            stranded_longest_s: time(|run| Some(run.stranded_longest)),
            thrash_count: count(|run| run.thrash.into()),
            replicas_ended_at_work: count(|run| run.ended_at_work),
            messages_interrupted: count(|run| run.interrupted),
            messages_cut_off: count(|run| run.cut_off),
            replica_hours: Range::of(outlook, |run| Some(hours(run.replica_time))),
        }
    }
}

fn hours(time: Duration) -> f64 {
    time.as_secs_f64() / 3_600.0
}

fn cost(outlook: &Outlook, node: &NodeSize, replicas_per_node: u32, spread: bool) -> Cost {
    let priced = |price: f64| Range::of(outlook, |run| Some(hours(run.node_time) * price));
    Cost::Known(Box::new(Priced {
        node: node.name.clone(),
        replicas_per_node,
        spread,
        most_nodes: Range::of(outlook, |run| Some(run.most_nodes.into())),
        node_hours: priced(1.0),
        currency: node.currency.clone(),
        on_demand: priced(node.on_demand),
        spot: priced(node.spot),
        prices: node.source.clone(),
    }))
}
