//! The rates that were tried: a table, the curve of latency over rate, and the bottleneck.

use maud::{Markup, html};

use super::pill;
use crate::report::{RunRecord, plot, rates};

pub(super) fn section(record: &RunRecord) -> Markup {
    let steps = rates::by_rate(record);
    html! {
        @if !steps.is_empty() {
            section {
                h2 { "Latency over rate" }
                @for said in rates::found(record) { p { (said) "." } }
                @if let Some(plot) = plot::rates(record) {
                    figure {
                        figcaption {
                            strong { "End to end" } " from the intended send to the row, at each rate that was tried; dashed, p99 of the "
                            "naive figure, which hides a generator that had to wait"
                        }
                        (plot)
                    }
                }
                table {
                    thead {
                        tr {
                            th {}
                            @for head in rates::HEADS { th.figure { (head.to_lowercase()) } }
                            th { "bottleneck, as measured" }
                        }
                    }
                    tbody {
                        @for (step, (outcome, row)) in steps.iter().zip(rates::rows(record)) {
                            tr.(outcome.as_str()) {
                                td.sign { (pill(outcome)) }
                                @for (at, cell) in row.iter().enumerate() {
                                    td.figure {
                                        @if at == 0 {
                                            a href=(format!("{}/report.html", step.run_dir)) { (cell) }
                                        } @else { (cell) }
                                    }
                                }
                                td {
                                    (step.bottleneck.part) div.faint { (step.bottleneck.why) }
                                    @for reason in &step.reasons { div.faint { (reason) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
