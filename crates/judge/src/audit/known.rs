//! Promises that cannot be judged under a description.

use contract::workload::{Lens, Name, Written};
use evidence::audit::NotJudged;

use super::Violation;

/// The promises that cannot be judged for a run through `lens`, whatever storage holds. `wired`: whether the wire has recorded
/// a history.
pub(super) fn not_judged(lens: &Lens, wired: bool) -> Vec<NotJudged> {
    let description = lens.description();
    let has = |name| lens.described(name).is_some();
    let mut found = Vec::new();
    let mut add = |violation, why: &str| {
        let why = why.to_owned();
        found.push(NotJudged { violation, why });
    };
    let payloads = (2..10)
        .map(Name::Payload)
        .chain([Name::Payload(1), Name::Digest]);
    let columns = || description.row.columns.values();
    let has_content = payloads
        .into_iter()
        .any(|name| columns().any(|template| template.holes().any(|hole| hole.name == name)));
    if !has_content {
        add(
            Violation::Corrupted,
            "no column of the row holds {payload} or {digest}",
        );
    }
    if !lens.has_keys() {
        let why =
            "the description names neither PartitionKey nor RowKey among the columns of the row";
        add(Violation::Misplaced, why);
    }
    if let Some(why) = stamps_untold(lens) {
        add(Violation::Restamped, why);
    }
    let claims = [Name::Received, Name::Done, Name::Attempt, Name::Worker];
    if !claims.into_iter().any(has) {
        let why = "no column of the row holds {received}, {done}, {attempt} or {worker}";
        add(Violation::Misreported, why);
    }
    if description.poison.is_none() {
        for violation in [Violation::Poisoned, Violation::Accepted] {
            add(violation, "the description names no poison queue");
        }
    } else if !description.has_own_messages() {
        let why = "no bad message is sent: a description does not say which messages its worker takes for bad (message and poison are not those of \
                   workloads/own.yaml)";
        add(Violation::Accepted, why);
    }
    if description.row.written == Written::Updated {
        add(
            Violation::Overwritten,
            "the description lets rows be updated (row.written)",
        );
    }
    for violation in Violation::ALL {
        if !wired && violation.needs_history() {
            add(violation, "nothing saw what crossed the wire");
        }
    }
    found.sort_by_key(|each| each.violation);
    found.dedup_by_key(|each| each.violation);
    found
}

/// Why the stamps of rows cannot be compared with the producer's; `None`: they can.
pub(super) fn stamps_untold(lens: &Lens) -> Option<&'static str> {
    let columns = [Name::Intended, Name::Sent].map(|name| lens.described(name));
    let [Some(intended), Some(sent)] = columns else {
        return Some("the columns of the row do not hold both {intended} and {sent}");
    };
    if intended.is_optional || sent.is_optional {
        return Some("the columns of {intended} and {sent} may be absent");
    }
    let leaves = lens.description().message.body.leaves();
    let mut holes = leaves.iter().flat_map(|(_, template)| template.holes());
    let in_message = holes.all(|hole| !hole.name.is_time() || hole.format.is_exact());
    if !(in_message && intended.format.is_exact() && sent.format.is_exact()) {
        return Some("{intended} and {sent} are not written to the microsecond");
    }
    None
}
