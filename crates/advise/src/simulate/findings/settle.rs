//! Makes the advice of several findings consistent: one value for each field, or a remark that the findings conflict.

use std::collections::BTreeMap;

use super::trial::{Change, Trial};
use super::tried::Tried;
use super::{Advised, Finding};

/// The findings, with one common value for a field if one value mends them all.
pub(super) fn settled<Q: Tried>(mut found: Vec<Advised<Q>>, trial: &Trial<Q>) -> Vec<Finding> {
    for at in 0..found.len() {
        for other in at + 1..found.len() {
            let Some(field) = conflict(trial, &found[at].1, &found[other].1) else {
                continue;
            };
            // The value for the more serious finding first.
            if mends_too(trial, &found, at, other) {
                take_over(&mut found, at, other);
            } else if mends_too(trial, &found, other, at) {
                take_over(&mut found, other, at);
            } else {
                for (of, against) in [(at, other), (other, at)] {
                    let name = found[against].0.name;
                    let words = in_words(&found[against].1);
                    let told = format!(
                        "; for {name} it is otherwise ({words}), and on the model neither value of {field} mends both: decide which of \
                         the two matters"
                    );
                    found[of].0.mend.push_str(&told);
                }
            }
        }
    }
    found.into_iter().map(|(finding, _)| finding).collect()
}

/// A field to which both give different values.
fn conflict<Q: Tried>(
    trial: &Trial<Q>,
    one: &[Change<Q>],
    two: &[Change<Q>],
) -> Option<&'static str> {
    let values = |changes: &[Change<Q>]| trial.changed(changes).values();
    let now: BTreeMap<_, _> = trial.changed([]).values();
    let (one, two) = (values(one), values(two));
    let differs = |field: &&'static str| {
        one[field] != two[field] && one[field] != now[field] && two[field] != now[field]
    };
    now.keys().copied().find(|field| differs(field))
}

/// Whether the advice of the finding at `at` also mends the one at `other`.
fn mends_too<Q: Tried>(trial: &Trial<Q>, found: &[Advised<Q>], at: usize, other: usize) -> bool {
    let names = trial.names_with(&found[at].1);
    !names.contains(found[at].0.name) && !names.contains(found[other].0.name)
}

/// Replaces the advice of the finding at `other` by that of the one at `at`.
fn take_over<Q: Tried>(found: &mut [Advised<Q>], at: usize, other: usize) {
    let (name, changes) = (found[at].0.name, found[at].1.clone());
    let words = in_words(&changes);
    found[other].0.mend =
        format!("{words}, as for {name}: tried on the model, neither is found then");
    found[other].1 = changes;
}

fn in_words<Q: Tried>(changes: &[Change<Q>]) -> String {
    let words: Vec<_> = changes.iter().map(|it| it.words.as_str()).collect();
    words.join(", and ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;

    /// A field, and for each finding the values of it without that finding.
    #[derive(Clone)]
    struct Knob {
        value: u32,
        good: [(&'static str, std::ops::Range<u32>); 2],
    }

    impl Tried for Knob {
        type Run = ();

        fn horizon(&self) -> Duration {
            Duration::ZERO
        }

        fn within(&self, _: Duration) -> Self {
            self.clone()
        }

        fn some_runs(&self) -> Vec<()> {
            vec![()]
        }

        fn all_runs(&self) -> Vec<()> {
            vec![()]
        }

        fn names(&self, _: Vec<()>, _: Duration) -> BTreeSet<&'static str> {
            let bad = self
                .good
                .iter()
                .filter(|(_, good)| !good.contains(&self.value));
            bad.map(|(name, _)| *name).collect()
        }

        fn replica_time((): &()) -> Duration {
            Duration::ZERO
        }

        fn values(&self) -> BTreeMap<&'static str, String> {
            BTreeMap::from([("knob", self.value.to_string())])
        }
    }

    /// The remarks if "a" advises 3 and "b" this value.
    fn mends(a: std::ops::Range<u32>, b: std::ops::Range<u32>, value: u32) -> [String; 2] {
        let knob = Knob {
            value: 0,
            good: [("a", a), ("b", b)],
        };
        let advised = |name, value: u32| {
            let finding = Finding {
                name,
                field: "knob".to_owned(),
                reason: String::new(),
                mend: format!("write {value}; it helps"),
            };
            let change = Change::new(format!("write {value}"), move |it: &mut Knob| {
                it.value = value;
            });
            (finding, vec![change])
        };
        let trial = Trial::new(&knob, Duration::ZERO);
        let found = settled(vec![advised("a", 3), advised("b", value)], &trial);
        [0, 1].map(|at: usize| found[at].mend.clone())
    }

    #[test]
    fn one_value_is_advised_where_it_mends_both() {
        assert_eq!(mends(3..9, 3..9, 3), ["write 3; it helps"; 2]);
        let [a, b] = mends(3..9, 6..9, 6);
        assert_eq!(
            a,
            "write 6, as for b: tried on the model, neither is found then"
        );
        assert_eq!(b, "write 6; it helps");
        let [a, b] = mends(3..5, 2..9, 6);
        assert_eq!(a, "write 3; it helps");
        assert_eq!(
            b,
            "write 3, as for a: tried on the model, neither is found then"
        );
    }

    #[test]
    fn two_values_of_which_neither_mends_both_are_told_to_conflict() {
        let [a, b] = mends(3..5, 6..9, 6);
        let both = "on the model neither value of knob mends both: decide which of the two matters";
        assert_eq!(
            a,
            format!("write 3; it helps; for b it is otherwise (write 6), and {both}")
        );
        assert_eq!(
            b,
            format!("write 6; it helps; for a it is otherwise (write 3), and {both}")
        );
    }
}
