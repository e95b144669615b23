//! Wrong rows.

use workflow::contract::{Digest, Message, ResultRow, Stamp};
use workflow::ports::Delivery;

use crate::mutation::Mutation;

/// Changes the `row` of the message at `at` in `batch` as the mutation does.
pub(crate) fn row(mutation: Mutation, row: &mut ResultRow, batch: &[Delivery], at: usize) {
    match mutation {
        Mutation::FreshRowKey => {
            row.row_key = batch[at].lease.pop_receipt.replace(['/', '+'], "-");
        }
        Mutation::KeyPerAttempt if row.attempt > 1 => {
            row.row_key = format!("{}-{}", row.row_key, row.attempt);
        }
        Mutation::OnePartition => "all".clone_into(&mut row.partition_key),
        Mutation::WrongDigest => row.digest = Digest::of("something else"),
        Mutation::TruncatesPayload => {
            row.data = row
                .data
                .chars()
                .take(row.data.chars().count() / 2)
                .collect();
        }
        Mutation::DropsNonAscii => row.data.retain(|c| c.is_ascii()),
        Mutation::TrimsPayload => row.data = row.data.trim().to_owned(),
        Mutation::InventsStamps => {
            (row.src_stamp, row.sent_stamp) = (row.date_stamp, row.date_stamp);
        }
        Mutation::InventsReceiptTime => row.dequeued_stamp = row.sent_stamp,
        Mutation::NamesAnotherNode => row.node.push_str("-2"),
        Mutation::CountsAttemptsAnew => row.attempt = 1,
        Mutation::BackdatesALittle => {
            let micros = row.dequeued_stamp.as_micros() - 900_000;
            row.dequeued_stamp = Stamp::from_micros(micros);
        }
        Mutation::SwapsPayloads => {
            let other = &batch[(at + 1) % batch.len()].body;
            if let Ok(other) = Message::decode(other) {
                (row.data, row.digest) = (other.msg, other.digest);
            }
        }
        _ => {}
    }
}

/// The message of a body with a wrong digest, with a digest that fits.
pub(crate) fn unchecked(body: &str) -> Message {
    let body: serde_json::Value = serde_json::from_str(body).expect("it was parsed before");
    let text = |field: &str| {
        body[field]
            .as_str()
            .expect("it was there before")
            .to_owned()
    };
    let id = text("id").parse().expect("it was an id before");
    Message::new(id, text("msg"), Stamp::now(), Stamp::now())
}
