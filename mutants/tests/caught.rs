//! Each mutant is judged by a scenario that reviewers read, and must fail there, for the reason that names what it does
//! wrong. The one without a mutation must pass all of these scenarios.

use std::process::Command;
use std::sync::{LazyLock, Mutex};

use azurite::Azurite;
use tokio::runtime::Runtime;

const FEATURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../features");

/// Emulators that no run uses at the moment: as many as there are tests at a time, since failed runs leave messages behind,
/// which slow Azurite down. Their leashes end them, since statics are not dropped.
static IDLE: Mutex<Vec<Azurite>> = Mutex::new(Vec::new());

fn azurite() -> Azurite {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    let idle = IDLE.lock().expect("no holder may panic").pop();
    let start = || {
        RUNTIME
            .block_on(Azurite::start())
            .expect("Azurite must start")
    };
    idle.unwrap_or_else(start)
}

/// The exit code of the suite, and all that it said.
fn suite(mutation: &str, scenario: &str) -> (Option<i32>, String) {
    let mutant = env!("CARGO_BIN_EXE_mutant");
    let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let azurite = azurite();
    let mut command = Command::new(mutant);
    command
        .env("EDW_AZURITE_QUEUE_URL", azurite.queue_url())
        .env("EDW_AZURITE_TABLE_URL", azurite.table_url())
        .env("EDW_AZURITE_BLOB_URL", azurite.blob_url())
        .env_remove("EDW_AZURITE_SOURCE")
        .args(["run", "--features", FEATURES, "--out"])
        .arg(out.path())
        .arg("--consumer-command")
        .arg(format!("'{mutant}' broken {mutation}"))
        .arg(scenario);
    let output = command.output().expect("the mutant must start");
    IDLE.lock().expect("no holder may panic").push(azurite);
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// `mutation` fails `scenario`, which says `reason`, or one of several that `|` separates.
fn caught(mutation: &str, scenario: &str, reason: &str) {
    let (code, said) = suite(mutation, scenario);
    assert_eq!(
        code,
        Some(10),
        "{mutation} in {scenario:?} was not caught: {said}"
    );
    assert!(
        said.contains("1 failed"),
        "{mutation} in {scenario:?}: {said}"
    );
    assert!(
        reason.split('|').any(|reason| said.contains(reason)),
        "{mutation} failed {scenario:?}, and not for {reason:?}: {said}"
    );
}

/// One test a mutant.
macro_rules! mutants {
    ($($name:ident: $mutation:literal, $scenario:expr, $reason:literal;)*) => {
        $(#[test]
        fn $name() {
            caught($mutation, $scenario, $reason);
        })*

        /// Every mutation of the code is in the list above.
        #[test]
        fn every_mutant_is_judged() {
            let mut mutant = Command::new(env!("CARGO_BIN_EXE_mutant"));
            let output = mutant.args(["broken", "nonsense"]).output().expect("the mutant must start");
            let help = String::from_utf8_lossy(&output.stderr);
            let (_, values) = help.split_once("possible values: ").expect("the mutations");
            let (values, _) = values.split_once(']').expect("their end");
            let judged = [$($mutation),*];
            let listed: Vec<_> = values.split(',').map(str::trim).filter(|name| *name != "none").collect();
            assert!(listed.len() >= 20, "{help}");
            for name in listed {
                assert!(judged.contains(&name), "{name} is judged by no scenario");
            }
        }
    };
}

/// Cheap, and enough for whatever every message shows: 20 messages, and one that is not JSON.
const FEW: &str = "A message that is not JSON";
/// A hundred messages before the first consumer, so that they come in full batches.
const WAITING: &str = "Messages wait for their first consumer";
/// Ten messages that are worked on for longer than a lease.
const LONG: &str = "A renewal is refused for a while";
const FOUR: &str = "4 consumers compete for one queue";
const EMPTY: &str = "An empty queue is no error";
const TWICE: &str = "The producer repeats every fifth message";
const DIGEST: &str = "A message that has a digest that is not its";
const DRAIN: &str = "One of two consumers drains in the middle of the load";
const BUSY: &str = "30 % of all inserts get 503 ServerBusy";
const RESET_BEFORE: &str = "30 % of all inserts get a reset before storage has the request";
const RESET_AFTER: &str = "30 % of all inserts get a reset after storage has done it";
const DIES: &str = "Consumers die before a delete reaches storage";

mutants! {
    deletes_before_insert: "deletes-before-insert", FEW, "deleted before the row was confirmed";
    swallows_insert_errors: "swallows-insert-errors", BUSY, "deleted before the row was confirmed";
    takes_no_answer_for_success: "takes-no-answer-for-success", RESET_BEFORE, "deleted before the row was confirmed";
    drops_last_of_batch: "drops-last-of-batch", WAITING, "lost";
    never_deletes: "never-deletes", FEW, "still in the queue|left in the queue";
    takes_done_for_error: "takes-done-for-error", TWICE, "still in the queue|left in the queue";
    fresh_row_key: "fresh-row-key", FEW, "misplaced";
    key_per_attempt: "key-per-attempt", DIES, "misplaced";
    retries_under_new_key: "retries-under-new-key", RESET_AFTER, "of a message stored before";
    one_partition: "one-partition", FEW, "misplaced";
    upserts: "upserts", FEW, "changed after the insert, or without one";
    wrong_digest: "wrong-digest", FEW, "corrupted";
    truncates_payload: "truncates-payload", FEW, "corrupted";
    swaps_payloads: "swaps-payloads", WAITING, "corrupted";
    invents_stamps: "invents-stamps", FEW, "with a srcStamp or sentStamp that did not come with them";
    never_renews: "never-renews", LONG, "still in the queue|delivered more than once";
    gives_up_renewing: "gives-up-renewing", LONG, "still in the queue|delivered more than once";
    insists_on_stale_receipt: "insists-on-stale-receipt", LONG, "with a refused request repeated";
    crashes_on_poison: "crashes-on-poison", FEW, "ended though nobody had asked";
    discards_poison: "discards-poison", FEW, "deleted before the row was confirmed";
    poisons_without_body: "poisons-without-body", FEW, "the body was changed";
    poisons_with_wrong_reason: "poisons-with-wrong-reason", FEW, "the reason is too-many-attempts";
    stores_bad_messages: "stores-bad-messages", DIGEST, "stored as a result";
    poisons_good_messages: "poisons-good-messages", FEW, "given up as poison";
    ignores_sigterm: "ignores-sigterm", DRAIN, "still running after";
    drops_leases_at_sigterm: "drops-leases-at-sigterm", DRAIN, "in the queue";
    exits_with_error: "exits-with-error", DRAIN, "it ended with exit status: 3";
    exits_cleanly_after_panic: "exits-cleanly-after-panic", BUSY, "ended though nobody had asked";
    dies_on_busy_storage: "dies-on-busy-storage", BUSY, "ended though nobody had asked";
    busy_polls: "busy-polls", EMPTY, "has asked";
    never_polls: "never-polls", EMPTY, "wait until consumer-1 asks storage";
    works_alone: "works-alone", FOUR, "1 had messages";
}

/// The consumer without a mutation passes each of these scenarios: what fails in them is the mutation.
macro_rules! passes {
    ($($name:ident: $scenario:expr;)*) => {
        mod the_consumer_without_a_mutation_passes {
            use super::*;

            $(#[test]
            fn $name() {
                let (code, said) = suite("none", $scenario);
                assert_eq!(code, Some(0), "{said}");
                assert!(said.contains("1 passed"), "{said}");
            })*
        }
    };
}

passes! {
    few: FEW;
    long: LONG;
    four: FOUR;
    waiting: WAITING;
    empty: EMPTY;
    twice: TWICE;
    digest: DIGEST;
    drain: DRAIN;
    busy: BUSY;
    reset_before: RESET_BEFORE;
    reset_after: RESET_AFTER;
    dies: DIES;
}
