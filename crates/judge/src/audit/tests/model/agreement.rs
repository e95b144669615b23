//! Random histories, and the property that auditor and model agree on each.

use super::*;

fn histories() -> impl Strategy<Value = History> {
    let faults = prop::collection::vec((prop::sample::select(&FAULTS[..]), 1..=MESSAGES), 0..12);
    let kinds = prop::collection::vec(0..12_u8, 24);
    let rest = (0..4_u64, 0..3_u64, any::<bool>(), any::<bool>());
    (kinds, faults, rest)
        .prop_map(|(kinds, faults, (unseen, foreign, complete, has_bad))| {
            let of_kind = |kind| {
                let seqs = (1..).zip(&kinds).filter(move |(_, each)| **each == kind);
                seqs.map(|(seq, _)| seq..=seq).collect::<Vec<_>>()
            };
            let is_unacknowledged = |seq| {
                let at = usize::try_from(seq - 1).unwrap();
                kinds[at] < 2
            };
            let expectation = Expectation {
                stamp_sums: Some(stamp_sums(MESSAGES, is_unacknowledged)),
                sends: Sends {
                    unknown: of_kind(0),
                    failed: of_kind(1),
                    stopped: 0,
                },
                poison: ExpectedPoison {
                    seqs: if has_bad { of_kind(2) } else { Vec::new() },
                    foreign,
                },
                complete,
                ..Expectation::new("r1".parse().unwrap(), PAYLOADS, MESSAGES)
            };
            History::of(expectation, unseen, &faults)
        })
        .prop_flat_map(|history| {
            let rows = Just(history.rows.clone()).prop_shuffle();
            rows.prop_map(move |rows| History {
                rows,
                ..history.clone()
            })
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_auditor_agrees_with_the_naive_model(history in histories()) {
        let audit = history.audit();
        let Model { found, fates } = Model::of(&history);
        let counted: BTreeMap<_, _> = audit.findings.iter().map(|f| (f.violation, f.count)).collect();
        prop_assert_eq!(&counted, &found);
        prop_assert_eq!(audit.fates, fates);
        prop_assert_eq!(audit.fates.total(), MESSAGES);
        prop_assert_eq!(audit.outcome() == Outcome::Fail, !found.is_empty());
    }
}
