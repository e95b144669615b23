//! Plots, as inline SVG: no script, no external resource; colours come from the page's style sheet.

mod limit_bar;
mod nodes;
mod percentiles;
mod rates;
mod timeline;

pub(super) use limit_bar::limit_bar;
pub(super) use nodes::nodes;
pub(super) use percentiles::percentiles;
pub(super) use rates::rates;
pub(super) use timeline::timeline;

/// The style class of a hop's line.
fn class(hop: crate::measure::Hop) -> &'static str {
    hop.as_str()
}
