//! Drain of a node: the node gets no new consumers, and its consumers are told to end, only as many at a time as the workload's
//! disruption budget allows.

use evidence::events::NodeChange;

use super::super::{Departure, Fleet, Leaving, Member};
use super::Tracked;
use crate::simulated::MachineEnd;

/// Share of the wanted consumers that may be unavailable, in percent, rounded up: that of the workload's `PodDisruptionBudget`
/// (`maxUnavailable`; Kubernetes, `pkg/controller/disruption`, `getExpectedPodCount`).
const UNAVAILABLE: usize = 25;

/// How many of `wanted` consumers must stay at work.
const fn least(wanted: usize) -> usize {
    wanted - (wanted * UNAVAILABLE).div_ceil(100)
}

fn is_at_work(member: &Member) -> bool {
    member.lane.has_received_since(member.started)
}

impl Fleet {
    /// One step of all drains: tells consumers to end, as the budget allows, and records which have ended.
    pub(super) fn drain_in_order(&mut self) -> anyhow::Result<()> {
        let tracked = self
            .placement
            .iter()
            .flat_map(|placement| &placement.evicted);
        let open =
            tracked.filter(|it| it.seen.eviction.ends == MachineEnd::Kept && !it.seen.is_over);
        let nodes: Vec<String> = open.map(|it| it.seen.node.clone()).collect();
        for node in nodes {
            self.tell_some(&node)?;
            self.note_told(&node)?;
        }
        Ok(())
    }

    fn tell_some(&mut self, node: &str) -> anyhow::Result<()> {
        let least = least(usize::try_from(self.wanted())?);
        let mut healthy = self.running.iter().filter(|it| is_at_work(it)).count();
        for member in std::mem::take(&mut self.running) {
            // A consumer that is not at work yet may always be evicted (`unhealthyPodEvictionPolicy: AlwaysAllow`).
            let may_go = !is_at_work(&member) || healthy > least;
            if member.node.as_deref() != Some(node) || !may_go {
                self.running.push(member);
                continue;
            }
            healthy -= usize::from(is_at_work(&member));
            let grace = self.grace(member.group);
            self.leaving.push(Leaving::ask(member, grace)?);
        }
        Ok(())
    }

    fn note_told(&mut self, node: &str) -> anyhow::Result<()> {
        let departed = &self.departed;
        let Some(tracked) = self
            .placement
            .as_mut()
            .and_then(|placement| placement.on(node))
        else {
            return Ok(());
        };
        take_down(tracked, departed);
        let seen = &mut tracked.seen;
        if seen.ended.len() + seen.killed.len() < seen.workers.len() {
            return Ok(());
        }
        seen.is_over = true;
        if !seen.killed.is_empty() {
            return Ok(());
        }
        let after = tracked.began.elapsed();
        seen.drained = Some(after);
        let after_ms = u64::try_from(after.as_millis())?;
        self.record_node(node, NodeChange::Drained { after_ms })
    }
}

/// Records how consumers of the node have ended so far.
fn take_down(tracked: &mut Tracked, departed: &[Departure]) {
    let seen = &mut tracked.seen;
    let of_node = departed.iter().filter(|it| seen.workers.contains(&it.name));
    let (ended, killed): (Vec<_>, Vec<_>) = of_node.partition(|it| it.end.code() == Some(0));
    seen.ended = ended.into_iter().cloned().collect();
    seen.killed = killed
        .into_iter()
        .map(|it| (it.name.clone(), it.held))
        .collect();
    if !seen.ended.is_empty() || !seen.killed.is_empty() {
        tracked.falls_short();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_may_be_away_and_of_one_that_one() {
        assert_eq!([0, 1, 4, 5, 8].map(least), [0, 0, 3, 3, 6]);
    }

    #[test]
    fn the_budget_is_that_of_the_manifests() {
        let manifest = include_str!("../../../../../../k8s/base/poddisruptionbudget.yaml");
        assert!(manifest.contains(&format!("\n  maxUnavailable: {UNAVAILABLE}%\n")));
        assert!(manifest.contains("\n  unhealthyPodEvictionPolicy: AlwaysAllow\n"));
    }
}
