//! What a step needs of the platform it runs on, and what a platform offers.
//!
//! A step declares its needs where it is defined, with [`declare_needs`]. A scenario needs what its steps need; one that needs
//! what the platform does not offer is listed as not run, with the need that was missing. Tags are left for what no step can
//! know: that a scenario runs alone, or makes sense on one kind of platform only.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use cucumber::codegen::inventory;
use cucumber::gherkin::Step;
use cucumber::step::Location;

use super::selection::definitions;
use crate::pace::{Pace, Paces};

/// Something that a platform may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A fault proxy between the workload and its storage, which breaks requests and writes a history of them.
    Wire,
    /// Consumers that can be frozen and thawed.
    Freeze,
    /// A storage that can be taken away and brought back with its data.
    Outage,
    /// An authority of the harness, whose clock, tokens and mistakes it decides.
    Authority,
    /// Scaling by KEDA and the HPA, or by their model.
    Scaling,
    /// Spot nodes that can be evicted.
    Nodes,
    /// Evictions that are announced as long before as the scenario says.
    Notice,
    /// Machines that can be stopped without being deleted.
    StoppedMachine,
    /// A node that comes back under its name after its eviction.
    ReturningNode,
    /// A lack of Spot machines, when the scenario says so.
    NoSpotCapacity,
    /// A Kubernetes cluster (`@cluster`).
    Cluster,
    /// Azure Kubernetes Service (`@aks`).
    Aks,
}

impl Need {
    const ALL: [Self; 12] = [
        Self::Wire,
        Self::Freeze,
        Self::Outage,
        Self::Authority,
        Self::Scaling,
        Self::Nodes,
        Self::Notice,
        Self::StoppedMachine,
        Self::ReturningNode,
        Self::NoSpotCapacity,
        Self::Cluster,
        Self::Aks,
    ];
}

/// As reports name it, after "it needs".
impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wire => "a fault proxy before its storage",
            Self::Freeze => "consumers that can be frozen",
            Self::Outage => "a storage that can be taken away",
            Self::Authority => "an authority of the harness",
            Self::Scaling => "scaling by KEDA or its model",
            Self::Nodes => "Spot nodes that can be evicted",
            Self::Notice => "evictions with a notice of a given length",
            Self::StoppedMachine => "machines that can be stopped and not deleted",
            Self::ReturningNode => "nodes that come back after their eviction",
            Self::NoSpotCapacity => "Spot machines that can be made unavailable",
            Self::Cluster => "a Kubernetes cluster (@cluster)",
            Self::Aks => "Azure Kubernetes Service (@aks)",
        })
    }
}

/// What a platform offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offers(BTreeSet<Need>);

impl Offers {
    /// Everything.
    pub fn all() -> Self {
        Self(Need::ALL.into())
    }

    /// The same without some of it.
    #[must_use]
    pub fn without(mut self, lacking: &[Need]) -> Self {
        self.0.retain(|need| !lacking.contains(need));
        self
    }

    /// What of `needs` it lacks.
    pub(super) fn missing(&self, needs: &BTreeSet<Need>) -> BTreeSet<Need> {
        needs.difference(&self.0).copied().collect()
    }
}

/// What a platform says of itself before anything runs there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What it offers.
    pub offers: Offers,
    /// How much faster than in production things happen there.
    pub paces: Paces,
}

impl Profile {
    /// Of this machine, the only place where its paces are said. What bounds them cannot be shortened: a consumer asks for
    /// Scheduled Events once a second, a lease lasts at least a second, and storage and processes take what time they take.
    pub fn local() -> Self {
        let pace = |times| Pace::new(times).expect("a constant pace must not be zero");
        Self {
            offers: Offers::all().without(&[Need::Cluster, Need::Aks]),
            paces: Paces {
                scaling: pace(15),
                nodes: pace(8),
            },
        }
    }

    /// The pace of a scenario with these needs: production's own, unless it is about scaling or about nodes; the slower one
    /// where it is about both.
    pub(super) fn pace(&self, needs: &BTreeSet<Need>) -> Pace {
        let about = |need, pace| needs.contains(&need).then_some(pace);
        let paces = [
            about(Need::Scaling, self.paces.scaling),
            about(Need::Nodes, self.paces.nodes),
        ];
        paces.into_iter().flatten().min().unwrap_or_default()
    }
}

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
                needs: &[$($crate::scenario::needs::Need::$need),+],
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
const TAGS: [&str; 3] = ["serial", "cluster", "aks"];

/// Whether the tag says that a scenario runs alone, since it measures time.
pub(super) fn is_serial(tag: &str) -> bool {
    tag.trim_start_matches('@') == "serial"
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
        assert_eq!(Profile::local().offers.missing(&needs), needs);
    }

    #[test]
    fn every_need_is_one_of_all() {
        let named: BTreeSet<String> = Need::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(named.len(), Need::ALL.len());
        assert_eq!(Offers::all().missing(&Need::ALL.into()), BTreeSet::new());
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

    #[test]
    fn a_scenario_about_scaling_and_nodes_has_the_slower_of_their_paces() {
        let profile = Profile {
            paces: Paces {
                scaling: Pace::new(30).unwrap(),
                nodes: Pace::new(5).unwrap(),
            },
            ..Profile::local()
        };
        let pace = |needs: &[Need]| profile.pace(&needs.iter().copied().collect()).times();
        assert_eq!(pace(&[]), 1);
        assert_eq!(pace(&[Need::Wire, Need::Freeze]), 1);
        assert_eq!(pace(&[Need::Wire, Need::Scaling]), 30);
        assert_eq!(pace(&[Need::Nodes, Need::Notice]), 5);
        assert_eq!(pace(&[Need::Nodes, Need::Scaling]), 5);
    }
}
