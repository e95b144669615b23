//! Choice of the node for a consumer: filters and scores of kube-scheduler 1.36 with its default plugins and weights
//! (`pkg/scheduler/apis/config/v1/default_plugins.go`).
//!
//! Left out, since all consumers are alike and nodes hold nothing else: `NodeResourcesBalancedAllocation`, `ImageLocality`,
//! `InterPodAffinity`, volumes and ports. Among the best nodes, kube-scheduler takes a random one; here the first one is taken,
//! and a caller that wants chance shuffles the nodes.

use std::collections::BTreeSet;

use manifest::labels::Labels;
use manifest::pod::{NodeTerm, Pod, Spread, Taint};

use super::{HOSTNAME, Needs, Node};

/// The score of the best node for a plugin (`framework.MaxNodeScore`).
const MAX_SCORE: i64 = 100;

// `default_plugins.go`, `getDefaultPlugins`.
const WEIGHT_TAINTS: i64 = 3;
const WEIGHT_AFFINITY: i64 = 2;
const WEIGHT_SPREAD: i64 = 2;
const WEIGHT_RESOURCES: i64 = 1;

/// A node, and how many consumers it has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occupied<'a> {
    /// The node.
    pub node: &'a Node,
    /// How many consumers it has.
    pub consumers: u64,
}

/// The index in `nodes` of the node for the next consumer; `None` if it fits on no node.
pub fn choose(needs: &Needs, nodes: &[Occupied<'_>]) -> Option<usize> {
    let feasible: Vec<usize> = (0..nodes.len())
        .filter(|at| fits(needs, nodes[*at]))
        .collect();
    let candidates: Vec<Occupied<'_>> = feasible.iter().map(|at| nodes[*at]).collect();
    let scores = scores(needs, &candidates);
    let best = scores.iter().max()?;
    let first = scores.iter().position(|score| score == best)?;
    feasible.get(first).copied()
}

/// Whether the node passes all filters.
pub fn fits(needs: &Needs, place: Occupied<'_>) -> bool {
    let Occupied { node, consumers } = place;
    let with_one_more = needs.requests.times(consumers + 1);
    tolerates(&needs.pod, &node.taints)
        && is_wanted(&needs.pod, &node.labels)
        && with_one_more.fits(node.allocatable)
}

/// `TaintToleration`, filter (`plugins/tainttoleration/taint_toleration.go`): taints with effect `NoSchedule` or `NoExecute`
/// must be tolerated. Karpenter requires the same of a pool.
pub(super) fn tolerates(pod: &Pod, taints: &[Taint]) -> bool {
    let forbids = |taint: &&Taint| matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute");
    taints.iter().filter(forbids).all(|taint| {
        pod.tolerations
            .iter()
            .any(|toleration| toleration.tolerates(taint))
    })
}

/// `NodeAffinity`, filter (`plugins/nodeaffinity/node_affinity.go`): the selector, and at least one of the required terms, must
/// match.
pub(super) fn is_wanted(pod: &Pod, labels: &Labels) -> bool {
    let selected = pod
        .node_selector
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value));
    let required = pod.affinity.node_affinity.required.as_ref();
    selected
        && required.is_none_or(|terms| {
            let mut terms = terms.node_selector_terms.iter();
            terms.any(|term| matches(term, labels))
        })
}

/// `component-helpers/scheduling/corev1/nodeaffinity`: a term without any condition matches nothing.
fn matches(term: &NodeTerm, labels: &Labels) -> bool {
    let conditions = &term.match_expressions;
    !conditions.is_empty() && conditions.iter().all(|condition| condition.holds(labels))
}

/// The weighted sum of the scores, for each of the nodes that passed the filters.
fn scores(needs: &Needs, nodes: &[Occupied<'_>]) -> Vec<i64> {
    let taints: Vec<_> = nodes
        .iter()
        .map(|at| unwelcome(&needs.pod, at.node))
        .collect();
    let affinity: Vec<_> = nodes
        .iter()
        .map(|at| preferred(&needs.pod, at.node))
        .collect();
    let parts = [
        (WEIGHT_TAINTS, normalized(&taints, true)),
        (WEIGHT_AFFINITY, normalized(&affinity, false)),
        (WEIGHT_SPREAD, spread(needs, nodes)),
        (
            WEIGHT_RESOURCES,
            nodes.iter().map(|at| least_allocated(needs, *at)).collect(),
        ),
    ];
    let sum = |at: usize| {
        parts
            .iter()
            .map(|(weight, scores)| weight * scores[at])
            .sum()
    };
    (0..nodes.len()).map(sum).collect()
}

/// `TaintToleration`, score: the number of taints with effect `PreferNoSchedule` that are not tolerated.
fn unwelcome(pod: &Pod, node: &Node) -> i64 {
    let discourages = |taint: &&Taint| {
        let tolerated = || pod.tolerations.iter().any(|each| each.tolerates(taint));
        taint.effect == "PreferNoSchedule" && !tolerated()
    };
    count(node.taints.iter().filter(discourages).count())
}

/// `NodeAffinity`, score: the weights of the preferred terms that match.
fn preferred(pod: &Pod, node: &Node) -> i64 {
    let terms = pod.affinity.node_affinity.preferred.iter();
    terms
        .filter(|term| matches(&term.preference, &node.labels))
        .map(|term| i64::from(term.weight))
        .sum()
}

/// `plugins/helper/normalize_score.go`, `DefaultNormalizeScore`.
fn normalized(scores: &[i64], reverse: bool) -> Vec<i64> {
    let most = scores.iter().copied().max().unwrap_or(0);
    let score = |score: &i64| {
        if most == 0 {
            return if reverse { MAX_SCORE } else { 0 };
        }
        let share = MAX_SCORE * score / most;
        if reverse { MAX_SCORE - share } else { share }
    };
    scores.iter().map(score).collect()
}

/// `NodeResourcesFit`, score `LeastAllocated` (`plugins/noderesources/least_allocated.go`): the free shares of cores and of
/// memory, with equal weight, after the consumer is placed.
fn least_allocated(needs: &Needs, place: Occupied<'_>) -> i64 {
    let asked = needs.requests.times(place.consumers + 1);
    let has = place.node.allocatable;
    let free = |asked: u64, has: u64| {
        let free = has.saturating_sub(asked).saturating_mul(100);
        i64::try_from(free.checked_div(has).unwrap_or(0)).unwrap_or(MAX_SCORE)
    };
    i64::midpoint(
        free(asked.cpu_millis, has.cpu_millis),
        free(asked.memory_bytes, has.memory_bytes),
    )
}

/// `PodTopologySpread`, score (`plugins/podtopologyspread/scoring.go`): existing consumers lower the score of their domain,
/// more so if there are fewer domains; a node without the label of a constraint scores 0.
fn spread(needs: &Needs, nodes: &[Occupied<'_>]) -> Vec<i64> {
    let constraints: Vec<&Spread> = needs
        .pod
        .topology_spread_constraints
        .iter()
        .filter(|spread| spread.counts(&needs.labels))
        .collect();
    if constraints.is_empty() {
        return vec![0; nodes.len()];
    }
    let has_all = |at: &Occupied<'_>| {
        let mut constraints = constraints.iter();
        constraints.all(|spread| at.node.labels.contains_key(&spread.topology_key))
    };
    let counted: Vec<Occupied<'_>> = nodes.iter().copied().filter(has_all).collect();
    let raw = |at: &Occupied<'_>| -> Option<i64> {
        has_all(at).then(|| {
            let sum: f64 = constraints
                .iter()
                .map(|spread| against(spread, at.node, &counted))
                .sum();
            whole(sum)
        })
    };
    let raw: Vec<Option<i64>> = nodes.iter().map(raw).collect();
    let known = raw.iter().flatten().copied();
    let (least, most) = (known.clone().min().unwrap_or(0), known.max().unwrap_or(0));
    let score = |score: &Option<i64>| match score {
        None => 0,
        Some(_) if most == 0 => MAX_SCORE,
        Some(score) => MAX_SCORE * (most + least - score) / most,
    };
    raw.iter().map(score).collect()
}

/// `scoreForCount`, with `topologyNormalizingWeight`.
fn against(spread: &Spread, node: &Node, counted: &[Occupied<'_>]) -> f64 {
    let key = &spread.topology_key;
    let domain = node.labels.get(key);
    let domains: BTreeSet<_> = counted
        .iter()
        .filter_map(|at| at.node.labels.get(key))
        .collect();
    // With the hostname as key, each node is its own domain, whatever its label says.
    let size = if key == HOSTNAME {
        counted.len()
    } else {
        domains.len()
    };
    let there: u64 = counted
        .iter()
        .filter(|at| at.node.labels.get(key) == domain)
        .map(|at| at.consumers)
        .sum();
    (there as f64).mul_add((size as f64 + 2.0).ln(), f64::from(spread.max_skew) - 1.0)
}

#[expect(clippy::cast_possible_truncation, reason = "a sum of small counts")]
const fn whole(score: f64) -> i64 {
    score.round() as i64
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
