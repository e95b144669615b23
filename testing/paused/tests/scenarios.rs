//! Plays the same sentences on a second platform: workers as tasks, storage in memory, an hour in a second. It shows that steps
//! depend only on the traits of `harness::platform`, since no step has code for this platform. Times are those of a cluster here,
//! so the scenarios about scaling show that their numbers hold on a cluster.

use std::path::Path;
use std::sync::Arc;

use clap::Parser;
use harness::outcome::Outcome;
use harness::report;
use harness::run::{Needed, Run};
use harness::scenario::{Keep, SuiteArgs, SuiteReport, run, select};
use platform::{Identity, Platform as _, StorageLoss};
use tokio_util::sync::CancellationToken;

use paused::Paused;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    suite: SuiteArgs,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_offers_passes_and_the_rest_is_named() {
    let report = played().await;
    let not_run = &report.record.not_run;
    for (name, need) in [
        ("The zombie finishes what others", "a fault proxy"),
        ("Consumers work with tokens alone", "an authority"),
        (
            "Azure has no other Spot machine",
            "nodes that can be taken back",
        ),
        (
            "Storage goes away in the middle",
            "a storage that can be taken away",
        ),
    ] {
        let found = not_run.iter().find(|it| it.name.starts_with(name));
        let needs = &found.expect("it must be listed as not run").needs;
        assert!(needs.contains(need), "{name}: {needs}");
    }
    assert!(
        report.count(Outcome::Pass) >= 8,
        "{:?}",
        report.record.scenarios
    );
    assert_eq!(report.record.verdict().outcome, Outcome::Pass);
}

/// Runs all scenarios whose needs the platform offers.
async fn played() -> SuiteReport {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut args = Cli::parse_from(["paused"]).suite;
    args.features = vec![root.join("features")];
    args.manifests = root.join("k8s/base");
    args.out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("paused");
    std::fs::create_dir_all(&args.out).expect("a directory for runs");
    args.keep = Some(Keep::Failed);
    let paused = Paused::sound();
    let selection = select(&args, &paused.profile()).expect("the features must be readable");
    let suite = run(&args, selection, Arc::new(paused)).await;
    suite.expect("the suite must come to its end")
}

/// The platform has one queue, so it opens no stage with two.
#[tokio::test]
async fn the_report_of_a_run_that_never_began_says_why() {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("unopened");
    std::fs::create_dir_all(&parent).expect("a directory for runs");
    let platform = Paused::sound();
    for is_stopped in [false, true] {
        let identity = Identity::fresh(None);
        let stop = CancellationToken::new();
        if is_stopped {
            stop.cancel();
        }
        let needed = Needed {
            queues: 2,
            ..Needed::default()
        };
        let loss = StorageLoss::default();
        let prepared = Run::prepare(&platform, identity, &parent, needed, loss, stop);
        assert!(prepared.await.is_err(), "there is one queue");
        let mut runs = std::fs::read_dir(&parent).expect("the directory is there");
        let run = runs.next().expect("a run").expect("its directory").path();
        let (record, _) = report::write(&run).expect("a report");
        let verdict = record.verdict();
        let outcome = if is_stopped {
            Outcome::Incomplete
        } else {
            Outcome::Inconclusive
        };
        assert_eq!(verdict.outcome, outcome);
        let reasons = verdict.reasons.join("; ");
        assert!(
            reasons.contains("did not begin") && reasons.contains("here is one"),
            "{reasons}"
        );
        std::fs::remove_dir_all(&run).expect("the run's directory can go");
    }
}
