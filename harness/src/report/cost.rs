//! The cost of a run on Azure: the hours of its nodes at the list prices in its event log, and its requests to storage.

use std::fmt::Write as _;

use evidence::nodes::NodeRecord;
use platform::simulated::Capacity;

use super::RunRecord;

/// The highest price of 10,000 requests, in USD: requests to a table with local redundancy (Azure, "Table Storage pricing",
/// November 2026). Requests to a queue cost an eighth of that.
const REQUESTS: f64 = 0.0325;

/// The hours of nodes, and their cost.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Nodes {
    hours: f64,
    /// At the price of how each node is paid for.
    usd: f64,
    /// At the price of on-demand nodes for all.
    on_demand_usd: f64,
    /// Nodes without a known price.
    unpriced: usize,
}

/// The cost of the run, in a sentence; `None` if it had no machines of Azure.
pub(super) fn told(record: &RunRecord) -> Option<String> {
    let all = record.nodes.all();
    if all.iter().all(|node| node.size.is_none()) {
        return None;
    }
    let of = |capacity| {
        let nodes = all.iter().filter(|node| node.capacity == capacity);
        nodes.fold(Nodes::default(), |sum, node| sum.with(node, record))
    };
    let (spot, on_demand) = (of(Capacity::Spot), of(Capacity::OnDemand));
    let usd = spot.usd + on_demand.usd;
    let all_on_demand = spot.on_demand_usd + on_demand.on_demand_usd;
    let mut told = format!(
        "nodes of consumers: {:.2} h Spot and {:.2} h on demand, {usd:.4} USD by list prices (all on demand: {all_on_demand:.4} USD)",
        spot.hours, on_demand.hours
    );
    let unpriced = spot.unpriced + on_demand.unpriced;
    if unpriced > 0 {
        let _ = write!(told, "; without {unpriced} nodes whose price is not known");
    }
    if let Some(traffic) = record
        .audit
        .as_ref()
        .and_then(|audit| audit.traffic.as_ref())
    {
        let usd = traffic.requests as f64 / 10_000.0 * REQUESTS;
        let requests = traffic.requests;
        let _ = write!(
            told,
            "; {requests} requests to storage, {usd:.4} USD at most"
        );
    }
    Some(told)
}

impl Nodes {
    fn with(self, node: &NodeRecord, record: &RunRecord) -> Self {
        let until = node.gone.unwrap_or(record.ended);
        let hours = until.micros_since(node.joined).max(0) as f64 / 3.6e9;
        let usd = |micros: u64| hours * micros as f64 / 1e6;
        let price = node.on_demand_micro_usd;
        let own = match node.capacity {
            // Never more than on demand (node auto-provisioning sets a maximum price of -1).
            Capacity::Spot => node.spot_micro_usd.or(price),
            Capacity::OnDemand => price,
        };
        Self {
            hours: self.hours + hours,
            usd: self.usd + own.map_or(0.0, usd),
            on_demand_usd: self.on_demand_usd + price.map_or(0.0, usd),
            unpriced: self.unpriced + usize::from(price.is_none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use workflow::contract::Stamp;

    use super::*;
    use crate::events::{NodeChange, NodeEvent};

    fn record(changes: impl IntoIterator<Item = (i64, &'static str, NodeChange)>) -> RunRecord {
        let mut record = RunRecord {
            ended: Stamp::from_micros(3_600_000_000),
            ..RunRecord::default()
        };
        for (second, node, change) in changes {
            let node = node.to_owned();
            let at = Stamp::from_micros(second * 1_000_000);
            record.nodes.take(at, NodeEvent { node, change });
        }
        record
    }

    fn joined(capacity: Capacity, size: Option<&str>) -> NodeChange {
        NodeChange::Joined {
            capacity,
            zone: "eastus-1".to_owned(),
            size: size.map(str::to_owned),
        }
    }

    #[test]
    fn hours_cost_what_their_kind_costs_and_stand_beside_what_they_would_cost_on_demand() {
        let size = Some("Standard_D2s_v5");
        let priced = NodeChange::Priced {
            on_demand_micro_usd: 100_000,
            spot_micro_usd: Some(20_000),
        };
        let gone = NodeChange::Gone {
            stopped: false,
            killed: vec![],
        };
        let record = record([
            (0, "a", joined(Capacity::Spot, size)),
            (1, "a", priced.clone()),
            (1800, "a", gone),
            (1800, "b", joined(Capacity::OnDemand, size)),
            (1801, "b", priced),
            (0, "c", joined(Capacity::Spot, size)),
        ]);
        assert_eq!(
            told(&record).unwrap(),
            "nodes of consumers: 1.50 h Spot and 0.50 h on demand, 0.0600 USD by list prices (all on demand: 0.1000 USD); without 1 nodes \
             whose price is not known"
        );
    }

    #[test]
    fn simulated_nodes_cost_nothing_and_say_nothing() {
        let record = record([(0, "a", joined(Capacity::Spot, None))]);
        assert_eq!(told(&record), None);
    }
}
