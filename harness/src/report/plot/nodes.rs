//! A bar for each node over time, with its consumers, its notice and its end.

use evidence::nodes::NodeRecord;
use maud::{Markup, html};
use platform::simulated::Capacity;
use workflow::contract::Stamp;

use crate::report::RunRecord;
use crate::report::nodes::line;
use views::plot::frame::Frame;
use views::plot::px;
use views::plot::scale::{Scale, linear_ticks};

const WIDTH: f64 = 1_060.0;
/// The same frame as on the timeline, so that a time is at the same place on both.
const FRAME: Frame = Frame {
    left: 64.0,
    right: 936.0,
};
const HEAD: f64 = 10.0;
const ROW: f64 = 26.0;
const BAR: f64 = 18.0;

/// The plot; `None` where there were no nodes.
pub(in crate::report) fn nodes(record: &RunRecord) -> Option<Markup> {
    if record.nodes.is_empty() {
        return None;
    }
    let seconds = record.seconds_at(record.ended).max(1e-3);
    let x = Scale::new((0.0, seconds), (FRAME.left, FRAME.right));
    let bottom = (record.nodes.all().len() as f64).mul_add(ROW, HEAD);
    let height = bottom + 30.0;
    Some(html! {
        svg.plot.wide viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-label="nodes over time" {
            @for tick in linear_ticks(seconds, 10.0).into_iter().filter(|tick| *tick <= seconds) {
                line.grid x1=(px(x.at(tick))) x2=(px(x.at(tick))) y1=(px(HEAD)) y2=(px(bottom)) {}
                text.tick.middle x=(px(x.at(tick))) y=(px(bottom + 16.0)) { (format!("{tick} s")) }
            }
            @for (row, node) in (0_u32..).zip(record.nodes.all().iter()) {
                (bar(record, node, &x, f64::from(row).mul_add(ROW, HEAD)))
            }
        }
    })
}

fn bar(record: &RunRecord, node: &NodeRecord, x: &Scale, top: f64) -> Markup {
    let at = |stamp: Stamp| x.at(record.seconds_at(stamp));
    let (from, until) = (at(node.joined), at(node.gone.unwrap_or(record.ended)));
    let told = node.notice.map_or(until, |(notice, _)| at(notice));
    let class = match node.capacity {
        Capacity::Spot => "node spot",
        Capacity::OnDemand => "node on-demand",
    };
    let width = |from: f64, until: f64| px((until - from).max(1.0));
    html! {
        rect class=(class) x=(px(from)) y=(px(top)) width=(width(from, told)) height=(px(BAR)) rx="2" {
            title { (node.name) ", " (node.capacity) ", " (node.zone) }
        }
        @if node.notice.is_some() {
            rect.node.notice x=(px(told)) y=(px(top)) width=(width(told, until)) height=(px(BAR)) rx="2" {
                title { "notice of its eviction" }
            }
        }
        (consumers(record, node, x, top))
        @if node.gone.is_some() {
            line.node.gone x1=(px(until)) x2=(px(until)) y1=(px(top - 3.0)) y2=(px(top + BAR + 3.0)) {
                title { (line(node)) }
            }
        }
        text.tick x=(px(FRAME.right + 8.0)) y=(px(top + 13.0)) {
            (short(&node.name)) title { (node.name) }
        }
    }
}

/// The last two parts of a node's name, which distinguish it from the others: there is no room for `aks-edw-spot-f8c0e`.
fn short(name: &str) -> &str {
    let start = name.rmatch_indices('-').nth(1);
    start.map_or(name, |(at, _)| &name[at + 1..])
}

/// A line for each consumer, one below the other, from its start to its end or the end of its machine.
fn consumers(record: &RunRecord, node: &NodeRecord, x: &Scale, top: f64) -> Markup {
    let most = node.consumers.len().max(1);
    let step = ((BAR - 2.0) / most as f64).min(5.0);
    let line = |at: usize, name: &String| {
        let process = record.processes.iter().find(|it| it.name == *name)?;
        let ended = process.exit.as_ref().map_or(record.ended, |exit| exit.at);
        let until = node.gone.map_or(ended, |gone| ended.min(gone));
        let y = (at as f64 + 0.5).mul_add(step, top + 1.0);
        let x = |stamp| px(x.at(record.seconds_at(stamp)));
        Some(html! {
            line.consumer x1=(x(process.started)) x2=(x(until)) y1=(px(y)) y2=(px(y)) { title { (name) } }
        })
    };
    html! {
        @for (at, name) in node.consumers.iter().enumerate() {
            @if let Some(line) = line(at, name) { (line) }
        }
    }
}
