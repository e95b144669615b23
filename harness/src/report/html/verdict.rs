//! The top of the page: the verdict, the figures that matter most, what to do next, and every promise.

use maud::{Markup, html};

use super::pill;
use crate::audit::Judged as _;
use crate::events::Measured;
use crate::measure::{Hop, LatencyLimit, Micros, Percentile};
use crate::outcome::Outcome;
use crate::report::latency::is_sound;
use crate::report::plot::limit_bar;
use crate::report::{MarkKind, Promise, RunRecord, promises, unjudged};
use views::thousands;

pub(super) fn band(record: &RunRecord) -> Markup {
    let verdict = record.verdict();
    let lasted = Micros(record.micros_at(record.ended));
    html! {
        header.band.(verdict.outcome.as_str()) {
            div.inner {
                p.about {
                    (record.title())
                }
                h1 {
                    span.word { (verdict.outcome.as_str().to_uppercase()) }
                    span.headline { (verdict.headline) }
                }
                @if !verdict.reasons.is_empty() {
                    ul.reasons { @for (outcome, reason) in verdict.marked() { li { (pill(outcome)) " " (reason) } } }
                }
                p.about {
                    @if let Some(run) = &record.run {
                        "run " (run.run) " · " (run.environment) " environment · "
                    }
                    (to_the_second(record.started)) " UTC · " (lasted)
                }
                @for pace in record.paces() { p.about { (pace) } }
            }
        }
    }
}

/// A figure with its name and its judgement.
struct Tile {
    figure: String,
    name: String,
    tone: Option<Outcome>,
}

impl Tile {
    fn plain(figure: impl Into<String>, name: &str) -> Self {
        Self {
            figure: figure.into(),
            name: name.to_owned(),
            tone: None,
        }
    }

    fn judged(figure: impl Into<String>, name: &str, outcome: Outcome) -> Self {
        Self {
            tone: Some(outcome),
            ..Self::plain(figure, name)
        }
    }
}

pub(super) fn tiles(record: &RunRecord) -> Markup {
    let mut tiles = Vec::new();
    let promises = promises(record);
    if !promises.is_empty() {
        let kept = promises
            .iter()
            .filter(|promise| promise.outcome == Outcome::Pass);
        let figure = format!("{} / {}", kept.count(), promises.len());
        // In the colour of the whole run: no figure is green at the top of a run that did not pass.
        tiles.push(Tile::judged(
            figure,
            "promises kept",
            record.verdict().outcome,
        ));
    }
    tiles.extend(scenarios(record));
    if let Some(audit) = &record.audit {
        let figure = format!(
            "{} / {}",
            thousands(audit.fates.kept),
            thousands(audit.planned)
        );
        let name = "messages with exactly one right row";
        // If every message has its row, another broken promise does not colour this tile: it has a line and a colour of its own.
        tiles.push(match audit.outcome_of_rows() {
            outcome if outcome != Outcome::Pass && audit.fates.kept < audit.planned => {
                Tile::judged(figure, name, outcome)
            }
            _ => Tile::plain(figure, name),
        });
    }
    // A run that was cut off before its audit shows its progress.
    if let (None, Some((_, last))) = (&record.audit, record.samples.last()) {
        for (count, name) in [
            (last.sent, "sent, last seen"),
            (last.queue_depth, "in the queue, last seen"),
        ] {
            tiles.extend(count.map(|count| Tile::plain(thousands(count), name)));
        }
    }
    tiles.extend(record.measured.iter().flat_map(measured));
    if let Some(redelivered) = record.redelivered() {
        let name = "delivered more than once";
        tiles.push(Tile::plain(thousands(redelivered), name));
    }
    let faults = record
        .marks
        .iter()
        .filter(|mark| mark.kind == MarkKind::Fault);
    // The kills of the proxy are both marks and hits, so the larger number includes the smaller one.
    let hits = record.samples.last().and_then(|(_, sample)| sample.hit);
    let faults = (faults.count() as u64).max(hits.unwrap_or_default());
    if faults > 0 {
        tiles.push(Tile::plain(thousands(faults), "faults injected"));
    }
    html! {
        @if !tiles.is_empty() {
            div.tiles {
                @for tile in &tiles {
                    div.tile.(tile.tone.map_or("", Outcome::as_str)) {
                        div.figure { (tile.figure) }
                        div.name { (tile.name) }
                    }
                }
            }
        }
    }
}

fn scenarios(record: &RunRecord) -> Vec<Tile> {
    let mut tiles = Vec::new();
    let all = record.scenarios.len() + record.never_begun.len();
    if all > 0 {
        let passed = record
            .scenarios
            .iter()
            .filter(|each| each.outcome == Outcome::Pass);
        let figure = format!("{} / {all}", passed.count());
        let name = "scenarios passed";
        tiles.push(Tile::judged(figure, name, record.verdict().outcome));
    }
    if !record.not_run.is_empty() {
        let not_run = record.not_run.len() as u64;
        tiles.push(Tile::plain(thousands(not_run), "scenarios not run here"));
    }
    tiles
}

/// Tiles for every limit that was not kept, for the end-to-end p99 in any case, and for throughput.
fn measured(measured: &Measured) -> Vec<Tile> {
    let limits = measured.verdicts.iter();
    let mut tiles: Vec<Tile> = limits
        .filter(|verdict| verdict.outcome != Outcome::Pass)
        .map(|verdict| Tile::judged(verdict.found(), &verdict.promised(), verdict.outcome))
        .collect();
    let is_shown = measured.verdicts.iter().any(|verdict| {
        let LatencyLimit {
            hop, percentile, ..
        } = verdict.limit;
        (hop, percentile) == (Hop::EndToEnd, Percentile::P99) && verdict.outcome != Outcome::Pass
    });
    let p99 = measured.hops.samples(Hop::EndToEnd).at(Percentile::P99);
    if let (Some(p99), false) = (p99, is_shown) {
        let name = if is_sound(&measured.hops, Hop::EndToEnd, Percentile::P99) {
            "end to end p99"
        } else {
            "end to end p99, of too few samples to be judged"
        };
        tiles.push(Tile::plain(Micros(p99).to_string(), name));
    }
    if let Some(rate) = measured.hops.throughput() {
        tiles.push(Tile::plain(
            format!("{rate:.0}/s"),
            "stored, over the whole run",
        ));
    }
    tiles
}

pub(super) fn next_steps(record: &RunRecord) -> Markup {
    let steps = record.verdict().next_steps;
    html! {
        @if !steps.is_empty() {
            section.next {
                h2 { "What to do next" }
                ol { @for step in &steps { li { (step) } } }
            }
        }
    }
}

pub(super) fn promise_table(record: &RunRecord) -> Markup {
    let promises = promises(record);
    let verdicts = record
        .measured
        .iter()
        .flat_map(|measured| &measured.verdicts);
    // Promises about results come first, then one promise for each limit.
    let results = promises.len() - verdicts.clone().count();
    html! {
        @if !promises.is_empty() {
            section {
                h2 { "Promised and found" }
                table.promises {
                    thead { tr { th {} th { "Promised" } th.figure { "Found" } th {} } }
                    tbody {
                        @for promise in &promises[..results] {
                            (row(promise, &html! { span.faint { (promise.detail) } }))
                        }
                        @for (promise, verdict) in promises[results..].iter().zip(verdicts) {
                            (row(promise, &html! {
                                (limit_bar(verdict))
                                span.faint { (promise.detail) }
                            }))
                        }
                        @for unjudged in unjudged(record) {
                            @for promised in &unjudged.promised {
                                tr.not-judged {
                                    td.sign { "-" }
                                    td { (promised) }
                                    td.figure { "not judged" }
                                    td.detail { span.faint { (unjudged.why) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn row(promise: &Promise, detail: &Markup) -> Markup {
    html! {
        tr.(promise.outcome.as_str()) {
            td.sign { (pill(promise.outcome)) }
            td { (promise.promised) }
            td.figure { (promise.found) }
            td.detail { (detail) }
        }
    }
}

/// A stamp without its fraction.
fn to_the_second(stamp: workflow::contract::Stamp) -> String {
    let text = stamp.to_string();
    text.split('.').next().unwrap_or_default().to_owned()
}
