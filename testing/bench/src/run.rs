//! One run: the selected benchmarks, in an order in which they disturb each other least, and the report.

use std::io::{self, Write as _};

use anyhow::Context as _;
use time::OffsetDateTime;

use crate::args::{Args, Sizes, What};
use crate::figures::{self, Figure};
use crate::storage::Storage;
use crate::{consume, cpu, lateness, machine, put, python, raw, start};

/// Measures and reports. Returns whether every target is met.
pub(crate) async fn run(args: &Args) -> anyhow::Result<bool> {
    let sizes = args.sizes();
    let load = machine::load();
    say(&format!(
        "machine: {}; load averages at the begin: {load}",
        machine::describe()
    ))?;
    let mut figures = Vec::new();
    // Benchmarks without storage come first: Azurite uses a little of a core even when idle.
    if args.wants(What::Lateness) {
        say("lateness ...")?;
        figures.extend(lateness::measure(sizes).await?);
    }
    if args.wants(What::Start) {
        say("start ...")?;
        figures.extend(start::measure(sizes)?);
    }
    let storage_wanted = [What::Put, What::Consume, What::Memory, What::Cpu];
    if storage_wanted.into_iter().any(|what| args.wants(what)) {
        let python = args
            .wants(What::Cpu)
            .then(python::Python::set_up)
            .transpose()?;
        let mut storage = Storage::start().await?;
        say(&format!("{}; warm-up ...", Storage::version()))?;
        let measured = with_storage(args, sizes, &mut storage, python.as_ref()).await;
        storage.stop().await;
        figures.extend(measured?);
    }
    report(args, &load, &figures)?;
    Ok(figures::all_met(&figures))
}

async fn with_storage(
    args: &Args,
    sizes: Sizes,
    storage: &mut Storage,
    python: Option<&python::Python>,
) -> anyhow::Result<Vec<Figure>> {
    warm_up(storage, sizes).await?;
    let mut figures = Vec::new();
    if args.wants(What::Put) {
        say("put ...")?;
        figures.extend(put::measure(storage, sizes).await?);
    }
    if args.wants(What::Consume) || args.wants(What::Memory) {
        say("consume ...")?;
        figures.extend(consume::measure(storage, sizes).await?);
    }
    if let Some(python) = python {
        say("cpu ...")?;
        figures.extend(cpu::measure(storage, sizes, python).await?);
    }
    Ok(figures)
}

/// Warms up Azurite with every operation, in both ways to insert, until its code is compiled.
async fn warm_up(storage: &mut Storage, sizes: Sizes) -> anyhow::Result<()> {
    let (place, _) = storage.filled(sizes.warm_up, sizes.concurrency).await?;
    storage.clear(&place).await?;
    let backlog = sizes.warm_up / 2;
    let (place, batch) = storage.filled(backlog, sizes.concurrency).await?;
    raw::consume(storage, &place, batch.inserts()?, sizes.concurrency)
        .await
        .context("warm up")?;
    storage.clear(&place).await?;
    for insert_batch in [100, 1] {
        let (place, _) = storage.filled(backlog, sizes.concurrency).await?;
        consume::untimed(storage, &place, backlog, sizes, insert_batch).await?;
        storage.clear(&place).await?;
    }
    Ok(())
}

fn report(args: &Args, load: &str, figures: &[Figure]) -> anyhow::Result<()> {
    let smoke = if args.smoke {
        "\nSMOKE RUN: these figures mean nothing.\n"
    } else {
        ""
    };
    let flags: Vec<_> = std::env::args().skip(1).collect();
    let about = format!(
        "`bench {}`, {}, {}; {}; load averages {load} at the begin, {} at the end.",
        flags.join(" "),
        OffsetDateTime::now_utc().date(),
        machine::describe(),
        Storage::version(),
        machine::load(),
    );
    say(&format!("\n{}{smoke}", figures::table(figures)))?;
    say(&format!(
        "For BENCHMARKS.md:\n{smoke}\n{about}\n\n{}",
        figures::markdown(figures)
    ))
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{text}").context("write to standard output")
}
