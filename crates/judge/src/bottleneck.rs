//! Finds the part that limits a rate: parts are checked in a fixed order, and the first whose figures are near its bound is the bottleneck.
//!
//! The processor is checked first: on a machine without a free core every part is slow, and none of them is the cause.

use evidence::Usage;
use evidence::latency::{Hop, Micros};
use evidence::rate::{Bottleneck, BottleneckPart, HopLatency, StepMeasured};

use crate::processor::is_full;

/// A part that is busy for this share of its bound is at its bound: the rest of the time is lost in waiting for other parts.
const BUSY: f64 = 0.9;

/// Consumers with less than this share of what they can take in hand do not limit anything.
const HALF_BUSY: f64 = 0.5;

/// A hop, or storage's answers, with this share of the end-to-end p99 or more is the bottleneck.
const MOST_OF_IT: f64 = 0.5;

/// The bottleneck of a step, from its latencies and its other measurements.
pub fn bottleneck(hops: &[HopLatency], measured: &StepMeasured) -> Bottleneck {
    let found = processor(measured)
        .or_else(|| generator_process(measured))
        .or_else(|| late_generators(hops))
        .or_else(|| storage(hops, measured))
        .or_else(|| consumers(hops, measured));
    let (part, why) = found.unwrap_or_else(|| (BottleneckPart::None, all(hops, measured)));
    Bottleneck { part, why }
}

type Found = Option<(BottleneckPart, String)>;

fn processor(measured: &StepMeasured) -> Found {
    let usage = measured.usage.as_ref()?;
    let busy_ms = usage.machine_busy_ms.unwrap_or_else(|| usage.cpu_ms());
    if !is_full(usage, busy_ms) {
        return None;
    }
    let busy = usage.cores_of(busy_ms);
    let (cores, own) = (usage.cores as f64, usage.cores_of(usage.cpu_ms()));
    // If other programs took more than half of the processor time, this run's own parts are not named.
    let who = if own < busy / 2.0 {
        format!("others took {:.2} of them; the run", busy - own)
    } else {
        "the run".to_owned()
    };
    let why = format!(
        "{busy:.2} of {cores:.0} cores were busy; {who} took {own:.2} ({})",
        shares(usage)
    );
    Some((BottleneckPart::Processor, why))
}

/// Cores by part, the busiest first.
fn shares(usage: &Usage) -> String {
    let mut parts: Vec<_> = usage.parts.iter().collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.cpu_ms));
    let share = |cpu_ms| usage.cores_of(cpu_ms);
    let parts = parts
        .into_iter()
        .map(|part| format!("{} {:.2}", part.name, share(part.cpu_ms)));
    parts.collect::<Vec<_>>().join(", ")
}

fn generator_process(measured: &StepMeasured) -> Found {
    let usage = measured.usage.as_ref()?;
    let busy = usage.cores_of(usage.part("generators")?.busiest_cpu_ms);
    (busy >= BUSY).then(|| {
        let why = format!(
            "a generator kept {busy:.2} of a core busy, and has no more than one; --generators shares the load out"
        );
        (BottleneckPart::Generators, why)
    })
}

fn late_generators(hops: &[HopLatency]) -> Found {
    let (lag, whole) = (p99(hops, Hop::ScheduleLag)?, p99(hops, Hop::EndToEnd)?);
    (lag as f64 >= MOST_OF_IT * whole as f64).then(|| {
        let (lag, whole) = (Micros(lag), Micros(whole));
        let why = format!("messages were sent {lag} late at p99, of {whole} end to end");
        (BottleneckPart::Generators, why)
    })
}

fn storage(hops: &[HopLatency], measured: &StepMeasured) -> Found {
    let (answer, whole) = (measured.answer_us_p99?, p99(hops, Hop::EndToEnd)?);
    (answer as f64 >= MOST_OF_IT * whole as f64).then(|| {
        let (answer, whole) = (Micros(answer), Micros(whole));
        let why = format!("its answers took {answer} at p99, of {whole} end to end");
        (BottleneckPart::Storage, why)
    })
}

fn consumers(hops: &[HopLatency], measured: &StepMeasured) -> Found {
    let (wait, work) = (p99(hops, Hop::QueueWait), p99(hops, Hop::Work));
    let time =
        |micros: Option<i64>| micros.map_or("unknown".to_owned(), |us| Micros(us).to_string());
    let busy = measured.consumers_busy?;
    if busy >= BUSY {
        let why = format!(
            "they had {:.0} % of all that they can work on at once in hand; messages waited {} in the queue at p99",
            busy * 100.0,
            time(wait)
        );
        return Some((BottleneckPart::Consumers, why));
    }
    let whole = p99(hops, Hop::EndToEnd)? as f64;
    let inside = wait
        .unwrap_or_default()
        .saturating_add(work.unwrap_or_default());
    // With most of them idle, the time is lost elsewhere, such as between two looks at an empty queue.
    (inside as f64 >= MOST_OF_IT * whole && busy >= HALF_BUSY).then(|| {
        let why = format!(
            "messages waited {} in the queue at p99 and were worked on for {}, while consumers had {:.0} % of what they can take in hand",
            time(wait),
            time(work),
            busy * 100.0
        );
        (BottleneckPart::Consumers, why)
    })
}

/// The measurements in words, where none of them is near a bound.
fn all(hops: &[HopLatency], measured: &StepMeasured) -> String {
    let mut said = Vec::new();
    if let Some(usage) = &measured.usage {
        let busy = usage.cores_of(usage.machine_busy_ms.unwrap_or_else(|| usage.cpu_ms()));
        said.push(format!("{busy:.2} of {} cores were busy", usage.cores));
    }
    let time = |micros| Micros(micros);
    said.extend(
        p99(hops, Hop::ScheduleLag).map(|us| format!("sends were {} late at p99", time(us))),
    );
    said.extend(
        measured
            .answer_us_p99
            .map(|us| format!("storage answered in {}", time(us))),
    );
    said.extend(
        measured
            .consumers_busy
            .map(|busy| format!("consumers were {:.0} % busy", busy * 100.0)),
    );
    if said.is_empty() {
        return "nothing could be measured".to_owned();
    }
    said.join(", ")
}

fn p99(hops: &[HopLatency], hop: Hop) -> Option<i64> {
    hops.iter().find(|it| it.hop == hop)?.p99_us
}

#[cfg(test)]
mod tests {
    use super::*;
    use evidence::PartUsage;

    fn hops(lag: i64, wait: i64, work: i64, whole: i64) -> Vec<HopLatency> {
        let hop = |hop, micros| HopLatency {
            hop,
            samples: 1_000,
            p50_us: Some(micros / 2),
            p90_us: Some(micros),
            p99_us: Some(micros),
            p99_9_us: Some(micros),
            max_us: Some(micros),
        };
        vec![
            hop(Hop::ScheduleLag, lag),
            hop(Hop::QueueWait, wait),
            hop(Hop::Work, work),
            hop(Hop::EndToEnd, whole),
        ]
    }

    /// Ten seconds on two cores.
    fn usage(machine_ms: u64, generator_ms: u64, consumers_ms: u64) -> Usage {
        let part = |name: &str, cpu_ms| PartUsage {
            name: name.to_owned(),
            processes: 1,
            cpu_ms,
            busiest_cpu_ms: cpu_ms,
            peak_kib: 1,
        };
        Usage {
            phase: "load".to_owned(),
            lasted_ms: 10_000,
            messages: 10_000,
            cores: 2,
            machine_busy_ms: Some(machine_ms),
            parts: vec![
                part("generators", generator_ms),
                part("consumers", consumers_ms),
            ],
        }
    }

    fn measured(usage: Usage, answer_us: i64, busy: f64) -> StepMeasured {
        StepMeasured {
            answer_us_p99: Some(answer_us),
            consumers_busy: Some(busy),
            usage: Some(usage),
            ..StepMeasured::default()
        }
    }

    #[test]
    fn the_part_whose_figures_are_at_their_bound_is_named_with_them() {
        let idle = || usage(5_000, 1_000, 3_000);
        let quick = || hops(1_000, 3_000, 2_000, 20_000);
        for (hops, measured, part, why) in [
            (
                quick(),
                measured(usage(19_500, 4_000, 12_000), 1_000, 0.95),
                BottleneckPart::Processor,
                "1.95 of 2 cores were busy; the run took 1.60 (consumers 1.20, generators 0.40)",
            ),
            (
                quick(),
                measured(usage(19_500, 1_000, 2_000), 1_000, 0.95),
                BottleneckPart::Processor,
                "others took 1.65 of them",
            ),
            (
                quick(),
                measured(usage(14_000, 9_500, 2_000), 1_000, 0.5),
                BottleneckPart::Generators,
                "a generator kept 0.95 of a core busy",
            ),
            (
                hops(15_000, 1_000, 1_000, 20_000),
                measured(idle(), 1_000, 0.5),
                BottleneckPart::Generators,
                "sent 15.0 ms late at p99, of 20.0 ms end to end",
            ),
            (
                quick(),
                measured(idle(), 12_000, 0.95),
                BottleneckPart::Storage,
                "its answers took 12.0 ms at p99",
            ),
            (
                hops(1_000, 15_000, 2_000, 20_000),
                measured(idle(), 1_000, 0.95),
                BottleneckPart::Consumers,
                "95 % of all that they can work on at once in hand",
            ),
            (
                hops(1_000, 15_000, 2_000, 20_000),
                measured(idle(), 1_000, 0.6),
                BottleneckPart::Consumers,
                "while consumers had 60 %",
            ),
            // Idle consumers are not what limits a rate, however long messages waited.
            (
                hops(1_000, 15_000, 2_000, 20_000),
                measured(idle(), 1_000, 0.02),
                BottleneckPart::None,
                "consumers were 2 % busy",
            ),
            (
                quick(),
                measured(idle(), 1_000, 0.2),
                BottleneckPart::None,
                "0.50 of 2 cores were busy, sends were 1.00 ms late at p99",
            ),
        ] {
            let found = bottleneck(&hops, &measured);
            assert_eq!(found.part, part, "{found:?}");
            assert!(found.why.contains(why), "{found:?}");
        }
        let nothing = bottleneck(&[], &StepMeasured::default());
        assert_eq!(nothing.why, "nothing could be measured");
    }

    #[test]
    fn half_of_what_was_busy_is_the_runs_and_busy_consumers_are_not_to_blame_for_time_lost_elsewhere()
     {
        let hops = hops(1_000, 3_000, 2_000, 20_000);
        let half = bottleneck(&hops, &measured(usage(19_600, 4_900, 4_900), 1_000, 0.95));
        assert!(
            half.why
                .starts_with("1.96 of 2 cores were busy; the run took 0.98"),
            "{half:?}"
        );
        let elsewhere = bottleneck(&hops, &measured(usage(5_000, 1_000, 3_000), 1_000, 0.6));
        assert_eq!(elsewhere.part, BottleneckPart::None, "{elsewhere:?}");
        assert!(
            elsewhere.why.contains("consumers were 60 % busy"),
            "{elsewhere:?}"
        );
    }
}
