//! The latency table, as every report shows it.

use crate::events::Measured;
use crate::measure::{Hop, Hops, Micros, Percentile, WITHOUT_PLAN, has_enough};

use super::RunRecord;
use views::thousands;

/// One hop's line of the latency table.
#[derive(Debug)]
pub(super) struct HopLine {
    pub(super) hop: Hop,
    /// One for each of [`Percentile::REPORTED`].
    pub(super) percentiles: Vec<Cell>,
    pub(super) max: String,
    pub(super) count: String,
    /// What the figures leave out; each remark is a reason to look closer.
    pub(super) remarks: Vec<String>,
}

/// One figure.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    /// Whether there are as many samples as the percentile needs; a figure with fewer is shown with a mark.
    pub(super) is_sound: bool,
}

/// The meaning of the mark of a cell that is not sound.
pub(super) const UNSOUND: &str = "fewer samples than this percentile needs; not to be judged";

pub(super) fn lines(measured: &Measured) -> Vec<HopLine> {
    let line = |hop| line(hop, &measured.hops);
    Hop::ALL.into_iter().map(line).collect()
}

fn line(hop: Hop, hops: &Hops) -> HopLine {
    let samples = hops.samples(hop);
    let shown =
        |micros: Option<i64>| micros.map_or("–".into(), |micros| Micros(micros).to_string());
    let cell = |percentile: Percentile| Cell {
        text: shown(samples.at(percentile)),
        is_sound: is_sound(hops, hop, percentile),
    };
    HopLine {
        hop,
        percentiles: Percentile::REPORTED.map(cell).into(),
        max: shown(samples.max()),
        count: thousands(samples.count()),
        remarks: remarks(hop, hops),
    }
}

/// Whether a hop has as many samples as the percentile needs, or none.
pub(super) fn is_sound(hops: &Hops, hop: Hop, percentile: Percentile) -> bool {
    let samples = hops.samples(hop);
    samples.count() == 0 || has_enough(samples, percentile)
}

fn remarks(hop: Hop, hops: &Hops) -> Vec<String> {
    let samples = hops.samples(hop);
    let mut remarks = Vec::new();
    if samples.negative() > 0 {
        remarks.push(format!(
            "{hop}: {} negative samples, down to {}: clocks disagree by that much or more; they rank lowest",
            thousands(samples.negative()),
            Micros(samples.most_negative())
        ));
    }
    if samples.above() > 0 {
        remarks.push(format!(
            "{hop}: {} samples beyond one day, shown as one day",
            thousands(samples.above())
        ));
    }
    if let Some(why) = no_figure(hop, hops) {
        remarks.push(format!("{hop}: {why}"));
    } else if samples.missing() > 0 {
        remarks.push(format!(
            "{hop}: {} rows lack a stamp and have no sample",
            thousands(samples.missing())
        ));
    }
    remarks
}

/// Why `hop` has no figure because messages lack their intended time, and what to add to the description; else `None`.
fn no_figure(hop: Hop, hops: &Hops) -> Option<String> {
    let is_without = hop.is_from_plan() && hops.lacks_plan();
    is_without.then(|| format!("no figure, since {WITHOUT_PLAN}"))
}

/// The hops of a run that have no figure, each with the reason.
pub(super) fn without_figure(record: &RunRecord) -> Vec<(Hop, String)> {
    let hops = record.measured.iter().map(|measured| &measured.hops);
    let all = hops.flat_map(|hops| Hop::ALL.map(|hop| (hop, no_figure(hop, hops))));
    all.filter_map(|(hop, why)| Some((hop, why?))).collect()
}

/// Throughput and redeliveries in a line; `None` when no row was measured.
pub(super) fn flow(record: &RunRecord) -> Option<String> {
    let hops = &record.measured.as_ref()?.hops;
    let span = i64::try_from(hops.span_micros()?).ok()?;
    let rate = hops.throughput()?;
    let flow = format!(
        "{rate:.0} rows/s over {} from first send to last row",
        Micros(span)
    );
    Some(match record.redelivered() {
        None => flow,
        Some(0) => format!("{flow}, no message delivered twice"),
        Some(n) => format!("{flow}, {} messages delivered more than once", thousands(n)),
    })
}
