//! Plots, as inline SVG: no script, no external resource; colours come from the page's style sheet.

mod frame;
mod limit_bar;
mod nodes;
mod percentiles;
mod rates;
mod scale;
mod simulated;
mod timeline;

pub(super) use limit_bar::limit_bar;
pub(super) use nodes::nodes;
pub(super) use percentiles::percentiles;
pub(super) use rates::rates;
pub(crate) use simulated::{Line, Panel, over_time};
pub(super) use timeline::timeline;

/// The style class of a hop's line.
fn class(hop: crate::measure::Hop) -> &'static str {
    hop.as_str()
}

/// A coordinate, to a tenth of a pixel.
fn px(value: f64) -> String {
    format!("{value:.1}")
}
