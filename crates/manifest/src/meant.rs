//! Which field was meant by one that is unknown.

use crate::letters::misleading;

/// Likeness (`strsim::jaro_winkler`) from which a name is taken for another one.
const ALIKE: f64 = 0.85;

/// What to write in place of `field`, if it is nearly one of `known`; it completes "is an unknown field".
pub(super) fn meant(known: &[&str], field: &str) -> Option<String> {
    if let Some(told) = misleading(field) {
        return Some(format!("; {told}"));
    }
    let mut cased = known.iter().filter(|it| it.eq_ignore_ascii_case(field));
    if let Some(meant) = cased.next() {
        return Some(format!(
            ", since names of fields have their case; write {meant}"
        ));
    }
    let likeness = |known: &str| strsim::jaro_winkler(known, field);
    let near = known
        .iter()
        .max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let near = near.filter(|near| likeness(near) >= ALIKE)?;
    Some(format!("; write {near}"))
}
