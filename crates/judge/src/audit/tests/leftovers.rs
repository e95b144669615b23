//! Tests of messages left in the queue or the poison queue: each planted violation is caught by its name.

use contract::PoisonEnvelope;
use evidence::outcome::Outcome;

use super::planted::{History, caught, envelope, message};
use crate::audit::{ExpectedPoison, Judged as _, Violation};

#[test]
fn a_good_message_given_up_is_poisoned() {
    let history = History::with(|h| {
        h.rows.remove(41);
        h.poison = vec![envelope(&message("r1", 42).encode(), "q-42")];
    });
    caught(&history, &[(Violation::Poisoned, 1)], "r1-42");
}

/// What the description says of the number of deliveries is compared with the one on which the message was given up.
#[test]
fn one_that_was_given_up_too_early_says_so() {
    for (attempt, expected) in [
        (
            4,
            "; it was delivery 4, and the description says after 5 (poison.after)",
        ),
        (
            5,
            "; it was delivery 5, and the description lets it have 5 (poison.after)",
        ),
        (
            6,
            "; it was delivery 6, and the description lets it have 5 (poison.after)",
        ),
    ] {
        let history = History::with(|h| {
            h.rows.remove(41);
            let mut given_up = envelope(&message("r1", 42).encode(), "q-42");
            given_up.attempt = attempt;
            h.poison = vec![given_up];
        });
        let audit = caught(&history, &[(Violation::Poisoned, 1)], "r1-42");
        let detail = &audit.findings[0].witnesses[0].detail;
        assert!(detail.contains(expected), "{detail}");
    }
}

/// Without a wire, nothing but the poison queue shows it.
#[test]
fn a_good_message_that_lies_in_the_poison_queue_as_it_was_sent_is_given_up() {
    let raw = message("r1", 42).encode();
    let history = History::with(|h| h.poison_otherwise = vec![raw.clone()]);
    caught(&history, &[(Violation::Poisoned, 1)], "r1-42");
    // One that belongs there is asked for in its own form, and others are not ours.
    let history = History::with(|h| {
        h.expectation.poison.seqs = vec![42..=42];
        h.rows.remove(41);
        h.poison_otherwise = vec![raw];
    });
    caught(&history, &[(Violation::Lost, 1)], "r1-42");
    let others = [message("r2", 42).encode(), "not json".to_owned()];
    let history = History::with(|h| h.poison_otherwise = others.to_vec());
    assert_eq!(history.audit().outcome(), Outcome::Pass);
}

#[test]
fn bad_messages_in_the_poison_queue_are_set_aside_even_twice() {
    let history = History::with(|h| {
        h.expectation.poison = ExpectedPoison {
            seqs: vec![42..=42, 105..=105],
            foreign: 1,
        };
        h.rows.remove(41);
        h.poison = vec![
            envelope(r#"{"id":"r1-42"}"#, "q-42"),
            envelope(r#"{"id":"r1-42"}"#, "q-42"),
            envelope(r#"{"id":"r1-105","msg":7}"#, "q-105"),
            envelope("not json", "q-x"),
            envelope("not json", "q-x"),
            envelope("not json", "q-x"),
        ];
    });
    let audit = history.audit();
    assert_eq!(audit.outcome(), Outcome::Pass);
    assert_eq!((audit.fates.set_aside, audit.foreign_poison), (2, 1));
    assert_eq!(audit.poison_repeats, 3);
}

#[test]
fn a_bad_message_that_vanished_is_lost() {
    let history = History::with(|h| h.expectation.poison.seqs = vec![105..=105]);
    caught(&history, &[(Violation::Lost, 1)], "r1-105");
    let history = History::with(|h| h.expectation.poison.foreign = 1);
    caught(&history, &[(Violation::Lost, 1)], "number 1");
}

#[test]
fn a_bad_message_with_a_row_is_accepted() {
    let history = History::with(|h| h.expectation.poison.seqs = vec![42..=42]);
    caught(&history, &[(Violation::Accepted, 1)], "r1-42");
}

#[test]
fn a_foreign_body_more_than_was_sent_is_a_phantom() {
    let history = History::with(|h| h.poison = vec![envelope("not json", "q-x")]);
    caught(&history, &[(Violation::Phantom, 1)], "number 1");
}

#[test]
fn a_poison_body_in_parts_is_judged_whole_and_a_missing_part_is_told() {
    let body = format!(r#"{{"msg":"{}","id":"r1-42"}}"#, "x".repeat(65_000));
    let parts: Vec<PoisonEnvelope> = envelope(&body, "q-42")
        .encode()
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect();
    assert!(parts.len() > 1, "the body must need parts");
    let mut history = History::with(|h| {
        h.expectation.poison.seqs = vec![42..=42];
        h.rows.remove(41);
        h.poison = parts.into_iter().rev().collect();
    });
    assert_eq!(history.audit().outcome(), Outcome::Pass);
    history.poison.pop();
    let audit = history.audit();
    assert_eq!((audit.unreadable_poison, audit.fates.lost), (1, 1));
}

#[test]
fn a_message_left_in_the_queue_is_unfinished_or_undeleted() {
    let body = message("r1", 42).encode();
    let history = History::with(|h| {
        h.rows.remove(41);
        h.left = vec![body.clone()];
    });
    caught(&history, &[(Violation::Unfinished, 1)], "r1-42");
    let history = History::with(|h| h.left = vec![body]);
    let audit = caught(&history, &[(Violation::Undeleted, 1)], "r1-42");
    // Its row is right: only the delete is missing.
    assert_eq!((audit.fates.kept, audit.fates.spoiled), (100, 0));
    assert_eq!(audit.outcome_of_rows(), Outcome::Pass);
}

#[test]
fn leased_messages_nobody_can_look_at_are_not_called_lost() {
    let history = History::with(|h| {
        h.rows.truncate(94);
        h.unseen = 2;
    });
    let violations = [(Violation::Lost, 4), (Violation::Unfinished, 2)];
    let audit = caught(&history, &violations, "r1-");
    let among_leased = "it is one of 6 messages without a row: 2 in the queue, leased, so that their text cannot be read, and 4 lost; which ones cannot be told";
    assert_eq!(audit.findings[0].witnesses[0].detail, among_leased);
}

#[test]
fn leased_messages_that_are_finished_are_undeleted_though_nobody_can_look_at_them() {
    let mut history = History::good();
    history.unseen = 100;
    let audit = caught(&history, &[(Violation::Undeleted, 100)], "leased message");
    assert_eq!((audit.fates.kept, audit.hidden), (100, 100));
    // The messages without a row may be among them.
    history.rows.pop();
    let expected = [(Violation::Unfinished, 1), (Violation::Undeleted, 99)];
    caught(&history, &expected, "");
    // A run that was cut off had no time to delete them.
    history.expectation.complete = false;
    assert_eq!(history.audit().outcome(), Outcome::Incomplete);
}
