//! The content of messages and rows: [`workflow::contract`].

use std::fmt::{Debug, Display};
use std::str::FromStr;

use judge::audit::{Audit, Auditor, Expectation};
use judge::measure::{Hops, Measure as _};
use tables::ErrorCode;
use workflow::azure::{QueueName, TableName};
use workflow::contract::{
    Digest, MAX_MESSAGE_BYTES, Message, MessageId, PayloadSize, Payloads, PoisonEnvelope,
    PoisonReason, RunId, Seq, Stamp, StampSums, StoredRow, id_of_body,
};

use crate::text;

/// A message body. A body that is accepted is written as the same again, and its id is found without reading the rest.
pub(crate) fn message(input: &[u8]) {
    let Some(body) = text(input) else { return };
    let id = id_of_body(body);
    match Message::decode(body) {
        Ok(message) => {
            assert_eq!(id.as_deref(), Some(message.id.to_string().as_str()));
            assert_eq!(Message::decode(&message.encode()), Ok(message));
        }
        Err(error) => assert!(!error.to_string().is_empty(), "{:?}", error.reason()),
    }
}

/// A row of any worker: its latency samples, and its audit.
pub(crate) fn row(input: &[u8]) {
    let Ok(row) = serde_json::from_slice::<StoredRow>(input) else {
        return;
    };
    let mut hops = Hops::default();
    hops.record(&row);
    let payloads = Payloads {
        seed: 1,
        size: PayloadSize::Sample,
    };
    let run = "r1".parse().expect("a constant id must be valid");
    let auditor = Auditor::new(Expectation::new(run, payloads, 100));
    let mut auditor = auditor.expect("a constant expectation must make sense");
    auditor.row(&row);
    let audit = auditor.finish();
    let written = serde_json::to_string(&audit).expect("an audit must serialise");
    assert_eq!(serde_json::from_str::<Audit>(&written).ok(), Some(audit));
}

/// An envelope of the poison queue. Its parts, put again, fit into messages and make the whole again.
pub(crate) fn poison(input: &[u8]) {
    let Ok(envelope) = serde_json::from_slice::<PoisonEnvelope>(input) else {
        return;
    };
    let parts = envelope.clone().encode();
    // A usual id is a GUID of the service. A longer one is never cut, and need not fit.
    let has_usual_id = envelope.message_id.len() <= 1_000;
    let mut body = String::new();
    for part in &parts {
        let bytes: usize = part.chars().map(in_xml).sum();
        assert!(
            bytes <= MAX_MESSAGE_BYTES || !has_usual_id,
            "{bytes} bytes in one message"
        );
        let part: PoisonEnvelope = serde_json::from_str(part).expect("a part must be an envelope");
        assert_eq!(part.parts as usize, parts.len());
        body.push_str(&part.body);
    }
    assert_eq!(body, envelope.body);
}

/// The bytes of a character in XML, in which messages are sent.
fn in_xml(c: char) -> usize {
    match c {
        '&' => "&amp;".len(),
        '<' | '>' => "&lt;".len(),
        '"' | '\'' => "&quot;".len(),
        c => c.len_utf8(),
    }
}

/// Ids, stamps, digests and names: each has only one text form.
pub(crate) fn names(input: &[u8]) {
    let Some(text) = text(input) else { return };
    only_way::<RunId>(text);
    only_way::<Seq>(text);
    only_way::<MessageId>(text);
    only_way::<Stamp>(text);
    only_way::<Digest>(text);
    only_way::<PoisonReason>(text);
    only_way::<QueueName>(text);
    only_way::<TableName>(text);
    assert_eq!(ErrorCode::from(text).as_str(), text);
    if let Ok(id) = text.parse::<MessageId>() {
        let key = id.partition_key();
        let run = key.rsplit_once('.').map(|(run, _)| run);
        assert_eq!(run, Some(id.run.as_str()), "{id}");
    }
    if let Ok(queue) = text.parse::<QueueName>() {
        assert!(queue.poison().is_ok() || text.len() > 63 - "-poison".len());
    }
    if let Ok(sums) = StampSums::try_from(text.to_owned()) {
        assert_eq!(String::from(sums), text);
    }
}

fn only_way<T: FromStr<Err: Display> + Display + Debug>(text: &str) {
    match text.parse::<T>() {
        Ok(read) => assert_eq!(read.to_string(), text),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
