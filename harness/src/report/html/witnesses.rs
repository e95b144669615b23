//! Witnesses: the first cases of each violation, told so that a person can look them up.

use maud::{Markup, html};

use crate::audit::{Finding, RowSummary, Witness};
use crate::report::RunRecord;
use crate::report::timeline::timeline;
use crate::report::verdict::thousands;

/// Witnesses of a kind that are shown at once; the others open with a click. Paper shows these and says how many more
/// there are.
const SHOWN: usize = 3;

pub(super) fn section(record: &RunRecord) -> Markup {
    let findings: Vec<&Finding> = record
        .audit
        .iter()
        .flat_map(|audit| &audit.findings)
        .collect();
    html! {
        @if !findings.is_empty() {
            section {
                h2 { "Witnesses" }
                @for finding in findings { (violation(finding)) }
            }
        }
    }
}

fn violation(finding: &Finding) -> Markup {
    let (shown, more) = finding
        .witnesses
        .split_at(finding.witnesses.len().min(SHOWN));
    html! {
        div.finding {
            p.kind {
                strong { (finding.violation) } " "
                (finding.violation.counted(finding.count))
                span.faint { " · broken promise: " (finding.violation.promise()) }
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
            p { code { (witness.subject) } " " (witness.detail) }
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
