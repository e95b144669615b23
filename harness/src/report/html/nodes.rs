//! Nodes: the bars, what became of those that were taken back, and what they cost in hours.

use maud::{Markup, html};

use crate::nodes::Capacity;
use crate::report::{RunRecord, plot};

pub(super) fn section(record: &RunRecord) -> Markup {
    let Some(bars) = plot::nodes(record) else {
        return html! {};
    };
    let seconds = |capacity| format!("{:.0} s", record.node_seconds(capacity));
    html! {
        section.over-time {
            h2 { "Nodes" }
            (bars)
            p.faint {
                "Blue: Spot, " (seconds(Capacity::Spot)) " of nodes together. Grey: on demand, " (seconds(Capacity::OnDemand))
                ". Lines: consumers. Hatched in yellow: told of its eviction. Red: the end of its machine."
            }
            @if record.nodes.evicted().next().is_some() {
                ol.faults {
                    @for node in record.nodes.evicted() {
                        li { span.faint { (node.name) } " " (node.told()) }
                    }
                }
            }
        }
    }
}
