//! Tests that exactly the promises that a description leaves unknown are named.

use contract::workload::{Description, Lens, OWN};
use evidence::outcome::Outcome;

use super::own_with;
use super::planted::{PAYLOADS, row};
use crate::audit::known::{not_judged, stamps_untold};
use crate::audit::{Auditor, Expectation, Finding, Judged as _, Violation};

/// The project's own description, with each first text replaced by the second.
fn own(changes: &[(&str, &str)]) -> Lens {
    Lens::new(own_with(changes).into(), "r1".parse().unwrap())
}

/// The promises that are not judged if the wire has recorded everything.
fn unknown(changes: &[(&str, &str)]) -> Vec<Violation> {
    let found = not_judged(&own(changes), true);
    found.into_iter().map(|each| each.violation).collect()
}

const NO_PAYLOAD: (&str, &str) = ("    data: \"{payload}\"\n", "");
const NO_DIGEST: (&str, &str) = ("    digest: \"{digest}\"\npoison", "poison");

#[test]
fn our_own_description_leaves_nothing_unknown() {
    assert_eq!(unknown(&[]), []);
}

#[test]
fn without_a_wire_nothing_is_known_of_what_only_a_history_shows() {
    let found = not_judged(&own(&[]), false);
    let found: Vec<_> = found.into_iter().map(|each| each.violation).collect();
    let needing = Violation::ALL.into_iter().filter(|it| it.needs_history());
    assert_eq!(found, needing.collect::<Vec<_>>());
}

#[test]
fn a_row_without_any_payload_or_digest_cannot_be_corrupted() {
    assert_eq!(unknown(&[NO_PAYLOAD]), []);
    assert_eq!(unknown(&[NO_DIGEST]), []);
    assert_eq!(unknown(&[NO_PAYLOAD, NO_DIGEST]), [Violation::Corrupted]);
    // A payload within a text, or a second payload, is compared as well.
    let text = ("data: \"{payload}\"", "data: \"no. 1: {payload}\"");
    assert_eq!(unknown(&[text, NO_DIGEST]), []);
    let second = [
        (
            "msg: \"{payload}\"",
            "msg: \"{payload}\"\n    more: \"{payload2}\"",
        ),
        ("data: \"{payload}\"", "data: \"{payload2}\""),
        NO_DIGEST,
    ];
    // Scenarios send bad messages only of the project's own format.
    assert_eq!(unknown(&second), [Violation::Accepted]);
}

#[test]
fn rows_whose_keys_are_not_described_cannot_be_misplaced() {
    let keyless = [
        ("    PartitionKey: \"{run}.{bucket}\"\n", ""),
        ("    RowKey: \"{id}\"\n", "    Id: \"{id}\"\n"),
    ];
    assert_eq!(unknown(&keyless), [Violation::Misplaced]);
}

#[test]
fn a_row_that_tells_nothing_of_its_delivery_cannot_tell_it_wrong() {
    let columns = [
        "    dequeuedStamp: \"{received}\"\n",
        "    dateStamp: \"{done}\"\n",
        "    attempt: \"{attempt}\"\n    consumer: \"{worker}\"\n    node: \"{node}\"\n",
    ];
    let mut changes: Vec<_> = columns.map(|column| (column, "")).to_vec();
    changes[2].1 = "    node: \"{node}\"\n";
    assert_eq!(unknown(&changes), [Violation::Misreported]);
    changes.pop();
    assert_eq!(unknown(&changes), []);
}

#[test]
fn without_a_poison_queue_nothing_is_given_up_or_accepted() {
    let from = OWN.find("poison:\n").unwrap();
    let until = OWN.find("worker:\n").unwrap();
    let text = [&OWN[..from], &OWN[until..]].concat();
    let text = text.replace("    EDW_MAX_ATTEMPTS: \"{attempts}\"\n", "");
    let description = Description::read(&text).unwrap();
    let lens = Lens::new(description.into(), "r1".parse().unwrap());
    let found = not_judged(&lens, true).into_iter().map(|it| it.violation);
    let expected = [Violation::Poisoned, Violation::Accepted];
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

/// A promise that is never tested does not count as kept.
#[test]
fn what_becomes_of_bad_messages_is_judged_of_our_own_messages_alone() {
    for change in [
        (
            "    msg: \"{payload}\"\n",
            "    msg: \"{payload}\"\n    kind: order\n",
        ),
        (
            "  queue: \"{queue}-poison\"\n",
            "  queue: \"{queue}-bad\"\n",
        ),
    ] {
        assert_eq!(unknown(&[change]), [Violation::Accepted], "{change:?}");
    }
}

#[test]
fn rows_that_may_be_updated_cannot_be_overwritten() {
    let updated = ("row:\n", "row:\n  written: updated\n");
    assert_eq!(unknown(&[updated]), [Violation::Overwritten]);
}

#[test]
fn stamps_are_compared_where_message_and_row_hold_both_to_the_microsecond() {
    let intended = "    srcStamp: \"{intended}\"\n    sentStamp: \"{sent}\"\n    dequeued";
    let sent = "    sentStamp: \"{sent}\"\n    dequeued";
    for (changes, untold) in [
        (vec![], None),
        (
            vec![(intended, "    sentStamp: \"{sent}\"\n    dequeued")],
            Some("do not hold both"),
        ),
        (vec![(sent, "    dequeued")], Some("do not hold both")),
        (
            vec![(
                intended,
                "    srcStamp?: \"{intended}\"\n    sentStamp: \"{sent}\"\n    dequeued",
            )],
            Some("may be absent"),
        ),
        (
            vec![(sent, "    sentStamp?: \"{sent}\"\n    dequeued")],
            Some("may be absent"),
        ),
        (
            vec![(
                intended,
                "    srcStamp: \"{intended:unix-ms}\"\n    sentStamp: \"{sent}\"\n    dequeued",
            )],
            Some("not written to the microsecond"),
        ),
        (
            vec![(sent, "    sentStamp: \"{sent:unix-s}\"\n    dequeued")],
            Some("not written to the microsecond"),
        ),
        (
            vec![(
                "    id: \"{id}\"\n",
                "    id: \"{id}\"\n    at: \"{sent:unix-s}\"\n",
            )],
            Some("not written to the microsecond"),
        ),
    ] {
        let found = stamps_untold(&own(&changes));
        match untold {
            None => assert_eq!(found, None, "{changes:?}"),
            Some(why) => assert!(
                found.is_some_and(|it| it.contains(why)),
                "{found:?}: {changes:?}"
            ),
        }
    }
}

#[test]
fn what_was_found_all_the_same_is_judged() {
    let audit = |stored: &str| {
        let constant = ("    data: \"{payload}\"\n", "    state: done\n");
        let description = own_with(&[constant, NO_DIGEST]);
        let mut auditor = Auditor::new(Expectation {
            description: description.clone().into(),
            ..Expectation::new("r1".parse().unwrap(), PAYLOADS, 1)
        })
        .unwrap();
        let mut entity = row("r1", 1).entity();
        entity.insert("state".into(), stored.into());
        let lens = Lens::new(description.into(), "r1".parse().unwrap());
        auditor.row(&lens.row(&entity));
        auditor.finish()
    };
    let is_open = |stored| {
        let audit = audit(stored);
        let mut open = audit.not_judged.iter();
        let is_open = open.any(|each| each.violation == Violation::Corrupted);
        (audit.outcome(), is_open)
    };
    assert_eq!(is_open("done"), (Outcome::Pass, true));
    assert_eq!(is_open("running"), (Outcome::Fail, false));
}

#[test]
fn words_about_a_row_that_is_deleted_promise_no_more_than_its_description() {
    let audit = |changes: &[(&str, &str)]| {
        let mut auditor = Auditor::new(Expectation {
            description: own_with(changes).into(),
            ..Expectation::new("r1".parse().unwrap(), PAYLOADS, 1)
        })
        .unwrap();
        auditor.row(&row("r1", 1));
        auditor.finish()
    };
    let finding = Finding {
        violation: Violation::Overwritten,
        count: 2,
        witnesses: vec![],
    };
    let updated = audit(&[("row:\n", "row:\n  written: updated\n")]);
    assert_eq!(
        updated.promise(finding.violation),
        "no row is deleted once it is stored"
    );
    assert_eq!(updated.counted(&finding), "2 rows deleted once stored");
    let own = audit(&[]);
    assert_eq!(
        own.promise(finding.violation),
        "rows are inserted, and never changed"
    );
    assert_eq!(own.foreign, None);
}
