//! What a platform offers, and how fast it runs scenarios: known before anything starts.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use workflow::contract::workload::{Description, Name};

use evidence::pace::{Pace, Paces};

/// A capability that a platform may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A proxy between the workload and its storage that injects faults and records every request.
    Wire,
    /// Consumers that can be frozen and thawed.
    Freeze,
    /// Storage that can be taken away and brought back with its data.
    Outage,
    /// An authority of the harness in place of Entra, which controls its clock, its tokens and who trusts whom.
    Authority,
    /// A kubelet of the harness, whose tokens for pods have any age, life and signature.
    Kubelet,
    /// A cluster's issuer whose address ends with a slash, which a set-up can forget.
    Slash,
    /// Scaling by KEDA and the HPA, or by their model.
    Scaling,
    /// Spot nodes that can be evicted, or nodes that stand for them.
    Nodes,
    /// Nodes that can end without notice, when the scenario says so.
    SuddenEnd,
    /// Nodes that can be drained: they get no new pods, and their pods are told to end.
    NodeDrain,
    /// Evictions with a notice as long before as the scenario says.
    Notice,
    /// A forced drain of a node, with a grace period of one second, between the notice and the end of its machine, when the
    /// scenario says so.
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
    /// A setting of the worker for how long simulated work takes.
    Work,
    /// A setting of the worker for how long a lease lasts.
    Lease,
    /// A setting of the worker for how many messages it has in hand at once.
    Concurrency,
    /// A setting of the worker for how many deliveries a message has.
    Attempts,
    /// A setting of the worker for its longest pause between two polls.
    IdlePoll,
    /// A setting of the worker for where it says whether it is ready.
    Probe,
    /// A setting of the worker for where Scheduled Events answer.
    Events,
    /// A worker that drains on SIGTERM.
    Drain,
    /// A worker that signs in with workload identity.
    SignIn,
    /// A worker whose log tells the level of each event.
    JsonLog,
    /// Messages that tell when they were to be sent.
    Intended,
    /// A poison queue of the worker.
    Poison,
    /// Messages of the contract, and a poison queue with reasons: what is wrong with a message of another kind, only its worker knows.
    BadMessages,
}

impl Need {
    const ALL: [Self; 30] = [
        Self::Wire,
        Self::Freeze,
        Self::Outage,
        Self::Authority,
        Self::Kubelet,
        Self::Slash,
        Self::Scaling,
        Self::Nodes,
        Self::SuddenEnd,
        Self::NodeDrain,
        Self::Notice,
        Self::EarlyDrain,
        Self::StoppedMachine,
        Self::ReturningNode,
        Self::NoSpotCapacity,
        Self::Cluster,
        Self::Aks,
        Self::Work,
        Self::Lease,
        Self::Concurrency,
        Self::Attempts,
        Self::IdlePoll,
        Self::Probe,
        Self::Events,
        Self::Drain,
        Self::SignIn,
        Self::JsonLog,
        Self::Intended,
        Self::Poison,
        Self::BadMessages,
    ];
}

/// The capability's name in reports, after "it needs".
impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wire => "a fault proxy before its storage",
            Self::Freeze => "consumers that can be frozen",
            Self::Outage => "a storage that can be taken away",
            Self::Authority => {
                "an authority of the harness (in a cluster: a wire, storage of the overlay that takes tokens, and the right to read \
                 the issuer's keys)"
            }
            Self::Kubelet => "a kubelet of the harness, whose tokens have any age, life and signature",
            Self::Slash => "a cluster whose issuer ends with a slash",
            Self::Scaling => "scaling by KEDA or its model",
            Self::Nodes => {
                "nodes that can be taken back (in a cluster, those that --drain-nodes hands over)"
            }
            Self::SuddenEnd => "nodes that can end without notice",
            Self::NodeDrain => "nodes that can be drained",
            Self::Notice => "evictions with a notice of a given length",
            Self::EarlyDrain => "drains that come before the end of a notice",
            Self::StoppedMachine => "machines that can be stopped and not deleted",
            Self::ReturningNode => "nodes that come back after their eviction",
            Self::NoSpotCapacity => "Spot machines that can be made unavailable",
            Self::Cluster => "a Kubernetes cluster (@cluster)",
            Self::Aks => "Azure Kubernetes Service (@aks)",
            Self::Work => "a setting of the worker for simulated work ({work} in worker.variables)",
            Self::Lease => "a setting of the worker for its lease ({lease} in worker.variables)",
            Self::Concurrency => {
                "a setting of the worker for how many messages it has at once ({concurrency} in worker.variables)"
            }
            Self::Attempts => {
                "a setting of the worker for how often a message is delivered ({attempts} in worker.variables)"
            }
            Self::IdlePoll => "a setting of the worker for its polls ({idle-poll} in worker.variables)",
            Self::Probe => "a setting of the worker for its readiness probe ({listen} in worker.variables)",
            Self::Events => "a setting of the worker for Scheduled Events ({events} in worker.variables)",
            Self::Drain => "a worker that drains on SIGTERM (worker.drains)",
            Self::SignIn => "a worker that signs in with workload identity (worker.workload-identity)",
            Self::JsonLog => "a worker whose log tells levels (worker.json-log)",
            Self::Intended => "messages that tell when they were to be sent ({intended} in message.body)",
            Self::Poison => "a poison queue of the worker (poison in the description)",
            Self::BadMessages => {
                "message and poison as in workloads/own.yaml: a description does not say which messages its worker takes for bad, how soon \
                 it gives them up, and what it calls the reason"
            }
        })
    }
}

/// The capabilities that a platform offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offers(BTreeSet<Need>);

impl Need {
    /// The capabilities that the worker of `description` lacks.
    pub fn lacking(description: &Description) -> Vec<Self> {
        let worker = &description.worker;
        let offered = [
            (Self::Work, worker.has(Name::Work)),
            (Self::Lease, worker.has(Name::Lease)),
            (Self::Concurrency, worker.has(Name::Concurrency)),
            (Self::Attempts, worker.has(Name::Attempts)),
            (Self::IdlePoll, worker.has(Name::IdlePoll)),
            (Self::Probe, worker.has(Name::Listen)),
            (Self::Events, worker.has(Name::Events)),
            (Self::Drain, worker.drains),
            (Self::SignIn, worker.workload_identity),
            (Self::JsonLog, worker.json_log),
            (Self::Intended, description.message_has(Name::Intended)),
            (Self::Poison, description.poison.is_some()),
            (Self::BadMessages, description.has_own_messages()),
        ];
        let lacking = offered.into_iter().filter(|(_, is_offered)| !is_offered);
        lacking.map(|(need, _)| need).collect()
    }
}

impl Offers {
    /// All capabilities.
    pub fn all() -> Self {
        Self(Need::ALL.into())
    }

    /// Removes the capabilities in `lacking`.
    #[must_use]
    pub fn without(mut self, lacking: &[Need]) -> Self {
        self.0.retain(|need| !lacking.contains(need));
        self
    }

    /// The part of `needs` that is not offered.
    pub fn missing(&self, needs: &BTreeSet<Need>) -> BTreeSet<Need> {
        needs.difference(&self.0).copied().collect()
    }
}

/// Facts about a platform that are known before anything runs there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What it offers.
    pub offers: Offers,
    /// How much faster than in production scenarios run there.
    pub paces: Paces,
    /// What its nodes are, in a word or two for reports.
    pub nodes: &'static str,
    /// Whether it has scaling settings of its own: then [`Platform::scaling`](crate::Platform::scaling) returns them.
    pub has_own_scaling: bool,
    /// Whether its workers are pods, made from images, and not programs of this machine.
    pub has_pods: bool,
    /// How long a pod may wait until a node has been made for it; zero where nodes stand already.
    pub node_comes: Duration,
}

impl Profile {
    /// Removes the capabilities that the worker of `description` lacks.
    #[must_use]
    pub fn with_worker(self, description: &Description) -> Self {
        Self {
            offers: self.offers.without(&Need::lacking(description)),
            ..self
        }
    }

    /// The pace of a scenario with these needs: 1, unless it is about scaling or about nodes; the slower of the two paces if it
    /// is about both.
    pub fn pace(&self, needs: &BTreeSet<Need>) -> Pace {
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
    use crate::local::Local;

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
            ..Local::profile()
        };
        let pace = |needs: &[Need]| profile.pace(&needs.iter().copied().collect()).times();
        assert_eq!(pace(&[]), 1);
        assert_eq!(pace(&[Need::Wire, Need::Freeze]), 1);
        assert_eq!(pace(&[Need::Wire, Need::Scaling]), 30);
        assert_eq!(pace(&[Need::Nodes, Need::Notice]), 5);
        assert_eq!(pace(&[Need::Nodes, Need::Scaling]), 5);
    }
}
