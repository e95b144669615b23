//! The needs of scenarios, and what happens where one is missing.

use std::collections::BTreeMap;

use clap::Parser;
use platform::cluster::Cluster;
use platform::local::Local;
use platform::{ClusterArgs, Need, Offers, Profile};

use super::{cases, directory};
use crate::pace::{Pace, Paces};
use crate::scenario::{Selection, SuiteArgs, list, select};

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    suite: SuiteArgs,
}

fn selected(offers: Offers) -> Selection {
    let mut args = Cli::try_parse_from(["harness"]).unwrap().suite;
    args.features = vec![directory("features")];
    let paces = Paces {
        scaling: Pace::new(30).unwrap(),
        nodes: Pace::new(5).unwrap(),
    };
    let profile = Profile {
        offers,
        paces,
        ..Local::profile()
    };
    select(&args, &profile).unwrap()
}

#[test]
fn a_filter_that_leaves_nothing_that_can_run_names_what_it_left_and_what_that_needs() {
    let mut args = Cli::try_parse_from(["harness"]).unwrap().suite;
    args.features = vec![directory("features")];
    args.filter = Some("The zombie".into());
    let profile = Profile {
        offers: Offers::all().without(&[Need::Freeze]),
        ..Local::profile()
    };
    let zombie = "The zombie finishes what others have finished before it";
    let needs = "consumers that can be frozen";
    let listed = list(&args, &profile).unwrap();
    assert_eq!(listed.names, Vec::<String>::new());
    let not_run: Vec<_> = listed
        .not_run
        .iter()
        .map(|it| (&*it.name, &*it.needs))
        .collect();
    assert_eq!(not_run, [(zombie, needs)]);
    let error = format!("{:#}", select(&args, &profile).unwrap_err());
    let told = format!(
        "1 not runnable here, none left; a suite that runs nothing proves nothing\n- not run here: {zombie} (needs {needs})"
    );
    assert!(error.contains(&told), "{error}");
}

/// The scenarios that were not run, each with its missing needs.
fn not_run(selection: &Selection) -> BTreeMap<&str, &str> {
    let all = selection.not_run.iter();
    all.map(|it| (it.name.as_str(), it.needs.as_str()))
        .collect()
}

#[test]
fn a_platform_that_offers_all_runs_all() {
    let selection = selected(Offers::all());
    assert_eq!(selection.cases.len(), cases().len());
    assert_eq!(not_run(&selection), BTreeMap::new());
}

#[test]
fn what_a_platform_lacks_is_named_by_the_scenarios_that_it_does_not_run() {
    let lacking = [
        Need::Freeze,
        Need::Outage,
        Need::Notice,
        Need::SuddenEnd,
        Need::EarlyDrain,
        Need::NoSpotCapacity,
    ];
    let selection = selected(Offers::all().without(&lacking));
    let notice = "evictions with a notice of a given length";
    let sudden = "nodes that can end without notice";
    let expected = BTreeMap::from([
        (
            "The zombie finishes what others have finished before it",
            "consumers that can be frozen",
        ),
        (
            "Storage goes away in the middle of the load and comes back with its data",
            "a storage that can be taken away",
        ),
        ("one of the Spot nodes is evicted in time", notice),
        ("half of the Spot nodes are evicted in time", notice),
        (
            "one of the Spot nodes is stopped and not deleted in time",
            notice,
        ),
        (
            "one of the Spot nodes is evicted with 3 s of notice",
            notice,
        ),
        ("one of the Spot nodes is evicted without notice", sudden),
        ("half of the Spot nodes are evicted without notice", sudden),
        (
            "one of the Spot nodes is stopped and not deleted without notice",
            sudden,
        ),
        (
            "one of the Spot nodes is evicted without notice, and again when it is back",
            sudden,
        ),
        ("A node is evicted while consumers are still coming", sudden),
        (
            "The node is drained before the end that its notice promised",
            "evictions with a notice of a given length, drains that come before the end of a notice",
        ),
        (
            "Azure has no other Spot machine",
            "evictions with a notice of a given length, Spot machines that can be made unavailable",
        ),
        (
            "Azure has no other Spot machine for the node that it takes back",
            "Spot machines that can be made unavailable",
        ),
    ]);
    assert_eq!(not_run(&selection), expected);
    assert_eq!(selection.cases.len() + expected.len(), cases().len());
}

#[test]
fn without_a_wire_and_an_authority_no_scenario_of_faults_or_identities_that_needs_one_runs() {
    let selection = selected(Offers::all().without(&[Need::Wire, Need::Authority]));
    let runs: Vec<_> = selection
        .cases
        .iter()
        .map(|case| case.name.as_str())
        .collect();
    assert!(runs.contains(&"A burst arrives all at once"), "{runs:?}");
    assert!(runs.contains(&"A burst finds no consumer"), "{runs:?}");
    for case in &selection.cases {
        assert_ne!(
            case.feature,
            "Nobody holds a key: every pod signs in as itself"
        );
        let breaks = |sentence: &str| sentence.contains(" get ") || sentence.contains("die ");
        let broken = case.steps.iter().any(|step| breaks(&step.value));
        assert!(!broken, "{:?} needs a proxy", case.name);
    }
}

/// Scenarios that need Azure are listed as not run elsewhere; scenarios in which the harness decides what Azure does are not run on Azure.
#[test]
fn on_aks_nodes_are_taken_back_as_azure_does_it() {
    let of_azure = "What Azure itself takes back costs time, and no message";
    let by_harness = "Azure takes Spot nodes back, and no message pays for it";
    let args = ClusterArgs::default();
    let on_aks = selected(Cluster::profile_on_aks(&args).offers);
    let runs = |feature: &str| on_aks.cases.iter().any(|case| case.feature == feature);
    assert!(runs(of_azure) && !runs(by_harness));
    for other in [
        "Every message has exactly one result",
        "A message is handled soon after it was meant to be sent",
        "Consumers come with the work and go with it",
    ] {
        assert!(runs(other), "{other}");
    }
    let elsewhere = selected(Cluster::profile(&args).offers);
    let here = selected(Local::profile().offers);
    for platform in [&elsewhere, &here] {
        let not_run = platform.not_run.iter();
        let of_azure: Vec<_> = not_run.filter(|it| it.feature == of_azure).collect();
        assert_eq!(of_azure.len(), 4);
        let named = "Azure Kubernetes Service (@aks)";
        assert!(of_azure.iter().all(|it| it.needs.contains(named)));
    }
}

/// Nodes are only touched if they were handed over; then those scenarios run that need no notice of an eviction.
#[test]
fn a_cluster_runs_what_is_about_nodes_only_where_some_were_handed_over() {
    let about_nodes = |selection: &Selection| {
        let cases = selection.cases.iter().filter(|case| case.takes_nodes);
        let names = cases.map(|case| case.name.clone());
        names.collect::<std::collections::BTreeSet<String>>()
    };
    let args = ClusterArgs::default();
    let without = selected(Cluster::profile(&args).offers);
    assert!(about_nodes(&without).is_empty());
    let named = not_run(&without)["one of the nodes is drained under load"];
    assert!(named.contains("--drain-nodes"), "{named}");
    let args = ClusterArgs {
        drain_nodes: Some("edw.example/drain=yes".parse().unwrap()),
        ..args
    };
    let with = selected(Cluster::profile(&args).offers);
    let expected = [
        "A node is evicted while consumers are still coming",
        "half of the Spot nodes are evicted without notice",
        "half of the nodes are drained under load",
        "one of the Spot nodes is evicted without notice",
        "one of the nodes is drained under load",
    ];
    assert_eq!(about_nodes(&with), expected.map(str::to_owned).into());
}

#[test]
fn scenarios_about_scaling_and_about_nodes_have_a_pace_and_no_others() {
    for case in selected(Offers::all()).cases {
        let expected = match case.feature.as_str() {
            "Consumers come with the work and go with it" => 30,
            "Azure takes Spot nodes back, and no message pays for it"
            | "A node is drained, and no message pays for it" => 5,
            _ if case.name.starts_with("Azure ") => 5,
            _ => 1,
        };
        assert_eq!(case.pace.times(), expected, "{}", case.name);
    }
}

/// What no cluster's own kubelet can do, and what this cluster's issuer cannot, is left out by name; all else of the sign-in runs.
#[test]
fn a_cluster_with_a_wire_runs_what_is_about_identity_outages_and_frozen_consumers() {
    let args = ClusterArgs::default();
    let cluster = selected(Cluster::profile(&args).offers);
    let left = not_run(&cluster);
    let about = "Nobody holds a key: every pod signs in as itself";
    let of_identity = cluster.cases.iter().filter(|case| case.feature == about);
    assert_eq!(of_identity.count(), 17);
    let kubelet = "a kubelet of the harness, whose tokens have any age, life and signature";
    for name in [
        "The pods' tokens are replaced in the middle of the load",
        "It is refused that the pods' tokens are signed by a key that the cluster does not publish",
        "It is refused that the pods' tokens have expired",
    ] {
        assert_eq!(left[name], kubelet, "{name}");
    }
    let runs = |name: &str| cluster.cases.iter().any(|case| case.name.starts_with(name));
    for name in [
        "The zombie finishes",
        "Storage goes away",
        "The cluster's kubelet replaces",
    ] {
        assert!(runs(name), "{name}");
    }
    // Without a wire nobody holds requests back, or plays an outage.
    let args = ClusterArgs {
        wire: Some(platform::cluster::Switch::Off),
        ..args
    };
    let left = selected(Cluster::profile(&args).offers);
    let left = not_run(&left);
    for name in [
        "The zombie finishes what others have finished before it",
        "Storage goes away in the middle of the load and comes back with its data",
    ] {
        assert!(left.contains_key(name), "{name}");
    }
    // On a laptop the harness is the kubelet, and waits for no real one.
    let here = selected(Local::profile().offers);
    let left = not_run(&here);
    let real = left["The cluster's kubelet replaces the pods' tokens in its own time"];
    assert_eq!(real, "a Kubernetes cluster (@cluster)");
}
