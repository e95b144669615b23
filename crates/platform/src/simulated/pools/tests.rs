use std::path::Path;

use super::*;

fn read() -> (Needs, Vec<Pool>) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/base");
    Needs::read(&dir).unwrap()
}

fn chosen(pools: &[Pool], used: u64, has_spot: bool) -> Option<(String, Capacity)> {
    let (needs, _) = read();
    let has = |capacity| capacity == Capacity::OnDemand || has_spot;
    let found = next(&needs, pools, |_| used, has);
    found.map(|(pool, capacity)| (pool.name.clone(), capacity))
}

#[test]
fn the_manifests_say_which_nodes_there_can_be() {
    let (needs, pools) = read();
    let told: Vec<_> = pools
        .iter()
        .map(|pool| {
            (
                pool.name.as_str(),
                pool.weight,
                &pool.capacities[..],
                pool.limit_cpu_millis,
            )
        })
        .collect();
    let expected = [
        ("edw-spot", 100, &[Capacity::Spot][..], Some(32_000)),
        ("edw-on-demand", 10, &[Capacity::OnDemand][..], Some(16_000)),
    ];
    assert_eq!(told, expected);
    let asked = Amounts {
        cpu_millis: 100,
        memory_bytes: 64 << 20,
        pods: 1,
    };
    assert_eq!(needs.requests, asked);
    let node = pools[0].node(Capacity::Spot, "n", 0);
    assert_eq!(node.labels[CAPACITY_TYPE], "spot");
    assert_eq!(node.labels[SCALE_SET_PRIORITY], "spot");
    assert_eq!(node.taints[0].key, SCALE_SET_PRIORITY);
    let other = pools[1].node(Capacity::OnDemand, "n", 1);
    assert_eq!(other.labels.get(SCALE_SET_PRIORITY), None);
    assert_ne!(node.zone(), other.zone());
}

#[test]
fn the_heaviest_pool_with_capacity_makes_the_node() {
    let (_, pools) = read();
    let spot = Some(("edw-spot".to_owned(), Capacity::Spot));
    let on_demand = Some(("edw-on-demand".to_owned(), Capacity::OnDemand));
    assert_eq!(chosen(&pools, 0, true), spot);
    assert_eq!(chosen(&pools, 0, false), on_demand);
    let reversed: Vec<_> = pools.iter().rev().cloned().collect();
    assert_eq!(chosen(&reversed, 0, true), spot);
    assert_eq!(chosen(&pools[..1], 0, false), None);
}

#[test]
fn a_pool_keeps_its_limit() {
    let (_, pools) = read();
    let name = |used| chosen(&pools, used, true).map(|(name, _)| name);
    assert_eq!(name(30_000).as_deref(), Some("edw-spot"));
    // One more machine of two cores would make 33 cores, above both limits, 32 and 16.
    assert_eq!(name(31_000), None);
    assert_eq!(
        chosen(&pools, 14_000, false).map(|(_, capacity)| capacity),
        Some(Capacity::OnDemand)
    );
}

#[test]
fn one_pool_with_both_capacities_prefers_spot() {
    let (_, mut pools) = read();
    let mut both = pools.remove(1);
    both.capacities = vec![Capacity::Spot, Capacity::OnDemand];
    let both = [both];
    assert_eq!(
        chosen(&both, 0, true).map(|(_, capacity)| capacity),
        Some(Capacity::Spot)
    );
    assert_eq!(
        chosen(&both, 0, false).map(|(_, capacity)| capacity),
        Some(Capacity::OnDemand)
    );
}
