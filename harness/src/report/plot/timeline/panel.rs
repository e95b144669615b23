//! One panel of the timeline: values over time, and the range that is allowed for them.

use maud::{Markup, html};

use super::{FRAME, PANEL};
use views::plot::frame;
use views::plot::px;
use views::plot::scale::{Scale, linear_ticks};
use views::thousands;

/// Vertical distance between the names of two lines.
const NAME: f64 = 16.0;

/// Values over time, in one unit.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) lines: Vec<Line>,
    /// The allowed range of the values, drawn behind the lines.
    pub(super) allowed: Vec<Band>,
}

/// One value over time.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) class: &'static str,
    /// Seconds and value.
    pub(super) points: Vec<(f64, f64)>,
}

/// A range from one second to another, and from one value to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Band {
    pub(super) from: f64,
    pub(super) until: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Panel {
    /// A panel with one line.
    pub(super) fn of(
        title: &'static str,
        name: &'static str,
        class: &'static str,
        points: Vec<(f64, f64)>,
    ) -> Self {
        let line = Line {
            name,
            class,
            points,
        };
        Self {
            title,
            lines: vec![line],
            allowed: vec![],
        }
    }

    /// Whether there is anything to draw.
    pub(super) fn has_points(&self) -> bool {
        self.lines.iter().any(|line| !line.points.is_empty())
    }

    pub(super) fn draw(&self, x: &Scale, top: f64) -> Markup {
        let values = self.lines.iter().flat_map(|line| &line.points);
        let bands = self.allowed.iter().map(|band| band.high);
        let highest = values
            .map(|(_, value)| *value)
            .chain(bands)
            .fold(0.0, f64::max);
        let ticks = linear_ticks(highest, 3.0);
        let end = ticks.last().copied().unwrap_or(1.0);
        let y = Scale::new((0.0, end), (top + PANEL, top));
        let seen = self.lines.iter().filter(|line| !line.points.is_empty());
        html! {
            text.panel x=(px(FRAME.left)) y=(px(top - 7.0)) { (self.title) }
            @for band in &self.allowed { (band.draw(x, &y)) }
            @for tick in &ticks { (FRAME.level(y.at(*tick), &number(*tick))) }
            @for (at, line) in (0_u32..).zip(seen.clone()) {
                @let points = line.points.iter().map(|(seconds, value)| (x.at(*seconds), y.at(*value)));
                (frame::line(line.class, line.name, points))
                (FRAME.name(top + 8.0 + NAME * f64::from(at), line.class, line.name))
            }
            @if !self.allowed.is_empty() {
                @let below = NAME * f64::from(u32::try_from(seen.count()).unwrap_or(0));
                (FRAME.name(top + 8.0 + below, "allowed", "the model allows"))
            }
        }
    }
}

impl Band {
    /// A band of a single value is drawn as high as a line, so that it can be seen.
    fn draw(&self, x: &Scale, y: &Scale) -> Markup {
        let (left, right) = (x.at(self.from), x.at(self.until));
        let (upper, lower) = (y.at(self.high) - 2.0, y.at(self.low) + 2.0);
        html! {
            rect.allowed x=(px(left)) y=(px(upper)) width=(px((right - left).max(0.0))) height=(px(lower - upper)) {
                title { "the model of KEDA and the HPA allows " (self.low) " to " (self.high) }
            }
        }
    }
}

/// A tick's label: whole numbers with thousands separators, small ones with decimals.
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
