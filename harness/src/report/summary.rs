//! `summary.json`: the run for programs. Field names end with their units; fields are added, never changed.

use serde::Serialize;
use workflow::contract::Stamp;

use super::{RunRecord, promises};
use crate::audit::Audit;
use crate::events::{NotRun, RateFound, RateStep, RunStarted, ScenarioEnd, Step, Usage};
use crate::measure::{Hop, LatencyVerdict, Percentile, has_enough};
use crate::outcome::Outcome;

/// The content of `summary.json`.
#[derive(Debug, Serialize)]
pub struct Summary<'a> {
    /// Version of this format.
    version: u32,
    /// The outcome.
    outcome: Outcome,
    /// Its exit code.
    exit_code: u8,
    headline: String,
    reasons: Vec<String>,
    next_steps: Vec<String>,
    run: Option<&'a RunStarted>,
    paces: Vec<String>,
    started: Stamp,
    ended: Stamp,
    duration_us: i64,
    promises: Vec<PromiseLine>,
    audit: Option<&'a Audit>,
    latency: Vec<HopFigures>,
    limits: &'a [LatencyVerdict],
    throughput_rows_per_s: Option<f64>,
    redelivered: Option<u64>,
    usage: &'a [Usage],
    rate_steps: &'a [RateStep],
    rate_found: Option<&'a RateFound>,
    scenarios: &'a [ScenarioEnd],
    not_run: &'a [NotRun],
    steps: &'a [Step],
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct PromiseLine {
    promised: String,
    found: String,
    detail: String,
    outcome: Outcome,
}

#[derive(Debug, Serialize)]
struct HopFigures {
    hop: Hop,
    samples: u64,
    negative_samples: u64,
    most_negative_us: i64,
    samples_beyond_one_day: u64,
    rows_without_stamp: u64,
    percentiles: Vec<PercentileFigure>,
    max_us: Option<i64>,
}

#[derive(Debug, Serialize)]
struct PercentileFigure {
    percentile: Percentile,
    latency_us: Option<i64>,
    samples_needed: u64,
    has_enough_samples: bool,
}

impl<'a> Summary<'a> {
    /// The summary of a run.
    pub fn of(record: &'a RunRecord) -> Self {
        let verdict = record.verdict();
        let measured = record.measured.as_ref();
        Self {
            version: 1,
            outcome: verdict.outcome,
            exit_code: verdict.outcome.code(),
            headline: verdict.headline,
            reasons: verdict.reasons,
            next_steps: verdict.next_steps,
            run: record.run.as_ref(),
            paces: record.paces(),
            started: record.started,
            ended: record.ended,
            duration_us: record.micros_at(record.ended),
            promises: promises(record)
                .into_iter()
                .map(|promise| PromiseLine {
                    promised: promise.promised,
                    found: promise.found,
                    detail: promise.detail,
                    outcome: promise.outcome,
                })
                .collect(),
            audit: record.audit.as_ref(),
            latency: measured.map_or(Vec::new(), |measured| {
                Hop::ALL.map(|hop| figures(hop, measured)).into()
            }),
            limits: measured.map_or(&[], |measured| &measured.verdicts),
            throughput_rows_per_s: measured.and_then(|measured| measured.hops.throughput()),
            redelivered: record.redelivered(),
            usage: &record.usage,
            rate_steps: &record.rate_steps,
            rate_found: record.rate_found.as_ref(),
            scenarios: &record.scenarios,
            not_run: &record.not_run,
            steps: &record.steps,
            notes: super::terminal::remarks(record),
        }
    }
}

fn figures(hop: Hop, measured: &crate::events::Measured) -> HopFigures {
    let samples = measured.hops.samples(hop);
    HopFigures {
        hop,
        samples: samples.count(),
        negative_samples: samples.negative(),
        most_negative_us: samples.most_negative(),
        samples_beyond_one_day: samples.above(),
        rows_without_stamp: samples.missing(),
        percentiles: Percentile::REPORTED
            .map(|percentile| PercentileFigure {
                percentile,
                latency_us: samples.at(percentile),
                samples_needed: percentile.samples_needed(),
                has_enough_samples: has_enough(samples, percentile),
            })
            .into(),
        max_us: samples.max(),
    }
}

pub(super) fn json(record: &RunRecord) -> String {
    let mut text =
        serde_json::to_string_pretty(&Summary::of(record)).expect("a summary must serialise");
    text.push('\n');
    text
}
