//! The identity of KEDA's operator: the webhook of workload identity adds its variables when a pod starts, and never later.
//!
//! An operator that started before the webhook lacks them, and cannot read queues (`sources must contain at least one
//! TokenCredential`, kedacore/keda#5006); a restart mends this.

use std::time::Duration;

use serde_json::Value;

use super::later;
use crate::door::Door;
use crate::failure::{Exit, Failure};
use crate::kubernetes::Kubectl;
use crate::say;
use crate::wait::{Look, until};

/// Variables that `azure_identity` needs in a pod; the client id comes from the `TriggerAuthentication`.
const VARIABLES: [&str; 2] = ["AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"];

/// The operator's container. Pods are found by it, because labels differ between the add-on and the chart.
const CONTAINER: &str = "keda-operator";

/// Makes sure that every operator has the variables, with at most one restart.
pub(crate) fn identity(door: &Door, kubectl: &Kubectl<'_>) -> Result<(), Failure> {
    let first = until("KEDA operator", door.minutes(10), || look(kubectl, false))?;
    if first.is_empty() {
        return Ok(());
    }
    say(&format!(
        "  KEDA operator started without {}: restarting it",
        first.join(", ")
    ));
    let restart = [
        "rollout",
        "restart",
        "deployment/keda-operator",
        "--namespace",
        "kube-system",
    ];
    kubectl
        .run(&restart, None)
        .map_err(|refusal| Failure::refused("restart the KEDA operator", &refusal))?;
    let rolled = [
        "rollout",
        "status",
        "deployment/keda-operator",
        "--namespace",
        "kube-system",
        "--timeout",
        "240s",
    ];
    kubectl
        .run_within(Duration::from_secs(300), &rolled, None)
        .map_err(|refusal| Failure::refused("wait for the KEDA operator to restart", &refusal))?;
    let then = until("KEDA operator after a restart", door.minutes(5), || {
        look(kubectl, true)
    })?;
    if then.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::NotReady, format!("the KEDA operator lacks {} after a restart too", then.join(", ")))
        .mend("securityProfile.workloadIdentity.enabled must be true: az aks show --resource-group <group> --name <cluster>")
        .mend("a running webhook must be in: kubectl get pods --namespace kube-system --selector azure-workload-identity.io/system=true"))
}

/// The variables that an operator lacks, once one runs. After a restart, waits until old pods are gone.
fn look(kubectl: &Kubectl<'_>, settled: bool) -> Result<Look<Vec<&'static str>>, Failure> {
    let pods = match kubectl.get(&["pods", "--namespace", "kube-system"]) {
        Ok(pods) => pods,
        Err(refusal) => return later(&refusal, "list the pods of kube-system"),
    };
    let pods = pods["items"].as_array().cloned().unwrap_or_default();
    let containers: Vec<_> = pods
        .iter()
        .filter(|pod| pod["status"]["phase"] == "Running")
        .filter(|pod| !settled || pod["metadata"]["deletionTimestamp"].is_null())
        .flat_map(|pod| pod["spec"]["containers"].as_array().into_iter().flatten())
        .filter(|container| container["name"] == CONTAINER)
        .collect();
    if containers.is_empty() {
        return Ok(Look::Not("no operator runs".to_owned()));
    }
    let has = |container: &Value, name: &str| {
        let variables = container["env"].as_array();
        variables
            .into_iter()
            .flatten()
            .any(|variable| variable["name"] == name)
    };
    let lacks = VARIABLES
        .into_iter()
        .filter(|name| !containers.iter().all(|container| has(container, name)));
    Ok(Look::Done(lacks.collect()))
}
