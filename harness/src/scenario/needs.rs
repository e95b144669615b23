//! The needs of steps, and what a platform offers.
//!
//! A step declares its needs at its definition, with [`declare_needs`]. A scenario has the needs of its steps; if the platform does
//! not offer one of them, the scenario is listed as not run, with the missing need. Tags say only what no step can know: that a
//! scenario runs alone, or makes sense on one kind of platform only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::Duration;

use cucumber::codegen::inventory;
use cucumber::gherkin::Step;
use cucumber::step::Location;
use platform::{Need, Profile};

use super::selection::definitions;

/// How long a step may wait for loads, consumers and nodes in production, beyond the times in its sentence. Karpenter's own tests
/// wait as long for nodes.
pub(super) const PATIENCE: Duration = Duration::from_secs(16 * 60);

/// The additional time for a step of a scenario with these needs on a platform of this `profile`.
pub(super) fn patience(needs: &BTreeSet<Need>, profile: &Profile) -> Duration {
    let takes_production_time = needs.contains(&Need::Scaling) || needs.contains(&Need::Nodes);
    let own = if takes_production_time {
        profile.pace(needs).time(PATIENCE)
    } else {
        Duration::ZERO
    };
    // One step may start the wire and then consumers, and a node may have to be made first for each of the two.
    own + profile.node_comes * 2
}

/// The needs that the step definition below it declares.
pub(super) struct Declaration {
    pub(super) path: &'static str,
    pub(super) line: u32,
    pub(super) needs: &'static [Need],
}

inventory::collect!(Declaration);

/// Declares the needs of the step whose definition begins on the next line.
macro_rules! declare_needs {
    ($($need:ident),+) => {
        ::cucumber::codegen::inventory::submit! {
            $crate::scenario::needs::Declaration {
                path: file!(),
                line: line!(),
                needs: &[$($crate::platform::Need::$need),+],
            }
        }
    };
}
pub(super) use declare_needs;

/// Every declaration, by the place of its step definition.
fn declared() -> &'static BTreeMap<(&'static str, u32), &'static [Need]> {
    static DECLARED: OnceLock<BTreeMap<(&str, u32), &[Need]>> = OnceLock::new();
    DECLARED.get_or_init(|| {
        let all = inventory::iter::<Declaration>.into_iter();
        all.map(|it| ((it.path, it.line + 1), it.needs)).collect()
    })
}

/// The needs of the step that is defined at `place`.
pub(super) fn of_definition(place: &Location) -> &'static [Need] {
    let found = declared().get(&(place.path, place.line));
    found.copied().unwrap_or_default()
}

/// The needs of `steps`, and those that the tags of their scenario declare.
pub(super) fn of_scenario<'a>(
    steps: impl Iterator<Item = &'a Step>,
    tags: impl Iterator<Item = &'a String>,
) -> BTreeSet<Need> {
    let of_step = |step: &Step| match definitions().find(step) {
        Ok(Some((_, _, Some(place), _))) => of_definition(&place),
        _ => &[],
    };
    let of_tag = |tag: &String| match tag.trim_start_matches('@') {
        "cluster" => Some(Need::Cluster),
        "aks" => Some(Need::Aks),
        _ => None,
    };
    let of_steps = steps.flat_map(of_step).copied();
    of_steps.chain(tags.filter_map(of_tag)).collect()
}

/// Tags that a feature file may use. Others are refused, since a misspelt tag would silently move a scenario into a suite or out of it.
pub(super) const TAGS: [&str; 4] = ["serial", "smoke", "cluster", "aks"];

/// Whether the tag makes a scenario run alone, because it measures time.
pub(super) fn is_serial(tag: &str) -> bool {
    tag.trim_start_matches('@') == "serial"
}

/// Whether the tag puts a scenario into the small suite, which shows most in the shortest time.
pub(super) fn is_smoke(tag: &str) -> bool {
    tag.trim_start_matches('@') == "smoke"
}

/// The tags in `tags` that are not defined.
pub(super) fn unknown<'a>(tags: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    tags.map(|tag| tag.trim_start_matches('@'))
        .filter(|tag| !TAGS.contains(tag))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::{Pace, Paces};
    use crate::scenario::lint::all_defined;
    use platform::local::Local;

    #[test]
    fn every_declaration_is_for_a_definition() {
        let places: Vec<_> = all_defined().map(|(place, _)| place).collect();
        for (path, line) in declared().keys() {
            let found = places.iter().any(|it| it.path == *path && it.line == *line);
            assert!(
                found,
                "no step is defined at {path}:{line}, where its needs are declared"
            );
        }
    }

    #[test]
    fn tags_are_told_apart() {
        let tags: Vec<String> = ["serial", "@aks", "sreial", "slow"]
            .map(str::to_owned)
            .into();
        assert_eq!(unknown(tags.iter()), ["sreial", "slow"]);
        let needs = of_scenario(std::iter::empty(), tags.iter());
        assert_eq!(needs, BTreeSet::from([Need::Aks]));
        assert_eq!(Local::profile().offers.missing(&needs), needs);
    }

    #[test]
    fn a_step_waits_for_what_comes_in_production_time() {
        let seconds = |needs: &[Need], pace, node_comes| {
            let needs = needs.iter().copied().collect();
            let pace = Pace::new(pace).unwrap();
            let profile = Profile {
                paces: Paces {
                    scaling: pace,
                    nodes: pace,
                },
                node_comes: Duration::from_secs(node_comes),
                ..Local::profile()
            };
            patience(&needs, &profile).as_secs()
        };
        assert_eq!(seconds(&[Need::Scaling], 1, 0), 960);
        assert_eq!(seconds(&[Need::Nodes, Need::Wire], 8, 0), 120);
        assert_eq!(seconds(&[Need::Wire], 1, 0), 0);
        assert_eq!(seconds(&[Need::Wire], 1, 480), 960);
        assert_eq!(seconds(&[Need::Nodes], 1, 480), 1_920);
    }
}
