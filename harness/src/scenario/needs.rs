//! What a scenario needs, said by its tags; and what an environment has.

use std::collections::BTreeSet;

/// Tags that a feature file may use, and what each means. Others are refused: a misspelt tag must not move a scenario
/// into or out of a suite.
const KNOWN: [(&str, &str); 5] = [
    ("serial", "runs alone, since it measures time"),
    ("slow", "takes minutes"),
    ("scale", "needs a large load"),
    ("cluster", "needs a Kubernetes cluster"),
    ("aks", "needs Azure Kubernetes Service"),
];

/// Tags of scenarios that the local environment cannot run.
const ABSENT_LOCALLY: [&str; 2] = ["cluster", "aks"];

/// Whether the tag says that a scenario runs alone.
pub(super) fn is_serial(tag: &str) -> bool {
    tag.trim_start_matches('@') == "serial"
}

/// The tags in `tags` that no environment knows.
pub(super) fn unknown<'a>(tags: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    tags.map(|tag| tag.trim_start_matches('@'))
        .filter(|tag| !KNOWN.iter().any(|(known, _)| known == tag))
        .collect()
}

/// What a scenario with `tags` needs that is not here; empty when it can run.
pub(super) fn missing<'a>(tags: impl Iterator<Item = &'a String>) -> BTreeSet<&'a str> {
    tags.map(|tag| tag.trim_start_matches('@'))
        .filter(|tag| ABSENT_LOCALLY.contains(tag))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_apart() {
        let tags: Vec<String> = ["serial", "@aks", "sreial"].map(str::to_owned).into();
        assert_eq!(unknown(tags.iter()), ["sreial"]);
        assert_eq!(missing(tags.iter()), BTreeSet::from(["aks"]));
    }
}
