//! Tests of nights that succeed, and of each way in which one is known to fail.

use libtest_mimic::{Failed, Trial};
use serde_json::json;

use crate::night::Night;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_night_comes_up_is_ready_and_leaves_nothing", whole),
        trial("what_passes_by_itself_is_waited_for", passes),
        trial(
            "what_azure_cannot_give_is_inconclusive_and_named",
            not_given,
        ),
        trial(
            "what_is_not_there_is_named_before_anything_is_created",
            refused_before,
        ),
        trial("a_ceiling_that_is_too_low_creates_nothing", too_dear),
        trial("an_operator_without_variables_is_restarted_once", keda),
        trial("a_role_that_counts_late_is_waited_for", late_role),
        trial(
            "a_sign_in_that_fails_again_after_a_success_begins_the_row_anew",
            fails_again,
        ),
        trial(
            "a_role_that_never_counts_is_told_with_what_the_pod_said",
            never,
        ),
        trial("an_image_that_refuses_the_probe_is_told_at_once", unfit),
        trial("no_machine_for_the_probe_is_inconclusive", no_machine),
        trial("an_assertion_that_is_too_old_is_fetched_afresh", assertion),
        trial("without_a_workflow_an_expired_sign_in_is_told", signed_out),
        trial("a_group_that_does_not_go_makes_down_fail_by_name", hangs),
        trial(
            "a_deletion_that_azure_gives_up_is_asked_for_again",
            given_up,
        ),
        trial("another_machine_removes_the_pools_first", elsewhere),
        trial("a_locked_group_makes_down_fail_by_name", locked),
        trial("nodes_that_outlive_their_cluster_are_removed", orphans),
        trial("a_sweep_only_tells_unless_told_to_delete", dry),
        trial(
            "a_sweep_keeps_what_it_cannot_read_and_reports_it",
            unreadable,
        ),
    ]
}

fn trial(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || -> Result<(), Failed> {
        test();
        Ok(())
    })
}

fn whole() {
    let night = Night::begin();
    night.up().with(0, "next      check --run night1");
    assert_eq!(
        night.books().all["applied"],
        true,
        "the overlay is not filled in"
    );
    let tags = night.books().all["groups"]["edw-aks-night1"]["tags"].clone();
    assert_eq!(tags["run"], "night1");
    night.check().with(0, "ready     ScaledObject");
    assert_eq!(night.books().all["made"], 3, "three probes");
    night.up().with(0, "next");
    let again = night.books().all["groups"]["edw-aks-night1"]["tags"].clone();
    assert_eq!(again, tags, "a repeated up keeps the expiry");
    night.down().with(0, "removed   edw-aks-night1");
    night.is_over();
    night.down().with(0, "removed");
}

/// Each of these refusals once or twice, in one night.
fn passes() {
    let night = Night::begin();
    for (fault, times) in [
        ("group-being-deleted", 2),
        ("busy", 1),
        ("credential-conflict", 1),
        ("principal-not-found", 2),
        ("push-late", 3),
        ("kinds-late", 4),
        ("webhook-late", 2),
    ] {
        night.plant(fault, times);
    }
    night.up().with(0, "CredentialConflict, deploying again");
    for fault in ["node-class-late", "scaled-object-late"] {
        night.plant(fault, 3);
    }
    night.check().with(0, "AADSTS7000272");
    night.down().with(0, "removed");
    night.is_over();
}

fn not_given() {
    for (fault, said) in [
        ("quota", "QuotaExceeded"),
        ("no-capacity", "SkuNotAvailable"),
        (
            "no-spot-quota",
            "the Spot quota of eastus (lowPriorityCores) has 2 vCPU left",
        ),
    ] {
        let night = Night::begin();
        night.plant(fault, 1);
        night.up().with(11, said);
        night.down().with(0, "removed");
        night.is_over();
    }
}

fn refused_before() {
    let night = Night::begin();
    night.plant("no-provider", 1);
    night.up().with(
        5,
        "az provider register --namespace Microsoft.ContainerService",
    );
    assert_eq!(night.books().all["groups"], json!({}));
    night.plant("no-image", 1);
    night.up().with(6, "ci/images/build consumer producer wire");
    night.down().with(0, "removed");
    night.is_over();
    night.check().with(6, "run up --run night1 first");
}

fn too_dear() {
    let night = Night::begin();
    night
        .up_with(&["--ceiling", "1"])
        .with(2, "nothing was created");
    night.up_with(&["--dry-run"]).with(0, "dry run");
    assert_eq!(night.books().all["groups"], json!({}));
    assert!(!night.out().join("ledger.jsonl").exists());
}

fn keda() {
    let night = Night::begin();
    night.up().with(0, "next");
    night.plant("keda-bare", 1);
    night.check().with(0, "restarting it");
    assert_eq!(night.books().all["restarts"], 1);
    night.plant("keda-bare-for-ever", 1);
    night.check().with(
        3,
        "lacks AZURE_TENANT_ID, AZURE_FEDERATED_TOKEN_FILE after a restart too",
    );
}

/// A night that is up, with the results of its next probes.
fn probed(probes: &[&str]) -> Night {
    let night = Night::begin();
    night.up().with(0, "next");
    let mut books = night.books();
    books.all["probes"] = json!(probes);
    books.write();
    night
}

fn late_role() {
    let night = probed(&["AuthorizationPermissionMismatch"; 12]);
    night.check().with(
        0,
        "waiting: storage, as the workload sees it: AuthorizationPermissionMismatch",
    );
    assert_eq!(night.books().all["made"], 15);
}

fn unfit() {
    let night = probed(&["error: invalid value\n\nFor more information, try '--help'."]);
    let ended = night.check();
    ended.with(3, "does not take the settings of its probe");
    ended.with(3, "mend: push the images of this version");
    assert_eq!(night.books().all["made"], 1);
}

fn fails_again() {
    let night = probed(&[
        "well",
        "well",
        "AADSTS70021: no matching federated identity record",
    ]);
    night.check().with(0, "AADSTS70021");
    assert_eq!(night.books().all["made"], 6, "three in a row");
}

fn never() {
    let night = probed(&["AuthorizationPermissionMismatch"; 100]);
    let ended = night.check();
    ended.with(3, "said: AuthorizationPermissionMismatch");
    ended.with(
        3,
        "mend: AuthorizationPermissionMismatch: both Data Contributor roles",
    );
    assert_eq!(night.books().all["made"], 40);
}

fn no_machine() {
    let none = "Azure has no machine for the probe pod, neither Spot nor on demand";
    let other = "0/1 nodes are available: 1 Too many pods";
    let night = pending("all requested instance types were unavailable", &[]);
    night.check().with(11, none);

    // Most refusals are no warning: the NodeClaim alone has them.
    let night = pending(other, &["creating instance failed: SkuNotAvailable"]);
    let checked = night.check();
    checked.with(11, none);
    checked.with(11, "LaunchFailed");

    // A refusal for another reason is no lack of machines.
    let night = pending(other, &["creating instance failed: AuthorizationFailed"]);
    night.check().with(3, "Unschedulable");
}

/// A night whose probe pod stays pending, with a warning and Azure's refusals of `NodeClaims`.
fn pending(warning: &str, refusals: &[&str]) -> Night {
    let night = probed(&["pending"]);
    let mut books = night.books();
    books.all["warning"] = warning.into();
    books.all["claims"] = json!(refusals);
    books.write();
    night
}

fn assertion() {
    let mut night = Night::begin();
    night.in_a_workflow = true;
    night.up().with(0, "next");
    night.plant("assertion-expired", 1);
    night.down().with(0, "removed");
    assert_eq!(night.books().all["signed_in_anew"], true);
    let calls = std::fs::read_to_string(night.out().join("night1/calls.jsonl")).expect("calls");
    assert!(calls.contains("AssertionExpired"), "{calls}");
    for secret in ["fresh", "bearer-of-the-job"] {
        assert!(!calls.contains(secret), "{calls}");
    }
    night.is_over();
}

fn signed_out() {
    let night = Night::begin();
    night.plant("assertion-expired", 1);
    night.up_with(&[]).with(5, "AADSTS700024");
    assert_eq!(night.books().all["groups"], json!({}));
}

fn hangs() {
    let night = Night::begin();
    night.up().with(0, "next");
    night.plant("delete-hangs", 1);
    night.plant("cluster-away", 1);
    night
        .down()
        .with(8, "mend: az group delete --name edw-aks-night1 --yes");
    night.plant("delete-hangs", 0);
    night.down().with(0, "removed");
    night.is_over();
}

fn given_up() {
    let night = Night::begin();
    night.up().with(0, "next");
    night.plant("deletion-given-up", 1);
    night.down().with(0, "deleting it again");
    night.is_over();
}

/// The job `down` of a workflow has no file of the job that ran `up`.
fn elsewhere() {
    let night = Night::begin();
    night.up().with(0, "next");
    std::fs::remove_dir_all(night.out().join("night1")).expect("the run's files must go");
    night.down().with(0, "removed");
    let calls = std::fs::read_to_string(night.out().join("night1/calls.jsonl"));
    let calls = calls.expect("calls");
    let pools = calls.find("delete nodepools.karpenter.sh");
    let group = calls.find("az group delete");
    assert!(pools.is_some() && pools < group, "{calls}");
    night.is_over();
    night.down().with(0, "the cluster is not there");
}

fn locked() {
    let night = Night::begin();
    night.up().with(0, "next");
    night.plant("locked", 1);
    night.down().with(8, "ScopeLocked");
    night.sweep().with(0, "removing  edw-aks-night1");
    night.is_over();
}

fn orphans() {
    let night = Night::begin();
    night.up().with(0, "next");
    night.plant("orphans", 1);
    night.down().with(0, "removed");
    night.is_over();
}

fn dry() {
    let night = Night::begin();
    night.up().with(0, "next");
    night
        .aks(&["sweep", "--delete"])
        .with(0, "kept      edw-aks-night1: until");
    night
        .aks(&["sweep", "--as-of", "2099-01-01T00:00:00Z"])
        .with(8, "over      edw-aks-night1");
    assert!(!night.books().all["groups"]["edw-aks-night1"].is_null());
    night
        .aks(&["sweep", "--as-of", "soon"])
        .with(2, "is no time");
    night.sweep().with(0, "1 over, 0 unclear");
    night.is_over();
}

fn unreadable() {
    let night = Night::begin();
    let mut books = night.books();
    books.all["groups"] = json!({
        "edw-aks-night2": {"tags": {"run": "night2", "DeleteAfter": "some day"}},
        "production": {"tags": {"run": "night2", "DeleteAfter": "2020-01-01T00:00:00Z"}},
    });
    books.write();
    night.sweep().with(
        8,
        "UNCLEAR   edw-aks-night2: its tag DeleteAfter is \"some day\"",
    );
    assert_eq!(
        night.books().all["groups"],
        books.all["groups"],
        "nothing was touched"
    );
}
