//! Data of an environment that is up, for commands that judge a workload in it; and the meaning of Azure's messages.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::failure::Failure;
use crate::kubernetes::KUBECONFIG;
use crate::names::Run;
use crate::refusal::{Kind, Refusal};

/// An environment that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The run's own kubeconfig.
    pub kubeconfig: PathBuf,
    /// Its context.
    pub context: String,
    /// The overlay, filled in with the deployment's outputs.
    pub overlay: PathBuf,
    /// The namespace of the workload's service account: pods in other namespaces cannot sign in, since the federated credential
    /// names this one.
    pub namespace: String,
    /// The storage account.
    pub account: String,
    /// The resource group of the nodes.
    pub node_group: String,
}

/// The environment `run`, from the files of `up` below `out`. An error contains advice.
pub fn standing(out: &Path, run: &str) -> Result<Standing, String> {
    let run: Run = run.parse()?;
    let dir = out.join(run.to_string());
    let told = |failure: Failure| {
        let text = failure.to_string();
        text.trim_start_matches("error: ").trim_end().to_owned()
    };
    let environment = Environment::read(&dir, &run).map_err(told)?;
    Ok(Standing {
        kubeconfig: dir.join(KUBECONFIG),
        context: run.cluster(),
        overlay: dir.join("k8s/overlays/run"),
        namespace: crate::kubernetes::NAMESPACE.to_owned(),
        account: environment.account_name,
        node_group: environment.node_resource_group,
    })
}

/// The reason why Azure has no machine to give, in a few words, if `text` contains one.
pub fn shortage(text: &str) -> Option<&'static str> {
    match Refusal::of(String::new(), text.to_owned()).kind {
        Kind::Quota => Some("a quota of the subscription is used up"),
        Kind::NoCapacity => Some("Azure has no machine of these sizes to give"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_that_is_not_up_is_told_with_what_mends_it() {
        let dir = std::env::temp_dir().join("edw-no-such-environment");
        let error = standing(&dir, "n1a").unwrap_err();
        assert!(error.contains("run up --run n1a first"), "{error}");
        assert!(standing(&dir, "N").unwrap_err().contains("lower-case"));
    }

    #[test]
    fn what_node_provisioning_says_of_a_lack_of_machines_is_told_apart_from_other_trouble() {
        for (text, why) in [
            (
                "unable to allocate resources in the selected zone (eastus-1) with spot capacity type and Standard_D2s_v5 VM size. (will try a different zone, capacity type or VM size to fulfill your request)",
                Some("Azure has no machine of these sizes to give"),
            ),
            (
                "regional spot vCPU quota limit for subscription has been reached. To scale beyond this limit, please review the quota increase process",
                Some("a quota of the subscription is used up"),
            ),
            (
                "the requested SKU is unavailable for instance type Standard_D2s_v5 in zone eastus-1 with capacity type spot, for more details please visit: https://aka.ms/azureskunotavailable",
                Some("Azure has no machine of these sizes to give"),
            ),
            (
                "this subscription has reached the regional vCPU quota for spot (LowPriorityQuota). To scale beyond this limit, please review the quota increase process here",
                Some("a quota of the subscription is used up"),
            ),
            (
                "subscription level spot vCPU quota for Standard_D2s_v5 has been reached (may try provision an alternative instance type)",
                Some("a quota of the subscription is used up"),
            ),
            (
                "NodeClaim edw-spot-x7k2p event: all requested instance types were unavailable during launch",
                Some("Azure has no machine of these sizes to give"),
            ),
            (
                "creating instance, insufficient capacity, no instance types available",
                Some("Azure has no machine of these sizes to give"),
            ),
            ("Failed to schedule pod, incompatible requirements", None),
            ("Readiness probe failed", None),
        ] {
            assert_eq!(shortage(text), why, "{text}");
        }
    }
}
