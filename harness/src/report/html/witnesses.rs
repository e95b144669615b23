//! Witnesses: the first cases of each violation, told so that a person can look them up.

use maud::{Markup, html};

use crate::audit::{Finding, RowSummary, Witness};
use crate::report::RunRecord;
use crate::report::verdict::thousands;

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
                @for (at, finding) in findings.iter().enumerate() {
                    (violation(finding, at == 0))
                }
            }
        }
    }
}

fn violation(finding: &Finding, is_first: bool) -> Markup {
    html! {
        details.finding open[is_first] {
            summary {
                strong { (finding.violation) } " "
                (finding.violation.counted(finding.count))
                span.faint { " · broken promise: " (finding.violation.promise()) }
            }
            @for witness in &finding.witnesses { (case(witness)) }
            @if finding.omitted() > 0 {
                p.faint {
                    "The first " (finding.witnesses.len()) " of " (thousands(finding.count))
                    " are shown; the others are counted only."
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
