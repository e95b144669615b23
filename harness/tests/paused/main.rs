//! The same sentences on a second platform: workers as tasks, storage in memory, an hour in a second. That no line of a step
//! knows it is the proof that the traits of `harness::platform` carry; that times are those of a cluster here, and the scenarios
//! about scaling pass, is the proof that their numbers are a cluster's.

mod platform;
mod sender;
mod workers;

use std::path::Path;
use std::sync::Arc;

use clap::Parser;
use harness::outcome::Outcome;
use harness::pace::Paces;
use harness::scenario::{Keep, Need, Offers, Profile, SuiteArgs, SuiteReport, run, select};

use platform::Paused;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    suite: SuiteArgs,
}

/// Runs the scenarios whose name contains `filter`.
async fn played(filter: &str) -> SuiteReport {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut args = Cli::parse_from(["paused", filter]).suite;
    args.features = root.join("features");
    args.manifests = root.join("k8s/base");
    args.out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("paused");
    std::fs::create_dir_all(&args.out).expect("a directory for runs");
    args.keep = Some(Keep::Failed);
    let lacking = [
        Need::Wire,
        Need::Freeze,
        Need::Outage,
        Need::Authority,
        Need::Nodes,
        Need::Cluster,
        Need::Aks,
    ];
    let profile = Profile {
        offers: Offers::all().without(&lacking),
        paces: Paces::PRODUCTION,
    };
    let selection = select(&args, &profile).expect("the features must be readable");
    let suite = run(&args, selection, Arc::new(Paused)).await;
    suite.expect("the suite must come to its end")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_offers_passes_and_the_rest_is_named() {
    for name in [
        "A burst arrives all at once",
        "Messages of many sizes arrive at random",
        "Messages wait for their first consumer",
        "A burst finds no consumer",
        "One message brings one consumer",
        "An activation threshold strands",
        "A cooldown shorter than the polls",
        "Waves of work",
    ] {
        let report = played(name).await;
        assert!(
            report.count(Outcome::Pass) > 0,
            "{name}: nothing was selected"
        );
        assert_eq!(report.record.verdict().outcome, Outcome::Pass, "{name}");
    }
}
