//! `check`: whether the environment is ready, and not only created.
//!
//! No workload is judged before all of these checks pass, so that a night in an environment that is not ready is never taken
//! for a broken workload. Each check needs the one before: kinds, node class, the identity of KEDA's operator, three sign-ins
//! in a row that work with storage, the ScaledObject.

mod keda;
mod probe;

pub use probe::variables as probe_variables;

use crate::args::CheckArgs;
use crate::door::Door;
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::kubernetes::{Kubectl, NAMESPACE, condition};
use crate::refusal::Refusal;
use crate::say;
use crate::wait::{Look, until};

/// Kinds that the cluster's add-ons must define before the overlay can be applied.
const DEFINITIONS: [&str; 5] = [
    "scaledobjects.keda.sh",
    "triggerauthentications.keda.sh",
    "nodepools.karpenter.sh",
    "nodeclaims.karpenter.sh",
    "aksnodeclasses.karpenter.azure.com",
];

/// Runs every check; ends at the first that fails.
pub(crate) fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let door = Door::open(&args.common, args.common.out.join(args.run.to_string()))?;
    let environment = Environment::read(door.dir(), &args.run)?;
    let kubectl = Kubectl::of(&door, &args.run);
    definitions(&door, &kubectl)?;
    say("ready     kinds of KEDA and of node provisioning");
    node_class(&door, &kubectl)?;
    say("ready     AKSNodeClass");
    keda::identity(&door, &kubectl)?;
    say("ready     identity of the KEDA operator");
    probe::probe(&door, &kubectl, &environment)?;
    say("ready     sign-in, queue and table, three times in a row");
    scaled_object(&door, &kubectl)?;
    say("ready     ScaledObject");
    Ok(Exit::Success)
}

/// Waits for the kinds of both add-ons.
pub(crate) fn definitions(door: &Door, kubectl: &Kubectl<'_>) -> Result<(), Failure> {
    for name in DEFINITIONS {
        let waited = until(&format!("kind {name}"), door.minutes(10), || {
            let definition = match kubectl.get(&["customresourcedefinition", name]) {
                Ok(definition) => definition,
                Err(refusal) => return later(&refusal, "look for kinds"),
            };
            Ok(condition(&definition, "Established").map_or_else(Look::Not, Look::Done))
        });
        waited.map_err(|failure| {
            failure.mend("whether workloadAutoScalerProfile.keda and nodeProvisioningProfile are on: az aks show --resource-group <group> --name <cluster>")
        })?;
    }
    Ok(())
}

fn node_class(door: &Door, kubectl: &Kubectl<'_>) -> Result<(), Failure> {
    let waited = until("AKSNodeClass edw", door.minutes(10), || {
        match kubectl.get(&["aksnodeclasses.karpenter.azure.com", "edw"]) {
            Ok(class) => Ok(condition(&class, "Ready").map_or_else(Look::Not, Look::Done)),
            Err(refusal) => later(&refusal, "read the AKSNodeClass"),
        }
    });
    waited.map_err(|failure| failure.mend("the cluster's Kubernetes version must be one that node provisioning has images for: kubectl describe aksnodeclass edw"))
}

/// Waits for up to half an hour: Entra may need this long to know the keys of a new issuer (AADSTS7000272).
fn scaled_object(door: &Door, kubectl: &Kubectl<'_>) -> Result<(), Failure> {
    let waited = until("ScaledObject", door.minutes(30), || {
        match kubectl.get(&[
            "scaledobjects.keda.sh",
            "aws2az-queue-scaleobj",
            "--namespace",
            NAMESPACE,
        ]) {
            Ok(object) => Ok(condition(&object, "Ready").map_or_else(Look::Not, Look::Done)),
            Err(refusal) => later(&refusal, "read the ScaledObject"),
        }
    });
    waited.map_err(|failure| {
        failure
            .mend("why the queue cannot be read: kubectl logs --namespace kube-system deployment/keda-operator")
            .mend("system:serviceaccount:kube-system:keda-operator must be in: az identity federated-credential list --resource-group <group> --identity-name <identity>")
    })
}

/// Tries again later after a temporary refusal: an API server that does not answer, a role that is not effective yet, an object
/// that does not exist yet.
fn later<T>(refusal: &Refusal, what: &str) -> Result<Look<T>, Failure> {
    use crate::refusal::Kind;
    if refusal.passes()
        || matches!(
            refusal.kind,
            Kind::NotFound | Kind::Undefined | Kind::Forbidden | Kind::TimedOut
        )
    {
        let said = refusal.text.lines().next().unwrap_or_default().to_owned();
        Ok(Look::Not(format!("{:?}: {said}", refusal.kind)))
    } else {
        Err(Failure::refused(what, refusal))
    }
}
