//! The types of the map: sentences, each with the mutants that must fail it.

/// A sentence of the features, and the mutants that it must notice.
#[derive(Debug)]
pub(crate) struct Sentence {
    /// Its pattern: `<n>` stands for a number, `<time>` for a duration, `<words>` for any words.
    pub(crate) says: &'static str,
    /// The mutants that fail it.
    pub(crate) fails: &'static [Mutant],
}

/// A fault, the scenario in which a sentence fails because of it, and the reason of the failure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mutant {
    pub(crate) broken: Broken,
    /// Part of the scenario's name.
    pub(crate) scenario: &'static str,
    /// A part of the failure's reason, or several alternatives separated by `|`.
    pub(crate) reason: &'static str,
}

/// The part that is broken.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Broken {
    /// The consumer, by the name of its mutation (`mutant broken NAME`).
    Consumer(&'static str),
    /// The autoscaler or the fleet, by the name of its fault (`mutant scaled NAME`).
    Scaled(&'static str),
    /// The harness's treatment of the workload: these sentences replace the scenario's own.
    Harness(&'static [(&'static str, &'static str)]),
}

/// A broken consumer.
pub(crate) const fn consumer(
    mutation: &'static str,
    scenario: &'static str,
    reason: &'static str,
) -> Mutant {
    Mutant {
        broken: Broken::Consumer(mutation),
        scenario,
        reason,
    }
}

/// A broken autoscaler or fleet.
pub(crate) const fn scaled(
    fault: &'static str,
    scenario: &'static str,
    reason: &'static str,
) -> Mutant {
    Mutant {
        broken: Broken::Scaled(fault),
        scenario,
        reason,
    }
}

/// A harness that does something other than the scenario says.
pub(crate) const fn harness(
    changes: &'static [(&'static str, &'static str)],
    scenario: &'static str,
    reason: &'static str,
) -> Mutant {
    Mutant {
        broken: Broken::Harness(changes),
        scenario,
        reason,
    }
}
