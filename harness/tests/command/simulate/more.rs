//! KEDA beyond one queue: several triggers, cron, fallback, formulas and `ScaledJob`s, each from its manifest to its figures.

use super::{directory, simulate};

/// A ScaledObject with these triggers and further fields of its `spec`.
fn object(triggers: &[String], more: &str) -> String {
    format!(
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{name: orders}}\nspec:\n  scaleTargetRef: {{name: worker}}\n  \
         maxReplicaCount: 100\n  pollingInterval: 10\n{more}  triggers:\n{}",
        triggers.concat()
    )
}

fn queue(name: &str, queue: &str, length: u32) -> String {
    format!(
        "    - type: azure-queue\n      name: {name}\n      metadata: {{queueName: {queue}, queueLength: \"{length}\", \
         connectionFromEnv: C}}\n"
    )
}

const CRON: &str = "    - type: cron\n      metadata: {timezone: Europe/Berlin, start: 0 8 * * *, end: 0 18 * * *, \
                    desiredReplicas: \"25\"}\n";

/// A ScaledJob for one message a job.
fn job(strategy: &str) -> String {
    format!(
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\nmetadata: {{name: orders}}\nspec:\n  jobTargetRef: {{template: {{spec: \
         {{containers: [{{name: w, image: w, env: [{{name: C, value: AccountName=a;AccountKey=b}}]}}]}}}}}}\n  maxReplicaCount: 30\n  pollingInterval: 10\n  \
         scalingStrategy: {{strategy: {strategy}}}\n  triggers:\n{}",
        queue("one", "orders", 1)
    )
}

/// 100 messages at once, which take an hour each and count while they are leased. Sources: Kubernetes `replica_calculator.go`,
/// `GetExternalPerPodMetricReplicas` (the largest of several metrics wins: `horizontal.go`, `computeReplicasForMetrics`); KEDA
/// `cron_scaler.go`, `fallback.go`, `modifiers.go`, and `scale_jobs.go`, `GetEffectiveMaxScale` of each strategy.
#[test]
fn more_of_keda_comes_to_the_figures_of_its_rules() {
    let one = || queue("one", "orders", 5);
    let formula = "  advanced:\n    scalingModifiers: {formula: \"one * 2\", target: \"5\"}\n";
    let fallback = "  fallback: {failureThreshold: 3, replicas: 50}\n";
    let custom =
        "custom, customScalingQueueLengthDeduction: 10, customScalingRunningJobPercentage: \"0.5\"";
    let office = "--at=2026-11-30T10:00:00+01:00";
    let evening = "--at=2026-11-30T20:00:00+01:00";
    let several = [one(), queue("two", "others", 10)];
    for (settings, flag, figures) in [
        // 100 messages, 5 a replica
        (object(&[one()], ""), "", &["most replicas 20"][..]),
        (object(&[one()], formula), "", &["most replicas 40"]),
        // 300 messages in the other queue, 10 a replica
        (
            object(&several, ""),
            "--waiting=others=300",
            &["most replicas 30"],
        ),
        (
            object(&several, ""),
            "--waiting=others=100",
            &["most replicas 20"],
        ),
        (
            object(&[one(), CRON.to_owned()], ""),
            office,
            &["most replicas 25"],
        ),
        (
            object(&[one(), CRON.to_owned()], ""),
            evening,
            &["most replicas 20"],
        ),
        // The queue answers, so the fallback is not used.
        (object(&[one()], fallback), "", &["most replicas 20"]),
        (job("default"), "", &["jobs made 30", "messages left 100"]),
        (job("accurate"), "", &["jobs made 30"]),
        (job("eager"), "", &["jobs made 30"]),
        // 20 at first, then at each poll 10 and half of the running jobs fewer, until 40 run; the maximum bounds each poll alone.
        (job(custom), "", &["jobs made 40", "most replicas 40"]),
        // Jobs end within the simulated time: the leased messages of 30 jobs count as messages again, except with the default strategy.
        (
            job("default"),
            "--work=fixed:30s",
            &["jobs made 100", "jobs in vain 0"],
        ),
        (
            job("accurate"),
            "--work=fixed:30s",
            &["jobs in vain 30", "(jobs-in-vain)"],
        ),
    ] {
        let directory = directory();
        let file = directory.path().join("settings.yaml");
        std::fs::write(&file, &settings).expect("a file");
        let mut flags = vec!["--shape=burst", "--messages=100", "--horizon=8m"];
        if !flag.starts_with("--work") {
            flags.push("--work=fixed:1h");
        }
        flags.extend(Some(flag).filter(|flag| !flag.is_empty()));
        let output = simulate(&file, directory.path(), &flags);
        let said = String::from_utf8_lossy(&output.stdout);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(0), "{settings}: {output:?}");
        for figure in figures {
            assert!(said.contains(figure), "{figure:?} of {settings}\n{said}");
        }
    }
}
