//! Tests of what messages in the poison queue claim about their delivery.

use super::*;
use evidence::Claimed;

/// The step at which the answer of the second receive was recorded, and at which the envelope was put, in microseconds.
const RECEIVED: i64 = 100_005;
const PUT: i64 = 200_006;

/// What `consumer-1` puts into the poison queue after two deliveries of a message that is not JSON.
fn after_two(claims: &Claimed, fill: impl FnOnce(&mut Told)) -> Vec<String> {
    let mut told = Told::new();
    for attempt in [1, 2] {
        told.clock += 50_000;
        told.step(Operation::ReceiveMessages, 200, |crossing| {
            crossing.messages.push(Handled {
                queue_id: "m0".to_owned(),
                attempt: Some(attempt),
                ..Handled::default()
            });
        });
    }
    told.clock = PUT - 2;
    fill(&mut told);
    for poisons_in_part in [true, false] {
        told.step(Operation::PutMessage, 201, |crossing| {
            crossing.began = Stamp::from_micros(PUT);
            "q-poison".clone_into(&mut crossing.resource);
            let id = || Some("m0".to_owned());
            crossing.messages.push(Handled {
                poisons: id().filter(|_| !poisons_in_part),
                poisons_in_part: id().filter(|_| poisons_in_part),
                claims: Some(claims.clone()),
                ..Handled::default()
            });
        });
    }
    told.step(DeleteMessage, 204, |crossing| {
        crossing.messages.push(Handled {
            queue_id: "m0".to_owned(),
            ..Handled::default()
        });
    });
    let findings = told.protocol.finish().findings;
    assert!(
        findings
            .iter()
            .all(|it| it.violation == Violation::Misreported && it.count == 1),
        "{findings:?}"
    );
    let witnesses = findings.into_iter().flat_map(|it| it.witnesses);
    witnesses
        .map(|it| format!("{}: {}", it.subject, it.detail))
        .collect()
}

fn claims(attempt: u32, consumer: &str, at: Option<i64>) -> Claimed {
    Claimed {
        attempt: Some(attempt),
        consumer: Some(consumer.to_owned()),
        date: at.map(Stamp::from_micros),
        ..Claimed::default()
    }
}

#[test]
fn an_envelope_tells_of_a_delivery_to_the_consumer_that_put_it() {
    for (claims, says) in [
        (claims(2, "consumer-1", Some(RECEIVED)), None),
        (claims(2, "consumer-1", Some(PUT)), None),
        // A consumer may give up what it got earlier.
        (claims(1, "consumer-1", Some(RECEIVED)), None),
        // Both clocks are one; 5 ms are for what cuts and corrects stamps.
        (claims(2, "consumer-1", Some(RECEIVED - 5_000)), None),
        (claims(2, "consumer-1", Some(PUT + 5_000)), None),
        (
            claims(3, "consumer-1", Some(PUT)),
            Some("`attempt` is 3, and consumer-1 got the message as delivery 2"),
        ),
        (
            claims(0, "consumer-1", Some(PUT)),
            Some("`attempt` is 0, and consumer-1 got the message as delivery 2"),
        ),
        (
            claims(2, "somebody-else", Some(PUT)),
            Some("`consumer` is \"somebody-else\", and consumer-1 put it there"),
        ),
        (
            claims(2, "consumer-1", None),
            Some("`poisonedStamp` cannot be read"),
        ),
        (
            claims(2, "consumer-1", Some(RECEIVED - 5_001)),
            Some("before consumer-1 had the message, at"),
        ),
        (
            claims(2, "consumer-1", Some(PUT + 5_001)),
            Some("after consumer-1 had put it there, at"),
        ),
    ] {
        let found = after_two(&claims, |_| {});
        match says {
            None => assert_eq!(found, Vec::<String>::new(), "{claims:?}"),
            Some(says) => {
                assert!(
                    found[0].starts_with("queue message m0: in the poison queue, "),
                    "{found:?}"
                );
                assert!(found[0].contains(says), "{found:?}");
            }
        }
    }
}

#[test]
fn what_the_wire_cannot_know_is_not_held_against_an_envelope() {
    let wrong = || claims(9, "consumer-1", Some(0));
    // An answer that nobody could read may have handed the message over.
    let unread = after_two(&wrong(), |told| {
        told.step(Operation::ReceiveMessages, 500, |_| {});
    });
    assert_eq!(unread, Vec::<String>::new());
    // The envelope of a worker whose description has none of the fields.
    assert_eq!(
        after_two(
            &Claimed {
                date: Some(Stamp::from_micros(PUT)),
                ..Claimed::default()
            },
            |_| {}
        ),
        Vec::<String>::new()
    );
    // Each node of a cluster has its own clock: only a contradiction to other stamps is one.
    let apart = |at| {
        after_two(&claims(2, "consumer-1", Some(at)), |told| {
            told.protocol.skews = Some(crate::audit::skew::Skews::default());
        })
    };
    assert_eq!(apart(PUT + 400_000), Vec::<String>::new());
}

/// The traffic of a run in which a message that was received at 10 s was given up at `at` microseconds, by an envelope that was put at
/// 20 s. Between them, the wall clock was set by `ahead` microseconds. Returns how many claims could not be compared, and how many
/// were false.
fn given_up(at: i64, ahead: i64) -> (u64, usize) {
    let stamp = Stamp::from_micros;
    let mut told = Told::new();
    let mut step = |operation, seconds: i64, fill: &dyn Fn(&mut Crossing)| {
        told.step(operation, 200, |crossing| {
            (crossing.began, crossing.ended) =
                (stamp(seconds * 1_000_000), stamp(seconds * 1_000_000));
            fill(crossing);
        });
    };
    step(Operation::ReceiveMessages, 10, &|crossing| {
        crossing.messages.push(Handled {
            queue_id: "m0".to_owned(),
            attempt: Some(1),
            ..Handled::default()
        });
    });
    step(Operation::ReceiveMessages, 15, &|crossing| {
        crossing.clock_us = ahead;
    });
    step(Operation::PutMessage, 20, &|crossing| {
        crossing.clock_us = ahead;
        "q-poison".clone_into(&mut crossing.resource);
        crossing.messages.push(Handled {
            poisons: Some("m0".to_owned()),
            claims: Some(claims(1, "consumer-1", Some(at))),
            ..Handled::default()
        });
    });
    let testimony = told.protocol.finish();
    (testimony.traffic.untold_claims, testimony.findings.len())
}

#[test]
fn the_time_of_an_envelope_is_compared_unless_the_wall_clock_was_set_meanwhile() {
    for (at, ahead, expected) in [
        (15_000_000, 0, (0, 0)),
        (15_000_000, 5_000, (0, 0)),
        (15_000_000, 5_001, (1, 0)),
        (15_000_000, -5_001, (1, 0)),
        (25_000_000, 6_000_000, (1, 0)),
        (27_000_000, 6_000_000, (0, 1)),
    ] {
        assert_eq!(given_up(at, ahead), expected, "{at} {ahead}");
    }
}

/// A consumer's two envelopes, each put as soon as its message is received, at 10 s and at 12 s, under a description that writes their
/// time in whole seconds. Returns how many are false.
fn in_seconds(first: i64, second: i64, is_apart: bool) -> usize {
    let description = crate::audit::tests::own_with(&[("{at}", "{at:unix-s}")]);
    let lens = Lens::new(description.into(), "r1".parse().unwrap());
    let mut told = Told {
        protocol: Protocol::new(lens, 10),
        clock: 0,
    };
    told.protocol.skews = is_apart.then(crate::audit::skew::Skews::default);
    for (id, at, says) in [("m0", 10_000_000, first), ("m1", 12_000_000, second)] {
        for operation in [Operation::ReceiveMessages, Operation::PutMessage] {
            told.step(operation, 200, |crossing| {
                (crossing.began, crossing.ended) = (Stamp::from_micros(at), Stamp::from_micros(at));
                let is_put = operation == Operation::PutMessage;
                if is_put {
                    "q-poison".clone_into(&mut crossing.resource);
                }
                crossing.messages.push(Handled {
                    queue_id: id.to_owned(),
                    attempt: Some(1),
                    poisons: is_put.then(|| id.to_owned()),
                    claims: is_put.then(|| claims(1, "consumer-1", Some(says))),
                    ..Handled::default()
                });
            });
        }
    }
    told.protocol.finish().findings.len()
}

#[test]
fn the_time_of_an_envelope_is_as_exact_as_its_description_writes_it() {
    for is_apart in [false, true] {
        for (second, found) in [
            (12_000_000, 0),
            (11_000_000, 0),
            (12_000_000 - 1_005_000, 0),
            (12_000_000 - 1_005_001, 1),
            (10_000_000, 1),
        ] {
            assert_eq!(
                in_seconds(10_000_000, second, is_apart),
                found,
                "{is_apart} {second}"
            );
        }
    }
}
