//! Tests that `k8s/` keeps every relation, that the sample's settings break three, and that each broken relation is found.

mod foreign;
mod helm;
mod optional;
mod resources;
mod workload;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::*;

fn k8s(dir: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../k8s")
        .join(dir)
}

fn base() -> Vec<Document> {
    read_plain(&k8s("base")).unwrap()
}

fn names(documents: &[Document]) -> Vec<&'static str> {
    let manifests = Manifests::from_documents(documents).unwrap();
    let mut names: Vec<_> = check(&manifests)
        .iter()
        .map(|problem| problem.name)
        .collect();
    names.sort_unstable();
    names
}

/// kubectl; without it prints that the test was not run. `EDW_REQUIRE_KUBECTL=1` makes its absence a failure.
pub(super) fn kubectl(test: &str) -> Option<Kubectl> {
    match Kubectl::find() {
        Ok(kubectl) => Some(kubectl),
        Err(error) if std::env::var("EDW_REQUIRE_KUBECTL").as_deref() == Ok("1") => {
            panic!("failed to {error}")
        }
        Err(error) => {
            // Not captured, unlike `println!`, so that it is not taken for a pass.
            writeln!(std::io::stderr(), "{test}: NOT RUN: failed to {error}").unwrap();
            None
        }
    }
}

/// The document of this kind; the Deployment is the consumer's.
fn document<'a>(documents: &'a mut [Document], kind: &str) -> &'a mut Value {
    let mut found = documents
        .iter_mut()
        .map(|document| &mut document.value)
        .filter(|value| value["kind"] == kind && value["metadata"]["name"] != "azurite");
    found.next().expect("the kind must be there")
}

/// Sets the value at `pointer`, whose last part may be new.
fn plant(documents: &mut [Document], kind: &str, pointer: &str, value: Value) {
    let (parent, key) = pointer
        .rsplit_once('/')
        .expect("a pointer must begin with /");
    let parent = document(documents, kind)
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("{kind} must have {parent}"));
    match parent {
        Value::Object(map) => drop(map.insert(key.to_owned(), value)),
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        other => panic!("{pointer} leads into {other}"),
    }
}

#[test]
fn the_base_keeps_every_relation() {
    assert_eq!(names(&base()), [""; 0]);
}

#[test]
fn the_overlays_keep_every_relation() {
    let Some(kubectl) = kubectl("the_overlays_keep_every_relation") else {
        return;
    };
    for overlay in ["local", "local-engine", "aks", "aks-spot"] {
        let dir = k8s("overlays").join(overlay);
        // kustomize warns of deprecated fields; in this project's manifests that is a failure.
        assert_eq!(kubectl.warnings(&dir), "", "{overlay}");
        let documents = kubectl.render(&dir).unwrap();
        let manifests = Manifests::from_documents(&documents).unwrap();
        let problems: Vec<_> = check(&manifests).iter().map(ToString::to_string).collect();
        assert_eq!(problems, [""; 0], "{overlay}");
        assert_eq!(manifests.scaled_objects.len(), 1, "{overlay}");
        assert_eq!(
            manifests.node_pools.len(),
            if overlay == "aks-spot" { 2 } else { 0 },
            "{overlay}"
        );
    }
}

#[test]
fn the_settings_of_the_sample_break_exactly_three_relations() {
    let Some(kubectl) = kubectl("the_settings_of_the_sample_break_exactly_three_relations") else {
        return;
    };
    let documents = kubectl.render(&k8s("overlays/sample")).unwrap();
    assert_eq!(
        names(&documents),
        [
            "activation-strands-messages",
            "behavior-unset",
            "cooldown-not-longer-than-polling"
        ]
    );
    let manifests = Manifests::from_documents(&documents).unwrap();
    let scaled = manifests.settings(&manifests.scaled_objects[0]).unwrap();
    // The sample's own numbers (deployment/keda/keda-scaleobject-workload-id.sh).
    assert_eq!(
        (scaled.min_replica_count, scaled.max_replica_count),
        (0, 15)
    );
    assert_eq!(scaled.polling_interval.as_secs(), 30);
    assert_eq!(scaled.cooldown_period.as_secs(), 10);
    assert_eq!(
        (scaled.queue_length, scaled.activation_queue_length),
        (5, 20)
    );
}

#[test]
fn what_kubectl_makes_of_the_base_is_what_is_read_without_it() {
    let Some(kubectl) = kubectl("what_kubectl_makes_of_the_base_is_what_is_read_without_it") else {
        return;
    };
    let rendered = Manifests::from_documents(&kubectl.render(&k8s("base")).unwrap()).unwrap();
    let read = Manifests::from_documents(&base()).unwrap();
    assert_eq!(rendered.scaled_objects[0].spec, read.scaled_objects[0].spec);
    assert_eq!(rendered.config_maps[0].spec, read.config_maps[0].spec);
    let pods = |manifests: &Manifests| {
        let mut pod = manifests.deployments[0].spec.template.spec.clone();
        // The name of the `ConfigMap` has a hash.
        pod.containers[0].env_from.clear();
        pod
    };
    assert_eq!(pods(&rendered), pods(&read));
}

#[test]
fn every_file_can_be_read() {
    let mut files = 0;
    for dir in [
        "base",
        "overlays/local",
        "overlays/local-engine",
        "overlays/aks",
        "overlays/aks-spot",
        "overlays/sample",
    ] {
        for entry in k8s(dir).read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                let text = std::fs::read_to_string(&path).unwrap();
                let documents = parse(&path.display().to_string(), &text).unwrap();
                assert!(!documents.is_empty(), "{}", path.display());
                Manifests::from_documents(&documents).unwrap();
                files += 1;
            }
        }
    }
    assert_eq!(files, 16);
}

#[test]
fn images_are_those_that_this_repository_builds_and_tests_with() {
    let image = |documents: &[Document]| {
        let manifests = Manifests::from_documents(documents).unwrap();
        manifests.deployments[0].spec.template.spec.containers[0]
            .image
            .clone()
    };
    let own = format!("edw/consumer:{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(image(&base()), own);
    let path = k8s("overlays/local/azurite.yaml");
    let azurite = parse("azurite.yaml", &std::fs::read_to_string(path).unwrap()).unwrap();
    let known = |file: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../crates/azurite")
            .join(file);
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    };
    assert_eq!(
        image(&azurite),
        format!("{}:{}", known("IMAGE"), known("VERSION"))
    );
}

#[test]
fn the_engine_takes_the_place_of_azurite_under_its_name() {
    let Some(kubectl) = kubectl("the_engine_takes_the_place_of_azurite_under_its_name") else {
        return;
    };
    let documents = kubectl.render(&k8s("overlays/local-engine")).unwrap();
    let manifests = Manifests::from_documents(&documents).unwrap();
    let containers = manifests.deployments.iter().flat_map(|deployment| {
        let containers = &deployment.spec.template.spec.containers;
        containers.iter().map(|container| container.image.clone())
    });
    let mut images: Vec<_> = containers.collect();
    images.sort();
    let own = |name: &str| format!("edw/{name}:{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(images, [own("consumer"), own("engine")]);
}

#[test]
fn azurite_in_a_cluster_has_the_patch_that_it_has_on_a_laptop() {
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
    let here = read(k8s("overlays/local/azurite-patch.js"));
    let laptop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/azurite/src/patch.js");
    assert_eq!(here, read(laptop));
}

#[test]
fn each_broken_relation_is_named() {
    let mut tried = 0;
    let lines = include_str!("broken.txt").lines();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        let [expected, kind, pointer, value] = columns[..] else {
            panic!("{line:?} must have four columns");
        };
        let mut documents = base();
        let value = serde_json::from_str(value).unwrap();
        plant(&mut documents, kind, pointer, value);
        assert_eq!(names(&documents), [expected], "{line}");
        tried += 1;
    }
    assert!(tried > 50, "{tried} of them were read");
}

#[test]
fn without_an_account_workload_identity_is_refused() {
    let mut documents = base();
    let metadata = &mut document(&mut documents, "ScaledObject")["spec"]["triggers"][0]["metadata"];
    metadata.as_object_mut().unwrap().remove("accountName");
    assert_eq!(names(&documents), ["refused"]);
}

/// The overlay's own files and the base; its patches are applied by hand.
fn spot() -> Vec<Document> {
    let mut documents = base();
    for file in ["nodepools.yaml", "aksnodeclass.yaml"] {
        let text = std::fs::read_to_string(k8s("overlays/aks-spot").join(file)).unwrap();
        documents.extend(parse(file, &text).unwrap());
    }
    documents
}

#[test]
fn each_broken_relation_of_node_pools_is_named() {
    assert_eq!(names(&spot()), [""; 0]);
    let capacity = "/spec/template/spec/requirements/4/values";
    let cases = [
        ("/spec/weight", json!(5), vec!["spot-not-first"]),
        (
            "/spec/template/spec/nodeClassRef/name",
            json!("x"),
            vec!["node-class-unknown"],
        ),
        (
            "/spec/template/spec/taints/0/key",
            json!("x"),
            vec!["pool-taint-not-tolerated"],
        ),
        // With on-demand capacity in the other pool, there is no Spot pool that needs a fallback.
        (capacity, json!(["on-demand"]), vec![]),
        (capacity, json!(["spot", "on-demand"]), vec![]),
    ];
    for (pointer, value, expected) in cases {
        let mut documents = spot();
        plant(&mut documents, "NodePool", pointer, value);
        assert_eq!(names(&documents), expected, "{pointer}");
    }
    let mut alone = spot();
    alone.retain(|document| document.value["metadata"]["name"] != "edw-on-demand");
    assert_eq!(names(&alone), ["no-on-demand-pool"]);
}

#[test]
fn a_spot_notice_must_arrive_and_leave_time_to_drain() {
    let endpoint = "http://169.254.169.254/metadata/scheduledevents?api-version=2020-07-01";
    let way = json!({"to": [{"ipBlock": {"cidr": "169.254.169.254/32"}}]});
    let variable = "/data/EDW_SCHEDULED_EVENTS_ENDPOINT";
    let mut documents = base();
    plant(&mut documents, "ConfigMap", variable, json!(endpoint));
    assert_eq!(names(&documents), ["notice-blocked"]);
    plant(&mut documents, "NetworkPolicy", "/spec/egress/0", way);
    assert_eq!(names(&documents), [""; 0]);
    plant(&mut documents, "ConfigMap", "/data/EDW_GRACE", json!("26s"));
    assert_eq!(names(&documents), ["drain-longer-than-notice"]);
}

#[test]
fn problems_tell_where_and_what_to_do() {
    let mut documents = base();
    plant(
        &mut documents,
        "ScaledObject",
        "/spec/cooldownPeriod",
        json!(10),
    );
    let manifests = Manifests::from_documents(&documents).unwrap();
    let text = check(&manifests)[0].to_string();
    for part in [
        "k8s/base/scaledobject.yaml: ScaledObject/aws2az-queue-scaleobj spec.cooldownPeriod: 10 s",
        "make it several polls long",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn misspelt_and_untyped_fields_are_refused_by_name() {
    let cases = [
        (
            "/spec/coolDownPeriod",
            json!(300),
            "spec.coolDownPeriod: unknown field coolDownPeriod; there are ",
        ),
        (
            "/spec/pollingInterval",
            json!("10"),
            "spec.pollingInterval: is \"10\", must be a whole number; leave the quotes away; compare it with the reference",
        ),
        (
            "/spec/triggers/0/metadata/queueLength",
            json!(5),
            "spec.triggers[0].metadata.queueLength: is the number 5, must be a string",
        ),
        (
            "/apiVersion",
            json!("keda.sh/v1"),
            "write \"keda.sh/v1alpha1\"",
        ),
    ];
    for (pointer, value, part) in cases {
        let mut documents = base();
        plant(&mut documents, "ScaledObject", pointer, value);
        let error = Manifests::from_documents(&documents).unwrap_err();
        let text = format!("{:#}", anyhow::Error::from(error));
        assert!(text.contains(part), "{pointer}: {text}");
        assert!(text.contains("scaledobject.yaml"), "{pointer}: {text}");
    }
}

#[test]
fn a_kustomization_that_patches_is_not_read_without_kubectl() {
    let error = read_plain(&k8s("overlays/sample")).unwrap_err();
    assert!(
        matches!(&error, ManifestError::NeedsKubectl { field, .. } if field == "patches"),
        "{error}"
    );
}

#[test]
fn a_resource_on_another_machine_is_told_with_what_fetches_it() {
    for resource in [
        "https://raw.githubusercontent.com/kedacore/keda/main/a.yaml",
        "github.com/kedacore/keda//config/default?ref=v2.20.0",
        "git@github.com:kedacore/keda.git",
        "git::ssh://host/repository",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kustomization.yaml");
        std::fs::write(&path, format!("resources:\n- {resource}\n")).unwrap();
        let told = read_plain(dir.path()).unwrap_err().to_string();
        let advice = format!("kubectl kustomize {} > all.yaml", dir.path().display());
        assert!(told.contains(resource) && told.contains(&advice), "{told}");
    }
}

#[test]
fn what_is_no_yaml_is_refused_with_its_file() {
    let error = parse("file.yaml", "a: [1\nb: 2").unwrap_err().to_string();
    let expected = "read file.yaml as YAML: line 2: a bracket, [ or {, has no end before this line";
    assert!(error.starts_with(expected), "{error}");
}
