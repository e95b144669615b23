//! The run over time: throughput, queue depth and consumers, with phases and faults drawn on it.

mod panel;
mod series;

use maud::{Markup, html};

use crate::report::{MarkKind, RunRecord};
use series::Series;
use views::plot::frame::Frame;
use views::plot::px;
use views::plot::scale::{Scale, linear_ticks};
use views::thousands;

const WIDTH: f64 = 1_060.0;
const FRAME: Frame = Frame {
    left: 64.0,
    right: 936.0,
};
/// Room for the names of phases and the numbers of faults.
const HEAD: f64 = 52.0;
const PANEL: f64 = 110.0;
const GAP: f64 = 36.0;

/// The most decisions of the autoscaler that are listed in words.
const DECISIONS: usize = 24;

/// The plot and its caption; `None` with fewer than two samples.
pub(in crate::report) fn timeline(record: &RunRecord) -> Option<Markup> {
    let series = Series::of(record)?;
    let panels = series.panels();
    if panels.is_empty() {
        return None;
    }
    let bottom = HEAD + panels.len() as f64 * (PANEL + GAP) - GAP;
    let height = bottom + 40.0;
    let x = Scale::new((0.0, series.seconds), (FRAME.left, FRAME.right));
    Some(html! {
        svg.plot.wide viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-label="the run over time" {
            (phases(record, &x, bottom, series.seconds))
            @for (at, panel) in (0_u32..).zip(&panels) {
                (panel.draw(&x, HEAD + f64::from(at) * (PANEL + GAP)))
            }
            (faults(record, &x, bottom))
            @for tick in linear_ticks(series.seconds, 10.0).into_iter().filter(|tick| *tick <= series.seconds) {
                text.tick.middle x=(px(x.at(tick))) y=(px(bottom + 18.0)) { (format!("{tick} s")) }
            }
        }
        (legend(record))
        @if series.samples_per_point > 1 {
            p.faint { "Each point stands for " (series.samples_per_point) " samples: the highest depth, the mean rate." }
        }
    })
}

fn phases(record: &RunRecord, x: &Scale, bottom: f64, seconds: f64) -> Markup {
    let phases: Vec<(f64, &str)> = record
        .marks
        .iter()
        .filter(|mark| mark.kind == MarkKind::Phase)
        .map(|mark| (record.seconds_at(mark.at), mark.name.as_str()))
        .collect();
    let ends = phases.iter().skip(1).map(|(at, _)| *at).chain([seconds]);
    html! {
        @for (number, ((from, name), to)) in (0_u32..).zip(phases.iter().zip(ends)) {
            @let (left, right) = (x.at(*from), x.at(to));
            @let shade = if number % 2 == 0 { "phase" } else { "phase odd" };
            rect class=(shade) x=(px(left)) y="0" width=(px((right - left).max(0.0))) height=(px(bottom)) {
                title { (name) }
            }
            // A name wider than its phase would run into the next one; the legend below has every name.
            @if right - left > 7.0 * name.chars().count() as f64 + 10.0 {
                text.tick x=(px(left + 5.0)) y="12" { (name) }
            }
        }
    }
}

fn faults(record: &RunRecord, x: &Scale, bottom: f64) -> Markup {
    let faults = record
        .marks
        .iter()
        .filter(|mark| mark.kind == MarkKind::Fault);
    html! {
        @for (number, fault) in (1..).zip(faults) {
            @let from = record.seconds_at(fault.at);
            @let left = x.at(from);
            @if let Some(lasts) = fault.lasts_ms {
                @let right = x.at(from + lasts as f64 / 1e3);
                rect.fault x=(px(left)) y=(px(HEAD)) width=(px((right - left).max(1.0))) height=(px(bottom - HEAD)) {}
            }
            line.fault x1=(px(left)) x2=(px(left)) y1="26" y2=(px(bottom)) { title { (fault.name) } }
            circle.fault cx=(px(left)) cy="24" r="8" {}
            text.fault.middle x=(px(left)) y="28" { (number) }
        }
    }
}

/// The words that say which queue's consumers are meant, where a run has several queues.
fn of_queue(queue: Option<&str>) -> String {
    queue.map_or_else(String::new, |queue| format!(", for {queue}"))
}

fn legend(record: &RunRecord) -> Markup {
    let seconds = |at| format!("{:.1} s", record.seconds_at(at));
    let of_kind = |kind| record.marks.iter().filter(move |mark| mark.kind == kind);
    html! {
        @if of_kind(MarkKind::Phase).next().is_some() {
            p.faint {
                "Phases: "
                @for (at, mark) in of_kind(MarkKind::Phase).enumerate() {
                    @if at > 0 { ", " }
                    (mark.name) " from " (seconds(mark.at))
                }
                "."
            }
        }
        @if !record.scaled.is_empty() {
            p.faint {
                "Scaling: "
                @for (nth, (at, scaled)) in record.scaled.iter().take(DECISIONS).enumerate() {
                    @if nth > 0 { "; " }
                    (seconds(*at)) " " (scaled.from) " \u{2192} " (scaled.to) " (" (scaled.by) ": " (scaled.reason) (of_queue(scaled.queue.as_deref())) ")"
                }
                @if record.scaled.len() > DECISIONS {
                    "; and " (record.scaled.len() - DECISIONS) " more, in events.jsonl"
                }
                "."
            }
        }
        @for allowed in &record.allowed {
            @for excursion in &allowed.excursions {
                p.remark { "Not what the model of KEDA and the HPA allows" (of_queue(allowed.queue.as_deref())) ": " (excursion) "." }
            }
        }
        @if of_kind(MarkKind::Fault).next().is_some() {
            ol.faults {
                @for mark in of_kind(MarkKind::Fault) {
                    li {
                        span.faint { (seconds(mark.at)) } " " (mark.name)
                        @if let Some(lasts) = mark.lasts_ms { " for " (thousands(lasts)) " ms" }
                    }
                }
            }
        }
    }
}
