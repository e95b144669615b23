//! The common parts of plots: their edges, grid lines and lines.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::px;

/// The left and right edge of a plot, in pixels; values are left of it, names of lines right of it.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// The left edge.
    pub left: f64,
    /// The right edge.
    pub right: f64,
}

impl Frame {
    /// A grid line across the plot at `y`, with its value.
    pub fn level(self, y: f64, value: &str) -> Markup {
        html! {
            line.grid x1=(px(self.left)) x2=(px(self.right)) y1=(px(y)) y2=(px(y)) {}
            text.tick.end x=(px(self.left - 8.0)) y=(px(y + 4.0)) { (value) }
        }
    }

    /// The name of a line, in its colour.
    pub fn name(self, y: f64, class: &str, name: &str) -> Markup {
        html! { text.label.(class) x=(px(self.right + 8.0)) y=(px(y + 4.0)) { (name) } }
    }
}

/// A line through `points`, in pixels; `name` is its tooltip.
pub fn line(class: &str, name: &str, points: impl Iterator<Item = (f64, f64)>) -> Markup {
    let mut path = String::new();
    for (x, y) in points {
        let pen = if path.is_empty() { 'M' } else { 'L' };
        write!(path, "{pen}{x:.1} {y:.1} ").expect("writing to a string must succeed");
    }
    html! { path class=(format!("line {class}")) d=(path) { title { (name) } } }
}
