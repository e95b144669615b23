//! Random filters over the properties that the table sequences write.

use crate::random::Random;

/// A random filter of limited depth.
pub(crate) fn filter(random: &mut Random, depth: usize) -> String {
    if depth > 0 && random.one_in(2) {
        let (a, b) = (filter(random, depth - 1), filter(random, depth - 1));
        return match random.below(4) {
            0 => format!("({a}) or ({b})"),
            1 => format!("{a} and {b}"),
            2 => format!("({a}) and ({b})"),
            _ => format!("not ({a})"),
        };
    }
    let comparison = *random.pick(&["eq", "ne", "gt", "ge", "lt", "le"]);
    let (name, constants): (&str, &[&str]) = match random.below(8) {
        0 => ("PartitionKey", &["'p'", "'q'", "''", "'it''s'"]),
        1 => ("RowKey", &["'r1'", "'r2'", "'r3'", "'z'"]),
        2 => ("Number", &["0", "1", "7", "-3"]),
        3 => ("Big", &["5L", "9007199254740993L", "-1L"]),
        4 => ("Half", &["0.5", "1.0", "-2.25"]),
        5 => ("Text", &["'a'", "'b c'", "'it''s'"]),
        6 => {
            return format!(
                "Yes {} {}",
                random.pick(&["eq", "ne"]),
                random.pick(&["true", "false"])
            );
        }
        _ => (
            "At",
            &[
                "datetime'2026-01-01T00:00:00Z'",
                "datetime'2027-01-01T00:00:00.5Z'",
            ],
        ),
    };
    format!("{name} {comparison} {}", random.pick(constants))
}
