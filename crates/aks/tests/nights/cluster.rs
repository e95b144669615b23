//! The fake `kubectl` and `docker`: a cluster with both add-ons, as slow and as broken as a test plants.

use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::books::{Answer, Books, flag, unknown};

pub(crate) fn kubectl(books: &mut Books, args: &[String]) -> Answer {
    let config = args[2] == "config";
    if config {
        return Ok(Value::Null);
    }
    assert_eq!(args[2], "--context", "the context must be named: {args:?}");
    let rest = &args[4..];
    let words: Vec<_> = rest.iter().map(String::as_str).collect();
    match words[..2] {
        ["get", "customresourcedefinition"] if books.fault("kinds-late") => {
            Err("Error from server (NotFound): not found".to_owned())
        }
        ["get", "customresourcedefinition"] => {
            Ok(json!({"status": {"conditions": [{"type": "Established", "status": "True"}]}}))
        }
        ["get", "aksnodeclasses.karpenter.azure.com"] => {
            Ok(ready(books.fault("node-class-late"), "no image yet"))
        }
        ["get", "scaledobjects.keda.sh"] => Ok(ready(
            books.fault("scaled-object-late"),
            "AADSTS7000272: unknown key",
        )),
        ["get", "pods"] => Ok(operators(books)),
        ["get", "pod"] => Ok(books.all["pod"].clone()),
        ["get", "events"] => Ok(json!({"items": [{"message": books.all["warning"]}]})),
        ["get", "nodeclaims.karpenter.sh"] => Ok(claims(&books.all["claims"])),
        ["apply", "--server-side"] => apply(books, flag(rest, "--kustomize")),
        ["rollout", "restart"] => {
            books.all["restarts"] = (books.all["restarts"].as_u64().unwrap_or(0) + 1).into();
            Ok(Value::Null)
        }
        ["create", "--filename"] => {
            create(books);
            Ok(Value::Null)
        }
        ["logs", "edw-probe"] => Ok(books.all["log"].clone()),
        ["delete", "pod"] => {
            books.all["pod"] = Value::Null;
            Ok(Value::Null)
        }
        ["delete", "nodepools.karpenter.sh"] if books.fault("cluster-away") => {
            Err("The connection to the server was refused: connection refused".to_owned())
        }
        ["delete", "nodepools.karpenter.sh"] | ["rollout", "status"] => Ok(Value::Null),
        _ => unknown("kubectl", args),
    }
}

fn ready(late: bool, message: &str) -> Value {
    let status = if late { "False" } else { "True" };
    json!({"status": {"conditions": [{"type": "Ready", "status": status, "message": message}]}})
}

/// A `NodeClaim` for each text of `refusals`, as Karpenter keeps what Azure answered; and one whose machine is there.
fn claims(refusals: &Value) -> Value {
    let claim = |status: &str, reason: &str, message: &Value| json!({"status": {"conditions": [{"type": "Launched", "status": status, "reason": reason, "message": message}]}});
    let refusals = refusals.as_array().into_iter().flatten();
    let refused = refusals.map(|message| claim("Unknown", "LaunchFailed", message));
    let launched = claim("True", "Launched", &Value::Null);
    json!({"items": refused.chain([launched]).collect::<Vec<_>>()})
}

/// KEDA's pods: the operator, with or without its variables, and another pod.
fn operators(books: &Books) -> Value {
    let restarts = books.all["restarts"].as_u64().unwrap_or(0);
    let faults = &books.all["faults"];
    let bare = faults["keda-bare"] == 1 && restarts == 0 || faults["keda-bare-for-ever"] == 1;
    let variables = if bare {
        json!([])
    } else {
        json!([{"name": "AZURE_TENANT_ID"}, {"name": "AZURE_FEDERATED_TOKEN_FILE"}])
    };
    let pod = |container: &str, env: &Value| json!({"status": {"phase": "Running"}, "spec": {"containers": [{"name": container, "env": env}]}});
    json!({"items": [pod("keda-operator", &variables), pod("keda-operator-metrics-apiserver", &json!([]))]})
}

/// Checks that the applied files are those that `up` filled in.
fn apply(books: &mut Books, overlay: &str) -> Answer {
    if books.fault("webhook-late") {
        return Err("Error from server (InternalServerError): failed calling webhook".to_owned());
    }
    let overlay = Path::new(overlay);
    let read = |file: &str| std::fs::read_to_string(overlay.join(file)).expect(file);
    let filled = read("../aks/azure.env").contains("AZURE_STORAGE_ACCOUNT_NAME=accountname")
        && read("../aks/kustomization.yaml").contains("newName: loginserver/edw/consumer")
        && read("kustomization.yaml").contains("/spec/limits/cpu");
    books.all["applied"] = filled.into();
    Ok(Value::Null)
}

/// A probe ends as the next entry of `probes` says; with success if there is none.
fn create(books: &mut Books) {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .expect("a manifest");
    let pod: Value = serde_json::from_str(&text).expect("a manifest must be JSON");
    assert_eq!(pod["spec"]["serviceAccountName"], "aqs-app-service-account");
    let probes = books.all["probes"].as_array_mut().expect("probes");
    let next = if probes.is_empty() {
        json!("well")
    } else {
        probes.remove(0)
    };
    let phase = match next.as_str().expect("a text") {
        "well" => "Succeeded",
        "pending" => "Pending",
        _ => "Failed",
    };
    books.all["made"] = (books.all["made"].as_u64().unwrap_or(0) + 1).into();
    books.all["log"] = next;
    let said = books.all["log"].as_str().expect("a text");
    let exit = if said.contains("--help") { 2 } else { 5 };
    let container = json!({"state": {"terminated": {"exitCode": exit}}});
    books.all["pod"] = json!({"status": {
        "phase": phase,
        "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}],
        "containerStatuses": [container],
    }});
}

pub(crate) fn docker(books: &mut Books, args: &[String]) -> Answer {
    match args[0].as_str() {
        "image" if books.fault("no-image") => Err("Error: No such image".to_owned()),
        "push" if books.fault("push-late") => {
            Err("denied: requested access to the resource is denied".to_owned())
        }
        "image" | "tag" | "push" => Ok(Value::Null),
        _ => unknown("docker", args),
    }
}
