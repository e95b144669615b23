//! The witnesses: the first cases of each violation, with what a person needs to look them up.

use maud::{Markup, html};

use crate::audit::{Audit, Finding, RowSummary, Witness};
use crate::report::RunRecord;
use crate::report::timeline::timeline;
use views::thousands;

/// Witnesses of a kind that are shown at once; the others open with a click. A printed page shows these, and says how many more there are.
const SHOWN: usize = 3;

pub(super) fn section(record: &RunRecord) -> Markup {
    let audit = record.audit.as_ref();
    html! {
        @if let Some(audit) = audit.filter(|audit| !audit.findings.is_empty()) {
            section {
                h2 { "Witnesses" }
                @for finding in &audit.findings { (violation(audit, finding)) }
            }
        }
    }
}

fn violation(audit: &Audit, finding: &Finding) -> Markup {
    let (shown, more) = finding
        .witnesses
        .split_at(finding.witnesses.len().min(SHOWN));
    html! {
        div.finding {
            p.kind {
                strong { (finding.violation) } " "
                (audit.counted(finding))
                @if let Some(queues) = finding.in_queues() { " (" (queues) ")" }
                span.faint { " · broken promise: " (audit.promise(finding.violation)) }
            }
            @for witness in shown { (case(witness)) }
            @if !more.is_empty() {
                details {
                    summary { "and " (more.len()) " more" }
                    @for witness in more { (case(witness)) }
                }
            }
            @if finding.omitted() > 0 {
                p.faint {
                    "The first " (finding.witnesses.len()) " of " (thousands(finding.count))
                    " have a witness; the others are counted only."
                }
            }
        }
    }
}

fn case(witness: &Witness) -> Markup {
    html! {
        div.witness {
            p {
                code { (witness.subject) }
                @if let Some(queue) = &witness.queue { " in queue " code { (queue) } }
                " " (witness.detail)
            }
            @if let Some(row) = &witness.row { (columns(row)) }
            @if !witness.history.is_empty() {
                ol.timeline { @for step in timeline(&witness.history) { li { (step) } } }
            }
        }
    }
}

fn columns(row: &RowSummary) -> Markup {
    html! {
        dl.row {
            @for (name, value) in row.columns() {
                dt { (name) }
                @match value {
                    Some(value) => dd { (value) },
                    None => dd.absent { "missing" },
                }
            }
        }
    }
}
