//! Benchmark of the audit: time and memory for a million rows. Run it with `cargo bench -p judge --bench audit`.
//!
//! Rows come from an in-process source, page by page as from a table. Making them takes longer than judging them, so only the
//! judging is timed; the process's peak memory includes one page.

#![expect(clippy::print_stdout, reason = "the figures are its output")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark measures time and memory"
)]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::workload::Description;
use contract::{
    Message, MessageId, PayloadSize, Payloads, ResultRow, RunId, Seq, Stamp, StampSums, StoredRow,
};
use evidence::outcome::Outcome;
use judge::audit::{Auditor, Expectation, Judged as _};
use judge::measure::{Hops, Measure as _};

/// Most rows in one page of a table query.
const PAGE: u64 = 1_000;
const NOON: Stamp = Stamp::from_micros(1_795_435_200_000_000);

/// Repetitions of each case. The fastest counts, because slower ones include other work of the machine.
const REPEATS: u32 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    println!("{:<38}{:>12}{:>10}{:>14}", "", "rows", "seconds", "rows/s");
    for (size, messages) in [
        ("sample", 1_000_000),
        ("512", 1_000_000),
        ("sample", 10_000_000),
    ] {
        let repeats = if messages > 1_000_000 { 1 } else { REPEATS };
        let (mut audit, mut latency) = (Duration::MAX, Duration::MAX);
        for _ in 0..repeats {
            let (auditing, measuring) = judge(size, messages)?;
            (audit, latency) = (audit.min(auditing), latency.min(measuring));
        }
        line(&format!("audit, payload {size}"), messages, audit);
        line(
            &format!("latency of six hops, payload {size}"),
            messages,
            latency,
        );
    }
    // The rows of this worker have no message id: the auditor identifies each by its payload, and the keys are the worker's
    // own.
    let description = Description::read(BY_PAYLOAD).map_err(|problems| format!("{problems:?}"))?;
    let description = Arc::new(description);
    for (size, messages) in [("256", 1_000_000), ("256", 10_000_000)] {
        let auditing = judge_by_payload(&description, size, messages)?;
        line(
            &format!("audit by payload, payload {size}"),
            messages,
            auditing,
        );
    }
    println!("peak resident memory of the process: {} MiB", peak_mib()?);
    Ok(())
}

/// Description of a workload whose rows can be identified by their payload only.
const BY_PAYLOAD: &str = "\
version: 1
name: by payload
message:
  body: \"{payload}\"
row:
  columns:
    data: \"{payload}\"
";

/// The time that an audit takes which identifies rows by their payloads.
fn judge_by_payload(
    description: &Arc<Description>,
    size: &str,
    messages: u64,
) -> Result<Duration, Box<dyn Error>> {
    let run: RunId = "bench".parse()?;
    let payloads = Payloads {
        seed: 7,
        size: size.parse::<PayloadSize>()?,
    };
    let mut auditor = Auditor::new(Expectation {
        description: description.clone(),
        own_table: true,
        ..Expectation::new(run, payloads, messages)
    })?;
    let mut auditing = Duration::ZERO;
    for first in (1..=messages).step_by(PAGE.try_into()?) {
        let last = (first + PAGE - 1).min(messages);
        let seqs = (first..=last).filter_map(Seq::new);
        let page: Vec<StoredRow> = seqs
            .map(|seq| StoredRow {
                partition_key: "2026-11-23".to_owned(),
                row_key: format!("{:032x}", seq.get()),
                data: Some(payloads.payload(seq)),
                ..StoredRow::default()
            })
            .collect();
        let begun = Instant::now();
        for row in &page {
            auditor.row(row);
        }
        auditing += begun.elapsed();
    }
    let begun = Instant::now();
    let audit = auditor.finish();
    auditing += begun.elapsed();
    assert_eq!(audit.outcome(), Outcome::Pass, "{:?}", audit.reasons());
    assert_eq!(audit.fates.kept, messages);
    Ok(auditing)
}

/// The times that the audit and the measurement take.
fn judge(size: &str, messages: u64) -> Result<(Duration, Duration), Box<dyn Error>> {
    let run: RunId = "bench".parse()?;
    let payloads = Payloads {
        seed: 7,
        size: size.parse::<PayloadSize>()?,
    };
    let expectation = Expectation {
        stamp_sums: Some(stamp_sums(messages)),
        ..Expectation::new(run.clone(), payloads, messages)
    };
    let mut auditor = Auditor::new(expectation)?;
    let mut hops = Hops::default();
    let (mut auditing, mut measuring) = (Duration::ZERO, Duration::ZERO);
    for first in (1..=messages).step_by(PAGE.try_into()?) {
        let last = (first + PAGE - 1).min(messages);
        let page: Vec<StoredRow> = (first..=last)
            .filter_map(|n| row(&run, payloads, n))
            .collect();
        let begun = Instant::now();
        for row in &page {
            auditor.row(row);
        }
        auditing += begun.elapsed();
        let begun = Instant::now();
        for row in &page {
            hops.record(row);
        }
        measuring += begun.elapsed();
    }
    let begun = Instant::now();
    let audit = auditor.finish();
    auditing += begun.elapsed();
    assert_eq!(audit.outcome(), Outcome::Pass, "{:?}", audit.reasons());
    assert_eq!(hops.rows(), messages);
    Ok((auditing, measuring))
}

fn line(what: &str, rows: u64, time: Duration) {
    let seconds = time.as_secs_f64();
    let rate = rows as f64 / seconds;
    println!("{what:<38}{rows:>12}{seconds:>10.3}{rate:>14.0}");
}

/// The producer's stamps in message `n`.
fn stamps(n: u64) -> (Stamp, Stamp) {
    let src = NOON.plus(Duration::from_micros(n * 50));
    (src, src.plus(Duration::from_micros(n % 90)))
}

/// The sums of these stamps in the producer's summary.
fn stamp_sums(messages: u64) -> StampSums {
    let mut sums = StampSums::default();
    for (n, seq) in (1..=messages).filter_map(|n| Some((n, Seq::new(n)?))) {
        let (src, sent) = stamps(n);
        sums.add(seq, src, sent);
    }
    sums
}

fn row(run: &RunId, payloads: Payloads, n: u64) -> Option<StoredRow> {
    let seq = Seq::new(n)?;
    let (src, sent) = stamps(n);
    let at = |micros| src.plus(Duration::from_micros(micros));
    let id = MessageId::new(run.clone(), seq);
    let message = Message::new(id, payloads.payload(seq), src, sent);
    let row = ResultRow::of(message, at(5_000 + n % 7_000), 1, "consumer-1", "node-1");
    let mut row = StoredRow::from(row);
    row.date_stamp = Some(at(13_000 + n % 900));
    row.timestamp = Some(at(15_000 + n % 3_000));
    Some(row)
}

/// The peak resident memory of this process so far (`VmHWM`, proc(5)).
fn peak_mib() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line
        .and_then(|text| text.trim().strip_suffix(" kB")?.trim().parse().ok())
        .ok_or("the kernel does not tell VmHWM")?;
    Ok(kib.div_ceil(1_024))
}
