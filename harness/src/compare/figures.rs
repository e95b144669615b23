//! The figures of a run that can be compared: latencies, throughput, scale-out, recovery, node time.

use judge::compare::{Better, Values, is_comparable};
use judge::nodes::evicted;
use platform::simulated::Capacity;
use serde::Serialize;
use workflow::contract::Stamp;

use super::gather::Group;
use crate::events::Sample;
use crate::measure::{Hop, Interval, Micros, Percentile, has_enough};
use crate::report::RunRecord;

/// A figure of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "figure", rename_all = "kebab-case")]
pub enum Figure {
    /// A percentile of a hop, in microseconds.
    Latency {
        /// The hop.
        hop: Hop,
        /// The percentile.
        percentile: Percentile,
    },
    /// Rows a second.
    Throughput,
    /// The highest rate that keeps the limits, in messages a second. A search finds it in steps: the true one is between this rate
    /// and the lowest that broke a limit.
    RateFound,
    /// From the first consumer to the largest number of consumers, in microseconds.
    ScaleOut,
    /// The longest recovery from an eviction, in microseconds.
    Recovery,
    /// Seconds of on-demand nodes, added up over all nodes: the time that is paid for.
    OnDemandNodes,
    /// Seconds of Spot nodes.
    SpotNodes,
}

impl Figure {
    /// Whether a higher or a lower value is better.
    pub(super) const fn better(&self) -> Better {
        match self {
            Self::Throughput | Self::RateFound => Better::More,
            _ => Better::Less,
        }
    }

    /// Its name in words.
    pub fn name(&self) -> String {
        match self {
            Self::Latency { hop, percentile } => format!("{hop} {percentile}"),
            Self::Throughput => "throughput".to_owned(),
            Self::RateFound => "rate that keeps the limits".to_owned(),
            Self::ScaleOut => "scale-out".to_owned(),
            Self::Recovery => "recovery".to_owned(),
            Self::OnDemandNodes => "on-demand node time".to_owned(),
            Self::SpotNodes => "Spot node time".to_owned(),
        }
    }

    /// One value of the figure, with its unit.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "microseconds of at most days"
    )]
    pub fn value(&self, value: f64) -> String {
        match self {
            Self::Throughput | Self::RateFound => format!("{value:.0}/s"),
            Self::OnDemandNodes | Self::SpotNodes => format!("{value:.0} s"),
            _ => Micros(value.round() as i64).to_string(),
        }
    }
}

/// The hops that the workload is responsible for; the lateness of the generator is not among them.
const HOPS: [Hop; 5] = [
    Hop::Send,
    Hop::QueueWait,
    Hop::Work,
    Hop::Store,
    Hop::EndToEnd,
];
const PERCENTILES: [Percentile; 3] = [Percentile::P50, Percentile::P90, Percentile::P99];

/// Every figure that both sides have, with the values of their runs.
pub(super) fn shared(base: &Group, new: &Group) -> Vec<(Figure, Values, Values)> {
    let all = all(base.is_scenario || new.is_scenario).into_iter();
    let shared = all.filter_map(|figure| {
        let (old, new) = (values(&figure, base), values(&figure, new));
        let is_shared = !old.of_runs.is_empty() && !new.of_runs.is_empty();
        is_shared.then_some((figure, old, new))
    });
    shared.collect()
}

/// The figures of a load, or of a scenario. A suite has many scenarios, and each further figure makes a difference in any of them
/// harder to prove: scenarios have only the end-to-end latency.
fn all(is_scenario: bool) -> Vec<Figure> {
    let hops = if is_scenario { &HOPS[4..] } else { &HOPS[..] };
    let latency = |hop: &Hop| {
        let hop = *hop;
        PERCENTILES.map(|percentile| Figure::Latency { hop, percentile })
    };
    let mut all: Vec<_> = hops.iter().flat_map(latency).collect();
    if !is_scenario {
        all.extend([Figure::Throughput, Figure::RateFound]);
    }
    all.extend([
        Figure::ScaleOut,
        Figure::Recovery,
        Figure::OnDemandNodes,
        Figure::SpotNodes,
    ]);
    all
}

/// The values of a figure in the runs that can be compared.
fn values(figure: &Figure, group: &Group) -> Values {
    let found = group
        .records
        .iter()
        .filter(|record| is_comparable(record.verdict().outcome))
        .filter_map(|record| of(figure, record));
    let (of_runs, within): (Vec<_>, Vec<_>) = found.unzip();
    let is_in_steps = matches!(figure, Figure::RateFound);
    let up_to = |within: &Option<(f64, f64)>| within.map(|(_, high)| high);
    Values {
        steps: is_in_steps.then(|| within.iter().map(up_to).collect()),
        within: if within.len() == 1 { within[0] } else { None },
        of_runs,
    }
}

/// A value, and the interval in which the true one is: by the run's own samples, or by the steps of a search.
type Value = (f64, Option<(f64, f64)>);

fn of(figure: &Figure, record: &RunRecord) -> Option<Value> {
    let alone = |value: f64| (value, None);
    match figure {
        Figure::Latency { hop, percentile } => latency(record, *hop, *percentile),
        Figure::Throughput => record.measured.as_ref()?.hops.throughput().map(alone),
        Figure::RateFound => {
            let found = record.rate_found.as_ref()?;
            let kept = found.rate_per_s?;
            Some((kept, found.broken_at_per_s.map(|broken| (kept, broken))))
        }
        Figure::ScaleOut => scale_out(record).map(alone),
        Figure::Recovery => {
            let recovered = evicted(&record.nodes).filter_map(|node| node.recovered_ms);
            recovered.max().map(|ms| alone(ms as f64 * 1e3))
        }
        Figure::OnDemandNodes => record.node_seconds(Capacity::OnDemand).map(alone),
        Figure::SpotNodes => record.node_seconds(Capacity::Spot).map(alone),
    }
}

fn latency(record: &RunRecord, hop: Hop, percentile: Percentile) -> Option<Value> {
    let samples = record.measured.as_ref()?.hops.samples(hop);
    if !has_enough(samples, percentile) {
        return None;
    }
    let micros = |micros: i64| micros.max(1) as f64;
    let interval = Interval::of(samples, percentile);
    let within = interval.low.zip(interval.high);
    let within = within.map(|(low, high)| (micros(low), micros(high)));
    Some((micros(samples.at(percentile)?), within))
}

/// From the first sample with a consumer to the first with the largest number, in microseconds; `None` if nothing scales.
fn scale_out(record: &RunRecord) -> Option<f64> {
    if record.scaled.is_empty() {
        return None;
    }
    let running = |(at, sample): &(Stamp, Sample)| Some((*at, sample.consumers?));
    let running: Vec<_> = record.samples.iter().filter_map(running).collect();
    let most = running.iter().map(|(_, count)| *count).max()?;
    let first = |least: u64| running.iter().find(|(_, count)| *count >= least);
    let (from, until) = (first(1)?.0, first(most.max(1))?.0);
    (most > 1).then(|| until.micros_since(from) as f64)
}
