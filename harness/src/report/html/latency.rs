//! Latency: the table, the plots, and the run over time.

use maud::{Markup, html};

use crate::measure::{Hop, Percentile};
use crate::report::RunRecord;
use crate::report::latency::{self, UNSOUND};
use crate::report::{plot, usage};

pub(super) fn section(record: &RunRecord) -> Markup {
    let Some(measured) = &record.measured else {
        return html! {};
    };
    let draw =
        |hops: &[Hop], title| plot::percentiles(&measured.hops, hops, &measured.verdicts, title);
    let end_to_end = draw(
        &[Hop::EndToEnd, Hop::EndToEndNaive],
        "end-to-end latency by percentile, corrected and naive",
    );
    let hops = draw(
        &[
            Hop::ScheduleLag,
            Hop::Send,
            Hop::QueueWait,
            Hop::Work,
            Hop::Store,
        ],
        "latency of each hop by percentile",
    );
    html! {
        section {
            h2 { "Latency" }
            (table(&latency::lines(measured)))
            @if let Some(flow) = latency::flow(record) { p { (flow) "." } }
            @for took in usage::lines(record) { p.faint { (took) "." } }
            div.plots {
                @if let Some(plot) = end_to_end {
                    figure {
                        figcaption {
                            strong { "End to end" } " from the intended send to the row; dashed, the naive figure that "
                            "starts at the actual send and hides a generator that had to wait"
                        }
                        (plot)
                    }
                }
                @if let Some(plot) = hops {
                    figure {
                        figcaption { strong { "Each hop" } " of a message's way: where the time goes" }
                        (plot)
                    }
                }
            }
        }
    }
}

fn table(lines: &[latency::HopLine]) -> Markup {
    let unsound = lines
        .iter()
        .flat_map(|line| &line.percentiles)
        .any(|cell| !cell.is_sound);
    html! {
        table.hops {
            thead {
                tr {
                    th { "Hop" }
                    @for percentile in Percentile::REPORTED { th.figure { (percentile) } }
                    th.figure { "max" }
                    th.figure { "samples" }
                }
            }
            tbody {
                @for line in lines {
                    tr {
                        td { span.swatch.(line.hop.as_str()) {} (line.hop.title()) }
                        @for cell in &line.percentiles {
                            @if cell.is_sound {
                                td.figure { (cell.text) }
                            } @else {
                                td.figure.faint title=(UNSOUND) { (cell.text) sup { "?" } }
                            }
                        }
                        td.figure { (line.max) }
                        td.figure { (line.count) }
                    }
                }
            }
        }
        @if unsound { p.faint { "? " (UNSOUND) "." } }
        @for remark in lines.iter().flat_map(|line| &line.remarks) {
            p.remark { (remark) "." }
        }
    }
}

pub(super) fn over_time(record: &RunRecord) -> Markup {
    html! {
        @if let Some(plot) = plot::timeline(record) {
            section.over-time {
                h2 { "Over time" }
                (plot)
            }
        }
    }
}
