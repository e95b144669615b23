//! The figures with their names, common to all views.

use std::time::Duration;

use crate::simulate::{Cost, Forecast, Prospect, Range};
use views::clock;

/// The names of all rows, in order; names that only some settings have are in the places that these give them.
pub(in crate::simulate) fn row_names(answer: &Forecast) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    for prospect in &answer.settings {
        let mut place = 0;
        for (name, _) in rows(answer, prospect) {
            if let Some(found) = names.iter().position(|known| *known == name) {
                place = found + 1;
            } else {
                names.insert(place, name);
                place += 1;
            }
        }
    }
    names
}

/// The cell of a row; empty if these settings lack the figure.
pub(in crate::simulate) fn cell<'a>(column: &'a [(&str, String)], name: &str) -> &'a str {
    let found = column.iter().find(|(known, _)| *known == name);
    found.map_or("", |(_, cell)| cell.as_str())
}

/// The likely value of a figure.
pub(in crate::simulate) fn without_range(cell: &str) -> &str {
    cell.split_once(" (").map_or(cell, |(likely, _)| likely)
}

/// The figures with their names, common to all views.
pub(in crate::simulate) fn rows(
    answer: &Forecast,
    prospect: &Prospect,
) -> Vec<(&'static str, String)> {
    let figures = &prospect.figures;
    let told = Told {
        median: answer.one_phase.is_some(),
    };
    let drain = drain(answer, &figures.time_to_drain_s, &told);
    let mut rows = vec![
        (
            "time to full scale",
            told.times(&figures.time_to_full_scale_s, "never"),
        ),
        ("time to drain", drain),
        ("most replicas", told.counts(&figures.most_replicas)),
        ("most messages", told.counts(&figures.most_messages)),
        ("longest wait", told.times(&figures.longest_wait_s, "never")),
        ("messages left", told.counts(&figures.messages_left)),
        ("messages stranded", told.counts(&figures.stranded_messages)),
    ];
    match &prospect.jobs {
        // No Job is removed.
        Some(jobs) => rows.extend([
            ("jobs made", told.counts(&jobs.jobs_made)),
            ("jobs in vain", told.counts(&jobs.jobs_in_vain)),
            ("finished jobs kept", told.counts(&jobs.jobs_kept)),
        ]),
        None => rows.extend([
            ("thrash", told.counts(&figures.thrash_count)),
            (
                "ended with work in flight",
                told.counts(&figures.replicas_ended_at_work),
            ),
            (
                "messages in flight there",
                told.counts(&figures.messages_interrupted),
            ),
            (
                "not done in their grace",
                told.counts(&figures.messages_cut_off),
            ),
        ]),
    }
    rows.push(("replica-hours", told.parts(&figures.replica_hours)));
    if let Cost::Known(priced) = &prospect.cost {
        let cost = |range: &Range| format!("{} {}", priced.currency, told.parts(range));
        rows.extend([
            ("most nodes", told.counts(&priced.most_nodes)),
            ("node-hours", told.parts(&priced.node_hours)),
            ("cost on demand", cost(&priced.on_demand)),
            ("cost on Spot", cost(&priced.spot)),
        ]);
    }
    rows
}

/// A load that continues is never drained, and one that has ended may be drained after the horizon.
fn drain(answer: &Forecast, range: &Range, told: &Told) -> String {
    if answer.load_ends {
        let end = clock::words(Duration::from_secs_f64(answer.horizon_s));
        told.times(range, &format!("not within {end}"))
    } else {
        "none, the load goes on".to_owned()
    }
}

/// How figures are shown.
struct Told {
    /// Whether the median is shown first, in place of the likely value.
    median: bool,
}

impl Told {
    fn ranged(&self, range: &Range, never: &str, text: impl Fn(f64) -> String) -> String {
        let told = |value: Option<f64>| value.map_or(never.to_owned(), &text);
        let first = if self.median {
            range.median
        } else {
            range.likely
        };
        let (first, least, most) = (told(first), told(range.least), told(range.most));
        if least == most {
            first
        } else {
            format!("{first} ({least} to {most})")
        }
    }

    fn times(&self, range: &Range, never: &str) -> String {
        self.ranged(range, never, |seconds| {
            clock::words(Duration::from_secs_f64(seconds))
        })
    }

    fn counts(&self, range: &Range) -> String {
        self.ranged(range, "never", |count| format!("{count:.0}"))
    }

    fn parts(&self, range: &Range) -> String {
        self.ranged(range, "never", decimals)
    }
}

/// Formats with two decimals, or two significant digits for small numbers.
pub(super) fn decimals(value: f64) -> String {
    let text = if value >= 0.095 || value == 0.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.4}")
    };
    let text = text.trim_end_matches('0');
    text.strip_suffix('.').unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_with_their_range_and_never_is_a_word() {
        let range = |likely, least, most| Range {
            likely,
            median: Some(60.0),
            least,
            most,
        };
        for (range, text) in [
            (range(Some(65.0), Some(65.0), Some(65.0)), "1 min 5 s"),
            (
                range(Some(65.0), Some(50.0), None),
                "1 min 5 s (50 s to never)",
            ),
            (range(None, None, None), "never"),
        ] {
            assert_eq!(Told { median: false }.times(&range, "never"), text);
        }
        let repeated = range(Some(65.0), Some(50.0), None);
        let told = Told { median: true }.times(&repeated, "never");
        assert_eq!(told, "1 min (50 s to never)");
        assert_eq!(decimals(0.0123), "0.0123");
        assert_eq!(
            (decimals(2.5), decimals(10.0)),
            ("2.5".to_owned(), "10".to_owned())
        );
    }
}
