use std::path::Path;
use std::time::Duration;

use super::*;
use crate::simulated::MachineEnd;

fn evictable(cluster: &Cluster) -> Vec<String> {
    crate::simulated::evictable(&cluster.seen())
}

fn cluster(seed: u64) -> Cluster {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/base");
    let (needs, pools) = Needs::read(&dir).unwrap();
    let machines = Machines {
        needs,
        pools,
        times: Times::default(),
        seed,
    };
    Cluster::new(machines.of_size(2))
}

/// A cluster with this many consumers, named by their numbers, on nodes that were made for them.
async fn with(consumers: u64, seed: u64, now: Instant) -> Cluster {
    let mut cluster = cluster(seed);
    assert_eq!(cluster.claim(consumers, now), 0);
    let later = now + cluster.times().joins;
    cluster.join_due(later).await.unwrap();
    for number in 1..=consumers {
        cluster.place(&format!("consumer-{number}")).unwrap();
    }
    cluster
}

const PREEMPT: Eviction = Eviction {
    notice: Some(Duration::from_secs(30)),
    drained_after: None,
    ends: MachineEnd::Deleted,
    returns: false,
};

#[tokio::test]
async fn nodes_come_for_consumers_that_fit_nowhere_and_no_more_than_they_need() {
    let (mut cluster, now) = (cluster(1), Instant::now());
    assert_eq!(cluster.place("consumer-1"), None);
    for homeless in [3, 3, 4] {
        assert_eq!(cluster.claim(homeless, now), 0);
    }
    let before = now + cluster.times().joins / 2;
    assert_eq!(cluster.join_due(before).await.unwrap(), []);
    let joined = cluster.join_due(now + cluster.times().joins).await.unwrap();
    assert_eq!((joined.len(), cluster.seen().len()), (2, 2));
    assert!(joined.iter().all(|node| node.capacity == Capacity::Spot));
    let placed: Vec<_> = (1..=5)
        .map(|number| cluster.place(&format!("consumer-{number}")))
        .collect();
    assert!(placed[..4].iter().all(Option::is_some) && placed[4].is_none());
    // The other node has no room for three more; the emptier node is filled first.
    assert_ne!(
        placed[0].as_ref().unwrap().node,
        placed[1].as_ref().unwrap().node
    );
}

#[tokio::test]
async fn nodes_that_stand_already_are_there_at_once_until_the_first_eviction() {
    let (mut cluster, now) = (cluster(1).standing(), Instant::now());
    cluster.claim(4, now);
    assert_eq!(cluster.join_due(now).await.unwrap().len(), 2);
    cluster.place("consumer-1").unwrap();
    let victim = evictable(&cluster).remove(0);
    cluster.evict(&victim, PREEMPT, Stamp::from_micros(0));
    cluster.claim(1, now);
    assert_eq!(cluster.join_due(now).await.unwrap(), []);
    let joined = cluster.join_due(now + cluster.times().joins).await.unwrap();
    assert_eq!(joined.len(), 1);
}

#[tokio::test]
async fn without_spot_capacity_nodes_are_on_demand_and_where_no_pool_can_there_are_none() {
    let (mut cluster, now) = (cluster(1), Instant::now());
    cluster.set_spot(false);
    // 16 cores on demand are 8 machines with 2 cores and 2 consumers each.
    assert_eq!(cluster.claim(20, now), 4);
    let joined = cluster.join_due(now + cluster.times().joins).await.unwrap();
    assert_eq!(joined.len(), 8);
    assert!(
        joined
            .iter()
            .all(|node| node.capacity == Capacity::OnDemand)
    );
    assert_eq!(evictable(&cluster), [""; 0]);
}

#[tokio::test]
async fn a_node_that_was_told_takes_nobody_and_ends_when_its_time_has_come() {
    let (now, at) = (Instant::now(), Stamp::from_micros(0));
    let mut cluster = with(3, 1, now).await;
    let victim = evictable(&cluster).remove(0);
    let others = cluster.consumers(&victim);
    cluster.evict(&victim, PREEMPT, at);
    assert_eq!(evictable(&cluster).len(), 1);
    // The other node has one seat left, whichever of the two nodes it is.
    for consumer in &others {
        cluster.ended(consumer);
    }
    while let Some(placed) = cluster.place(&format!("late-{}", cluster.made)) {
        assert_ne!(placed.node, victim);
        cluster.made += 1;
    }
    assert_eq!(cluster.due(at.plus(Duration::from_secs(29))), []);
    let due = cluster.due(at.plus(Duration::from_secs(30)));
    assert_eq!(due[0].0, victim);
    cluster.gone(&victim, now);
    assert_eq!(cluster.seen().len(), 1);
    assert_eq!(cluster.due(at.plus(Duration::from_secs(31))), []);
}

#[tokio::test]
async fn without_notice_the_end_is_at_once_and_a_machine_that_returns_has_its_old_name() {
    let (now, at) = (Instant::now(), Stamp::from_micros(0));
    let mut cluster = with(2, 1, now).await;
    let victim = evictable(&cluster).remove(0);
    let eviction = Eviction {
        notice: None,
        returns: true,
        ..PREEMPT
    };
    cluster.evict(&victim, eviction, at);
    assert_eq!(cluster.due(at)[0].0, victim);
    cluster.gone(&victim, now);
    assert!(cluster.seen().is_empty());
    let joined = cluster.join_due(now + cluster.times().joins).await.unwrap();
    assert_eq!(joined[0].name, victim);
    assert_eq!(cluster.consumers(&victim), BTreeSet::new());
}

#[tokio::test]
async fn the_same_seed_makes_the_same_nodes() {
    let now = Instant::now();
    let mut made = Vec::new();
    for seed in [7, 7, 8] {
        made.push(evictable(&with(6, seed, now).await));
    }
    assert_eq!(made[0], made[1]);
    assert_ne!(made[0], made[2]);
}

#[tokio::test]
async fn hours_are_counted_by_capacity() {
    let now = Instant::now();
    let mut cluster = with(4, 1, now).await;
    let joins = cluster.times().joins;
    let half_an_hour = Duration::from_secs(1_800);
    let start = now + joins;
    let victim = evictable(&cluster).remove(0);
    cluster.gone(&victim, start + half_an_hour);
    cluster.set_spot(false);
    // A node that is requested one joining time earlier joins exactly then.
    cluster.claim(1, now + half_an_hour);
    cluster.join_due(start + half_an_hour).await.unwrap();
    let figures = cluster.figures(start + 2 * half_an_hour);
    for (found, hours) in [(figures.spot_hours, 1.5), (figures.on_demand_hours, 0.5)] {
        assert!((found - hours).abs() < 0.05, "{found} instead of {hours}");
    }
}
