use std::collections::BTreeMap;

use contract::Stamp;
use contract::workload::Lens;
use evidence::audit::StorageNames;
use evidence::departures::{Cause, Departure, End};
use evidence::evictions::{Eviction, MachineEnd};
use evidence::outcome::Outcome;
use evidence::{Answer, Crossing, Handled, Operation};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

pub(super) fn evicted() -> Evicted {
    Evicted {
        node: "n-1".to_owned(),
        eviction: Eviction {
            notice: Some(30 * SECOND),
            drained_after: None,
            ends: MachineEnd::Deleted,
            returns: false,
        },
        is_asked: true,
        since: Stamp::from_micros(0),
        is_over: true,
        workers: ["c-1".to_owned()].into(),
        wanted: 4,
        short: None,
        longest_pauses: BTreeMap::new(),
        ended: vec![],
        killed: vec![],
        denied: None,
        failed: None,
        drained: None,
        recovered: None,
        back: 0,
    }
}

/// A request of c-1 that began at this time in us, took 0.1 s, and has one message.
fn crossing(operation: Operation, began: i64) -> Crossing {
    Crossing {
        client: "c-1".to_owned(),
        operation,
        resource: "q".to_owned(),
        began: Stamp::from_micros(began),
        ended: Stamp::from_micros(began + 100_000),
        answer: Answer::Status(200, None),
        failed_part: None,
        fault: None,
        unheard: false,
        messages: vec![Handled::default()],
        rows: vec![],
        strange: None,
        clock_us: 0,
        pauses: vec![],
    }
}

fn found(judged: anyhow::Result<()>) -> (Outcome, String) {
    let error = judged.unwrap_err();
    (Outcome::of_error(&error), error.to_string())
}

fn of_kept(kept: Kept) -> (Outcome, String) {
    found(kept.map_err(anyhow::Error::from))
}

#[test]
fn a_recovery_is_made_good_within_its_limit() {
    let recovered = |after| Evicted {
        recovered: Some(after),
        ..evicted()
    };
    let nothing = Hindrance::default();
    assert_eq!(made_good(&[], SECOND, &nothing), Ok(()));
    assert_eq!(made_good(&[recovered(SECOND)], SECOND, &nothing), Ok(()));
    let late = made_good(
        &[recovered(SECOND), recovered(2 * SECOND)],
        SECOND,
        &nothing,
    );
    let told = "after the eviction of n-1 it took 2s".to_owned();
    assert_eq!(of_kept(late), (Outcome::Fail, told.clone()));
    // What is short now was not while the workers were missing.
    let short_now = Hindrance {
        wanted: 1,
        denied: Some("no quota".to_owned()),
    };
    let late = made_good(&[recovered(2 * SECOND)], SECOND, &short_now);
    assert_eq!(of_kept(late), (Outcome::Fail, told.clone()));
    let denied = |after| Evicted {
        denied: Some("no quota".to_owned()),
        ..recovered(after)
    };
    assert_eq!(made_good(&[denied(SECOND)], SECOND, &nothing), Ok(()));
    let late = made_good(&[denied(2 * SECOND)], SECOND, &nothing);
    let told = format!("{told}, and for a time no machine came: no quota");
    assert_eq!(of_kept(late), (Outcome::Inconclusive, told));
}

#[test]
fn a_recovery_that_nobody_could_see_is_inconclusive_and_any_other_is_missed() {
    let known = |wanted, denied: Option<&str>| Hindrance {
        wanted,
        denied: denied.map(str::to_owned),
    };
    let judged = |known| of_kept(made_good(&[evicted()], SECOND, &known));
    let missed = "not within 1s of the eviction of n-1".to_owned();
    assert_eq!(judged(known(1, None)), (Outcome::Fail, missed));
    let (outcome, reason) = judged(known(0, None));
    assert_eq!(outcome, Outcome::Inconclusive);
    assert!(reason.starts_with("none is wanted any more"), "{reason}");
    let denied = "no machine came in place of n-1: no quota".to_owned();
    assert_eq!(
        judged(known(1, Some("no quota"))),
        (Outcome::Inconclusive, denied)
    );
}

/// The time of a storage that kept requests waiting for this part of 10 s.
fn storage(starved_ms: u64) -> StorageTime {
    StorageTime {
        starved_ms,
        paused_ms: 0,
        observed_ms: 10_000,
    }
}

#[test]
fn a_worker_that_ended_with_its_node_is_late_unless_storage_kept_it() {
    let killed = Evicted {
        killed: vec![("c-1".to_owned(), 2)],
        ..evicted()
    };
    let told =
        "c-1 had not ended when its node n-1 did, 30s after the notice, and had 2 messages in hand";
    let judged = |starved| {
        found(drained(std::slice::from_ref(&killed), || {
            Ok(storage(starved))
        }))
    };
    assert_eq!(judged(0), (Outcome::Fail, told.to_owned()));
    let (outcome, reason) = judged(5_000);
    assert_eq!(outcome, Outcome::Inconclusive);
    assert!(
        reason.starts_with(&format!("{told}, but storage kept")),
        "{reason}"
    );
    let unknown = drained(&[killed], || anyhow::bail!("no history"));
    assert_eq!(
        found(unknown),
        (Outcome::Inconclusive, "no history".to_owned())
    );
}

#[test]
fn all_workers_of_a_node_are_known_to_have_ended_by_themselves() {
    let ended = |code| Departure {
        name: "c-1".to_owned(),
        end: End::Exited(code),
        cause: Cause::Notice,
        is_orderly: code == 0,
        is_restart: false,
        is_early: false,
        after: SECOND,
        held: 0,
        sentence: "c-1 drained".to_owned(),
        tail: "its log".to_owned(),
    };
    let judged = |ended: Vec<Departure>, workers: &[&str]| {
        let workers = workers.iter().map(|it| (*it).to_owned()).collect();
        let evicted = Evicted {
            ended,
            workers,
            ..evicted()
        };
        drained(&[evicted], || Ok(storage(0)))
    };
    judged(vec![ended(0)], &["c-1"]).unwrap();
    // It was told to end while its process started.
    let early = Departure {
        end: End::Signalled(15),
        is_early: true,
        ..ended(143)
    };
    judged(vec![early], &["c-1"]).unwrap();
    for (judged, told) in [
        (judged(vec![ended(1)], &["c-1"]), "c-1 drained\nits log"),
        (judged(vec![], &[]), "no consumer was on n-1"),
        (
            judged(vec![ended(0)], &["c-1", "c-2"]),
            "1 of 2 consumers of n-1 are known to have ended",
        ),
    ] {
        assert_eq!(found(judged), (Outcome::Fail, told.to_owned()));
    }
}

#[test]
fn a_message_is_taken_too_late_only_beyond_the_limit_and_only_by_one_that_was_told() {
    let mut index = Index::of(Lens::own("r1".parse().unwrap()), StorageNames::default());
    let crossing = crossing(Operation::ReceiveMessages, 2_000_000);
    index.add(&crossing);
    index.add(&Crossing {
        client: "c-2".to_owned(),
        began: Stamp::from_micros(5_000_000),
        ended: Stamp::from_micros(5_100_000),
        ..crossing
    });
    let judged = |limit, it: Evicted| took_nothing_more(&[it], limit, &index);
    assert_eq!(judged(2 * SECOND, evicted()), Ok(()));
    let told = "c-1 took a message 2s after the notice of n-1".to_owned();
    assert_eq!(of_kept(judged(SECOND, evicted())), (Outcome::Fail, told));
    let (outcome, told) = of_kept(judged(9 * SECOND, evicted()));
    assert_eq!(outcome, Outcome::Inconclusive);
    assert!(
        told.contains("later than 9s after the notice of n-1"),
        "{told}"
    );
    let mut without = evicted();
    without.eviction.notice = None;
    let told = "no consumer was told of an eviction".to_owned();
    assert_eq!(of_kept(judged(SECOND, without)), (Outcome::Fail, told));
}

#[test]
fn a_run_without_an_eviction_proves_nothing_and_one_without_spot_machines_goes_on_on_demand() {
    assert_eq!(some(&[evicted()]), Ok(()));
    let told = "no node was evicted".to_owned();
    assert_eq!(of_kept(some(&[])), (Outcome::Inconclusive, told));
    let two = Evicted {
        workers: ["c-1".to_owned(), "c-2".to_owned()].into(),
        ..evicted()
    };
    assert_eq!(replaced_on_demand(&[evicted()], 1, 3), Ok(()));
    assert_eq!(replaced_on_demand(std::slice::from_ref(&two), 2, 2), Ok(()));
    // One of two came to a Spot node that was there.
    let told = "1 run on demand, 3 on Spot nodes, where 2 lost their Spot node".to_owned();
    let judged = of_kept(replaced_on_demand(&[two], 1, 3));
    assert_eq!(judged, (Outcome::Fail, told));
}

#[test]
fn a_worker_looks_for_a_notice_every_second_and_an_answer_may_take_another() {
    let pauses = |pause: Option<Duration>| Evicted {
        longest_pauses: pause.map(|it| ("c-1".to_owned(), it)).into_iter().collect(),
        ..evicted()
    };
    assert_eq!(looked_every_second(&[pauses(Some(LOOKS))]), Ok(()));
    let once = "c-1 on n-1 looked for a notice once at most".to_owned();
    let judged = of_kept(looked_every_second(&[pauses(None)]));
    assert_eq!(judged, (Outcome::Fail, once));
    let told = "c-1 on n-1 once did not look for a notice for 2.5s".to_owned();
    let judged = of_kept(looked_every_second(&[pauses(Some(LOOKS + SECOND / 2))]));
    assert_eq!(judged, (Outcome::Fail, told));
}

/// Four are wanted, of which c-1 was on the evicted node: two others work on, and c-5 comes.
#[test]
fn who_comes_in_place_of_others_must_finish_messages() {
    use Operation::{DeleteMessage, ReceiveMessages};
    let of = |client: &str, operation, second: i64| Crossing {
        client: client.to_owned(),
        ..crossing(operation, second * 1_000_000)
    };
    let works = |client: &str| {
        [
            of(client, ReceiveMessages, 20),
            of(client, DeleteMessage, 21),
        ]
    };
    let seen = |more: Vec<Crossing>| {
        let mut index = Index::of(Lens::own("r1".parse().unwrap()), StorageNames::default());
        // The last one of the evicted node works until its end.
        let all = ["c-1", "c-2", "c-3", "c-4"].into_iter().flat_map(works);
        all.chain(more).for_each(|it| index.add(&it));
        index
    };
    let evicted = |back| Evicted {
        short: Some(Stamp::from_micros(10_000_000)),
        recovered: Some(SECOND),
        back,
        ..evicted()
    };
    let judged = |back, departed: &[&str], more| {
        let departed: Vec<_> = departed.iter().map(|it| (*it).to_owned()).collect();
        worked_again(&[evicted(back)], &departed, &seen(more))
    };
    assert_eq!(judged(4, &[], works("c-5").into()), Ok(()));
    let only_takes = || vec![of("c-5", ReceiveMessages, 20)];
    let (outcome, reason) = of_kept(judged(4, &["c-1"], only_takes()));
    assert_eq!(outcome, Outcome::Fail, "{reason}");
    let few = "only 3 consumers on other nodes have worked, where 4 were wanted before";
    assert!(reason.contains(few), "{reason}");
    // Scaling, or an end in order, may have left it no time.
    let (outcome, reason) = of_kept(judged(3, &[], only_takes()));
    assert_eq!(outcome, Outcome::Inconclusive, "{reason}");
    let (outcome, reason) = of_kept(judged(4, &["c-5"], only_takes()));
    assert_eq!(outcome, Outcome::Inconclusive, "{reason}");
}
