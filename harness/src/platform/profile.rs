//! What a platform offers, and how fast things happen there: known before anything runs.

use std::collections::BTreeSet;
use std::fmt;

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
    /// A drain of a node before the end that its notice says, with a second of grace, when the scenario says so.
    EarlyDrain,
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
    const ALL: [Self; 13] = [
        Self::Wire,
        Self::Freeze,
        Self::Outage,
        Self::Authority,
        Self::Scaling,
        Self::Nodes,
        Self::Notice,
        Self::EarlyDrain,
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
            Self::EarlyDrain => "drains that come before the end of a notice",
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
    pub(crate) fn missing(&self, needs: &BTreeSet<Need>) -> BTreeSet<Need> {
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
    /// The pace of a scenario with these needs: production's own, unless it is about scaling or about nodes; the slower one
    /// where it is about both.
    pub(crate) fn pace(&self, needs: &BTreeSet<Need>) -> Pace {
        let about = |need, pace| needs.contains(&need).then_some(pace);
        let paces = [
            about(Need::Scaling, self.paces.scaling),
            about(Need::Nodes, self.paces.nodes),
        ];
        paces.into_iter().flatten().min().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_need_is_one_of_all() {
        let named: BTreeSet<String> = Need::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(named.len(), Need::ALL.len());
        assert_eq!(Offers::all().missing(&Need::ALL.into()), BTreeSet::new());
    }

    #[test]
    fn a_scenario_about_scaling_and_nodes_has_the_slower_of_their_paces() {
        let profile = Profile {
            paces: Paces {
                scaling: Pace::new(30).unwrap(),
                nodes: Pace::new(5).unwrap(),
            },
            offers: Offers::all(),
        };
        let pace = |needs: &[Need]| profile.pace(&needs.iter().copied().collect()).times();
        assert_eq!(pace(&[]), 1);
        assert_eq!(pace(&[Need::Wire, Need::Freeze]), 1);
        assert_eq!(pace(&[Need::Wire, Need::Scaling]), 30);
        assert_eq!(pace(&[Need::Nodes, Need::Notice]), 5);
        assert_eq!(pace(&[Need::Nodes, Need::Scaling]), 5);
    }
}
