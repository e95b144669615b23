//! `lateness`: how late the open-loop schedule becomes at 10,000 messages/s when nothing but the generator is in the way.

use anyhow::Context as _;

use crate::args::Sizes;
use crate::figures::Figure;
use crate::process;

/// Most microseconds from intended to actual begin of a send, for 99 % of the messages.
const TARGET_US: u64 = 1_000;

pub(crate) async fn measure(sizes: Sizes) -> anyhow::Result<Vec<Figure>> {
    let mut command = process::command(&process::binary("producer")?);
    command
        .args(["--sink", "null", "--rate", "10000", "--progress", "none"])
        .args(["--duration", &format!("{}s", sizes.lateness_seconds)]);
    let (used, summary) = process::summarised("producer-null", &mut command).await?;
    let lateness = |name: &str| {
        summary["lateness_us"][name]
            .as_u64()
            .with_context(|| format!("find the lateness {name} in the producer's summary"))
    };
    let (p99, p99_9, max) = (lateness("p99")?, lateness("p99_9")?, lateness("max")?);
    let cpu = used.cpu.as_secs_f64() / f64::from(sizes.lateness_seconds);
    Ok(vec![
        Figure::new(
            "lateness p99 at 10,000/s, null sink",
            format!("{:.3} ms", p99 as f64 / 1e3),
            format!(
                "p99.9 {:.3} ms, max {:.3} ms, {} messages, {:.0} % of a core",
                p99_9 as f64 / 1e3,
                max as f64 / 1e3,
                summary["begun"],
                cpu * 100.0
            ),
        )
        .held_to("< 1 ms", p99 < TARGET_US),
    ])
}
