//! `report.html`: one self-contained page, verdict first. No script and no external resource; light and dark; prints.
//!
//! Everything from the log goes through maud, which escapes it: a row's content cannot become markup.

mod about;
mod latency;
mod nodes;
mod rates;
mod verdict;
mod witnesses;

use maud::{DOCTYPE, Markup, html};

use super::RunRecord;
use crate::outcome::Outcome;

/// The page of `record`, beside which are the `reports` of these names.
pub(super) fn page(record: &RunRecord, reports: &[&str]) -> String {
    let outcome = record.verdict().outcome;
    let title = format!("{}: {}", outcome.as_str().to_uppercase(), record.title());
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (views::head(&title, ""))
            body.(outcome.as_str()) {
                (verdict::band(record))
                main {
                    (verdict::tiles(record))
                    (verdict::next_steps(record))
                    (about::scenarios(record))
                    (about::steps(record))
                    (rates::section(record))
                    (verdict::promise_table(record))
                    (witnesses::section(record))
                    (latency::section(record))
                    (latency::over_time(record))
                    (nodes::section(record))
                    (about::processes(record))
                    (about::run(record, reports))
                }
            }
        }
    };
    page.into_string()
}

/// The sign of an outcome in its colour, with its name for people who cannot see the colour.
fn pill(outcome: Outcome) -> Markup {
    html! {
        span.pill.(outcome.as_str()) title=(outcome.as_str()) aria-label=(outcome.as_str()) {
            (super::terminal::sign(outcome))
        }
    }
}
