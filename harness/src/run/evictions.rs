//! Evictions of nodes under load: which nodes, and when. The seed of the run draws both.

mod waits;

use std::time::Duration;

use evidence::evictions::{Evicted, Eviction};
use judge::evictions as judged;
use judge::evictions::{Hindrance, staged};
use platform::simulated::Capacity;
use platform::until::{until, until_told};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use self::waits::{
    until_at_work, until_evictable, until_in_hand, until_in_work, until_made_good, until_over,
};
use super::{Load, Run, Sent};

/// What is evicted during a load, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvictionPlan {
    /// Whether half of the nodes are evicted; else one.
    pub half: bool,
    /// How the nodes are taken back.
    pub eviction: Eviction,
    /// What each eviction waits for.
    pub wait: EvictionWait,
    /// Whether another node is evicted once the consumers of the first one are replaced.
    pub another: bool,
    /// Who decides when the machine ends.
    pub timing: Timing,
    /// Whether Azure has Spot machines to replace those that it takes back.
    pub has_spot: bool,
    /// How many consumers must be at work before the load begins.
    pub consumers: usize,
    /// How long each of its waits may take.
    pub patience: Duration,
}

/// Who decides when a machine ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// The harness, or the scenario.
    Ours,
    /// Azure, which may end it after the load.
    Azure,
}

/// How an eviction waits for the work of the node's workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvictionWait {
    /// It does not wait.
    Now,
    /// Until a worker has a message whose work has yet to begin.
    InWork,
    /// Until each worker has a message in hand: the eviction of a node without work proves nothing.
    InHand,
}

impl Run {
    /// Sends `load` to consumers that are at work, and evicts nodes during the load, as `plan` says. The load may take `sent_within`.
    pub async fn evict_under_load(
        &self,
        load: &Load,
        plan: EvictionPlan,
        sent_within: Duration,
    ) -> anyhow::Result<Sent> {
        let patience = plan.patience;
        until_at_work(self, plan.consumers, patience).await?;
        until_evictable(self, patience).await?;
        let mut sending = self.start_sending(load).await?;
        // The seed decides the exact time.
        let mut chance = StdRng::seed_from_u64(self.identity().seed);
        let first = load.messages * chance.random_range(15..35) / 100;
        sending.until_acknowledged(first, sent_within).await?;
        evict(self, plan, plan.wait).await?;
        until_over(self, 1, patience).await?;
        if plan.eviction.returns {
            again(self, plan).await?;
        }
        if plan.another {
            until_made_good(self, patience).await?;
            until_evictable(self, patience).await?;
            evict(self, plan, plan.wait).await?;
            until_over(self, 2, patience).await?;
        }
        let sent = sending.finish(sent_within).await?;
        if plan.timing == Timing::Azure {
            staged::while_sending(&self.evictions()?, sent.summary.ended)?;
        }
        Ok(sent)
    }

    /// Sends `load`, and evicts nodes as `plan` says while consumers are still coming: at most `moment` after the last start.
    pub async fn evict_in_scale_out(
        &self,
        load: &Load,
        plan: EvictionPlan,
        moment: Duration,
        sent_within: Duration,
    ) -> anyhow::Result<Sent> {
        let patience = plan.patience;
        let sending = self.start_sending(load).await?;
        // The seed decides after how many consumers, and how long after the last of them, the eviction happens.
        let mut chance = StdRng::seed_from_u64(self.identity().seed);
        let (first, later) = (
            chance.random_range(1..=5_usize),
            chance.random_range(0.0..1.0),
        );
        let came = until_told(self.nodes()?.watch(), patience, |nodes| {
            let placed: usize = nodes.nodes.iter().map(|node| node.workers.len()).sum();
            (placed >= first && !nodes.evictable().is_empty()).then_some(())
        });
        staged::first_have_come(came.await.is_ok(), first, patience)?;
        self.let_pass(moment.mul_f64(later)).await;
        evict(self, plan, EvictionWait::Now).await?;
        until_over(self, 1, patience).await?;
        sending.finish(sent_within).await
    }

    /// The evictions so far; an error if there was none.
    pub fn evictions(&self) -> anyhow::Result<Vec<Evicted>> {
        let evictions = self.nodes()?.watch().borrow().evictions.clone();
        judged::some(&evictions)?;
        Ok(evictions)
    }

    /// Waits until as many consumers as before are at work again after each eviction, for at most `limit`, and judges whether they were.
    /// If a wire shows it, waits as long again until they have finished messages.
    pub async fn judge_recovery(&self, limit: Duration) -> anyhow::Result<()> {
        self.evictions()?;
        let nodes = self.nodes()?;
        let recovered = until_told(nodes.watch(), limit, |nodes| {
            let all = nodes.evictions.iter().all(|it| it.recovered.is_some());
            (all || nodes.no_room.is_some()).then_some(())
        });
        recovered.await.ok();
        let known = Hindrance {
            wanted: self.roster().wanted,
            denied: nodes.watch().borrow().denied(),
        };
        let evictions = self.evictions()?;
        judged::made_good(&evictions, limit, &known)?;
        if self.stage.wire().is_none() {
            return Ok(());
        }
        let worked = || {
            let departed: Vec<_> = self
                .roster()
                .departed
                .into_iter()
                .map(|it| it.name)
                .collect();
            self.look(|index| judged::worked_again(&evictions, &departed, index))
        };
        let have = until(limit, async || Ok(worked()?.is_ok().then_some(())));
        have.await?.ok();
        Ok(worked()??)
    }

    /// Judges whether a worker took a message more than `limit` after the notice of its machine.
    pub fn judge_receives_after_notice(&self, limit: Duration) -> anyhow::Result<()> {
        let evictions = self.evictions()?;
        let judged = self.look(|index| judged::took_nothing_more(&evictions, limit, index))?;
        Ok(judged?)
    }

    /// A node that Azure evicted without being asked, if there is one.
    pub fn evicted_unasked(&self) -> Option<String> {
        self.stage.evicted_unasked()
    }

    /// How many running consumers are on nodes of this capacity.
    pub fn running_on(&self, capacity: Capacity) -> anyhow::Result<usize> {
        let nodes = self.nodes()?.watch().borrow().clone();
        let roster = self.roster();
        let of = roster.running().filter_map(|it| it.node.as_ref());
        Ok(of
            .filter(|node| nodes.capacity(node) == Some(capacity))
            .count())
    }
}

/// Evicts nodes that the seed of the run chooses.
async fn evict(run: &Run, plan: EvictionPlan, wait: EvictionWait) -> anyhow::Result<()> {
    let nodes = run.nodes()?;
    nodes.offer_spot(plan.has_spot).await?;
    let mut victims = nodes.watch().borrow().evictable();
    victims.shuffle(&mut StdRng::seed_from_u64(run.identity().seed));
    let count = if plan.half {
        victims.len().div_ceil(2)
    } else {
        1
    };
    staged::chosen(&victims)?;
    victims.truncate(count);
    for victim in victims {
        match wait {
            EvictionWait::Now => {}
            EvictionWait::InWork => until_in_work(run, &victim, plan.patience).await?,
            EvictionWait::InHand => until_in_hand(run, &victim, plan.patience).await?,
        }
        nodes.evict(&victim, plan.eviction).await?;
    }
    Ok(())
}

/// Evicts the same node once more, as soon as it is back and its consumers are at work.
async fn again(run: &Run, plan: EvictionPlan) -> anyhow::Result<()> {
    let (nodes, patience) = (run.nodes()?, plan.patience);
    let node = nodes.watch().borrow().evictions[0].node.clone();
    let back = until(patience, async || {
        let roster = run.roster();
        let mut on_it = roster
            .running()
            .filter(|it| it.node.as_ref() == Some(&node));
        let is_at_work = on_it.any(|it| it.has_received == Some(true));
        let can_be_hit = nodes.watch().borrow().evictable().contains(&node);
        Ok((is_at_work && can_be_hit).then_some(()))
    });
    staged::came_back(back.await?.is_ok(), &node, patience)?;
    let eviction = Eviction {
        returns: false,
        ..plan.eviction
    };
    nodes.evict(&node, eviction).await?;
    until_over(run, 2, patience).await
}
