//! What stands in the map: sentences, and for each what must fail it.

/// A sentence of the features, and whatever it must notice.
#[derive(Debug)]
pub(crate) struct Sentence {
    /// Its pattern: `<n>` stands for a number, `<time>` for a duration, `<words>` for any words.
    pub(crate) says: &'static str,
    /// What fails it.
    pub(crate) fails: &'static [Mutant],
}

/// Something broken on purpose, the scenario in which a sentence fails for it, and what that says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mutant {
    pub(crate) broken: Broken,
    /// Part of the scenario's name.
    pub(crate) scenario: &'static str,
    /// What the failure says, or one of several that `|` separates.
    pub(crate) reason: &'static str,
}

/// What is broken.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Broken {
    /// The consumer, by the name of its mutation (`mutant broken NAME`).
    Consumer(&'static str),
    /// The autoscaler or the fleet, by the name of its fault (`mutant scaled NAME`).
    Scaled(&'static str),
    /// What the harness does to the workload: these sentences stand in place of the scenario's own.
    Harness(&'static [(&'static str, &'static str)]),
}

/// A consumer that is broken.
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

/// An autoscaler or a fleet that is broken.
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

/// A harness that does something else than the scenario says.
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
