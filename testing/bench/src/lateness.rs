//! `lateness`: the lateness of the open-loop schedule at 10,000 messages/s with a sink that takes everything.
//!
//! The other side is a thread that only sleeps until each of the same times: its lateness is that of the machine.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::args::Sizes;
use crate::figures::{Figure, median};
use crate::process;

/// The largest 99th percentile, in milliseconds, from the intended to the actual start of a send.
const TARGET_MS: f64 = 1.0;

pub(crate) async fn measure(sizes: Sizes) -> anyhow::Result<Vec<Figure>> {
    let (mut p99s, mut bare) = (Vec::new(), Vec::new());
    let (mut worst_ms, mut busiest) = (0.0_f64, 0.0_f64);
    for _ in 0..sizes.rounds {
        bare.push(bare_p99_ms(sizes.lateness_seconds));
        let mut command = process::command(&process::binary("producer")?);
        command
            .args(["--sink", "null", "--rate", "10000", "--progress", "none"])
            .args(["--duration", &format!("{}s", sizes.lateness_seconds)]);
        let (used, summary) = process::summarised("producer-null", &mut command).await?;
        let lateness_ms = |name: &str| {
            let us = summary["lateness_us"][name].as_f64();
            us.map(|us| us / 1e3)
                .with_context(|| format!("find the lateness {name} in the producer's summary"))
        };
        p99s.push(lateness_ms("p99")?);
        worst_ms = worst_ms.max(lateness_ms("max")?);
        busiest = busiest.max(used.cpu.as_secs_f64() / f64::from(sizes.lateness_seconds));
    }
    let p99_ms = median(&p99s);
    let list = |rounds: &[f64]| {
        let rounds: Vec<_> = rounds.iter().map(|ms| format!("{ms:.2}")).collect();
        format!(
            "rounds of {} s: {}",
            sizes.lateness_seconds,
            rounds.join(" ")
        )
    };
    Ok(vec![
        Figure::new(
            "lateness p99 at 10,000/s, bare thread",
            format!("{:.3} ms", median(&bare)),
            list(&bare),
        ),
        Figure::new(
            "lateness p99 at 10,000/s, null sink",
            format!("{p99_ms:.3} ms"),
            format!(
                "{}; longest {worst_ms:.1} ms, {:.0} % of a core",
                list(&p99s),
                busiest * 100.0
            ),
        )
        .held_to("< 1 ms", p99_ms < TARGET_MS),
    ])
}

/// The 99th percentile of the lateness of a thread that only sleeps.
fn bare_p99_ms(seconds: u32) -> f64 {
    let start = Instant::now();
    let mut late: Vec<_> = (0..seconds * 10_000)
        .map(|tick| {
            let due = start + Duration::from_micros(100) * tick;
            sleep(due.saturating_duration_since(Instant::now()));
            due.elapsed()
        })
        .collect();
    late.sort_unstable();
    late[late.len() * 99 / 100].as_secs_f64() * 1e3
}
