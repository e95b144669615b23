//! Writes the reports of three invented runs, one that passes, one that fails and one that was killed, to look at reports without a
//! run: `cargo run -p harness --example sample_report -- DIR`.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use harness::audit::{Auditor, Expectation, Judged as _};
use harness::events::{Event, EventLog, Fact, Measured, RunStarted, Sample};
use harness::measure::{Hop, Hops, LatencyLimit, Measure as _, Percentile, judge};
use harness::outcome::Outcome;
use harness::report;
use hdrhistogram::Histogram;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use workflow::contract::{
    Message, MessageId, PayloadSize, Payloads, ResultRow, Seq, Stamp, StoredRow,
};

const MESSAGES: u64 = 20_000;
const SECONDS: u64 = 40;
/// The consumer that is killed.
const KILLED: u32 = 3;
const NOON: Stamp = Stamp::from_micros(1_795_435_200_000_000);
const PAYLOADS: Payloads = Payloads {
    seed: 20_261_123,
    size: PayloadSize::Fixed(200),
};

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args().nth(1).ok_or("usage: sample_report DIR")?;
    for story in [Story::Pass, Story::Fail, Story::Killed] {
        let dir = Path::new(&dir).join(story.name());
        fs::create_dir_all(&dir)?;
        drop(fs::remove_file(dir.join("events.jsonl")));
        tell(story, &dir)?;
        let (record, _) = report::write(&dir)?;
        fs::write(dir.join("terminal.txt"), report::terminal(&record, true))?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum Story {
    Pass,
    Fail,
    Killed,
}

impl Story {
    const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Killed => "killed",
        }
    }
}

fn tell(story: Story, dir: &Path) -> Result<(), Box<dyn Error>> {
    let log = EventLog::open(dir)?;
    let at = |seconds: f64| NOON.plus(Duration::from_secs_f64(seconds));
    let limits = vec![
        LatencyLimit::new(Hop::EndToEnd, Percentile::P50, Duration::from_millis(250)),
        LatencyLimit::new(Hop::EndToEnd, Percentile::P99, Duration::from_secs(2)),
        LatencyLimit::new(Hop::Work, Percentile::P99, Duration::from_millis(100)),
    ];
    let run = "20261123-1314-k3f9";
    log.append(at(0.0), started(run, limits.clone()))?;
    log.append(at(0.1), phase("start"))?;
    for n in 1..=16_u32 {
        let event = Event::ProcessStarted {
            name: format!("consumer-{n}"),
            role: "consumer".into(),
            pid: Some(40_000 + n),
        };
        log.append(at(0.2), event)?;
    }
    log.append(at(1.5), phase("load"))?;
    samples(story, &log, &at)?;
    if story == Story::Killed {
        return Ok(());
    }
    let (audit, hops) = judged(story, run)?;
    for n in (1..=16_u32).filter(|n| *n != KILLED) {
        log.append(at(46.5), exited(n, "exit status: 0"))?;
    }
    log.append(at(47.0), phase("audit"))?;
    log.append(at(47.5), Event::Audited(Box::new(audit.clone())))?;
    let verdicts = judge(&hops, &limits);
    let parts = verdicts
        .iter()
        .map(|verdict| verdict.outcome)
        .chain([audit.outcome()]);
    let finished = Event::Finished {
        outcome: Outcome::of_parts(parts),
        reasons: audit.reasons(),
        outcomes: vec![],
    };
    log.append(
        at(47.6),
        Event::Measured(Box::new(Measured { hops, verdicts })),
    )?;
    log.append(at(47.7), finished)?;
    Ok(())
}

fn started(run: &str, limits: Vec<LatencyLimit>) -> Event {
    Event::RunStarted(Box::new(RunStarted {
        run: run.parse().expect("a constant run id must be valid"),
        title: "a consumer is killed with messages leased, and no result is lost or doubled".into(),
        seed: PAYLOADS.seed,
        environment: "local".into(),
        pace: harness::pace::Pace::PRODUCTION,
        command: "harness load --messages 20000 --rate 500 --consumers 16 --work exponential:8ms --seed 20261123".into(),
        messages: Some(MESSAGES),
        plan: vec![
            Fact::new("rate", "500/s, constant"),
            Fact::new("payload", "200 bytes"),
            Fact::new("consumers", "16"),
            Fact::new("work", "exponential, mean 8 ms"),
        ],
        limits,
        setting: vec![
            Fact::new("storage", "Azurite 3.37.0 in memory, npm package (no Docker engine answers)"),
            Fact::new("machine", "2 cores, 24 GiB, Linux 6.1"),
        ],
        versions: vec![Fact::new("harness", "0.1.0"), Fact::new("rustc", "1.95.0")],
        leeway: vec![],
    }))
}

fn exited(consumer: u32, status: &str) -> Event {
    Event::ProcessExited {
        name: format!("consumer-{consumer}"),
        pid: Some(40_000 + consumer),
        status: status.into(),
        expected: true,
        last_lines: None,
        restarted: false,
        end: None,
        cause: None,
    }
}

fn phase(name: &str) -> Event {
    Event::Phase { name: name.into() }
}

fn samples(story: Story, log: &EventLog, at: &impl Fn(f64) -> Stamp) -> Result<(), Box<dyn Error>> {
    let mut random = StdRng::seed_from_u64(1);
    let (mut sent, mut stored) = (0, 0);
    let last = if story == Story::Killed { 60 } else { 180 };
    for tick in 0..last {
        let seconds = 1.5 + f64::from(tick) / 4.0;
        let is_down = (12.0..16.0).contains(&seconds);
        sent = MESSAGES.min(sent + 119 + random.random_range(0..13));
        let room = if is_down { 30 } else { 150 };
        stored = sent.min(stored + room + random.random_range(0..10));
        let sample = Sample {
            queue_depth: Some(sent - stored + random.random_range(0..9)),
            in_hand: None,
            consumers: Some(if is_down { 15 } else { 16 }),
            leaving: None,
            sent: Some(sent),
            sent_at: Some(at(seconds)),
            hit: None,
        };
        log.append(at(seconds), Event::Sample(sample))?;
        if tick == 42 {
            let event = Event::Fault {
                name: "SIGKILL".into(),
                target: format!("consumer-{KILLED}"),
                lasts_ms: None,
            };
            log.append(at(seconds), event)?;
            log.append(at(seconds), exited(KILLED, "signal: 9 (SIGKILL)"))?;
        }
        if tick == 80 {
            let event = Event::Fault {
                name: "storage busy (503)".into(),
                target: "queue".into(),
                lasts_ms: Some(2_500),
            };
            log.append(at(seconds), event)?;
        }
        if tick == 160 {
            log.append(at(seconds), phase("drain"))?;
        }
    }
    Ok(())
}

fn judged(story: Story, run: &str) -> Result<(harness::audit::Audit, Hops), Box<dyn Error>> {
    let mut random = StdRng::seed_from_u64(2);
    let mut auditor = Auditor::new(Expectation::new(run.parse()?, PAYLOADS, MESSAGES))?;
    let (mut hops, mut sends) = (Hops::default(), Histogram::<u64>::new(3)?);
    for n in 1..=MESSAGES {
        let mut row = row(story, run, n, &mut random);
        sends.record(random.random_range(350..900) + tail(&mut random, 400.0))?;
        if story == Story::Fail {
            match n {
                700..=702 | 9_000 => continue,
                1_500 => row.data = row.data.map(|data| data.chars().take(120).collect()),
                3_000..=3_040 => {
                    auditor.row(&row);
                    row.row_key = format!("5d0c2f0e-1d1b-4b43-9a8e-{n:012}");
                    row.partition_key.clone_from(&row.row_key);
                }
                _ => {}
            }
        }
        auditor.row(&row);
        hops.record(&row);
    }
    hops.add_send(&sends)?;
    Ok((auditor.finish(), hops))
}

fn row(story: Story, run: &str, n: u64, random: &mut StdRng) -> StoredRow {
    let seq = Seq::new(n).expect("a sequence must start at 1");
    let id = MessageId::new(run.parse().expect("a constant run id must be valid"), seq);
    let micros = |micros| Duration::from_micros(micros);
    let src = NOON.plus(micros(n * SECONDS * 1_000_000 / MESSAGES));
    // The generator stands still for a while, which the naive figure does not show.
    let late = if (12_000..12_150).contains(&n) {
        (12_150 - n) * 3_000
    } else {
        0
    };
    let sent = src.plus(micros(20 + tail(random, 90.0) + late));
    let slow = if story == Story::Fail { 12.0 } else { 1.0 };
    let stall = if (5_200..5_500).contains(&n) {
        1_100_000
    } else {
        0
    };
    let waited = 4_000 + tail(random, 60_000.0 * slow) + stall;
    let dequeued = sent.plus(micros(waited));
    let worked = 900 + tail(random, 8_000.0);
    let message = Message::new(id, PAYLOADS.payload(seq), src, sent);
    let consumer = format!("consumer-{}", n % 16 + 1);
    let attempt = if stall > 0 && n.is_multiple_of(5) {
        2
    } else {
        1
    };
    let mut row = ResultRow::of(message, dequeued, attempt, &consumer, "local");
    row.date_stamp = dequeued.plus(micros(worked));
    let stored = row.date_stamp.plus(micros(500 + tail(random, 2_000.0)));
    StoredRow {
        timestamp: Some(stored),
        ..row.into()
    }
}

/// An exponentially distributed number of microseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a non-negative duration of seconds at most"
)]
fn tail(random: &mut StdRng, mean: f64) -> u64 {
    (-(1.0 - random.random::<f64>()).ln() * mean) as u64
}
