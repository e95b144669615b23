//! Plots as inline SVG: no script, no external resource; colours are in the page's style sheet.

pub mod frame;
mod over_time;
pub mod scale;

pub use over_time::{Line, Panel, over_time};

/// Formats a coordinate to a tenth of a pixel.
pub fn px(value: f64) -> String {
    format!("{value:.1}")
}
