//! A latency limit and what was found, as one small bar.

use maud::{Markup, html};

use crate::measure::LatencyVerdict;
use views::plot::px;
use views::plot::scale::Scale;

const WIDTH: f64 = 180.0;

/// The confidence interval and the found value against the limit, from 0 to somewhat beyond the larger of both.
pub(in crate::report) fn limit_bar(verdict: &LatencyVerdict) -> Markup {
    let limit = verdict.limit.max_us as f64;
    let ends = [verdict.observed_us, verdict.high_us, verdict.low_us];
    let farthest = ends
        .into_iter()
        .flatten()
        .map(|end| end as f64)
        .fold(limit, f64::max);
    let scale = Scale::new((0.0, farthest * 1.12), (1.0, WIDTH - 1.0));
    let at = |micros: Option<i64>| micros.map(|micros| scale.at(micros as f64));
    html! {
        svg.bar.(verdict.outcome.as_str()) viewBox=(format!("0 0 {WIDTH} 18")) aria-hidden="true" {
            rect.track x="0" y="7" width=(px(WIDTH)) height="4" rx="2" {}
            rect.allowed x="0" y="7" width=(px(scale.at(limit))) height="4" rx="2" {}
            @if let Some((low, high)) = at(verdict.low_us).zip(at(verdict.high_us)) {
                rect.interval x=(px(low - 1.0)) y="4" width=(px((high - low).max(0.0) + 2.0)) height="10" rx="2" {}
            }
            @if let Some(x) = at(verdict.observed_us) {
                circle.found cx=(px(x)) cy="9" r="3.5" {}
            }
            line.ceiling x1=(px(scale.at(limit))) x2=(px(scale.at(limit))) y1="0" y2="18" {}
        }
    }
}
