//! `down`: removes everything of one run, and fails while anything is left.
//!
//! It needs no file of `up`: the groups' names follow from the run's name, so that another job on another machine can run it.

use std::time::Duration;

use crate::args::DownArgs;
use crate::door::Door;
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::kubernetes::Kubectl;
use crate::ledger::Ledger;
use crate::names::Run;
use crate::refusal::{Kind, Refusal};
use crate::say;
use crate::wait::{Look, until};

/// Time limit for removing the node pools: each node is drained, terminated and deleted.
const POOLS: Duration = Duration::from_secs(8 * 60);

/// After this many polls, three minutes, `gone` looks whether Azure is still deleting.
const LOOKS_AGAIN: u32 = 18;

/// Removes the run.
pub(crate) fn down(args: &DownArgs) -> Result<Exit, Failure> {
    let door = Door::open(&args.common, args.common.out.join(args.run.to_string()))?;
    pools(&door, &args.run);
    remove(&door, &[args.run.group()])?;
    Ledger::of(&args.common.out).removed(&args.run)?;
    Environment::forget(door.dir());
    say(&format!("removed   {} and its nodes", args.run.group()));
    Ok(Exit::Success)
}

/// Removes the node pools first, if the cluster answers, so that node provisioning makes no machine while the cluster is
/// deleted. Nodes that remain are deleted with the node group.
fn pools(door: &Door, run: &Run) {
    let kubectl = Kubectl::of(door, run);
    // In a workflow, another machine has run `up`.
    if !kubectl.is_there() && kubectl.fetch(run).is_err() {
        say("  the cluster is not there, or cannot be reached: the nodes go with their group");
        return;
    }
    let delete = [
        "delete",
        "nodepools.karpenter.sh",
        "--all",
        "--timeout",
        "7m",
    ];
    if let Err(refusal) = kubectl.run_within(POOLS, &delete, None) {
        say(&format!(
            "  the NodePools stay, and go with the node group: {:?}",
            refusal.kind
        ));
    }
}

/// Deletes `groups` and the node group of each concurrently, and waits until none exists. The error names the remaining ones.
pub(crate) fn remove(door: &Door, groups: &[String]) -> Result<(), Failure> {
    let mut left = Vec::new();
    for group in groups {
        delete(door, group, &mut left);
    }
    for group in groups {
        gone(door, group, &mut left);
        let nodes = format!("{group}{}", crate::names::NODES);
        // AKS removes it with the cluster; a node group that outlives its cluster is an orphan.
        match exists(door, &nodes) {
            Ok(false) => {}
            Ok(true) => {
                delete(door, &nodes, &mut left);
                gone(door, &nodes, &mut left);
            }
            Err(refusal) => left.push((nodes, refusal.to_string())),
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    let mut failure = Failure::new(
        Exit::Partial,
        format!("{} resource groups are left", left.len()),
    );
    for (group, why) in &left {
        failure = failure
            .said(format!("{group}: {why}"))
            .mend(format!("az group delete --name {group} --yes"));
    }
    Err(failure)
}

type Left = Vec<(String, String)>;

fn delete(door: &Door, group: &str, left: &mut Left) {
    match door.az(&["group", "delete", "--name", group, "--yes", "--no-wait"]) {
        // Also if an earlier try is already deleting it.
        Ok(_)
        | Err(Refusal {
            kind: Kind::NotFound | Kind::BeingDeleted | Kind::Busy,
            ..
        }) => {}
        Err(refusal) => left.push((group.to_owned(), refusal.to_string())),
    }
}

/// Waits until the group is gone. Deleting a cluster takes five to fifteen minutes.
fn gone(door: &Door, group: &str, left: &mut Left) {
    if left.iter().any(|(name, _)| name == group) {
        return;
    }
    let mut polls = 0;
    let waited = until(
        &format!("{group} to go"),
        door.minutes(30),
        || match exists(door, group) {
            Ok(false) => Ok(Look::Done(())),
            Ok(true) => {
                polls += 1;
                if polls % LOOKS_AGAIN == 0 {
                    delete_again(door, group)
                } else {
                    Ok(Look::Not("is still there".to_owned()))
                }
            }
            Err(refusal) if is_passing(&refusal) => Ok(Look::Not(format!("{:?}", refusal.kind))),
            Err(refusal) => Err(Failure::refused("look whether it is gone", &refusal)),
        },
    );
    if let Err(failure) = waited {
        left.push((group.to_owned(), failure.to_string()));
    }
}

fn is_passing(refusal: &Refusal) -> bool {
    refusal.passes() || refusal.kind == Kind::TimedOut
}

/// Asks for the deletion once more if Azure has given it up: one resource that cannot be deleted yet, such as a cluster that is
/// still being created, ends the deletion of its group, and the group stays ("Azure Resource Manager resource group deletion").
fn delete_again(door: &Door, group: &str) -> Result<Look<()>, Failure> {
    let state = [
        "group",
        "show",
        "--name",
        group,
        "--query",
        "properties.provisioningState",
    ];
    let state = match door.az(&state) {
        Ok(state) => state,
        Err(refusal) if is_passing(&refusal) || refusal.kind == Kind::NotFound => {
            return Ok(Look::Not(format!("{:?}", refusal.kind)));
        }
        Err(refusal) => {
            return Err(Failure::refused(
                "look whether it is being deleted",
                &refusal,
            ));
        }
    };
    if state == "Deleting" {
        return Ok(Look::Not("is being deleted".to_owned()));
    }
    let mut left = Vec::new();
    delete(door, group, &mut left);
    match left.pop() {
        None => Ok(Look::Not(
            "its deletion had ended: deleting it again".to_owned(),
        )),
        Some((_, why)) => Err(Failure::new(Exit::Partial, "it cannot be deleted").said(why)),
    }
}

fn exists(door: &Door, group: &str) -> Result<bool, Refusal> {
    Ok(door.az(&["group", "exists", "--name", group])? == true)
}
