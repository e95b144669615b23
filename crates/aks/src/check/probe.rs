//! Pods that sign in as the workload does, and put, get, insert and delete: three successes in a row.
//!
//! One success proves little: a federated credential that worked once may be refused for minutes again (AADSTS70021), and new
//! roles become effective at different times in different places. Each probe is a new pod, so that it signs in anew.

use serde_json::{Value, json};

use super::later;
use crate::door::Door;
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::kubernetes::{Kubectl, NAMESPACE, condition};
use crate::names::VERSION;
use crate::refusal::{Kind, Refusal};
use crate::wait::{Look, until};

/// Number of successes in a row that count as ready.
const IN_A_ROW: u32 = 3;

/// Most probes, ten seconds or more apart: half an hour, the longest time that Entra is known to need.
const PROBES: u32 = 40;

const POD: &str = "edw-probe";

/// The result of a probe.
enum Ended {
    Well,
    /// The pod's log.
    Refused(String),
    /// The pod's log, if its program refused its settings: no later pod can do better.
    Unfit(String),
}

/// Exit code of a program that refuses its settings, and the end of its message about a flag or a variable.
const USAGE: u64 = 2;
const USAGE_SAID: &str = "try '--help'";

/// Runs probes until three in a row succeed.
pub(crate) fn probe(
    door: &Door,
    kubectl: &Kubectl<'_>,
    environment: &Environment,
) -> Result<(), Failure> {
    let mut row = 0;
    let waited = until(
        "storage, as the workload sees it",
        (PROBES, door.pause),
        || {
            match once(door, kubectl, environment)? {
                Ended::Well => row += 1,
                Ended::Unfit(said) => {
                    return Err(Failure::new(
                        Exit::NotReady,
                        "the consumer's image does not take the settings of its probe",
                    )
                    .said(said)
                    .mend("push the images of this version: ci/aks build, then up again"));
                }
                Ended::Refused(said) => {
                    row = 0;
                    return Ok(Look::Not(said));
                }
            }
            Ok(if row == IN_A_ROW {
                Look::Done(())
            } else {
                Look::Not(format!("{row} of {IN_A_ROW} in a row"))
            })
        },
    );
    remove(kubectl)?;
    waited.map_err(|failure| {
        failure
            .mend("AADSTS70021, AADSTS7002138: the workload's service account as subject, and the cluster's issuer, must be in: az identity federated-credential list --resource-group <group> --identity-name <identity>")
            .mend("AuthorizationPermissionMismatch: both Data Contributor roles for the identity must be in: az role assignment list --scope <account>")
    })
}

fn once(door: &Door, kubectl: &Kubectl<'_>, environment: &Environment) -> Result<Ended, Failure> {
    remove(kubectl)?;
    let pod = pod(environment).to_string();
    if let Err(refusal) = kubectl.run(&["create", "--filename", "-"], Some(&pod)) {
        return match later(&refusal, "create a probe pod")? {
            Look::Not(said) => Ok(Ended::Refused(said)),
            Look::Done(()) => unreachable!("a refusal is never done"),
        };
    }
    let ended = until("probe pod", door.minutes(10), || {
        let pod = match kubectl.get(&["pod", POD, "--namespace", NAMESPACE]) {
            Ok(pod) => pod,
            Err(refusal) => return later(&refusal, "look at the probe pod"),
        };
        match pod["status"]["phase"].as_str() {
            Some("Succeeded") => Ok(Look::Done(Ended::Well)),
            Some("Failed") => {
                let said = log(kubectl);
                // Without the variables of workload identity, which a webhook that comes up later adds, it ends with 2 as well.
                let is_unfit = exit_code(&pod) == Some(USAGE) && said.contains(USAGE_SAID);
                Ok(Look::Done(if is_unfit {
                    Ended::Unfit(said)
                } else {
                    Ended::Refused(said)
                }))
            }
            _ => Ok(Look::Not(waits_for(&pod))),
        }
    });
    ended.map_err(|failure| no_node(kubectl).unwrap_or(failure))
}

/// The exit code of the pod's container.
fn exit_code(pod: &Value) -> Option<u64> {
    pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"].as_u64()
}

/// The variables of the probe, apart from those that workload identity adds. The consumer of this version must take them.
pub fn variables(account: &str, queue: &str, table: &str) -> Vec<(&'static str, String)> {
    let given = [
        ("AZURE_STORAGE_ACCOUNT_NAME", account),
        ("AZURE_QUEUE_NAME", queue),
        ("AZURE_TABLE_NAME", table),
        ("EDW_CREDENTIAL", "workload-identity"),
        ("EDW_LOG_FORMAT", "human"),
    ];
    given.map(|(name, value)| (name, value.to_owned())).into()
}

/// The failure if the pod waits because Azure had no machine to give.
fn no_node(kubectl: &Kubectl<'_>) -> Option<Failure> {
    // Without an answer, such as from a cluster that does not know the kind, nothing was said.
    let items = |of: &[&str]| -> Vec<Value> {
        let list = kubectl.get(of).unwrap_or_default();
        list["items"].as_array().cloned().unwrap_or_default()
    };
    // Karpenter warns only where no other machine could help. Each other refusal of Azure stands in the NodeClaim alone.
    let claims = items(&["nodeclaims.karpenter.sh"]);
    let warnings = items(&[
        "events",
        "--all-namespaces",
        "--field-selector",
        "type=Warning",
    ]);
    let not_launched = claims
        .iter()
        .filter_map(|claim| condition(claim, "Launched").err());
    let warned = warnings.iter().rev();
    let warned = warned.filter_map(|event| event["message"].as_str());
    not_launched
        .chain(warned.map(str::to_owned))
        .map(|said| Refusal::of("node provisioning".to_owned(), said))
        .find(|refusal| matches!(refusal.kind, Kind::NoCapacity | Kind::Quota))
        .map(|refusal| {
            Failure::refused(
                "Azure has no machine for the probe pod, neither Spot nor on demand",
                &refusal,
            )
        })
}

/// What a pod that has not ended waits for.
fn waits_for(pod: &Value) -> String {
    let unscheduled = condition(pod, "PodScheduled").err();
    let statuses = pod["status"]["containerStatuses"].as_array();
    let waiting = statuses.into_iter().flatten().find_map(|status| {
        let waiting = &status["state"]["waiting"];
        Some(format!(
            "{}: {}",
            waiting["reason"].as_str()?,
            waiting["message"].as_str().unwrap_or_default()
        ))
    });
    waiting.or(unscheduled).unwrap_or_else(|| "runs".to_owned())
}

/// The end of the probe's log, which has one line for each problem.
fn log(kubectl: &Kubectl<'_>) -> String {
    let log = kubectl.run(
        &["logs", POD, "--namespace", NAMESPACE, "--tail", "3"],
        None,
    );
    log.map_or_else(|refusal| refusal.to_string(), |text| text.trim().to_owned())
}

fn remove(kubectl: &Kubectl<'_>) -> Result<(), Failure> {
    let gone = kubectl.run(
        &[
            "delete",
            "pod",
            POD,
            "--namespace",
            NAMESPACE,
            "--ignore-not-found",
            "--timeout",
            "60s",
        ],
        None,
    );
    match gone {
        Ok(_) => Ok(()),
        Err(refusal) => later::<()>(&refusal, "remove the probe pod").map(drop),
    }
}

/// The pod: the workload's image, service account and environment, in the probing mode of `consumer`.
fn pod(environment: &Environment) -> Value {
    let variables = variables(
        &environment.account_name,
        &environment.queue_name,
        &environment.table_name,
    );
    let variables = variables.into_iter();
    let variables: Vec<Value> = variables
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": POD,
            "namespace": NAMESPACE,
            "labels": {"app": POD, "azure.workload.identity/use": "true"},
        },
        "spec": {
            "serviceAccountName": "aqs-app-service-account",
            "automountServiceAccountToken": false,
            "restartPolicy": "Never",
            "activeDeadlineSeconds": 600,
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"},
            },
            "tolerations": [
                {"key": "kubernetes.azure.com/scalesetpriority", "operator": "Equal", "value": "spot", "effect": "NoSchedule"},
            ],
            "containers": [{
                "name": "probe",
                "image": format!("{}/edw/consumer:{VERSION}", environment.login_server),
                "args": ["--probe"],
                "env": variables,
                "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
                },
            }],
        },
    })
}
