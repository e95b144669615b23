//! Tests of columns that may be absent: where they are, they prove nothing.

use contract::StoredRow;

use super::own_with;
use super::planted::{PAYLOADS, row};
use crate::audit::{Audit, Auditor, Expectation, Judged as _, Violation};
use evidence::outcome::Outcome;

const OPTIONAL: [(&str, &str); 2] = [
    ("    data: \"{payload}\"", "    data?: \"{payload}\""),
    (
        "    digest: \"{digest}\"\npoison",
        "    digest?: \"{digest}\"\npoison",
    ),
];

/// The audit of ten rows, each changed, under our own description with changes.
fn audit(changes: &[(&str, &str)], change: impl Fn(u64, &mut StoredRow)) -> Audit {
    let expectation = Expectation {
        description: own_with(changes).into(),
        ..Expectation::new("r1".parse().unwrap(), PAYLOADS, 10)
    };
    let mut auditor = Auditor::new(expectation).unwrap();
    for seq in 1..=10 {
        let mut row = row("r1", seq);
        change(seq, &mut row);
        auditor.row(&row);
    }
    auditor.finish()
}

/// Why the promise was not judged, if it was not.
fn why(audit: &Audit, promise: Violation) -> Option<&str> {
    let mut all = audit.not_judged.iter();
    let found = all.find(|each| each.violation == promise);
    found.map(|each| each.why.as_str())
}

fn bare(row: &mut StoredRow) {
    (row.data, row.digest) = (None, None);
}

#[test]
fn rows_without_any_column_of_their_content_leave_it_unjudged() {
    for (last, expected) in [
        (0, None),
        (
            3,
            Some(
                "3 of 10 rows have no value in data, digest, which the description lets be absent, and no other column holds {payload} or {digest}",
            ),
        ),
        (
            10,
            Some(
                "10 of 10 rows have no value in data, digest, which the description lets be absent, and no other column holds {payload} or {digest}",
            ),
        ),
    ] {
        let audit = audit(&OPTIONAL, |seq, row| {
            if seq <= last {
                bare(row);
            }
        });
        assert_eq!(why(&audit, Violation::Corrupted), expected, "{last}");
        assert_eq!(
            audit.shown(Violation::Corrupted).is_none(),
            expected.is_some()
        );
        assert_eq!(audit.outcome(), Outcome::Pass);
    }
}

#[test]
fn one_column_is_enough_and_a_wrong_one_is_told_all_the_same() {
    let half = audit(&OPTIONAL, |_, row| row.digest = None);
    assert_eq!(why(&half, Violation::Corrupted), None);
    // The other column has to be there, so a row without it is corrupted.
    let needed = audit(&OPTIONAL[..1], |_, row| row.data = None);
    assert_eq!(why(&needed, Violation::Corrupted), None);
    let wrong = audit(&OPTIONAL, |seq, row| {
        bare(row);
        if seq == 7 {
            row.data = Some("else".to_owned());
        }
    });
    assert_eq!(wrong.count(Violation::Corrupted), 1);
    assert_eq!(why(&wrong, Violation::Corrupted), None);
}

/// Without a wire the promise is not judged in any case, so its first reason is kept.
#[test]
fn rows_that_claim_nothing_of_their_delivery_leave_it_unjudged() {
    let changes = [
        ("    dequeuedStamp: ", "    dequeuedStamp?: "),
        ("    dateStamp: ", "    dateStamp?: "),
        (
            "    attempt: \"{attempt}\"\n    consumer: \"{worker}\"\n    node",
            "    attempt?: \"{attempt}\"\n    consumer?: \"{worker}\"\n    node",
        ),
    ];
    let description = own_with(&changes);
    let lens = contract::workload::Lens::new(description.into(), "r1".parse().unwrap());
    let mut absent = crate::audit::absent::Absent::of(&lens);
    absent.row(&row("r1", 1));
    assert_eq!(absent.not_judged(1).count(), 0);
    let mut silent = row("r1", 2);
    (silent.dequeued_stamp, silent.date_stamp) = (None, None);
    (silent.attempt, silent.consumer) = (None, None);
    absent.row(&silent);
    let found: Vec<_> = absent.not_judged(2).collect();
    let [found] = found.as_slice() else {
        panic!("one promise, not {found:?}")
    };
    assert_eq!(found.violation, Violation::Misreported);
    assert!(
        found.why.starts_with(
            "1 of 2 rows have no value in attempt, consumer, dateStamp, dequeuedStamp, "
        ),
        "{}",
        found.why
    );
}

#[test]
fn a_further_column_with_the_content_is_enough_and_another_one_shows_nothing() {
    let copied = (
        OPTIONAL[1].0,
        "    digest?: \"{digest}\"\n    copy?: \"again {digest}\"\n    order: \"order {id}\"\npoison",
    );
    let description = own_with(&[OPTIONAL[0], copied]);
    let lens = contract::workload::Lens::new(description.into(), "r1".parse().unwrap());
    let names: Vec<_> = lens.further().iter().map(|it| it.name.as_str()).collect();
    assert!(
        names.contains(&"copy") && names.contains(&"order"),
        "{names:?}"
    );
    let mut absent = crate::audit::absent::Absent::of(&lens);
    let with_only = |column: &str| {
        let mut row = row("r1", 1);
        bare(&mut row);
        let of = |name: &&str| (*name == column).then(|| "text".to_owned());
        row.further = names.iter().map(of).collect();
        row
    };
    absent.row(&with_only("copy"));
    assert_eq!(absent.not_judged(1).count(), 0);
    absent.row(&with_only("order"));
    let open: Vec<_> = absent.not_judged(2).map(|it| it.violation).collect();
    assert_eq!(open, [Violation::Corrupted]);
}
