//! What a step needs of the platform it runs on, and what a platform offers.
//!
//! A step declares its needs where it is defined, with [`declare_needs`]. A scenario needs what its steps need; one that needs
//! what the platform does not offer is listed as not run, with the need that was missing. Tags are left for what no step can
//! know: that a scenario runs alone, or makes sense on one kind of platform only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::Duration;

use cucumber::codegen::inventory;
use cucumber::gherkin::Step;
use cucumber::step::Location;
use platform::Need;

use super::selection::definitions;
use crate::pace::Pace;

/// How long loads, consumers and nodes may keep a step waiting in production, beyond what its sentence states. Karpenter's own
/// tests wait as long for nodes.
pub(super) const PATIENCE: Duration = Duration::from_secs(16 * 60);

/// How much longer a step of a scenario with these needs may take than one in which nothing takes production time.
pub(super) fn patience(needs: &BTreeSet<Need>, pace: Pace) -> Duration {
    if needs.contains(&Need::Scaling) || needs.contains(&Need::Nodes) {
        pace.time(PATIENCE)
    } else {
        Duration::ZERO
    }
}

/// A declaration of needs, for the step that is defined below it.
pub(super) struct Declaration {
    pub(super) path: &'static str,
    pub(super) line: u32,
    pub(super) needs: &'static [Need],
}

inventory::collect!(Declaration);

/// Declares what the step needs whose definition begins on the next line.
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

/// Every declaration, by the place of the definition that it is for.
fn declared() -> &'static BTreeMap<(&'static str, u32), &'static [Need]> {
    static DECLARED: OnceLock<BTreeMap<(&str, u32), &[Need]>> = OnceLock::new();
    DECLARED.get_or_init(|| {
        let all = inventory::iter::<Declaration>.into_iter();
        all.map(|it| ((it.path, it.line + 1), it.needs)).collect()
    })
}

/// What the step needs that is defined there.
pub(super) fn of_definition(place: &Location) -> &'static [Need] {
    let found = declared().get(&(place.path, place.line));
    found.copied().unwrap_or_default()
}

/// What `steps` need, and the tags of their scenario.
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

/// Tags that a feature file may use. Others are refused: a misspelt tag must not move a scenario into or out of a suite.
pub(super) const TAGS: [&str; 4] = ["serial", "smoke", "cluster", "aks"];

/// Whether the tag says that a scenario runs alone, since it measures time.
pub(super) fn is_serial(tag: &str) -> bool {
    tag.trim_start_matches('@') == "serial"
}

/// Whether the tag says that a scenario is among the few that tell most.
pub(super) fn is_smoke(tag: &str) -> bool {
    tag.trim_start_matches('@') == "smoke"
}

/// The tags in `tags` that nobody knows.
pub(super) fn unknown<'a>(tags: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    tags.map(|tag| tag.trim_start_matches('@'))
        .filter(|tag| !TAGS.contains(tag))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let seconds = |needs: &[Need], pace| {
            let needs = needs.iter().copied().collect();
            patience(&needs, Pace::new(pace).unwrap()).as_secs()
        };
        assert_eq!(seconds(&[Need::Scaling], 1), 960);
        assert_eq!(seconds(&[Need::Nodes, Need::Wire], 8), 120);
        assert_eq!(seconds(&[Need::Wire], 1), 0);
    }
}
