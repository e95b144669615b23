//! The latencies for other tools: an interval log for `HdrHistogram`'s analyzers, percentile tables, and CSV.

use std::fmt::Write as _;
use std::io;
use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use super::{ReportError, RunRecord};
use crate::events::Measured;
use crate::measure::{Hop, Samples};

/// Steps a percentile table takes for each halving of the distance to 100 %, as other `HdrHistogram` tools print it.
const TICKS_PER_HALF: u32 = 5;

/// Values in these files are microseconds; their percentile tables show milliseconds, as usual.
const MICROS_PER_MILLI: f64 = 1_000.0;

/// The files, each with its name; none if nothing was measured.
pub(super) fn views(record: &RunRecord) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
    let Some(measured) = &record.measured else {
        return Ok(Vec::new());
    };
    let log = interval_log(record, measured).map_err(|source| ReportError::Write {
        path: "latency.hlog".into(),
        source,
    })?;
    let mut views = vec![("latency.hlog".to_owned(), log)];
    for hop in Hop::ALL {
        let samples = measured.hops.samples(hop);
        if samples.histogram().is_empty() {
            continue;
        }
        let name = |ending| format!("latency-{}.{ending}", hop.as_str());
        views.push((name("hgrm"), percentile_table(hop, samples).into_bytes()));
        views.push((name("csv"), csv(samples).into_bytes()));
    }
    Ok(views)
}

/// One interval over the whole run, tagged by hop.
fn interval_log(record: &RunRecord, measured: &Measured) -> io::Result<Vec<u8>> {
    let since_epoch = Duration::from_micros(u64::try_from(record.started.as_micros()).unwrap_or(0));
    let lasted = Duration::from_micros(u64::try_from(record.micros_at(record.ended)).unwrap_or(0));
    let mut bytes = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment(
            "values are microseconds; negative samples cannot be in a histogram: see summary.json",
        )
        .with_start_time(SystemTime::UNIX_EPOCH + since_epoch)
        .with_base_time(SystemTime::UNIX_EPOCH + since_epoch)
        .with_max_value_divisor(MICROS_PER_MILLI)
        .begin_log_with(&mut bytes, &mut serializer)?;
    for hop in Hop::ALL {
        let histogram = measured.hops.samples(hop).histogram();
        if histogram.is_empty() {
            continue;
        }
        log.write_histogram(histogram, Duration::ZERO, lasted, Tag::new(hop.as_str()))
            .map_err(|error| io::Error::other(format!("{error:?}")))?;
    }
    Ok(bytes)
}

/// The format that `HdrHistogram`'s plotters read.
fn percentile_table(hop: Hop, samples: &Samples) -> String {
    let histogram = samples.histogram();
    let mut text = format!(
        "#[Hop = {hop}, unit = ms, negative samples not in this table = {}]\n{:>12} {:>14} {:>10} {:>14}\n\n",
        samples.negative(),
        "Value",
        "Percentile",
        "TotalCount",
        "1/(1-Percentile)"
    );
    let mut counted = 0;
    for step in histogram.iter_quantiles(TICKS_PER_HALF) {
        counted += step.count_since_last_iteration();
        let value = step.value_iterated_to() as f64 / MICROS_PER_MILLI;
        let quantile = step.quantile_iterated_to();
        let inverse = 1.0 / (1.0 - quantile);
        let end = if inverse.is_finite() {
            format!("{inverse:>14.2}")
        } else {
            String::new()
        };
        writeln!(text, "{value:>12.3} {quantile:>14.12} {counted:>10} {end}")
            .expect("writing to a string must succeed");
    }
    writeln!(
        text,
        "#[Mean    = {:>12.3}, StdDeviation   = {:>12.3}]\n#[Max     = {:>12.3}, Total count    = {:>12}]",
        histogram.mean() / MICROS_PER_MILLI,
        histogram.stdev() / MICROS_PER_MILLI,
        histogram.max() as f64 / MICROS_PER_MILLI,
        histogram.len(),
    )
    .expect("writing to a string must succeed");
    text
}

/// Every bucket that holds a sample, the negative ones first.
fn csv(samples: &Samples) -> String {
    let mut text = String::from("latency_us,samples\n");
    if samples.negative() > 0 {
        writeln!(text, "{},{}", samples.most_negative(), samples.negative())
            .expect("writing to a string must succeed");
    }
    for step in samples.histogram().iter_recorded() {
        let count = step.count_since_last_iteration();
        writeln!(text, "{},{count}", step.value_iterated_to())
            .expect("writing to a string must succeed");
    }
    text
}
