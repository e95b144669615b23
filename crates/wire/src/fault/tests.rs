//! Tests of which requests a rule affects.

use super::*;
use crate::Service;

static ALIVE: AtomicBool = AtomicBool::new(false);
const BUSY: FaultKind = FaultKind::Refuse(Refusal::ServerBusy);

fn struck(faults: &Faults, requests: u64) -> u64 {
    let judged = |_| {
        faults
            .judge(Operation::InsertEntity, "consumer-1", &ALIVE)
            .effect
    };
    (0..requests).filter_map(judged).count() as u64
}

#[test]
fn a_rule_meets_what_it_says_and_ends_with_its_guard() {
    let faults = Faults::new(1);
    let guard = faults.install(Rule::on(Operation::InsertEntity, BUSY));
    let effect = |operation, client| faults.judge(operation, client, &ALIVE).effect;
    assert_eq!(effect(Operation::InsertEntity, "consumer-3"), Some(BUSY));
    assert_eq!(effect(Operation::DeleteMessage, "consumer-3"), None);
    assert_eq!(effect(Operation::InsertEntity, "producer"), None);
    assert_eq!(guard.struck(), 1);
    drop(guard);
    assert_eq!(effect(Operation::InsertEntity, "consumer-3"), None);
}

#[test]
fn a_rule_lets_some_pass_and_strikes_no_more_than_it_may() {
    let faults = Faults::new(1);
    let rule = Rule {
        after: 2,
        ..Rule::on(Operation::InsertEntity, BUSY).at_most(3)
    };
    let _guard = faults.install(rule);
    let pattern: Vec<_> = (0..7).map(|_| struck(&faults, 1)).collect();
    assert_eq!(pattern, [0, 0, 1, 1, 1, 0, 0]);
}

#[test]
fn every_stretch_gets_its_share_and_the_places_follow_the_seed() {
    let of = |seed| {
        let faults = Faults::new(seed);
        let rule = Rule::on(Operation::InsertEntity, BUSY).on_share(0.25);
        let _guard = faults.install(rule);
        (0..1_000).map(|_| struck(&faults, 1)).collect::<Vec<_>>()
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    assert!(of(3).chunks(4).all(|four| four.iter().sum::<u64>() == 1));
    let places = |at: usize| of(3).chunks(4).filter(|four| four[at] == 1).count();
    let places = [places(0), places(1), places(2), places(3)];
    assert!(
        places.iter().all(|count| (40..90).contains(count)),
        "{places:?}"
    );
}

#[test]
fn any_share_is_kept() {
    for share in [0.0, 0.01, 0.05, 0.1, 0.3, 0.5, 0.9, 1.0] {
        let faults = Faults::new(5);
        let rule = Rule::on(Operation::InsertEntity, BUSY).on_share(share);
        let _guard = faults.install(rule);
        let hit = struck(&faults, 1_000) as f64 / 1_000.0;
        // Two drawn places may be the same request.
        assert!(hit <= share && hit >= share * 0.85, "{share}: {hit}");
    }
}

#[test]
fn a_client_dies_once_and_its_other_requests_do_not_count() {
    let faults = Faults::new(1);
    let kill = FaultKind::Kill(Moment::Before);
    let guard = faults.install(Rule::on(Operation::DeleteMessage, kill).at_most(2));
    let (first, second) = (AtomicBool::new(false), AtomicBool::new(false));
    let effect = |doomed| {
        faults
            .judge(Operation::DeleteMessage, "consumer-1", doomed)
            .effect
    };
    assert_eq!([effect(&first), effect(&first)], [Some(kill), None]);
    assert_eq!([effect(&second), effect(&second)], [Some(kill), None]);
    assert_eq!(guard.struck(), 2);
    drop(guard);
    assert_eq!(faults.struck(), 2, "what has struck stays known");
}

#[test]
fn delays_add_up_and_the_first_other_effect_counts() {
    let faults = Faults::new(9);
    let late = FaultKind::Delay(Duration::from_millis(10));
    let _guards = [late, BUSY, late, FaultKind::Withhold]
        .map(|effect| faults.install(Rule::on(Operation::InsertEntity, effect)));
    let ruling = faults.judge(Operation::InsertEntity, "consumer-1", &ALIVE);
    assert_eq!(ruling.effect, Some(BUSY));
    assert!(ruling.delay > Duration::ZERO && ruling.delay < Duration::from_millis(20));
}

#[test]
fn refusals_have_the_services_own_bodies() {
    let (kind, xml) = Refusal::ServerBusy.body(Service::Queue);
    assert!(kind == "application/xml" && xml.contains("<Code>ServerBusy</Code>"));
    let (_, json) = Refusal::ServerBusy.body(Service::Table);
    assert!(
        json.contains("\"odata.error\":{\"code\":\"ServerBusy\""),
        "{json}"
    );
}

#[test]
fn a_death_passes_over_receives_that_may_be_empty_and_over_no_other_request() {
    let after = |operation| Rule::deaths(vec![operation], Moment::AfterEffect).after;
    assert_eq!(after(Operation::ReceiveMessages), EMPTY_RECEIVES);
    for operation in [Operation::InsertEntity, Operation::DeleteMessage] {
        assert_eq!(after(operation), 0, "{operation:?}");
    }
}
