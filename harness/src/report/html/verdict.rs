//! The top of the page: the verdict, the figures that matter most, what to do next, and every promise.

use maud::{Markup, html};

use super::pill;
use crate::measure::{Hop, Micros, Percentile};
use crate::outcome::Outcome;
use crate::report::plot::limit_bar;
use crate::report::verdict::thousands;
use crate::report::{MarkKind, Promise, RunRecord, promises};

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
                    ul.reasons { @for reason in &verdict.reasons { li { (reason) } } }
                }
                p.about {
                    @if let Some(run) = &record.run {
                        "run " (run.run) " · " (run.environment) " environment · "
                    }
                    (to_the_second(record.started)) " UTC · " (lasted)
                }
            }
        }
    }
}

/// A figure, and what it is.
struct Tile {
    figure: String,
    name: &'static str,
    tone: Option<Outcome>,
}

pub(super) fn tiles(record: &RunRecord) -> Markup {
    let tile = |figure: String, name| Tile {
        figure,
        name,
        tone: None,
    };
    let mut tiles = Vec::new();
    if let Some(audit) = &record.audit {
        tiles.push(tile(
            format!(
                "{} / {}",
                thousands(audit.fates.kept),
                thousands(audit.planned)
            ),
            "messages with exactly one right row",
        ));
        let violations: u64 = audit.findings.iter().map(|finding| finding.count).sum();
        let tone = if violations == 0 {
            Outcome::Pass
        } else {
            Outcome::Fail
        };
        tiles.push(Tile {
            tone: Some(tone),
            ..tile(thousands(violations), "violations")
        });
    }
    // Cut off before its audit: how far it had come.
    if let (None, Some((_, last))) = (&record.audit, record.samples.last()) {
        for (count, name) in [
            (last.sent, "sent, last seen"),
            (last.stored, "stored, last seen"),
        ] {
            tiles.extend(count.map(|count| tile(thousands(count), name)));
        }
    }
    if let Some(measured) = &record.measured {
        let p99 = measured.hops.samples(Hop::EndToEnd).at(Percentile::P99);
        if let Some(p99) = p99 {
            tiles.push(tile(Micros(p99).to_string(), "end to end, p99"));
        }
        if let Some(rate) = measured.hops.throughput() {
            tiles.push(tile(format!("{rate:.0}/s"), "stored, over the whole run"));
        }
        tiles.push(tile(thousands(measured.hops.redelivered()), "redelivered"));
    }
    let faults = record
        .marks
        .iter()
        .filter(|mark| mark.kind == MarkKind::Fault);
    let faults = faults.count() as u64;
    if faults > 0 {
        tiles.push(tile(thousands(faults), "faults injected"));
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
    // Results come first, then one promise for each limit.
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
