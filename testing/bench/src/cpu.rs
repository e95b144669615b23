//! `cpu`: user and system CPU time per message, of the consumer and of a loop on the Azure SDK for Python.
//!
//! The consumer is measured from start to end, with its idle polls; of Python only the loop is measured. The target is judged with
//! `--insert-batch 1`, where both make the same requests.

use crate::args::Sizes;
use crate::consume;
use crate::figures::{Figure, median, rounds};
use crate::python::Python;
use crate::storage::Storage;

/// The consumer must use this many times less CPU time than Python.
const TARGET: f64 = 10.0;

/// Fewer rounds than for rates are enough: CPU time varies less.
const MOST_ROUNDS: u32 = 3;

pub(crate) async fn measure(
    storage: &mut Storage,
    sizes: Sizes,
    python: &Python,
) -> anyhow::Result<Vec<Figure>> {
    let (mut grouped, mut alone, mut looped) = (Vec::new(), Vec::new(), Vec::new());
    let mut python_rates = Vec::new();
    let micros = |seconds: f64| seconds * 1e6 / sizes.backlog as f64;
    for _ in 0..sizes.rounds.min(MOST_ROUNDS) {
        for (figures, insert_batch) in [(&mut grouped, 100), (&mut alone, 1)] {
            let (place, _) = storage.filled(sizes.backlog, sizes.concurrency).await?;
            let used =
                consume::untimed(storage, &place, sizes.backlog, sizes, insert_batch).await?;
            figures.push(micros(used.cpu.as_secs_f64()));
            storage.clear(&place).await?;
        }
        let (place, _) = storage.filled(sizes.backlog, sizes.concurrency).await?;
        let done = python.consume(storage, &place, sizes.backlog)?;
        looped.push(micros(done.cpu_s));
        python_rates.push(sizes.backlog as f64 / done.wall_s);
        storage.clear(&place).await?;
    }
    let (grouped_us, alone_us, python_us) = (median(&grouped), median(&alone), median(&looped));
    let figure = |what: &str, us: f64, all: &[f64]| {
        Figure::new(what, format!("{us:.0} us/message"), rounds(all))
    };
    Ok(vec![
        figure("cpu, consumer", grouped_us, &grouped),
        figure("cpu, consumer, --insert-batch 1", alone_us, &alone),
        figure("cpu, Azure SDK for Python", python_us, &looped),
        Figure::new(
            "cpu, Python / consumer",
            format!("ratio {:.1}", python_us / grouped_us),
            format!("backlog {}", sizes.backlog),
        ),
        Figure::new(
            "cpu, Python / --insert-batch 1",
            format!("ratio {:.1}", python_us / alone_us),
            format!(
                "the same calls; {}, {:.0} messages/s",
                python.version()?,
                median(&python_rates)
            ),
        )
        .held_to(">= 10", python_us / alone_us >= TARGET),
    ])
}
