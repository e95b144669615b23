//! Workers of other teams, each at work on the embedded engine for 200 seeds: with requests that are refused, lost and garbled on
//! their way, workers that die, and leases that run out during work.
//!
//! Everything between a worker and the judge is real: the engine answers HTTP, the wire's own reader records each request and
//! answer, the auditor reads what the engine stores. Simulated are time, faults and the workers, which know nothing of
//! descriptions.

mod teams;
mod worker;
mod world;

use evidence::outcome::Outcome;
use judge::audit::{Audit, Judged as _, Violation};

use teams::{TEAMS, Team};
use worker::Wrong;
use world::World;

const SEEDS: u64 = 200;

/// Seeds for each wrong worker: it must be caught with every one of them.
const SEEDS_OF_WRONG: u64 = 10;

const MESSAGES: u64 = 8;

fn audit(team: &'static Team, wrong: Option<Wrong>, seed: u64) -> Audit {
    let mut world = World::new(team, MESSAGES, seed);
    world.send();
    worker::work(&mut world, team, wrong);
    world.audit()
}

#[test]
fn correct_workers_are_never_accused() {
    for team in &TEAMS {
        for seed in 0..SEEDS {
            let audit = audit(team, None, seed);
            assert_eq!(
                (audit.outcome(), audit.fates.kept),
                (Outcome::Pass, MESSAGES),
                "{}, seed {seed}: {:?} {:?}",
                team.name,
                audit.reasons(),
                audit.findings
            );
        }
    }
}

#[test]
fn the_faults_of_a_run_are_such_that_messages_come_more_than_once() {
    for team in &TEAMS {
        let audits = (0..SEEDS_OF_WRONG).map(|seed| audit(team, None, seed));
        let redelivered = audits.filter_map(|audit| Some(audit.traffic?.redelivered));
        let redelivered: u64 = redelivered.sum();
        assert!(
            redelivered >= SEEDS_OF_WRONG,
            "{}: {redelivered}",
            team.name
        );
    }
}

#[test]
fn whoever_breaks_what_the_description_promises_is_caught_with_every_seed() {
    for team in &TEAMS {
        for (wrong, violation) in team.wrong {
            let mut named = false;
            for seed in 0..SEEDS_OF_WRONG {
                let audit = audit(team, Some(*wrong), seed);
                let reasons = audit.reasons();
                let what = format!("{}, {wrong:?}, seed {seed}: {reasons:?}", team.name);
                assert_eq!(audit.outcome(), Outcome::Fail, "{what}");
                named |= audit.count(*violation) > 0;
            }
            assert!(named, "{}, {wrong:?}: never called {violation}", team.name);
        }
    }
}

#[test]
fn one_row_for_many_messages_is_said_to_be_out_of_scope() {
    let audit = audit(&teams::BATCHES, None, 1);
    let finding = audit
        .findings
        .iter()
        .find(|it| it.violation == Violation::Phantom);
    let witness = &finding.expect("rows of no message").witnesses[0];
    let told = "one row for many messages is out of scope";
    assert!(witness.detail.contains(told), "{}", witness.detail);
}
