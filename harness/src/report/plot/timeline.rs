//! The run over time: throughput, queue depth and consumers, with phases and faults drawn on it.

use maud::{Markup, html};

use super::frame::{self, Frame};
use super::px;
use super::scale::{Scale, linear_ticks};
use crate::events::Sample;
use crate::report::verdict::thousands;
use crate::report::{MarkKind, RunRecord};

const WIDTH: f64 = 1_060.0;
const FRAME: Frame = Frame {
    left: 64.0,
    right: 936.0,
};
/// Room for the names of phases and the numbers of faults.
const HEAD: f64 = 52.0;
const PANEL: f64 = 110.0;
const GAP: f64 = 36.0;

/// Most points of a line; where there are more samples, several make one point.
const POINTS: usize = 400;

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

/// One value over time.
struct Panel {
    title: &'static str,
    name: &'static str,
    class: &'static str,
    /// Seconds and value.
    points: Vec<(f64, f64)>,
}

impl Panel {
    fn draw(&self, x: &Scale, top: f64) -> Markup {
        let values = self.points.iter().map(|(_, value)| *value);
        let highest = values.fold(0.0, f64::max);
        let ticks = linear_ticks(highest, 3.0);
        let end = ticks.last().copied().unwrap_or(1.0);
        let y = Scale::new((0.0, end), (top + PANEL, top));
        html! {
            text.panel x=(px(FRAME.left)) y=(px(top - 7.0)) { (self.title) }
            @for tick in &ticks { (FRAME.level(y.at(*tick), &number(*tick))) }
            @let points = self.points.iter().map(|(seconds, value)| (x.at(*seconds), y.at(*value)));
            (frame::line(self.class, self.name, points))
            (FRAME.name(top + 8.0, self.class, self.name))
        }
    }
}

/// The shortest time to tell a rate of: over a few milliseconds, a handful of answers would look like thousands a second.
const SHORTEST_SECONDS: f64 = 0.5;

/// The samples by time, thinned to what can be seen.
struct Series {
    seconds: f64,
    samples: Vec<(f64, Sample)>,
    /// What the producer had sent, when it counted.
    sent: Vec<(f64, f64)>,
    samples_per_point: usize,
}

impl Series {
    fn of(record: &RunRecord) -> Option<Self> {
        if record.samples.len() < 2 {
            return None;
        }
        let samples_per_point = record.samples.len().div_ceil(POINTS);
        let samples: Vec<(f64, Sample)> = record
            .samples
            .chunks(samples_per_point)
            .filter_map(|chunk| {
                let (at, last) = chunk.last()?;
                let deepest = chunk.iter().filter_map(|(_, s)| s.queue_depth).max();
                let sample = Sample {
                    queue_depth: deepest,
                    ..*last
                };
                Some((record.seconds_at(*at), sample))
            })
            .collect();
        let sent = samples.iter().filter_map(|(at, sample)| {
            let at = sample.sent_at.map_or(*at, |at| record.seconds_at(at));
            Some((at, sample.sent? as f64))
        });
        Some(Self {
            seconds: record.seconds_at(record.ended).max(1e-3),
            sent: sent.collect(),
            samples,
            samples_per_point,
        })
    }

    fn values(&self, value: impl Fn(&Sample) -> Option<u64>) -> Vec<(f64, f64)> {
        let point = |(at, sample): &(f64, Sample)| Some((*at, value(sample)? as f64));
        self.samples.iter().filter_map(point).collect()
    }

    /// Messages sent per second, level from one count of the producer's to its next: samples that hold the same count
    /// say nothing of a rate between them.
    fn rate(&self) -> Vec<(f64, f64)> {
        rate_of(self.sent.clone())
    }

    /// Requests broken on purpose per second; empty where none was.
    fn hits(&self) -> Vec<(f64, f64)> {
        let counts = self.values(|sample| sample.hit);
        if counts.last().is_none_or(|(_, hits)| *hits == 0.0) {
            return vec![];
        }
        rate_of(counts)
    }

    /// Each panel that has something to show.
    fn panels(&self) -> Vec<Panel> {
        let mut panels = vec![
            Panel {
                title: "messages per second",
                name: "sent",
                class: "sent",
                points: self.rate(),
            },
            Panel {
                title: "messages in the queue, visible and leased",
                name: "in the queue",
                class: "depth",
                points: self.values(|sample| sample.queue_depth),
            },
            Panel {
                title: "consumers",
                name: "running",
                class: "consumers",
                points: stepped(&self.values(|sample| sample.consumers)),
            },
            Panel {
                title: "requests broken on purpose, per second",
                name: "broken",
                class: "broken",
                points: self.hits(),
            },
        ];
        panels.retain(|panel| !panel.points.is_empty());
        panels
    }
}

/// A count over time as a rate, level from one count to the next.
fn rate_of(mut counts: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    counts.dedup_by(|(at, _), (before, _)| at <= before);
    // The last count is the summary's, whenever that comes.
    if let [.., _, (before, _), (at, _)] = counts[..]
        && at - before < SHORTEST_SECONDS
    {
        counts.remove(counts.len() - 2);
    }
    let level = |pair: &[(f64, f64)]| {
        let ((from, before), (to, after)) = (pair[0], pair[1]);
        let rate = (after - before).max(0.0) / (to - from);
        [(from, rate), (to, rate)]
    };
    counts.windows(2).flat_map(level).collect()
}

/// The points of a value that stays as it is until it changes at once.
fn stepped(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let first = points.first().copied();
    let step = |pair: &[(f64, f64)]| [(pair[1].0, pair[0].1), pair[1]];
    first
        .into_iter()
        .chain(points.windows(2).flat_map(step))
        .collect()
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
            // A name wider than its phase would run into the next one; it is in the legend below all the same.
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

/// Phases and faults with their times: what the plot has no room to say.
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

/// A tick's label: whole numbers with thousands, small ones as they are.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole, non-negative tick"
)]
fn number(value: f64) -> String {
    if value.fract() == 0.0 {
        thousands(value as u64)
    } else {
        format!("{value}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use workflow::contract::Stamp;

    use super::*;

    /// The rates of samples that were taken at some second, of a count at another.
    fn rates(samples: &[(f64, u64, f64)]) -> Vec<f64> {
        let at = |seconds| Stamp::from_micros(0).plus(Duration::from_secs_f64(seconds));
        let sample = |(taken, sent, counted): &(f64, u64, f64)| {
            let sample = Sample {
                sent: Some(*sent),
                sent_at: Some(at(*counted)),
                ..Sample::default()
            };
            (at(*taken), sample)
        };
        let record = RunRecord {
            started: at(0.0),
            ended: at(9.0),
            samples: samples.iter().map(sample).collect(),
            ..RunRecord::default()
        };
        let points = Series::of(&record).unwrap().rate();
        points.into_iter().map(|(_, rate)| rate.round()).collect()
    }

    #[test]
    fn a_steady_rate_is_level_however_samples_fall_between_counts() {
        let twice_the_same = [
            (0.1, 0, 0.2),
            (1.1, 0, 0.2),
            (2.2, 300, 2.2),
            (3.3, 450, 3.2),
        ];
        assert_eq!(rates(&twice_the_same), [150.0; 4]);
        let one_left_out = [(0.3, 0, 0.2), (1.1, 105, 0.9), (3.9, 540, 3.8)];
        assert_eq!(rates(&one_left_out), [150.0; 4]);
    }

    #[test]
    fn what_is_sent_in_the_last_moment_makes_no_peak() {
        let with_a_rest = [
            (0.0, 0, 0.0),
            (1.0, 150, 1.0),
            (2.0, 296, 2.0),
            (2.1, 300, 2.001),
        ];
        assert_eq!(rates(&with_a_rest), [150.0; 4]);
        let a_burst_alone = [(0.0, 0, 0.0), (1.0, 300, 0.25)];
        assert_eq!(rates(&a_burst_alone), [1_200.0; 2]);
    }
}
