use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cluster::pods::GROUP;
use manifest::{Document, Manifests, check};
use workflow::contract::RunId;
use workflow::contract::workload::{Description, Lens};

use super::*;
use crate::cluster::images::Images;
use crate::cluster::overlay::{Described, Overlay};
use crate::settings::own_queues;
use crate::workers::{CONSUMERS, ConsumerOptions};

const GRACE: Duration = Duration::from_secs(35);

fn run() -> RunId {
    "r1".parse().unwrap()
}

/// The overlay for a run with this many queues.
fn adapted(queues: u32) -> Adapted {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/overlays/local");
    let overlay = Overlay::read(&directory).unwrap();
    let mut adapted = overlay
        .adapted("edw-r1", &run(), &Images::default())
        .unwrap();
    adapted.spread_over(own_queues(&run(), queues)).unwrap();
    adapted
}

/// Settings and Deployment of the workers of `queue`.
fn workers(adapted: &Adapted, queue: usize) -> [Value; 2] {
    let options = ConsumerOptions::default();
    let workers = adapted.workers((CONSUMERS, queue), 2, &options, GRACE);
    workers.unwrap()
}

fn scaled(adapted: &Adapted, queue: usize) -> Value {
    let longer = |object: &mut Value| {
        object["spec"]["triggers"][0]["metadata"]["queueLength"] = json!("7");
        Ok(())
    };
    adapted.scaled((CONSUMERS, queue), longer).unwrap()
}

/// The variable called `name` of the first container in the workload's template.
fn variable<'a>(workload: &'a Value, name: &str) -> Option<&'a str> {
    let variables = &workload["spec"]["template"]["spec"]["containers"][0]["env"];
    let mut named = variables.as_array()?.iter().filter(|it| it["name"] == name);
    named.next()?["value"].as_str()
}

#[test]
fn each_queue_has_a_deployment_of_its_own_whose_settings_name_it() {
    let adapted = adapted(3);
    let mut selectors = BTreeSet::new();
    for (queue, name) in ["aqs-app", "aqs-app-q2", "aqs-app-q3"]
        .into_iter()
        .enumerate()
    {
        let [settings, deployment] = workers(&adapted, queue);
        assert_eq!(deployment["metadata"]["name"], name);
        let own = format!("edw-r1-q{}", queue + 1);
        assert_eq!(settings["data"]["AZURE_QUEUE_NAME"], own);
        let from = &deployment["spec"]["template"]["spec"]["containers"][0]["envFrom"][0];
        assert_eq!(from["configMapRef"]["name"], settings["metadata"]["name"]);
        let selector = deployment["spec"]["selector"]["matchLabels"].clone();
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        assert_eq!(labels[GROUP], CONSUMERS, "the roster has one group");
        for (label, value) in selector.as_object().unwrap() {
            assert_eq!(labels[label], *value);
        }
        selectors.insert(selector.to_string());
    }
    assert_eq!(selectors.len(), 3, "no pod is of two Deployments");
}

#[test]
fn one_queue_leaves_everything_as_the_overlay_has_it() {
    let adapted = adapted(1);
    let [settings, deployment] = workers(&adapted, 0);
    assert_eq!(settings["data"]["AZURE_QUEUE_NAME"], "edw-r1");
    let selector = &deployment["spec"]["selector"]["matchLabels"];
    assert_eq!(selector.get(QUEUE), None);
    assert_eq!(
        scaled(&adapted, 0)["metadata"]["name"],
        "aws2az-queue-scaleobj"
    );
}

#[test]
fn the_disruption_budget_covers_the_pods_of_all_queues() {
    let adapted = adapted(2);
    let budgets: Vec<_> = adapted
        .surroundings()
        .filter(|it| it["kind"] == "PodDisruptionBudget")
        .collect();
    let [budget] = budgets[..] else {
        panic!("one budget is for all")
    };
    let selector = budget["spec"]["selector"]["matchLabels"].as_object();
    for queue in 0..2 {
        let [_, deployment] = workers(&adapted, queue);
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        for (label, value) in selector.unwrap() {
            assert_eq!(labels[label], *value);
        }
    }
}

#[test]
fn each_queue_has_a_scaled_object_that_reads_it_and_scales_its_deployment() {
    let mut adapted = adapted(2);
    let mut objects = adapted.objects.iter_mut();
    let own = objects.find(|it| it["kind"] == "ScaledObject").unwrap();
    own["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["name"] = json!("own");
    for (queue, suffix) in [(0, ""), (1, "-q2")] {
        let object = scaled(&adapted, queue);
        let name = format!("aws2az-queue-scaleobj{suffix}");
        assert_eq!(object["metadata"]["name"], name);
        let spec = &object["spec"];
        assert_eq!(spec["scaleTargetRef"]["name"], format!("aqs-app{suffix}"));
        let trigger = &spec["triggers"][0]["metadata"];
        assert_eq!(trigger["queueName"], format!("edw-r1-q{}", queue + 1));
        assert_eq!(trigger["queueLength"], "7", "as the scenario changes it");
        let hpa = &spec["advanced"]["horizontalPodAutoscalerConfig"]["name"];
        assert_eq!(*hpa, format!("own{suffix}"));
    }
}

#[test]
fn what_is_applied_for_several_queues_breaks_none_of_the_relations_that_an_overlay_must_keep() {
    let adapted = adapted(3);
    let of_queues = (0..3).flat_map(|queue| {
        let [settings, mut deployment] = workers(&adapted, queue);
        // KEDA sets the replicas.
        let spec = deployment["spec"].as_object_mut().unwrap();
        spec.remove("replicas");
        [settings, deployment, scaled(&adapted, queue)]
    });
    let surroundings = adapted.surroundings().chain(adapted.authentications());
    let objects = surroundings.cloned().chain(of_queues);
    let documents: Vec<Document> = objects
        .map(|value| Document {
            file: "run".to_owned(),
            value,
        })
        .collect();
    let problems = check(&Manifests::from_documents(&documents).unwrap());
    // This test has changed `queueLength`, so that it differs from the consumer's concurrency.
    let others = problems
        .iter()
        .map(ToString::to_string)
        .filter(|it| !it.contains("queueLength"));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn each_generator_is_a_job_that_sends_its_slice_to_its_queue() {
    let mut adapted = adapted(2);
    adapted.wire(7).unwrap();
    let jobs = adapted.producers(&["--messages=9".to_owned()], 4).unwrap();
    let told: Vec<_> = jobs
        .iter()
        .map(|job| {
            let arguments = &job["spec"]["template"]["spec"]["containers"][0]["args"];
            let name = job["metadata"]["name"].as_str().unwrap();
            let queue = variable(job, "AZURE_QUEUE_NAME").unwrap();
            (name, arguments[1].as_str().unwrap(), queue)
        })
        .collect();
    let expected = [
        ("producer-1", "--slice=0/4", "edw-r1-q1"),
        ("producer-2", "--slice=1/4", "edw-r1-q2"),
        ("producer-3", "--slice=2/4", "edw-r1-q1"),
        ("producer-4", "--slice=3/4", "edw-r1-q2"),
    ];
    assert_eq!(told, expected);
    for job in &jobs {
        assert_eq!(job["spec"].get("completionMode"), None);
        // Wire rules name `producer`, and must match every generator.
        let way = variable(job, "AZURE_QUEUE_ENDPOINT").unwrap();
        assert!(way.contains("/producer/"), "{way}");
    }
}

#[test]
fn a_worker_that_is_described_is_told_its_own_queue_and_poison_queue() {
    let text = "\
version: 1
name: orders
message:
  body: { id: \"{id}\", text: \"{payload}\" }
row:
  columns: { order: \"{id}\", text: \"{payload}\" }
poison:
  after: 4
worker:
  image: registry.example/orders:7
  variables:
    ORDERS_QUEUE: \"{queue}\"
    ORDERS_STORAGE: \"{connection-string}\"
    ORDERS_POISON: \"{poison-queue}\"
";
    let described = Described {
        description: Arc::new(Description::read(text).unwrap()),
        text: text.to_owned(),
    };
    let mut adapted = adapted(2);
    let lens = Lens::new(described.description.clone(), run());
    adapted.describe(&described, lens);
    for (queue, own) in ["edw-r1-q1", "edw-r1-q2"].into_iter().enumerate() {
        let [_, deployment] = workers(&adapted, queue);
        assert_eq!(variable(&deployment, "ORDERS_QUEUE"), Some(own));
        let poison = format!("{own}-poison");
        assert_eq!(
            variable(&deployment, "ORDERS_POISON"),
            Some(poison.as_str())
        );
    }
}

#[test]
fn the_overlay_says_itself_by_what_its_consumers_are_scaled() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/overlays/local");
    let mut overlay = Overlay::read(&directory).unwrap();
    for object in &mut overlay.objects {
        if object["kind"] == "ScaledObject" {
            object["spec"]["maxReplicaCount"] = json!(6);
        }
    }
    let scaling = overlay.scaling("mine").unwrap();
    assert_eq!(scaling.settings.max_replica_count, 6);
    assert_eq!(scaling.from, Path::new("mine"));
    assert_eq!(scaling.pod.grace(Pace::PRODUCTION), GRACE);
}
