//! Plots of values over simulated time: one panel above the other.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::frame::{self, Frame};
use super::px;
use super::scale::{Scale, linear_ticks};
use crate::{clock, thousands};

const WIDTH: f64 = 1_060.0;
const FRAME: Frame = Frame {
    left: 64.0,
    right: 972.0,
};
const HEAD: f64 = 22.0;
const PANEL: f64 = 130.0;
const GAP: f64 = 40.0;

/// One value over time.
#[derive(Debug, Clone)]
pub struct Panel {
    /// The title above it.
    pub title: String,
    /// The value.
    pub line: Line,
    /// The lowest and highest possible value, in equally long parts of the time.
    pub band: Option<Vec<(f64, f64)>>,
}

/// A line of a panel.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its name, shown at its right.
    pub name: &'static str,
    /// Its class in the style sheet.
    pub class: &'static str,
    /// Pairs of seconds and value.
    pub points: Vec<(f64, f64)>,
}

/// Draws the panels over the same `seconds`.
pub fn over_time(seconds: f64, panels: &[Panel]) -> Markup {
    let bottom = HEAD + panels.len() as f64 * (PANEL + GAP) - GAP;
    let height = bottom + 30.0;
    let x = Scale::new((0.0, seconds), (FRAME.left, FRAME.right));
    html! {
        svg.plot.wide viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-label="over the time simulated" {
            @for (at, panel) in (0_u32..).zip(panels) {
                (panel.draw(seconds, &x, HEAD + f64::from(at) * (PANEL + GAP)))
            }
            @for (at, label) in clock::ticks(seconds, 10) {
                text.tick.middle x=(px(x.at(at))) y=(px(bottom + 18.0)) { (label) }
            }
        }
    }
}

impl Panel {
    fn draw(&self, seconds: f64, x: &Scale, top: f64) -> Markup {
        let band = self.band.as_deref().unwrap_or_default();
        let values = self.line.points.iter().map(|(_, value)| *value);
        let highest = values
            .chain(band.iter().map(|range| range.1))
            .fold(0.0, f64::max);
        let ticks = linear_ticks(highest.max(1.0), 4.0);
        let y = Scale::new(
            (0.0, ticks.last().copied().unwrap_or(1.0)),
            (top + PANEL, top),
        );
        let points = self.line.points.iter();
        html! {
            text.panel x=(px(FRAME.left)) y=(px(top - 8.0)) { (self.title) }
            @if !band.is_empty() {
                path class=(format!("possible {}", self.line.class)) d=(outline(band, seconds, x, &y)) {
                    title { "possible in other phases" }
                }
            }
            @for tick in ticks.iter().filter(|tick| tick.fract() == 0.0) {
                (FRAME.level(y.at(*tick), &thousands(whole(*tick))))
            }
            (frame::line(self.line.class, self.line.name, points.map(|(at, value)| (x.at(*at), y.at(*value)))))
            (FRAME.name(top + 8.0, self.line.class, self.line.name))
        }
    }
}

/// The outline of the area between lowest and highest value, constant in each part.
fn outline(band: &[(f64, f64)], seconds: f64, x: &Scale, y: &Scale) -> String {
    let part = |n: usize| x.at(seconds * n as f64 / band.len() as f64);
    let above = band
        .iter()
        .enumerate()
        .flat_map(|(n, range)| [(part(n), range.1), (part(n + 1), range.1)]);
    let below = band.iter().enumerate().rev();
    let below = below.flat_map(|(n, range)| [(part(n + 1), range.0), (part(n), range.0)]);
    let mut path = String::new();
    for (x, value) in above.chain(below) {
        let pen = if path.is_empty() { 'M' } else { 'L' };
        write!(path, "{pen}{x:.1} {:.1} ", y.at(value)).expect("writing to a string must succeed");
    }
    path.push('Z');
    path
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole, non-negative tick"
)]
fn whole(tick: f64) -> u64 {
    tick as u64
}
