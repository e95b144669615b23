//! The resource group, and the deployment of `infra/` in it.

use std::time::Duration;

use serde_json::Value;

use super::subscription::Operator;
use super::tags;
use crate::args::UpArgs;
use crate::door::Door;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::names::Run;
use crate::wait::{Look, until};

/// The deployment's name, by which later commands find its outputs.
const DEPLOYMENT: &str = "edw";

/// Time limit: a cluster takes five to ten minutes, node auto-provisioning a few more.
const DEPLOYMENT_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Creates the group, with its tags in the same request. An existing group keeps its content.
pub(crate) fn group(
    door: &Door,
    run: &Run,
    location: &str,
    delete_after: &str,
) -> Result<(), Failure> {
    let (name, [run_tag, expiry_tag]) = (run.group(), tags(run, delete_after));
    // A group of the same name that is being deleted needs up to ten minutes.
    until("resource group", door.minutes(12), || {
        let made = door.az(&[
            "group",
            "create",
            "--name",
            &name,
            "--location",
            location,
            "--tags",
            &run_tag,
            &expiry_tag,
        ]);
        match made {
            Ok(_) => Ok(Look::Done(())),
            Err(refusal) if refusal.passes() => Ok(Look::Not(format!("{:?}", refusal.kind))),
            Err(refusal) => Err(Failure::refused(
                format!("create the resource group {name}"),
                &refusal,
            )),
        }
    })
}

/// Deploys `infra/main.bicep`, and returns its outputs. Temporary refusals are tried again: a new identity that is not
/// replicated everywhere yet, two federated credentials at once, an earlier deployment that is still in progress.
pub(crate) fn deploy(
    door: &Door,
    args: &UpArgs,
    run: &Run,
    operator: &Operator,
    delete_after: &str,
) -> Result<Environment, Failure> {
    let group = run.group();
    let template = args.root.join("infra/main.bicep").display().to_string();
    let defaults = format!("@{}", args.root.join("infra/defaults.json").display());
    let given = [
        format!("run={run}"),
        format!("deleteAfter={delete_after}"),
        format!("location={}", args.location),
        format!("operatorPrincipalId={}", operator.object),
        format!("operatorPrincipalType={}", operator.kind),
    ];
    let mut command = vec![
        "deployment",
        "group",
        "create",
        "--resource-group",
        &group,
        "--name",
        DEPLOYMENT,
        "--template-file",
        &template,
        "--parameters",
        &defaults,
        "--parameters",
    ];
    command.extend(given.iter().map(String::as_str));
    let answer: Value = until("deployment", door.minutes(5), || {
        match door.az_within(DEPLOYMENT_LIMIT, &command) {
        Ok(answer) => Ok(Look::Done(answer)),
        Err(refusal) if refusal.passes() => Ok(Look::Not(format!("{:?}, deploying again", refusal.kind))),
        Err(refusal) => Err(Failure::refused(format!("deploy infra/ into {group}"), &refusal).mend(format!(
            "which resource it is: az deployment operation group list --resource-group {group} --name {DEPLOYMENT}"
        ))),
    }
    })?;
    Environment::of_outputs(&answer["properties"]["outputs"])
}
