//! Benchmark of recording a latency, next to the bare histogram in the same run. Run it with `cargo bench -p evidence --bench
//! record`.
//!
//! Both record the same samples, in turns; the fastest turn counts, because slower ones include other work of the machine.

#![expect(clippy::print_stdout, reason = "the figures are its output")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use evidence::latency::{HIGHEST_MICROS, Samples};
use hdrhistogram::Histogram;

/// Samples in a turn.
const SAMPLES: u32 = 10_000_000;

/// Number of turns of each.
const TURNS: u32 = 7;

/// Number of different samples: few enough to stay in a cache, too many for a branch predictor to learn.
const DIFFERENT: usize = 1 << 14;

fn main() -> Result<(), Box<dyn Error>> {
    let latencies = latencies();
    let (mut bare, mut ours) = (Duration::MAX, Duration::MAX);
    for _ in 0..TURNS {
        let mut histogram = Histogram::<u64>::new_with_bounds(1, HIGHEST_MICROS, 3)?;
        let begun = Instant::now();
        for micros in turn(&latencies) {
            histogram.record(black_box(micros).unsigned_abs())?;
        }
        bare = bare.min(begun.elapsed());
        assert_eq!(black_box(&histogram).len(), u64::from(SAMPLES));

        let mut samples = Samples::default();
        let begun = Instant::now();
        for micros in turn(&latencies) {
            samples.record(black_box(micros));
        }
        ours = ours.min(begun.elapsed());
        assert_eq!(black_box(&samples).count(), u64::from(SAMPLES));
    }
    let nanos = |time: Duration| time.as_secs_f64() * 1e9 / f64::from(SAMPLES);
    let (bare, ours) = (nanos(bare), nanos(ours));
    println!("{:<38}{bare:>8.2} ns a sample", "hdrhistogram, record");
    println!("{:<38}{ours:>8.2} ns a sample", "evidence::latency, record");
    println!("{:<38}{:>8.2}", "ratio", ours / bare);
    Ok(())
}

fn turn(latencies: &[i64]) -> impl Iterator<Item = i64> {
    let samples = usize::try_from(SAMPLES).unwrap_or(usize::MAX);
    latencies.iter().copied().cycle().take(samples)
}

/// Typical latencies of a run: most within a millisecond of each other, some a hundred times longer. From a fixed seed.
fn latencies() -> Vec<i64> {
    let mut state = 7_u64;
    let mut draw = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state >> 33
    };
    let mut latency = || {
        let scale = [1_000, 1_000, 1_000, 10_000, 10_000, 100_000]
            [usize::try_from(draw() % 6).unwrap_or(0)];
        i64::try_from(3_000 + draw() % scale).unwrap_or(i64::MAX)
    };
    (0..DIFFERENT).map(|_| latency()).collect()
}
