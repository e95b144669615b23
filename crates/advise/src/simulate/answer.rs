//! The answer, as every view of it has it: `simulate.json` is this.

mod prospect;

use std::time::Duration;

use autoscaler::{Arrivals, Figures};
use serde::Serialize;

use super::findings::Finding;
use super::outlook::Outlook;
use super::prices::Node;
use super::subject::Subject;
use super::{SimulateArgs, load};

/// What one or two settings would do.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// Never the real KEDA: these are models of it and of the HPA.
    pub answered_by: &'static str,
    /// How messages arrive.
    pub load: String,
    /// Whether the load ends within the horizon.
    pub load_ends: bool,
    /// For how long the ScaledObject has been there when the load begins; `null`: so long that all is at rest.
    pub age_s: Option<f64>,
    /// Why a course stays in the phases in which it begins, if it does: figures are then shown by their median.
    pub one_phase: Option<String>,
    /// From a decision to a replica's first message.
    pub start_delay_s: f64,
    /// How long was simulated.
    pub horizon_s: f64,
    /// In how many pairs of phases of the two loops, the likely one among them.
    pub phases: usize,
    /// Whether views show what other phases make possible.
    #[serde(skip)]
    pub(super) show_band: bool,
    /// For each of the settings.
    pub settings: Vec<Prospect>,
}

/// What one of the settings would do.
#[derive(Debug, Clone, Serialize)]
pub struct Prospect {
    /// Where they are from.
    pub source: String,
    /// `ScaledObject` or `ScaledJob`.
    pub kind: &'static str,
    /// The name of the ScaledObject or ScaledJob.
    pub scaled_object: String,
    /// `maxReplicaCount`.
    pub max_replicas: u32,
    /// Messages that one replica works on at a time.
    pub in_flight: u32,
    /// How long it works on each, as `--work` has it.
    pub work: String,
    /// Messages a second of one replica with enough of them.
    pub service_per_second: f64,
    /// How long a replica goes on when it is told to end.
    pub grace_s: f64,
    /// The figures; of a ScaledJob with its jobs as replicas.
    pub figures: Outcomes,
    /// What a ScaledJob has besides; `null`: it is a ScaledObject.
    pub jobs: Option<JobOutcomes>,
    /// Nodes and their cost, or why there are none.
    pub cost: Cost,
    /// What goes wrong, with the field that makes it so.
    pub findings: Vec<Finding>,
    /// That the horizon cuts into a drain which goes on, and when all is done; `null`: it does not.
    pub cut: Option<String>,
    /// What is doubtful about settings and manifests, whatever the load.
    pub warnings: Vec<String>,
    /// The likely course: seconds and replicas, each count until the next.
    pub replicas: Vec<(f64, u32)>,
    /// The likely course: seconds and messages in the queue, visible and leased.
    pub messages: Vec<(f64, f64)>,
    /// Least and most replicas in each part of the horizon, all parts equally long.
    pub replicas_possible: Vec<(f64, f64)>,
    /// Least and most messages.
    pub messages_possible: Vec<(f64, f64)>,
}

/// A figure of the likely course, and its least and most over all phases. `null` is never.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Range {
    /// With both loops in the middle of their periods.
    pub likely: Option<f64>,
    /// Of all phases.
    pub median: Option<f64>,
    /// Over all phases.
    pub least: Option<f64>,
    /// Over all phases.
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
    /// From the first message until `maxReplicaCount` replicas work.
    pub time_to_full_scale_s: Range,
    /// From the last message until none is left.
    pub time_to_drain_s: Range,
    /// Most replicas at any time.
    pub most_replicas: Range,
    /// Most messages in the queue, visible and leased.
    pub most_messages: Range,
    /// Messages in the queue at the horizon, visible and leased.
    pub messages_left: Range,
    /// Longest time that a message waited to be taken by a replica.
    pub longest_wait_s: Range,
    /// Of those that are left, what no replica is there for and too few to be active.
    pub stranded_messages: Range,
    /// Longest time that messages waited so.
    pub stranded_longest_s: Range,
    /// Scale-outs within five minutes of a scale-in.
    pub thrash_count: Range,
    /// Replicas ended with work in flight.
    pub replicas_ended_at_work: Range,
    /// Messages in flight on those.
    pub messages_interrupted: Range,
    /// Of these, what was not done within the grace: its work is lost and begun anew.
    pub messages_cut_off: Range,
    /// Hours of all replicas together.
    pub replica_hours: Range,
}

/// The figures that only a ScaledJob has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobOutcomes {
    /// Messages after which a job ends, if it finds as many.
    pub messages_per_job: u32,
    /// Jobs that were made.
    pub jobs_made: Range,
    /// Jobs that found no message.
    pub jobs_in_vain: Range,
    /// Finished jobs that are still there at the end.
    pub jobs_kept: Range,
}

/// Nodes of the likely course, and their cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cost {
    /// As far as the horizon goes.
    Known(Box<Priced>),
    /// It is not known how many replicas fit a node.
    Unknown {
        /// What would tell.
        unknown: String,
    },
}

/// Nodes and what they cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Priced {
    /// Size of node.
    pub node: String,
    /// Replicas that it gets.
    pub replicas_per_node: u32,
    /// Whether it gets no more because they are to be spread, though more would fit.
    pub spread: bool,
    /// Most nodes at any time.
    pub most_nodes: Range,
    /// Hours of all nodes together.
    pub node_hours: Range,
    /// What the prices are in.
    pub currency: String,
    /// With nodes on demand.
    pub on_demand: Range,
    /// With Spot nodes, if none is evicted.
    pub spot: Range,
    /// Where the prices are from.
    pub prices: String,
}

impl Answer {
    pub(super) fn new(
        args: &SimulateArgs,
        arrivals: &Arrivals,
        node: &Node,
        subjects: &[Subject],
    ) -> Self {
        let answered: Vec<_> = subjects
            .iter()
            .map(|subject| Prospect::new(args, arrivals, node, subject))
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

fn cost(outlook: &Outlook, node: &Node, replicas_per_node: u32, spread: bool) -> Cost {
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
