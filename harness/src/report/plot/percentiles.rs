//! Latency by percentile: the whole distribution in one line, its tail stretched out.

use maud::{Markup, html};

use super::class;
use crate::measure::{Hop, Hops, LatencyVerdict, Micros, Samples};
use views::plot::frame::{Frame, line};
use views::plot::px;
use views::plot::scale::{LatencyScale, Scale};

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 330.0;
const FRAME: Frame = Frame {
    left: 56.0,
    right: 408.0,
};
const TOP: f64 = 26.0;
const BOTTOM: f64 = 286.0;

/// Points of one line; more than there are pixels could not be seen.
const POINTS: u32 = 300;

/// Smallest distance of two labels at the right edge.
const LABEL_HEIGHT: f64 = 14.0;

/// The plot of `hops`, with the limits on them; `None` when none of them has a sample.
///
/// The percentile axis is `HdrHistogram`'s: it shows `1 / (1 - p)` on a logarithmic scale, so that each further nine takes the same
/// room. A line ends where its samples end; nothing is extrapolated.
pub(in crate::report) fn percentiles(
    measured: &Hops,
    hops: &[Hop],
    verdicts: &[LatencyVerdict],
    title: &str,
) -> Option<Markup> {
    let lines: Vec<(Hop, &Samples)> = hops
        .iter()
        .map(|hop| (*hop, measured.samples(*hop)))
        .filter(|(_, samples)| samples.count() > 0)
        .collect();
    let verdicts: Vec<&LatencyVerdict> = verdicts
        .iter()
        .filter(|verdict| lines.iter().any(|(hop, _)| *hop == verdict.limit.hop))
        .collect();
    let axes = Axes::of(&lines, &verdicts)?;
    Some(html! {
        svg.plot viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(title) {
            (axes.draw())
            @for (hop, samples) in &lines {
                (line(class(*hop), hop.title(), axes.points(samples)))
            }
            @for verdict in &verdicts { (axes.limit(verdict)) }
            @for (y, hop) in axes.labels(&lines) {
                (FRAME.name(y, class(hop), label(hop)))
            }
        }
    })
}

struct Axes {
    x: Scale,
    y: LatencyScale,
    nines: u32,
}

impl Axes {
    fn of(lines: &[(Hop, &Samples)], verdicts: &[&LatencyVerdict]) -> Option<Self> {
        let most = lines.iter().map(|(_, samples)| samples.count()).max()?;
        let nines = most.ilog10().clamp(2, 7) + u32::from(most > 10_u64.pow(most.ilog10()));
        let values = |rank: fn(&Samples) -> u64| {
            lines
                .iter()
                .filter_map(move |(_, samples)| samples.at_rank(rank(samples)))
        };
        let limits = verdicts.iter().map(|verdict| verdict.limit.max_us as f64);
        let highest = values(Samples::count).map(|v| v as f64).chain(limits);
        let highest = highest.fold(1.0, f64::max);
        // The axis begins at the lowest value, but at most five decades below the highest.
        let lowest = values(|_| 1).map(|v| v as f64).fold(highest, f64::min);
        let lowest = lowest.max(highest / 1e5);
        Some(Self {
            x: Scale::new((0.0, f64::from(nines)), (FRAME.left, FRAME.right)),
            y: LatencyScale::new(lowest, highest, (BOTTOM, TOP)),
            nines,
        })
    }

    fn draw(&self) -> Markup {
        let labels = (0..=self.nines).map(|nines| (f64::from(nines), percent(nines)));
        html! {
            @for (value, label) in &self.y.ticks { (FRAME.level(self.y.at(*value), label)) }
            @for (nines, label) in labels {
                @let x = px(self.x.at(nines));
                line.grid x1=(x) x2=(x) y1=(px(TOP)) y2=(px(BOTTOM)) {}
                text.tick.middle x=(x) y=(px(BOTTOM + 18.0)) { (label) }
            }
            text.tick.middle x=(px(f64::midpoint(FRAME.left, FRAME.right))) y=(px(BOTTOM + 36.0)) { "percentile" }
        }
    }

    fn points(&self, samples: &Samples) -> impl Iterator<Item = (f64, f64)> {
        let count = samples.count() as f64;
        let end = count.log10().min(f64::from(self.nines));
        let nines: Vec<f64> = (0..=POINTS)
            .map(|step| end * f64::from(step) / f64::from(POINTS))
            .collect();
        // The last point is the last sample, however its rank is rounded.
        let mut ranks: Vec<u64> = nines
            .iter()
            .map(|nines| rank(1.0 - 10_f64.powf(-nines), samples.count()))
            .collect();
        ranks.pop();
        ranks.push(samples.count());
        let micros = samples.at_ranks(ranks).into_iter();
        nines.into_iter().zip(micros).map(|(nines, micros)| {
            let micros = micros.unwrap_or_default() as f64;
            (self.x.at(nines), self.y.at(micros))
        })
    }

    /// The limit as a ceiling, and the found percentile under it with its confidence interval.
    fn limit(&self, verdict: &LatencyVerdict) -> Markup {
        let share = verdict.limit.percentile.share();
        let x = self.x.at(-(1.0 - share).log10());
        let ceiling = self.y.at(verdict.limit.max_us as f64);
        let at = |micros: Option<i64>| micros.map(|micros| self.y.at(micros as f64));
        let whisker = at(verdict.low_us).zip(at(verdict.high_us));
        html! {
            g.(verdict.outcome.as_str()) {
                title { (verdict.sentence()) }
                line.ceiling x1=(px(x - 16.0)) x2=(px(x + 16.0)) y1=(px(ceiling)) y2=(px(ceiling)) {}
                @if let Some((low, high)) = whisker {
                    line.whisker x1=(px(x)) x2=(px(x)) y1=(px(low)) y2=(px(high)) {}
                }
                @if let Some(observed) = at(verdict.observed_us) {
                    circle.found cx=(px(x)) cy=(px(observed)) r="3.5" {}
                }
                text.limit.middle x=(px(x)) y=(px(ceiling - 6.0)) {
                    (verdict.limit.percentile) " ≤ "
                    (Micros(i64::try_from(verdict.limit.max_us).unwrap_or(i64::MAX)))
                }
            }
        }
    }

    /// Labels at the right edge, each as near to the end of its line as the others let it.
    fn labels(&self, lines: &[(Hop, &Samples)]) -> Vec<(f64, Hop)> {
        let end = |samples: &Samples| self.y.at(samples.max().unwrap_or_default() as f64);
        let mut labels: Vec<(f64, Hop)> = lines
            .iter()
            .map(|(hop, samples)| (end(samples), *hop))
            .collect();
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut lowest = TOP;
        for (y, _) in &mut labels {
            *y = y.max(lowest);
            lowest = *y + LABEL_HEIGHT;
        }
        let mut highest = BOTTOM;
        for (y, _) in labels.iter_mut().rev() {
            *y = y.min(highest);
            highest = *y - LABEL_HEIGHT;
        }
        labels
    }
}

/// A hop's name at the right edge, where there is little room.
const fn label(hop: Hop) -> &'static str {
    match hop {
        Hop::EndToEndNaive => "naive",
        hop => hop.title(),
    }
}

/// The percentile that `nines` nines are: 0, 90, 99, 99.9, ...
fn percent(nines: u32) -> String {
    match nines {
        0 => "0".into(),
        1 => "90".into(),
        2 => "99".into(),
        more => format!("99.{}", "9".repeat(more as usize - 2)),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank between 1 and the count"
)]
fn rank(share: f64, count: u64) -> u64 {
    ((share * count as f64).ceil() as u64).clamp(1, count)
}
