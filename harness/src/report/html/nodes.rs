//! The nodes: their bars on a time axis, the evictions, and the hours that they cost.

use judge::nodes::evicted;
use maud::{Markup, html};
use platform::simulated::Capacity;

use crate::report::nodes::line;
use crate::report::{RunRecord, plot};

pub(super) fn section(record: &RunRecord) -> Markup {
    let Some(bars) = plot::nodes(record) else {
        return html! {};
    };
    let seconds = |capacity| record.node_seconds(capacity);
    html! {
        section.over-time {
            h2 { "Nodes" }
            (bars)
            p.faint {
                @if let Some(seconds) = seconds(Capacity::Spot) {
                    "Blue: Spot, " (format!("{seconds:.0} s")) " of nodes together. Amber: told of its eviction. "
                }
                @if let Some(seconds) = seconds(Capacity::OnDemand) {
                    "Grey: on demand, " (format!("{seconds:.0} s")) " of nodes together. "
                }
                "Red: the end of a machine. Lines: consumers, from start to end."
            }
            @if evicted(&record.nodes).next().is_some() {
                ol.faults {
                    @for node in evicted(&record.nodes) {
                        li { span.faint { (node.name) } " " (line(node)) }
                    }
                }
            }
        }
    }
}
