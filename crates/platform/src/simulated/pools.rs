//! Choice of the node that is made for consumers without a node: Karpenter's rules for node pools, as in AKS node
//! auto-provisioning.

use manifest::Item;
use manifest::labels::{Labels, Operator};
use manifest::nodes::NodePool;
use manifest::pod::Taint;

use super::amounts::Amounts;
use super::needs::{Needs, NodesError};
use super::{CAPACITY_TYPE, Capacity, HOSTNAME, Node, SCALE_SET_PRIORITY, ZONE, place};

/// The label of a node with the name of its pool.
const POOL: &str = "karpenter.sh/nodepool";
/// The requirement on a machine's number of cores.
const CORES: &str = "karpenter.azure.com/sku-cpu";
/// Cores of the smallest machine, for a pool without that requirement.
const FEWEST_CORES: u64 = 2;
/// Memory per core of a general-purpose machine of Azure (D family), in bytes.
const MEMORY_PER_CORE: u64 = 4 << 30;
/// The kubelet reserves one part in this many of the CPU of a machine with two cores (AKS, "Resource reservations": 100 of
/// 2,000 millicores).
const RESERVED_SHARE: u64 = 20;
/// Pods per node, as AKS sets it for node auto-provisioning with overlay networking.
const MOST_PODS: u64 = 250;
/// Zones of an Azure region that has zones.
const ZONES: u64 = 3;

/// A node pool that can make nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Its weight: the heaviest pool is tried first.
    pub weight: u32,
    /// The capacity types of its nodes, Spot before on demand.
    pub capacities: Vec<Capacity>,
    /// The CPU that all of its nodes may have together, in thousandths of a core; `None`: no limit.
    pub limit_cpu_millis: Option<u64>,
    /// The resources of a node without the kubelet's reservation.
    pub allocatable: Amounts,
    /// The CPU of a machine, in thousandths of a core.
    pub machine_cpu_millis: u64,
    labels: Labels,
    taints: Vec<Taint>,
}

impl Pool {
    pub(super) fn of(item: &Item<NodePool>) -> Result<Self, NodesError> {
        let spec = &item.spec.template.spec;
        let quantity = |source| NodesError::Quantity {
            object: item.object(),
            source,
        };
        let listed = |key: &str| {
            let mut requirements = spec.requirements.iter();
            let found = requirements.find(|it| it.key == key && it.operator == Operator::In);
            found.map_or(&[][..], |it| &it.values[..])
        };
        let mut capacities: Vec<Capacity> = [Capacity::Spot, Capacity::OnDemand].into();
        capacities.retain(|each| {
            let listed = listed(CAPACITY_TYPE);
            // Karpenter's default for a pool without this requirement (`pkg/apis/v1/nodepool.go`): on demand.
            (listed.is_empty() && *each == Capacity::OnDemand)
                || listed.iter().any(|value| value == each.as_str())
        });
        let cores = listed(CORES).iter().filter_map(|value| value.parse().ok());
        let cores: u64 = cores.min().unwrap_or(FEWEST_CORES);
        let single = |it: &&manifest::labels::Requirement| {
            it.operator == Operator::In && it.values.len() == 1
        };
        let mut labels: Labels = spec
            .requirements
            .iter()
            .filter(single)
            .map(|it| (it.key.clone(), it.values[0].clone()))
            .collect();
        labels.insert(POOL.to_owned(), item.metadata.name.clone());
        let limit = if item.spec.limits.contains_key("cpu") {
            let limits = Amounts::read(&item.spec.limits, 0).map_err(quantity)?;
            Some(limits.cpu_millis)
        } else {
            None
        };
        let machine_cpu_millis = cores * 1_000;
        Ok(Self {
            name: item.metadata.name.clone(),
            weight: item.spec.weight,
            capacities,
            limit_cpu_millis: limit,
            allocatable: Amounts {
                cpu_millis: machine_cpu_millis - machine_cpu_millis / RESERVED_SHARE,
                memory_bytes: cores * (MEMORY_PER_CORE - MEMORY_PER_CORE / RESERVED_SHARE),
                pods: MOST_PODS,
            },
            machine_cpu_millis,
            labels,
            taints: spec.taints.clone(),
        })
    }

    /// Makes a node of this pool, called `name`. Nodes go to the zones in turn, by `number`.
    pub fn node(&self, capacity: Capacity, name: &str, number: u64) -> Node {
        let mut labels = self.labels.clone();
        labels.insert(CAPACITY_TYPE.to_owned(), capacity.as_str().to_owned());
        if capacity == Capacity::Spot {
            labels.insert(SCALE_SET_PRIORITY.to_owned(), "spot".to_owned());
        }
        labels.insert(ZONE.to_owned(), format!("local-{}", number % ZONES + 1));
        labels.insert(HOSTNAME.to_owned(), name.to_owned());
        Node {
            name: name.to_owned(),
            capacity,
            labels,
            taints: self.taints.clone(),
            allocatable: self.allocatable,
        }
    }
}

/// The pool and the capacity type of the next node for a consumer that fits on no node; `None`: no pool can make a node for it.
///
/// - The heaviest pool comes first (`pkg/utils/nodepool/nodepool.go`, `OrderByWeight`; equal weights by name here).
/// - A pool's taints must be tolerated and its labels wanted, an empty node of it must have room for a consumer, and its limit
///   must hold (`scheduling/nodeclaim.go`, `CanAdd`; `scheduler.go`, `filterByRemainingResources`). Preferences of the consumer
///   are left out: Karpenter relaxes those that no pool satisfies, and the others agree with the weights in the manifests here.
/// - In a pool with both capacity types, Spot comes first (karpenter-provider-azure, `instance.go`,
///   `getPriorityForInstanceType`).
/// - If Azure has no capacity for an offering, the next offering is tried.
pub fn next<'a>(
    needs: &Needs,
    pools: &'a [Pool],
    used_cpu_millis: impl Fn(&Pool) -> u64,
    has_capacity: impl Fn(Capacity) -> bool,
) -> Option<(&'a Pool, Capacity)> {
    let mut ordered: Vec<&Pool> = pools.iter().collect();
    ordered.sort_by(|one, other| {
        let heavier = other.weight.cmp(&one.weight);
        heavier.then_with(|| one.name.cmp(&other.name))
    });
    let fits = |pool: &Pool, capacity| {
        let node = pool.node(capacity, "new", 0);
        let empty = place::Occupied {
            node: &node,
            consumers: 0,
        };
        let after = used_cpu_millis(pool) + pool.machine_cpu_millis;
        place::fits(needs, empty) && pool.limit_cpu_millis.is_none_or(|limit| after <= limit)
    };
    ordered.into_iter().find_map(|pool| {
        let mut capacities = pool.capacities.iter().copied();
        let capacity = capacities.find(|each| has_capacity(*each) && fits(pool, *each))?;
        Some((pool, capacity))
    })
}

#[cfg(test)]
mod tests;
