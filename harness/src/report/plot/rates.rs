//! Latency over rate: the percentiles of each rate that was tried, with the limits across.

use maud::{Markup, html};

use crate::events::{HopLatency, RateStep};
use crate::measure::{Hop, Micros};
use crate::report::{RunRecord, rates};
use views::plot::frame::{Frame, line};
use views::plot::px;
use views::plot::scale::{LatencyScale, Scale, linear_ticks};

const WIDTH: f64 = 1_060.0;
const HEIGHT: f64 = 360.0;
const FRAME: Frame = Frame {
    left: 64.0,
    right: 936.0,
};
const TOP: f64 = 26.0;
const BOTTOM: f64 = 310.0;

/// Smallest distance of two names at the right edge.
const NAME_HEIGHT: f64 = 14.0;

/// One percentile over all rates.
struct Curve {
    name: &'static str,
    class: &'static str,
    hop: Hop,
    of: fn(&HopLatency) -> Option<i64>,
}

/// The curves, from the top.
const CURVES: [Curve; 4] = [
    Curve {
        name: "p99.9",
        class: "work",
        hop: Hop::EndToEnd,
        of: |hop| hop.p99_9_us,
    },
    Curve {
        name: "p99",
        class: "end-to-end",
        hop: Hop::EndToEnd,
        of: |hop| hop.p99_us,
    },
    Curve {
        name: "p50",
        class: "send",
        hop: Hop::EndToEnd,
        of: |hop| hop.p50_us,
    },
    Curve {
        name: "p99, naive",
        class: "end-to-end-naive",
        hop: Hop::EndToEndNaive,
        of: |hop| hop.p99_us,
    },
];

impl Curve {
    /// Rate and microseconds.
    fn points(&self, steps: &[&RateStep]) -> Vec<(f64, f64)> {
        let point = |step: &&RateStep| {
            let hop = step.hops.iter().find(|it| it.hop == self.hop)?;
            Some((step.rate_per_s, (self.of)(hop)? as f64))
        };
        steps.iter().filter_map(point).collect()
    }
}

/// The plot; `None` with fewer than two rates that have latencies.
pub(in crate::report) fn rates(record: &RunRecord) -> Option<Markup> {
    let steps = rates::by_rate(record);
    let curves: Vec<(&Curve, Vec<(f64, f64)>)> = CURVES
        .iter()
        .map(|curve| (curve, curve.points(&steps)))
        .filter(|(_, points)| points.len() > 1)
        .collect();
    let all = || curves.iter().flat_map(|(_, points)| points);
    let fastest = all().map(|(rate, _)| *rate).fold(0.0, f64::max);
    if curves.is_empty() || fastest <= 0.0 {
        return None;
    }
    let limits: Vec<_> = steps
        .first()
        .into_iter()
        .flat_map(|step| &step.verdicts)
        .filter(|verdict| verdict.limit.hop == Hop::EndToEnd)
        .map(|verdict| verdict.limit)
        .collect();
    let of_limits = limits.iter().map(|limit| limit.max_us as f64);
    let micros = || all().map(|(_, micros)| *micros).chain(of_limits.clone());
    let (lowest, highest) = (
        micros().fold(f64::MAX, f64::min),
        micros().fold(1.0, f64::max),
    );
    let ticks = linear_ticks(fastest, 8.0);
    let x = Scale::new(
        (0.0, ticks.last().copied().unwrap_or(fastest)),
        (FRAME.left, FRAME.right),
    );
    let y = LatencyScale::new(lowest, highest, (BOTTOM, TOP));
    let names = names(&curves, &y);
    Some(html! {
        svg.plot.wide viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label="latency over rate" {
            @for (value, label) in &y.ticks { (FRAME.level(y.at(*value), label)) }
            @for tick in &ticks {
                text.tick.middle x=(px(x.at(*tick))) y=(px(BOTTOM + 18.0)) { (rates::rate(*tick)) }
            }
            text.tick.middle x=(px(f64::midpoint(FRAME.left, FRAME.right))) y=(px(BOTTOM + 38.0)) { "messages a second" }
            @for limit in &limits {
                @let at = px(y.at(limit.max_us as f64));
                line.ceiling x1=(px(FRAME.left)) x2=(px(FRAME.right)) y1=(at) y2=(at) {}
                text.limit x=(px(FRAME.left + 6.0)) y=(px(y.at(limit.max_us as f64) - 6.0)) {
                    (limit.percentile) " \u{2264} " (Micros(i64::try_from(limit.max_us).unwrap_or(i64::MAX)))
                }
            }
            @for (curve, points) in &curves {
                (line(curve.class, curve.name, points.iter().map(|(rate, micros)| (x.at(*rate), y.at(*micros)))))
            }
            @for (name_y, curve) in &names { (FRAME.name(*name_y, curve.class, curve.name)) }
        }
    })
}

/// The names at the right edge, each as near to the end of its curve as the names above allow.
fn names<'a>(curves: &[(&'a Curve, Vec<(f64, f64)>)], y: &LatencyScale) -> Vec<(f64, &'a Curve)> {
    let end = |points: &[(f64, f64)]| points.last().map_or(BOTTOM, |(_, micros)| y.at(*micros));
    let mut names: Vec<(f64, &Curve)> = curves
        .iter()
        .map(|(curve, points)| (end(points), *curve))
        .collect();
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut lowest = TOP;
    for (y, _) in &mut names {
        *y = y.max(lowest);
        lowest = *y + NAME_HEIGHT;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::rates::tests::searched;

    #[test]
    fn a_curve_for_each_percentile_rises_to_the_right() {
        let plot = rates(&searched()).unwrap().into_string();
        for name in ["p50", "p99", "p99.9"] {
            assert!(plot.contains(&format!("<title>{name}</title>")), "{plot}");
        }
        assert!(
            plot.contains("messages a second") && plot.contains("8,000"),
            "{plot}"
        );
        let curve = &CURVES[1];
        let record = searched();
        let points = curve.points(&rates::by_rate(&record));
        assert_eq!(points, [(4_000.0, 20_000.0), (8_000.0, 900_000.0)]);
    }

    #[test]
    fn a_single_rate_is_no_curve() {
        let mut record = searched();
        record.rate_steps.truncate(1);
        assert!(rates(&record).is_none());
    }
}
