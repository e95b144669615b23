//! Tests of rows from a client that never received their message.

use super::steps::under;
use super::*;

/// `client` stores the row of message 7, with all claims about its delivery.
fn insert_of(told: &mut Told, client: &str, status: u16) {
    told.step(InsertEntity, status, |crossing| {
        crossing.client = client.to_owned();
        let at = Some(crossing.began);
        crossing.rows.push(RowChange {
            part: None,
            delivery: Some(evidence::Claimed {
                dequeued: at,
                date: at,
                attempt: Some(1),
                consumer: Some(client.to_owned()),
                ..evidence::Claimed::default()
            }),
            ..row_of(7, 0)
        });
    });
}

/// Nothing that such a row says of its delivery can be true.
#[test]
fn a_row_from_a_client_that_never_received_the_message_is_found() {
    for (client, unread, status, expected) in [
        ("consumer-1", None, 201, &[][..]),
        ("consumer-2", None, 201, &[Violation::Misreported]),
        // Its receive may be the one that could not be read; that of another client explains nothing.
        ("consumer-2", Some("consumer-2"), 201, &[]),
        (
            "consumer-2",
            Some("consumer-1"),
            201,
            &[Violation::Misreported],
        ),
        ("consumer-2", None, 409, &[]),
    ] {
        let mut told = Told::new();
        told.receive(1);
        if let Some(unread) = unread {
            told.step(Operation::ReceiveMessages, 500, |crossing| {
                crossing.client = unread.to_owned();
            });
        }
        insert_of(&mut told, client, status);
        let account = &told.protocol.account;
        assert_eq!(account.unread() > 0, unread.is_some());
        let assumed = u64::from(unread == Some(client));
        let traffic = told.protocol.traffic();
        assert_eq!(traffic.unread_messages, assumed, "{client} {unread:?}");
        assert_eq!(told.violations(), expected, "{client} {unread:?} {status}");
    }
}

/// If a described column tells of the delivery, only a client that received the message may store the row; else any client may.
#[test]
fn a_row_is_anothers_if_one_of_its_columns_tells_of_a_delivery() {
    const CLAIMS: [&str; 4] = [
        "    dequeuedStamp: \"{received}\"\n",
        "    dateStamp: \"{done}\"\n",
        "    attempt: \"{attempt}\"\n    consumer",
        "    consumer: \"{worker}\"\n    node",
    ];
    let without = |kept: Option<usize>| {
        let claims = CLAIMS.iter().enumerate();
        let left_away = claims.filter(|(index, _)| Some(*index) != kept);
        left_away
            .map(|(_, text)| (*text, text.rsplit('\n').next().unwrap()))
            .collect::<Vec<_>>()
    };
    for kept in [None, Some(0), Some(1), Some(2), Some(3)] {
        let mut told = under(&without(kept));
        told.receive(1);
        insert_of(&mut told, "consumer-2", 201);
        let expected = kept.map(|_| Violation::Misreported);
        assert_eq!(told.violations(), Vec::from_iter(expected), "{kept:?}");
    }
}
